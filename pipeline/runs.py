"""One run: scan, build parts, derive tables, check, publish, sweep, record. The only module that knows all stages.

Arrow and DuckDB are imported where they are used: DuckDB while the workers are busy, and neither for `--help`.
"""

from __future__ import annotations

import datetime as dt
import os
import shlex
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec

from pipeline import __version__
from pipeline.checks import CheckResult, refuse_unknown, run_checks
from pipeline.engine import start_workers
from pipeline.errors import PipelineError, UsageError
from pipeline.extract.source import Folder, Listing
from pipeline.gates import log_rejections, refuse_failed, refuse_rejections
from pipeline.ledger import Ledger, reckon
from pipeline.load.seal import is_in_order
from pipeline.load.snapshots import Warehouse
from pipeline.log import RunLog, rotate
from pipeline.manifest import CheckCount, Counts, Manifest, PartFile, SourceEntry, content_id, snapshot_id
from pipeline.plan import Known, Options, PartResult, SourcePlan, fingerprint, plan, plan_all
from pipeline.previous import Previous, source_of
from pipeline.record import RunRecord, RunResult, fold_records, recorded
from pipeline.settings import Settings
from pipeline.stages import Progress, build_parts, load_late_stages, load_stages

if TYPE_CHECKING:
    import duckdb

    from pipeline.load.catalog import Staged

Tables = dict[str, list[PartFile]]


def run(
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    full: bool = False,
    dry_run: bool = False,
    wait: float = 0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Read what changed in the sources, build the tables, check and publish them.

    `now` is the time of the run (default: the clock); `full` builds every part of the named sources again; a dry run stops
    before publishing; `wait` is how many seconds to wait for another run to end; `progress` is called with documents done
    and in all. Raises PipelineError; the published snapshot then stays as it was.
    """
    sources = _sources(settings)
    refuse_unknown(settings.checks)
    with recorded(Warehouse(settings.warehouse), now, wait) as (warehouse, record, log):
        return _Run(settings, warehouse, sources, record, log, full).execute(dry_run, executor, progress)


def forget(settings: Settings, source: str, *, now: dt.datetime | None = None, wait: float = 0) -> RunResult:
    """Publish a snapshot without the rows of one source. Raises UsageError where the snapshot has no such source."""
    place = Warehouse(settings.warehouse)
    place.require()
    refuse_unknown(settings.checks)
    Previous(place, full=False).refuse_unknown(source)
    with recorded(place, now, wait) as (warehouse, record, log):
        return _Run(settings, warehouse, [], record, log, False).forget(source)


class _Run:
    """The stages of one run; what they share."""

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse,
        sources: list[Folder],
        record: RunRecord,
        log: RunLog,
        full: bool,
    ) -> None:
        self.closing = ExitStack()
        self.staged: Staged | None = None
        self.listed: dict[str, int] = {}
        self.settings, self.warehouse, self.sources, self.record, self.log = settings, warehouse, sources, record, log
        self.options = Options(settings.strict, settings.keep_bodies, settings.keep_secured, settings.max_file_bytes)
        self.fingerprint = fingerprint(self.options)
        self.previous = Previous(warehouse, full=full)
        self.ledger = Ledger()
        self.moves: dict[str, str] = {}
        self.first_seen: list[str] = []
        self.forgotten: set[str] = set()
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

    def execute(self, dry_run: bool, executor: Executor | None, progress: Progress | None) -> RunResult:
        pool = None
        if executor is None and (self.record.rebuilt or self.previous.manifest is None):
            load_stages()  # before workers fork: they then need not import Arrow, each for itself
            pool = start_workers(self.settings.workers)
        with self.closing:
            if pool is not None:
                self.closing.callback(pool.shutdown, cancel_futures=True)
            return self._execute(dry_run, executor, pool, progress)

    def forget(self, source: str) -> RunResult:
        """Build no part; leave out those of one source, and what was observed of its articles."""
        entry = self.previous.refuse_unknown(source)
        self.forgotten = {source}
        self.record.message = f"forgot {source}"
        self.ledger.deleted = entry.counts.files
        folder = Folder(source, entry.path)
        known = self.previous.known(folder)
        paths = [state.path for states in known.states.values() for state in states] if known else []
        tables, part_listings = self._collect([], {})
        with self.closing:
            return self._derive(tables, part_listings, {folder.document_id(path) for path in paths}, dry_run=False)

    def _execute(
        self, dry_run: bool, executor: Executor | None, pool: ProcessPoolExecutor | None, progress: Progress | None
    ) -> RunResult:
        self.previous.refuse_damaged(self.sources)
        with self._timed("scan"):
            listings = [(source, source.list(with_times=pool is None)) for source in self.sources]
            for source, listing in listings:
                if not self.settings.allow_empty:
                    self.previous.refuse_empty(source, listing)
            self.listed = {source.name: len(listing.entries) + len(listing.rejected) for source, listing in listings}
            known = {source.name: self.previous.known(source) for source in self.sources}
            plans = [(source, self._plan(source, listing, known[source.name])) for source, listing in listings]
        if self._nothing_to_do(plans):
            return self._unchanged(plans, dry_run)
        self.log.open()
        with self._timed("build"):
            tasks = [task for _, planned in plans for task in planned.tasks]
            built = []
            for result in build_parts(tasks, self.settings.workers, executor, pool, progress, self._retrying, self._stage):
                self.log.event("part_built", part=result.part, documents=result.documents)
                built.append(result)
            built += self._build_rest(listings)
            tables, part_listings = self._collect(built, {source.name: planned for source, planned in plans})
            self._reckon(plans, known, built)
        return self._derive(tables, part_listings, set(), dry_run=dry_run)

    def _plan(self, source: Folder, listing: Listing, known: Known | None) -> SourcePlan:
        size, root = self.settings.part_size, str(self.warehouse.root)
        if known is None or self.record.rebuilt:
            return plan_all(source, listing, known, size, root, self.options)
        return plan(source, listing, known, size, root, self.options)

    def _retrying(self, parts: int) -> None:
        self.log.event("workers_lost", parts=parts)

    def _stage(self) -> None:
        """Load what comes after building, and open the catalog of the snapshot to be: while the workers build."""
        load_late_stages()
        if self.staged is None:
            from pipeline.load.catalog import Staged

            self.staged = self.closing.enter_context(Staged(self.warehouse))

    def _derive(self, tables: Tables, part_listings: dict[str, str], forgotten: set[str], *, dry_run: bool) -> RunResult:
        """Add the derived tables, then check and publish."""
        self.log.open()
        self._stage()
        assert self.staged is not None
        with self._timed("derive"):
            from pipeline.derive import add_derived, without

            observed, lost = self.previous.observations()
            if lost:
                self.record.message = f"{len(lost)} files of observations were lost: the history begins anew"
            if forgotten:
                observed = without(self.warehouse, observed, forgotten)
            add_derived(self.warehouse, self.staged, tables, observed, self.record.run_id, self.record.started_at, self.moves)
        return self._finish(tables, part_listings, self.staged, dry_run)

    def _finish(self, tables: Tables, part_listings: dict[str, str], staged: Staged, dry_run: bool) -> RunResult:
        """Check what was built, and publish it."""
        with self._timed("check"):
            staged.comment()
            connection = staged.connection
            counts = self._counts(connection)
            checks = run_checks(connection, self.settings.checks)
            for check in checks:
                self.log.event("check", name=check.name, level=check.level, rows=check.count, examples=_printable(check.rows))
            self._pass_gates(checks, connection)
            found = [CheckCount(check.name, check.level, check.count) for check in checks if check.level != "off"]
            manifest = self._manifest(tables, part_listings, counts, found, connection)
            with self._timed("publish"):
                self._publish(manifest, staged, dry_run)
        if self.record.outcome in ("published", "forgotten") and self.settings.auto_gc:
            self._sweep()
        return self._result(manifest)

    def _pass_gates(self, checks: list[CheckResult], connection: duckdb.DuckDBPyConnection) -> None:
        """Raise where a gate is shut; what was rejected is in the log then."""
        try:
            place = shlex.quote(self.settings.warehouse)
            refuse_rejections(self.settings, self.record, f"pipeline rejects --run {self.record.run_id} -w {place}")
            refuse_failed(checks, self.log)
        except PipelineError:
            log_rejections(connection, {source.name: source.root for source in self.sources}, self.log)
            raise

    def _sweep(self) -> None:
        """Remove what nobody needs; that it cannot be removed does not undo a run."""
        from pipeline.load.retention import sweep

        settings = self.settings
        with self._timed("gc"):
            try:
                swept = sweep(self.warehouse, settings.keep_snapshots, settings.keep_days, self.record.started_at)
                logs = rotate(self.warehouse.logs, settings.keep_logs)
                runs = fold_records(self.warehouse, self.record.started_at)
                self.log.event("swept", snapshots=swept.removed, files=swept.files, bytes=swept.bytes, logs=logs, runs=runs)
            except Exception as error:  # whatever it is: what was published is published
                reason = str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
                self.record.message = f"published, but gc failed: {reason}"
                self.log.event("gc_failed", message=reason)

    def _nothing_to_do(self, plans: list[tuple[Folder, SourcePlan]]) -> bool:
        entries = [self.previous.entry(source.name) for source in self.sources]
        return (
            self.previous.id is not None
            and not self.record.rebuilt
            and not any(planned.tasks or planned.deleted or planned.sidecars_changed for _, planned in plans)
            and all(entry and entry.path == source.root for entry, source in zip(entries, self.sources, strict=True))
            and is_in_order(self.warehouse, self.previous.id)
        )

    def _unchanged(self, plans: list[tuple[Folder, SourcePlan]], dry_run: bool) -> RunResult:
        """The result of a run that found every file as it was: nothing is read, nothing is written."""
        assert self.previous.manifest is not None
        entries = self.previous.entries()
        self._fill([entries[source.name].counts for source in self.sources])
        self._reckon(plans, {}, [])
        refuse_rejections(self.settings, self.record, f"pipeline rejects -w {shlex.quote(self.settings.warehouse)}")
        self.record.outcome = "dry_run" if dry_run else "unchanged"
        return self._result(self.previous.manifest)

    def _build_rest(self, listings: list[tuple[Folder, Listing]]) -> list[PartResult]:
        from pipeline.build import build_rest

        return [build_rest(source, listing, str(self.warehouse.root), self.options) for source, listing in listings]

    def _reckon(self, plans: list[tuple[Folder, SourcePlan]], known: dict[str, Known | None], built: list[PartResult]) -> None:
        """Fill in the ledger."""
        total: Counter[str] = Counter()
        for source, planned in plans:
            before = known.get(source.name)
            if before is None and built:
                self.first_seen.append(source.name)
                continue
            old = [state for states in before.states.values() for state in states] if before else []
            read = [state for result in built if source_of(result.part) == source.name for state in result.read]
            reckoning = reckon(old, read, planned.unchanged, planned.deleted)
            total.update(msgspec.structs.asdict(reckoning.ledger))
            self.moves |= {source.document_id(new): source.document_id(old) for old, new in reckoning.moves.items()}
        self.ledger = Ledger(**total)

    def _collect(self, built: list[PartResult], plans: dict[str, SourcePlan]) -> tuple[Tables, dict[str, str]]:
        """Part files and listings: new ones, those of parts that stay, and those of sources that this run does not name."""
        from pipeline.schema import TABLES
        from pipeline.transform import PART_TABLES

        touched = plans.keys() | self.forgotten
        reused = {part for planned in plans.values() for part in planned.reused}
        tables: Tables = {name: [] for name in TABLES}
        for name in PART_TABLES:
            files = self.previous.files(name, touched, reused)
            files += [result.tables[name] for result in built if name in result.tables]
            tables[name] = sorted(files, key=lambda file: file.part or "")
        part_listings = self.previous.listings(touched, reused) | {result.part: result.listing for result in built}
        return tables, dict(sorted(part_listings.items()))

    def _manifest(
        self,
        tables: Tables,
        part_listings: dict[str, str],
        counts: dict[str, Counts],
        checks: list[CheckCount],
        connection: duckdb.DuckDBPyConnection,
    ) -> Manifest:
        from pipeline.derive import newest_of, tallies_of

        entries = self.previous.entries(without=self.forgotten)
        for source in self.sources:
            name = source.name
            tallies, newest = tallies_of(connection, name), newest_of(connection, name, self.record.started_at)
            entries[name] = SourceEntry(name, source.root, self.fingerprint, counts[name], tallies, *newest)
        return Manifest(
            id=snapshot_id(self.record.started_at, content_id(tables)),
            created_at=self.record.started_at,
            parent=self.previous.id,
            run_id=self.record.run_id,
            version=__version__,
            sources=sorted(entries.values(), key=lambda entry: entry.name),
            tables=tables,
            listings=part_listings,
            checks=checks,
        )

    def _counts(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Counts]:
        """Files of each named source by status; every file listed must be there as exactly one of four things."""
        from pipeline.derive import counts_of

        counts = {source.name: counts_of(connection, source.name) for source in self.sources}
        for name, found in counts.items():
            if self.listed[name] > found.files:
                raise PipelineError(
                    f"documents: {found.files} of {self.listed[name]} files of {name} are accounted for. Report this defect."
                )
        self._fill(list(counts.values()))
        for name in self.first_seen:
            self.ledger.new += counts[name].articles + counts[name].other
            self.ledger.rejected += counts[name].rejected
            self.ledger.skipped += counts[name].skipped
        return counts

    def _fill(self, counts: list[Counts]) -> None:
        for name in Counts.__struct_fields__:
            setattr(self.record, name, sum(getattr(count, name) for count in counts))

    def _result(self, manifest: Manifest) -> RunResult:
        for name, number in msgspec.structs.asdict(self.ledger).items():
            if name not in Counts.__struct_fields__:
                setattr(self.record, name, number)
        rows = {name: manifest.rows(name) for name in manifest.tables}
        named = {source.name for source in self.sources}
        entries = [entry for entry in manifest.sources if entry.name in named]
        return RunResult(self.record, self.ledger, str(self.warehouse.root), entries, rows, manifest.checks)

    def _publish(self, manifest: Manifest, staged: Staged, dry_run: bool) -> None:
        from pipeline.publication import holds_the_same, keep, publish

        published = self.previous.manifest
        if dry_run:
            self.record.outcome = "dry_run"
        elif published is not None and holds_the_same(manifest, published):
            keep(self.warehouse, manifest, published, staged)
            self.record.outcome = "dry_run" if dry_run else "unchanged"
        else:
            publish(self.warehouse, manifest, staged, manifest.created_at)
            self.record.outcome, self.record.snapshot = "forgotten" if self.forgotten else "published", manifest.id

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        self.log.event("stage_started", stage=stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = round(time.perf_counter() - start, 4)
            setattr(self.record, f"seconds_{stage}", seconds)
            self.log.event("stage_ended", stage=stage, seconds=seconds)


def _printable(rows: list[dict[str, object]]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in rows]


def _sources(settings: Settings) -> list[Folder]:
    if not settings.sources:
        raise UsageError("sources: none is named. Name a folder with articles.")
    sources = [Folder.parse(source) for source in settings.sources]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise UsageError(f"{source.root}: two sources are called {source.name!r}. Name one of them: NAME=PATH.")
    return sources
