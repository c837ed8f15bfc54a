"""What the stages of one run share: settings, warehouse, sources, record, log, the snapshot before, and the clock of each stage."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from pipeline._version import __version__
from pipeline.build.tasks import Options
from pipeline.extract.sources import Source
from pipeline.load.manifest import Counts, Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.runs.baseline import Previous
from pipeline.runs.ledger import Ledger
from pipeline.runs.log import RunLog
from pipeline.runs.plan import fingerprint
from pipeline.runs.record import RunRecord, RunResult
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.views.catalog import Staged


class Job:
    """One run, from its start on."""

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse,
        sources: list[Source],
        record: RunRecord,
        log: RunLog,
        *,
        full: bool,
    ) -> None:
        self.settings, self.warehouse, self.sources, self.record, self.log = (
            settings,
            warehouse,
            sources,
            record,
            log,
        )
        self.options = Options(
            settings.strict, settings.keep_bodies, settings.keep_secured, settings.max_file_bytes
        )
        self.fingerprint = fingerprint(self.options)
        self.previous = Previous(warehouse, full=full)
        self.ledger = Ledger()
        self.closing = ExitStack()
        self._staged: Staged | None = None
        record.snapshot = self.previous.id
        record.rebuilt = self.previous.why_rebuild(sources, self.fingerprint, full=full)
        log.event(
            "run_started",
            version=__version__,
            pid=os.getpid(),
            host=socket.gethostname(),
            sources=[{"name": source.name, "path": source.root} for source in sources],
            snapshot=self.previous.id,
            rebuilt=record.rebuilt,
        )

    @property
    def staged(self) -> Staged:
        """The catalog of the snapshot to be; opened when first asked for, removed where it is not published."""
        load_late_stages()
        if self._staged is None:
            from pipeline.views.catalog import Staged

            self._staged = self.closing.enter_context(Staged(self.warehouse))
        return self._staged

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Record and log how long a stage takes."""
        self.log.event("stage_started", stage=stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = round(time.perf_counter() - start, 4)
            setattr(self.record, f"seconds_{stage}", seconds)
            self.log.event("stage_ended", stage=stage, seconds=seconds)

    def fill(self, counts: list[Counts]) -> None:
        """Enter in the record how many files the named sources have, by what became of them."""
        for name in Counts.__struct_fields__:
            setattr(self.record, name, sum(getattr(count, name) for count in counts))

    def result(self, manifest: Manifest) -> RunResult:
        """What the run returns, when `manifest` is what readers see."""
        for name, number in msgspec.structs.asdict(self.ledger).items():
            if name not in Counts.__struct_fields__:
                setattr(self.record, name, number)
        rows = {name: manifest.rows(name) for name in manifest.tables}
        named = {source.name for source in self.sources}
        entries = [entry for entry in manifest.sources if entry.name in named]
        return RunResult(
            self.record, self.ledger, str(self.warehouse.root), entries, rows, manifest.checks
        )


def load_late_stages() -> None:
    """Import what comes after building, while the workers build."""
    with signals.held():
        import pipeline.runs.derive
        import pipeline.runs.publish  # noqa: F401
