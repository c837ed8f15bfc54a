"""The record of a run, and what `run` returns."""

import datetime as dt
import os
import resource
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from pipeline._version import __version__
from pipeline.errors import PipelineError
from pipeline.load.files import replace_file
from pipeline.load.manifest import CheckCount, SourceEntry
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.runs.ledger import Ledger
from pipeline.runs.log import RunLog

SINGLE = dt.timedelta(days=31)
"""How long a run's record stays a file of its own."""


class RunRecord(Struct):
    """What a run did: a row of the view `runs`, see `schema.RUNS`. In `runs/<run_id>.json`, later a line of `runs/<month>.json`."""

    run_id: str
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    outcome: Literal[
        "running", "published", "unchanged", "rolled_back", "forgotten", "dry_run", "failed"
    ] = "running"
    exit_code: int | None = None
    message: str | None = None
    snapshot: str | None = None
    files: int = 0
    articles: int = 0
    other: int = 0
    skipped: int = 0
    rejected: int = 0
    findings: int = 0
    new: int = 0
    content: int = 0
    score_only: int = 0
    secured_only: int = 0
    moved: int = 0
    deleted: int = 0
    unchanged: int = 0
    rebuilt: str | None = None
    seconds_scan: float = 0.0
    seconds_build: float = 0.0
    seconds_derive: float = 0.0
    seconds_check: float = 0.0
    seconds_publish: float = 0.0
    seconds_gc: float = 0.0
    seconds_total: float = 0.0
    peak_memory_bytes: int = 0
    version: str = __version__


class RunResult(Struct, frozen=True):
    """What `run` returns: the record; the ledger; the named sources and what they hold; rows per table; the checks."""

    record: RunRecord
    ledger: Ledger
    warehouse: str
    sources: list[SourceEntry]
    tables: dict[str, int]
    checks: list[CheckCount]

    @property
    def published(self) -> bool:
        """Whether the run published a new snapshot."""
        return self.record.outcome in ("published", "forgotten")

    @property
    def findings(self) -> dict[str, int]:
        """Defects survived in the named sources, by rule."""
        return _added(entry.tallies.findings for entry in self.sources)

    @property
    def rejections(self) -> dict[str, int]:
        """Files refused in the named sources, by code."""
        return _added(entry.tallies.rejections for entry in self.sources)

    @property
    def unknown_fields(self) -> dict[str, int]:
        """Articles of the named sources that have a field which the contract does not know, by field."""
        return _added(entry.tallies.unknown_fields for entry in self.sources)


def _added(tallies: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return dict(total.most_common())


@contextmanager
def recorded(
    warehouse: Warehouse, now: dt.datetime | None, wait: float
) -> Iterator[tuple[Warehouse, RunRecord, RunLog]]:
    """Hold the warehouse's lock, and tell in a record and a log what happens meanwhile, whatever that is."""
    started = now or dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    warehouse.prepare()
    with warehouse.lock(wait):
        record = RunRecord(f"{started:%Y%m%dT%H%M%S.%f}Z-{os.getpid()}", started)
        log = RunLog(warehouse.logs, record.run_id)
        write_record(warehouse, record)
        try:
            yield warehouse, record, log
            record.exit_code = 0
        except PipelineError as error:
            record.outcome, record.exit_code, record.message = "failed", error.exit_code, str(error)
            raise
        except BaseException as error:
            if (status := signals.exit_status()) is not None:
                record.outcome, record.exit_code, record.message = (
                    "failed",
                    status,
                    "stopped by a signal",
                )
                raise SystemExit(status) from error
            record.outcome, record.exit_code, record.message = (
                "failed",
                1,
                f"{type(error).__name__}: {error}",
            )
            raise
        finally:
            record.seconds_total = round(time.perf_counter() - clock, 4)
            record.finished_at = started + dt.timedelta(seconds=record.seconds_total)
            record.peak_memory_bytes = peak_memory()
            if record.outcome == "failed":
                log.open()
            log.event("run_ended", **msgspec.to_builtins(record))
            log.close()
            write_record(warehouse, record)


def write_record(warehouse: Warehouse, record: RunRecord) -> None:
    """Write or replace the record in `runs/`."""
    replace_file(warehouse.runs / f"{record.run_id}.json", msgspec.json.encode(record) + b"\n")


def records(warehouse: Warehouse) -> Iterator[RunRecord]:
    """The records of the runs so far, newest first; one that a full disk cut off is left out."""
    for path in sorted(
        warehouse.runs.glob("*.json"), key=lambda path: path.stem.replace("-", ""), reverse=True
    ):
        for line in reversed(_lines(path)):
            if record := _decoded(line):
                yield record


def fold_records(warehouse: Warehouse, now: dt.datetime) -> int:
    """Join records older than `SINGLE` into a file a month, so that years of runs are few files; returns how many were joined.

    What was cut off between writing the month and removing its records is mended by the next call.
    """
    last = f"{now - SINGLE:%Y%m%dT}"
    old = sorted(path for path in warehouse.runs.glob("*T*.json") if path.name < last)
    months: dict[str, list[Path]] = {}
    for path in old:
        months.setdefault(f"{path.name[:4]}-{path.name[4:6]}.json", []).append(path)
    for name, paths in months.items():
        lines = {
            line: None
            for path in (warehouse.runs / name, *paths)
            for line in _lines(path)
            if _decoded(line)
        }
        replace_file(warehouse.runs / name, b"".join(line + b"\n" for line in lines))
        for path in paths:
            path.unlink(missing_ok=True)
    return len(old)


def _decoded(line: bytes) -> RunRecord | None:
    try:
        return msgspec.json.decode(line, type=RunRecord)
    except msgspec.DecodeError:
        return None


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError:
        return []


def peak_memory() -> int:
    """Largest resident size, in bytes, of this process and of any one worker that has ended."""
    return 1024 * max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
