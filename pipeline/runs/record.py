"""The record of a run: written down while it goes on, kept in `runs/`, returned by `run`."""

import datetime as dt
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from pipeline._version import __version__
from pipeline.errors import PipelineError
from pipeline.extract.sources import Source
from pipeline.load.files import replace_file
from pipeline.load.manifest import CheckCount, Counts, SourceEntry
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.runs.ledger import Ledger
from pipeline.runs.log import RunLog

OWN_FILE_FOR = dt.timedelta(days=31)
"""How long a run's record stays a file of its own."""

Outcome = Literal[
    "running", "published", "unchanged", "rolled_back", "forgotten", "dry_run", "failed"
]


class RunRecord(Struct, frozen=True):
    """What a run did: a row of the view `runs`, see `schema.tables.RUNS`.

    It lies in `runs/<run_id>.json`, later in a line of `runs/<month>.json`.
    """

    run_id: str
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    outcome: Outcome = "running"
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
    """What `run` returns: record, ledger, the named sources, rows by table, and checks."""

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
        return self._tally("findings")

    @property
    def rejections(self) -> dict[str, int]:
        """Files rejected in the named sources, by code."""
        return self._tally("rejections")

    @property
    def unknown_fields(self) -> dict[str, int]:
        """Articles of the named sources with a field outside the contract, by field."""
        return self._tally("unknown_fields")

    def _tally(self, name: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for entry in self.sources:
            total.update(getattr(entry.tallies, name))
        return dict(total.most_common())


NOTHING = Ledger()


class Recorder(Struct):
    """Writes down a run that goes on: its log, the clock of each stage, and its record."""

    log: RunLog
    record: RunRecord
    """What is known of the run; complete when it has ended."""

    def note(self, **facts: Any) -> None:
        """Change fields of the record."""
        self.record = replace(self.record, **facts)

    def count(self, counts: Counts, ledger: Ledger = NOTHING) -> None:
        """Note files by status and by change; the status tells which are rejected or skipped."""
        self.note(**{**asdict(ledger), **asdict(counts)})

    def start(self, sources: Iterable[Source], snapshot: str | None, rebuilt: str | None) -> None:
        """Note and log what the run begins with."""
        self.note(snapshot=snapshot, rebuilt=rebuilt)
        self.log.event(
            "run_started",
            version=__version__,
            pid=os.getpid(),
            host=socket.gethostname(),
            sources=[{"name": source.name, "path": source.root} for source in sources],
            snapshot=snapshot,
            rebuilt=rebuilt,
        )

    def note_failure(self, exit_code: int, message: str) -> None:
        """Note why the run failed, and keep its log."""
        self.note(outcome="failed", exit_code=exit_code, message=message)
        self.log.open()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note and log how long a stage takes."""
        self.log.event("stage_started", stage=stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = round(time.perf_counter() - start, 4)
            self.note(**{f"seconds_{stage}": seconds})
            self.log.event("stage_ended", stage=stage, seconds=seconds)


@contextmanager
def recorded(warehouse: Warehouse, now: dt.datetime | None, wait: float) -> Iterator[Recorder]:
    """Hold the warehouse's lock, and leave a record and a log of what happens meanwhile."""
    started_at = now or dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    warehouse.prepare()
    with warehouse.lock(wait):
        run_id = f"{started_at:%Y%m%dT%H%M%S.%f}Z-{os.getpid()}"  # sorts by time
        recorder = Recorder(RunLog(warehouse.logs, run_id), RunRecord(run_id, started_at))
        write_record(warehouse, recorder.record)
        try:
            yield recorder
            recorder.note(exit_code=0)
        except PipelineError as error:
            recorder.note_failure(error.exit_code, str(error))
            raise
        except BaseException as error:
            if (status := signals.exit_status()) is not None:
                recorder.note_failure(status, "stopped by a signal")
                raise SystemExit(status) from error
            recorder.note_failure(1, f"{type(error).__name__}: {error}")
            raise
        finally:
            seconds = round(time.perf_counter() - clock, 4)
            ended_at = started_at + dt.timedelta(seconds=seconds)
            usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            memory = 1024 * max(process.ru_maxrss for process in usage)  # of any that has ended
            recorder.note(finished_at=ended_at, seconds_total=seconds, peak_memory_bytes=memory)
            recorder.log.event("run_ended", **msgspec.to_builtins(recorder.record))
            recorder.log.close()
            write_record(warehouse, recorder.record)


def write_record(warehouse: Warehouse, record: RunRecord) -> None:
    """Write or replace the record in `runs/`."""
    replace_file(warehouse.runs / f"{record.run_id}.json", msgspec.json.encode(record) + b"\n")


def records(warehouse: Warehouse) -> Iterator[RunRecord]:
    """Yield the records of the runs so far, newest first, but for those cut off by a full disk."""
    paths = warehouse.runs.glob("*.json")
    for path in sorted(paths, key=lambda path: path.stem.replace("-", ""), reverse=True):
        yield from reversed(_read_records(path).values())


def fold_records(warehouse: Warehouse, now: dt.datetime) -> int:
    """Join records older than `OWN_FILE_FOR` into a file per month; return how many were joined.

    If that is cut off between writing a month and removing its records, the next call mends it.
    """
    last = f"{now - OWN_FILE_FOR:%Y%m%dT}"
    old = sorted(path for path in warehouse.runs.glob("*T*.json") if path.name < last)
    months: dict[Path, list[Path]] = {}
    for path in old:
        month = warehouse.runs / f"{path.name[:4]}-{path.name[4:6]}.json"
        months.setdefault(month, []).append(path)
    for month, paths in months.items():
        lines = {line: None for path in (month, *paths) for line in _read_records(path)}
        replace_file(month, b"".join(line + b"\n" for line in lines))
        for path in paths:
            path.unlink(missing_ok=True)
    return len(old)


def _read_records(path: Path) -> dict[bytes, RunRecord]:
    """Return the records of a file by their lines, but for those that cannot be read."""
    found = {}
    with suppress(OSError):
        for line in path.read_bytes().splitlines():
            with suppress(msgspec.DecodeError):
                found[line] = msgspec.json.decode(line, type=RunRecord)
    return found
