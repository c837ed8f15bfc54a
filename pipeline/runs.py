"""One run: scan, build parts, derive tables, check, publish, record. The only module that knows all stages.

Arrow and DuckDB are imported where they are used: DuckDB while the workers are busy, and neither for `--help`.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pipeline import __version__
from pipeline.checks import CheckResult
from pipeline.engine import postpone_pandas, start_workers
from pipeline.errors import CheckFailed, PipelineError, SourceError, TooManyRejections, UsageError, WarehouseError
from pipeline.extract.source import Folder, Listing
from pipeline.ledger import Ledger, reckon
from pipeline.load.listings import read as read_listing
from pipeline.load.seal import is_in_order, put
from pipeline.load.snapshots import Warehouse
from pipeline.manifest import CheckCount, Counts, Manifest, PartFile, SourceEntry, Tallies, content_id, snapshot_id
from pipeline.plan import Known, Options, PartResult, SourcePlan, fingerprint, plan, plan_all
from pipeline.record import RunRecord, RunResult, peak_memory, write_record
from pipeline.settings import Settings
from pipeline.stages import Progress, build_parts, load_stages

if TYPE_CHECKING:
    import duckdb

Tables = dict[str, list[PartFile]]


def run(
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    full: bool = False,
    dry_run: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
    own_process: bool = False,
) -> RunResult:
    """Read what changed in the sources, build the tables, check and publish them.

    `now` is the time of the run (default: the clock); `full` builds every part of the named sources again; a dry run stops
    before publishing; `progress` is called with documents done and in all; a process of its own keeps pandas out.
    Raises PipelineError; the published snapshot then stays as it was.
    """
    started = now or dt.datetime.now(dt.UTC)
    clock = time.perf_counter()
    warehouse = Warehouse(settings.warehouse)
    sources = _sources(settings)
    warehouse.prepare()
    with warehouse.lock():
        record = RunRecord(f"{started:%Y%m%dT%H%M%S.%f}Z-{os.getpid()}", started)
        write_record(warehouse, record)
        try:
            result = _Run(settings, warehouse, sources, record, full, own_process).execute(dry_run, executor, progress)
            record.exit_code = 0
        except PipelineError as error:
            record.outcome, record.exit_code, record.message = "failed", error.exit_code, str(error)
            raise
        except SystemExit as error:
            record.outcome, record.exit_code, record.message = "failed", int(error.code or 0), "stopped by a signal"
            raise
        except BaseException as error:
            record.outcome, record.exit_code, record.message = "failed", 1, f"{type(error).__name__}: {error}"
            raise
        finally:
            record.seconds_total = round(time.perf_counter() - clock, 4)
            record.finished_at = started + dt.timedelta(seconds=record.seconds_total)
            record.peak_memory_bytes = peak_memory()
            write_record(warehouse, record)
    return result


class _Run:
    """The stages of one run; what they share."""

    def __init__(
        self,
        settings: Settings,
        warehouse: Warehouse,
        sources: list[Folder],
        record: RunRecord,
        full: bool,
        own_process: bool,
    ) -> None:
        self.own_process = own_process
        self.listed: dict[str, int] = {}
        self.settings, self.warehouse, self.sources, self.record = settings, warehouse, sources, record
        self.options = Options(settings.strict, settings.keep_bodies, settings.keep_secured, settings.max_file_bytes)
        self.fingerprint = fingerprint(self.options)
        self.previous = _published(warehouse, full)
        self.ledger = Ledger()
        self.moves: dict[str, str] = {}
        self.first_seen: list[str] = []
        record.snapshot = self.previous.id if self.previous else None
        record.rebuilt = self._why_rebuild(full)

    def execute(self, dry_run: bool, executor: Executor | None, progress: Progress | None) -> RunResult:
        pool = None
        if executor is None and (self.record.rebuilt or self.previous is None):
            if self.own_process:
                postpone_pandas()
            load_stages()  # before workers fork: they then need not import Arrow, each for itself
            pool = start_workers(self.settings.workers)
        try:
            return self._execute(dry_run, executor, pool, progress)
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def _execute(
        self, dry_run: bool, executor: Executor | None, pool: ProcessPoolExecutor | None, progress: Progress | None
    ) -> RunResult:
        with self._timed("scan"):
            listings = [(source, source.list(with_times=pool is None)) for source in self.sources]
            for source, listing in listings:
                self._refuse_empty(source, listing)
            self.listed = {source.name: len(listing.entries) + len(listing.rejected) for source, listing in listings}
            known = {source.name: self._known(source) for source in self.sources}
            size, root = self.settings.part_size, str(self.warehouse.root)
            plans = []
            for source, listing in listings:
                old = known[source.name]
                incremental = None if self.record.rebuilt else old
                if incremental is None:
                    plans.append((source, plan_all(source, listing, old, size, root, self.options)))
                else:
                    plans.append((source, plan(source, listing, incremental, size, root, self.options)))
        if self._nothing_to_do(plans):
            return self._unchanged(plans)
        with self._timed("build"):
            tasks = [task for _, planned in plans for task in planned.tasks]
            built = list(build_parts(tasks, self.settings.workers, executor, pool, progress, self.own_process))
            built += self._build_rest(listings)
            tables, part_listings = self._collect(built, {source.name: planned for source, planned in plans})
            self._reckon(plans, known, built)
        with self._timed("derive"):
            from pipeline.derive import add_derived

            published = self.previous.tables["observations"] if self.previous else []
            add_derived(self.warehouse, tables, published, self.record.run_id, self.record.started_at, self.moves)
        return self._finish(tables, part_listings, dry_run)

    def _finish(self, tables: Tables, part_listings: dict[str, str], dry_run: bool) -> RunResult:
        """Check what was built, and publish it."""
        from pipeline.checks import run_checks
        from pipeline.derive import tallies_of
        from pipeline.load import catalog

        with self._timed("check"), catalog.staged(self.warehouse, tables) as (connection, aside):
            counts = self._counts(connection)
            checks = run_checks(connection)
            self._refuse(checks)
            tallies = {source.name: tallies_of(connection, source.name) for source in self.sources}
            found = [CheckCount(check.name, check.level, check.count) for check in checks]
            manifest = self._manifest(tables, part_listings, counts, tallies, found)
            with self._timed("publish"):
                self._publish(manifest, connection, aside, dry_run)
        return self._result(manifest)

    def _refuse_empty(self, source: Folder, listing: Listing) -> None:
        """A source that had files and has none is more likely not mounted than deleted."""
        before = {entry.name: entry.counts.files for entry in self.previous.sources} if self.previous else {}
        if not listing.entries and before.get(source.name) and not self.settings.allow_empty:
            raise SourceError(
                f"{source.root}: holds no article files (the snapshot has {before[source.name]} of {source.name})."
                " Check that it is mounted, or say --allow-empty."
            )

    def _why_rebuild(self, full: bool) -> str | None:
        """Why every part of the named sources is built again; None where only what changed is."""
        if full:
            return "--full"
        if self.previous is None:
            return None
        before = {entry.name: entry.fingerprint for entry in self.previous.sources}
        differing = {
            name
            for source in self.sources
            if source.name in before
            for name in before[source.name].keys() | self.fingerprint.keys()
            if before[source.name].get(name) != self.fingerprint.get(name)
        }
        return f"{', '.join(sorted(differing))} changed" if differing else None

    def _known(self, source: Folder) -> Known | None:
        """What the published snapshot holds of a source; None where it holds nothing of it."""
        if self.previous is None or source.name not in {entry.name for entry in self.previous.sources}:
            return None
        mine = {part: name for part, name in self.previous.listings.items() if part.rpartition("/")[0] == source.name}
        tables: dict[str, dict[str, str]] = {}
        for table, files in self.previous.tables.items():
            for file in files:
                if file.part in mine:
                    tables.setdefault(file.part, {})[table] = file.file
        states = {part: read_listing(self.warehouse.root, name) for part, name in mine.items()}
        return Known(states, tables, mine)

    def _nothing_to_do(self, plans: list[tuple[Folder, SourcePlan]]) -> bool:
        return (
            self.previous is not None
            and not self.record.rebuilt
            and {source.name for source in self.sources} <= {entry.name for entry in self.previous.sources}
            and not any(planned.tasks or planned.deleted or planned.sidecars_changed for _, planned in plans)
            and [source.root for source in self.sources] == [self._entry(source.name).path for source in self.sources]
            and is_in_order(self.warehouse, self.previous.id)
        )

    def _entry(self, name: str) -> SourceEntry:
        assert self.previous is not None
        return next(entry for entry in self.previous.sources if entry.name == name)

    def _unchanged(self, plans: list[tuple[Folder, SourcePlan]]) -> RunResult:
        """The result of a run that found every file as it was: nothing is read, nothing is written."""
        assert self.previous is not None
        self._fill([self._entry(source.name).counts for source in self.sources])
        self._reckon(plans, {}, [])
        self._refuse([])
        self.record.outcome = "unchanged"
        return self._result(self.previous)

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
            read = [state for result in built if result.part.rpartition("/")[0] == source.name for state in result.read]
            reckoning = reckon(old, read, planned.unchanged, planned.deleted)
            total.update(msgspec.structs.asdict(reckoning.ledger))
            self.moves |= {source.document_id(new): source.document_id(old) for old, new in reckoning.moves.items()}
        self.ledger = Ledger(**total)

    def _collect(self, built: list[PartResult], plans: dict[str, SourcePlan]) -> tuple[Tables, dict[str, str]]:
        """Part files and listings: new ones, those of parts that stay, and those of sources that this run does not name."""
        from pipeline.schema import TABLES
        from pipeline.transform import PART_TABLES

        reused = {part for planned in plans.values() for part in planned.reused}
        tables: Tables = {name: [] for name in TABLES}
        for name in PART_TABLES:
            kept = self.previous.tables.get(name, []) if self.previous else []
            files = [file for file in kept if file.part and (file.part in reused or file.part.rpartition("/")[0] not in plans)]
            files += [result.tables[name] for result in built if name in result.tables]
            tables[name] = sorted(files, key=lambda file: file.part or "")
        old = self.previous.listings if self.previous else {}
        part_listings = {part: name for part, name in old.items() if part in reused or part.rpartition("/")[0] not in plans}
        part_listings |= {result.part: result.listing for result in built}
        return tables, dict(sorted(part_listings.items()))

    def _manifest(
        self,
        tables: Tables,
        part_listings: dict[str, str],
        counts: dict[str, Counts],
        tallies: dict[str, Tallies],
        checks: list[CheckCount],
    ) -> Manifest:
        entries = {entry.name: entry for entry in self.previous.sources} if self.previous else {}
        for source in self.sources:
            name = source.name
            entries[name] = SourceEntry(name, source.root, self.fingerprint, counts[name], tallies[name])
        return Manifest(
            id=snapshot_id(self.record.started_at, content_id(tables)),
            created_at=self.record.started_at,
            parent=self.previous.id if self.previous else None,
            run_id=self.record.run_id,
            version=__version__,
            sources=sorted(entries.values(), key=lambda entry: entry.name),
            tables=tables,
            listings=part_listings,
            checks=checks,
        )

    def _counts(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Counts]:
        """Files of each named source by status; every file listed must be there as exactly one of four things."""
        found: dict[str, dict[str, int]] = {source.name: {} for source in self.sources}
        rows = connection.execute("select source, status, count(*) from documents group by all").fetchall()
        for source, status, number in rows:
            found.setdefault(source, {})[status] = number
        findings = dict(connection.execute("select source, count(*) from findings group by all").fetchall())
        counts = {
            name: Counts(
                sum(by.values()),
                by.get("article", 0),
                by.get("other", 0),
                by.get("skipped", 0),
                by.get("rejected", 0),
                findings.get(name, 0),
            )
            for name, by in found.items()
        }
        for source in self.sources:
            if self.listed[source.name] > counts[source.name].files:
                raise PipelineError(
                    f"documents: {counts[source.name].files} of {self.listed[source.name]} files of {source.name} are accounted"
                    f" for ({found[source.name]}). Report this defect."
                )
        self._fill([counts[source.name] for source in self.sources])
        for name in self.first_seen:
            self.ledger.new += counts[name].articles + counts[name].other
            self.ledger.rejected += counts[name].rejected
            self.ledger.skipped += counts[name].skipped
        return counts

    def _fill(self, counts: list[Counts]) -> None:
        for name in Counts.__struct_fields__:
            setattr(self.record, name, sum(getattr(count, name) for count in counts))

    def _refuse(self, checks: list[CheckResult]) -> None:
        allowed = self.settings.max_rejected(self.record.files)
        if allowed is not None and self.record.rejected > allowed:
            raise TooManyRejections(
                f"rejections: {self.record.rejected} of {self.record.files} files (allowed {allowed}, max_rejects"
                f" {self.settings.max_rejects}). Nothing is published."
            )
        if failed := [check for check in checks if check.failed]:
            counts = ", ".join(f"{check.name} {check.count}" for check in failed)
            raise CheckFailed(f"checks: {len(failed)} failed ({counts} rows). Nothing is published.")

    def _result(self, manifest: Manifest) -> RunResult:
        for name, number in msgspec.structs.asdict(self.ledger).items():
            if name not in Counts.__struct_fields__:
                setattr(self.record, name, number)
        rows = {name: manifest.rows(name) for name in manifest.tables}
        named = {source.name for source in self.sources}
        entries = [entry for entry in manifest.sources if entry.name in named]
        return RunResult(self.record, self.ledger, str(self.warehouse.root), entries, rows, manifest.checks)

    def _publish(self, manifest: Manifest, connection: duckdb.DuckDBPyConnection, aside: Path, dry_run: bool) -> None:
        from pipeline.load import catalog

        same = self.previous is not None and content_id(self.previous.tables) == content_id(manifest.tables)
        if dry_run:
            self.record.outcome = "dry_run"
        elif same and self.previous is not None:
            self.record.outcome = "unchanged"
            if manifest.listings != self.previous.listings:
                self.warehouse.amend(msgspec.structs.replace(manifest, id=self.previous.id, parent=self.previous.parent))
            if not is_in_order(self.warehouse, self.previous.id):
                catalog.flush(connection)
                self.warehouse.publish(msgspec.structs.replace(manifest, id=self.previous.id, parent=self.previous.parent))
                put(aside, self.warehouse, self.previous.id)
        else:
            catalog.flush(connection)
            self.warehouse.publish(manifest)
            put(aside, self.warehouse, manifest.id)
            self.record.outcome, self.record.snapshot = "published", manifest.id

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            setattr(self.record, f"seconds_{stage}", round(time.perf_counter() - start, 4))


def _published(warehouse: Warehouse, full: bool) -> Manifest | None:
    """The published manifest; a full run does without one that is damaged."""
    try:
        return warehouse.published()
    except WarehouseError:
        if full:
            return None
        raise


def _sources(settings: Settings) -> list[Folder]:
    sources = [Folder.parse(source) for source in settings.sources]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise UsageError(f"{source.root}: two sources are called {source.name!r}. Name one of them: NAME=PATH.")
    return sources
