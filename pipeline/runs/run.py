"""One run: scan, build parts, read histories, reckon what changed, complete. The only module that knows all stages.

Arrow and DuckDB are imported where they are used: DuckDB while the workers are busy, and neither for `--help`.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections import Counter
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from pipeline.build.tasks import HistoryResult, HistoryTask, PartResult, PartTask
from pipeline.build.workers import Progress, build_parts, load_stages
from pipeline.errors import UsageError
from pipeline.extract.git.commits import Window
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import Listing
from pipeline.extract.sources import Source, parse
from pipeline.load.manifest import PartFile
from pipeline.load.warehouse import Warehouse
from pipeline.process.pool import start_workers
from pipeline.runs.backlog import Past
from pipeline.runs.baseline import Previous, source_of
from pipeline.runs.context import Job
from pipeline.runs.gates import refuse_rejections
from pipeline.runs.ledger import Ledger, reckon
from pipeline.runs.plan import Known, SourcePlan, plan, plan_all
from pipeline.runs.record import RunResult, recorded
from pipeline.settings import Settings
from pipeline.views.checks import refuse_unknown
from pipeline.views.seal import is_in_order

if TYPE_CHECKING:
    from pipeline.load.history import Files
    from pipeline.runs.finish import Tables
    from pipeline.runs.history_delta import News


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
        return _Run(Job(settings, warehouse, sources, record, log, full=full)).execute(
            dry_run, executor, progress
        )


def forget(
    settings: Settings, source: str, *, now: dt.datetime | None = None, wait: float = 0
) -> RunResult:
    """Publish a snapshot without the rows of one source. Raises UsageError where the snapshot has no such source."""
    place = Warehouse(settings.warehouse)
    place.require()
    refuse_unknown(settings.checks)
    Previous(place, full=False).refuse_unknown(source)
    with recorded(place, now, wait) as (warehouse, record, log):
        return _Run(Job(settings, warehouse, [], record, log, full=False)).forget(source)


class _Run:
    """What is read and built."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.listed: dict[str, int] = {}
        self.first_seen: list[str] = []
        self.pasts: dict[str, Past] = {}
        self.history: Files = {}

    def execute(
        self, dry_run: bool, executor: Executor | None, progress: Progress | None
    ) -> RunResult:
        job, pool = self.job, None
        if executor is None and (job.record.rebuilt or job.previous.manifest is None):
            load_stages()  # before workers fork: they then need not import Arrow, each for itself
            pool = start_workers(job.settings.workers)
        with job.closing:
            if pool is not None:
                job.closing.callback(pool.shutdown, cancel_futures=True)
            return self._execute(dry_run, executor, pool, progress)

    def forget(self, source: str) -> RunResult:
        """Build no part; leave out those of one source, and its history."""
        job = self.job
        entry = job.previous.refuse_unknown(source)
        job.record.message = f"forgot {source}"
        job.ledger.deleted = entry.counts.files
        with job.closing:
            from pipeline.load.history import without

            self.history = without(job.warehouse.root, job.previous.history()[0], source)
            tables, part_listings = self._collect([], {}, {source})
            return self._complete(tables, part_listings, self._news(), {source}, dry_run=False)

    def _execute(
        self,
        dry_run: bool,
        executor: Executor | None,
        pool: ProcessPoolExecutor | None,
        progress: Progress | None,
    ) -> RunResult:
        job = self.job
        job.previous.refuse_damaged(job.sources)
        with job.timed("scan"):
            known = {source.name: job.previous.known(source) for source in job.sources}
            listings = [
                (source, self._listing(source, known[source.name], with_times=pool is None))
                for source in job.sources
            ]
            for source, listing in listings:
                if not job.settings.allow_empty:
                    job.previous.refuse_empty(source, listing)
            self.listed = {
                source.name: len(listing.entries) + len(listing.rejected)
                for source, listing in listings
            }
            plans = [
                (source, self._plan(source, listing, known[source.name]))
                for source, listing in listings
            ]
        if self._nothing_to_do(plans):
            return self._unchanged(plans, dry_run)
        job.log.open()
        with job.timed("build"):
            self._open_history()
            parts = [task for _, planned in plans for task in planned.tasks]
            built = self._build(parts, executor, pool, progress) + self._build_rest(listings)
            tables, part_listings = self._collect(
                built, {source.name: planned for source, planned in plans}, set()
            )
            news = self._reckon(plans, known, built)
        return self._complete(tables, part_listings, news, set(), dry_run=dry_run)

    def _listing(self, source: Source, known: Known | None, *, with_times: bool) -> Listing:
        """What a source holds; of a repository also what is new in its history."""
        listing = source.list(with_times=with_times)
        if not isinstance(source, Repository):
            return listing
        job = self.job
        entry, rebuilt = job.previous.entry(source.name), job.record.rebuilt is not None
        past = self.pasts[source.name] = Past(
            source, entry, rebuilt=rebuilt, observed=job.settings.history
        )
        if past.is_rewritten:
            job.record.message = f"the history of {source.name} was rewritten: it is read anew"
        return past.dated(listing, known)

    def _open_history(self) -> None:
        """The history so far, without what this run tells anew."""
        job = self.job
        self.history, lost = job.previous.history()
        if lost:
            job.record.message = f"{len(lost)} files of history were lost: it begins anew"
        for past in self.pasts.values():
            self.history = past.kept(job.warehouse.root, self.history)

    def _build(
        self,
        parts: list[PartTask],
        executor: Executor | None,
        pool: ProcessPoolExecutor | None,
        progress: Progress | None,
    ) -> list[PartResult]:
        """Build the parts and read the histories, a window of each at a time."""
        job, settings = self.job, self.job.settings
        built: list[PartResult] = []
        pasts = {name: past.windows() for name, past in self.pasts.items()}

        def next_windows() -> dict[str, Window]:
            return {
                name: window for name, windows in pasts.items() if (window := next(windows, None))
            }

        now = next_windows()
        while True:
            tasks: list[PartTask | HistoryTask] = [*parts]
            for name, window in now.items():
                tasks += self.pasts[name].tasks(
                    window, job.warehouse.root, self.history, settings.workers, job.options
                )
            read: dict[str, list[HistoryResult]] = {}
            for result in build_parts(
                tasks,
                settings.workers,
                executor,
                pool,
                progress,
                self._retrying,
                lambda: job.staged,
            ):
                if isinstance(result, HistoryResult):
                    read.setdefault(result.source, []).append(result)
                else:
                    job.log.event("part_built", part=result.part, documents=result.documents)
                    built.append(result)
            for name, window in now.items():
                self.pasts[name].take(window, read.get(name, []))
            if not (now := next_windows()):
                return built
            parts, pool = [], None

    def _plan(self, source: Source, listing: Listing, known: Known | None) -> SourcePlan:
        job = self.job
        size, root = job.settings.part_size, str(job.warehouse.root)
        if known is None or job.record.rebuilt:
            return plan_all(source, listing, known, size, root, job.options)
        return plan(source, listing, known, size, root, job.options)

    def _retrying(self, parts: int) -> None:
        self.job.log.event("workers_lost", parts=parts)

    def _complete(
        self,
        tables: Tables,
        part_listings: dict[str, str],
        news: News,
        forgotten: set[str],
        *,
        dry_run: bool,
    ) -> RunResult:
        from pipeline.runs.finish import Built, complete

        built = Built(
            tables, part_listings, self.history, self.listed, self.first_seen, forgotten, self.pasts
        )
        return complete(self.job, built, news, dry_run=dry_run)

    def _nothing_to_do(self, plans: list[tuple[Source, SourcePlan]]) -> bool:
        job = self.job
        entries = [job.previous.entry(source.name) for source in job.sources]
        return (
            job.previous.id is not None
            and not job.record.rebuilt
            and not any(
                planned.tasks or planned.deleted or planned.sidecars_changed for _, planned in plans
            )
            and not any(past.is_new for past in self.pasts.values())
            and all(
                entry and entry.path == source.root
                for entry, source in zip(entries, job.sources, strict=True)
            )
            and is_in_order(job.warehouse, job.previous.id)
        )

    def _unchanged(self, plans: list[tuple[Source, SourcePlan]], dry_run: bool) -> RunResult:
        """The result of a run that found every file as it was: nothing is read, nothing is written."""
        job = self.job
        assert job.previous.manifest is not None
        entries = job.previous.entries()
        job.fill([entries[source.name].counts for source in job.sources])
        total: Counter[str] = Counter()
        for _, planned in plans:
            total.update(
                msgspec.structs.asdict(reckon([], [], planned.unchanged, planned.deleted).ledger)
            )
        job.ledger = Ledger(**total)
        refuse_rejections(
            job.settings, job.record, f"pipeline rejects -w {shlex.quote(job.settings.warehouse)}"
        )
        job.record.outcome = "dry_run" if dry_run else "unchanged"
        return job.result(job.previous.manifest)

    def _build_rest(self, listings: list[tuple[Source, Listing]]) -> list[PartResult]:
        from pipeline.build.part import build_rest

        job = self.job
        return [
            build_rest(source, listing, str(job.warehouse.root), job.options)
            for source, listing in listings
        ]

    def _news(self) -> News:
        from pipeline.runs.history_delta import News
        from pipeline.transform.observations import Seen

        entries = self.job.previous.entries(without=[source.name for source in self.job.sources])
        elsewhere = {name for name, entry in entries.items() if entry.observed_commit}
        elsewhere |= {name for name, past in self.pasts.items() if past.is_observed}
        return News(Seen(self.job.record.run_id, self.job.record.started_at, elsewhere=elsewhere))

    def _reckon(
        self,
        plans: list[tuple[Source, SourcePlan]],
        known: dict[str, Known | None],
        built: list[PartResult],
    ) -> News:
        """Fill in the ledger; what this run adds to the history."""
        total: Counter[str] = Counter()
        news = self._news()
        elsewhere = set(news.seen.elsewhere)
        moves: dict[str, str] = {}
        edited: list[str] = []
        ended: list[str] = []
        for source, planned in plans:
            before = known.get(source.name)
            if before is None:
                self.first_seen.append(source.name)
                continue
            old = [state for states in before.states.values() for state in states]
            results = [result for result in built if source_of(result.part) == source.name]
            read = [state for result in results for state in result.read]
            reckoning = reckon(old, read, planned.unchanged, planned.deleted)
            total.update(msgspec.structs.asdict(reckoning.ledger))
            if source.name in elsewhere:
                continue
            moves |= {
                source.document_id(new): source.document_id(old)
                for old, new in reckoning.moves.items()
            }
            edited += map(source.document_id, reckoning.edited)
            ended += map(source.document_id, reckoning.ended)
            news.counted[source.name] = reckoning.changes
            for result in results:
                news.differences |= result.differences
        news.seen = msgspec.structs.replace(news.seen, moves=moves, edited=edited, ended=ended)
        news.first_seen = [name for name in self.first_seen if name not in elsewhere]
        for past in self.pasts.values():
            for name, files in past.files(self.job.warehouse.root, self.history).items():
                news.files.setdefault(name, []).extend(files)
        self.job.ledger = Ledger(**total)
        return news

    def _collect(
        self, built: list[PartResult], plans: dict[str, SourcePlan], forgotten: set[str]
    ) -> tuple[Tables, dict[str, str]]:
        """Part files and listings: new ones, those of parts that stay, and those of sources that this run does not name."""
        from pipeline.schema.tables import TABLES
        from pipeline.transform.documents import PART_TABLES

        previous = self.job.previous
        touched = plans.keys() | forgotten
        reused = {part for planned in plans.values() for part in planned.reused}
        tables: dict[str, list[PartFile]] = {name: [] for name in TABLES}
        for name in PART_TABLES:
            files = previous.files(name, touched, reused)
            files += [result.tables[name] for result in built if name in result.tables]
            tables[name] = sorted(files, key=lambda file: file.part or "")
        part_listings = previous.listings(touched, reused) | {
            result.part: result.listing for result in built
        }
        return tables, dict(sorted(part_listings.items()))


def _sources(settings: Settings) -> list[Source]:
    if not settings.sources:
        raise UsageError("sources: none is named. Name a folder with articles.")
    sources = [parse(source) for source in settings.sources]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise UsageError(
                f"{source.root}: two sources are called {source.name!r}. Name one of them: NAME=PATH."
            )
    return sources
