"""Build what a plan names: the parts that changed, and the rows of new commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build.tasks import HistoryResult, HistoryTask, PartResult
from pipeline.build.workers import Task, Workers
from pipeline.extract.git.commits import Window
from pipeline.load.manifest import PartFiles, SourceEntry
from pipeline.runs.backlog import (
    Backlog,
    HistoryRead,
    last_observations,
    tracks_by_task,
    updated_entry,
    windows_of,
    with_results,
)
from pipeline.runs.baseline import kept_tables, published_history, source_of
from pipeline.runs.context import Context
from pipeline.runs.fingerprint import Fingerprint
from pipeline.runs.ledger import Reckoning, reckon
from pipeline.runs.plan import Plan, SourcePlan


class Built(Struct, frozen=True):
    """What a snapshot is made of, before anything is derived over all sources."""

    tables: PartFiles
    """Part files of all sources, of the tables whose rows depend on one document alone."""
    listings: dict[str, str]
    """Listings by part."""
    history: PartFiles
    """Part files of the tables of history that stay."""
    entries: tuple[SourceEntry, ...]
    """The sources that this run names, without counts."""
    listed: Mapping[str, int]
    """Files that each of them lists."""
    first_seen: tuple[str, ...]
    """Those of them that no snapshot had before."""
    removed: frozenset[str]
    """Sources that leave the warehouse."""
    parts: tuple[PartResult, ...]
    """Parts that were built."""
    histories: Mapping[str, HistoryRead]
    """What was read of the history of each repository."""


def build(
    context: Context, plan: Plan, workers: Workers, *, meanwhile: Callable[[], object]
) -> Built:
    """Build the parts of a plan and read its commits on workers, a window of each source at a time.

    `meanwhile` is called when the workers are busy.
    """
    log = context.recorder.log
    history = _kept_history(context, plan)
    parts: list[PartResult] = []
    histories = {name: HistoryRead() for name in plan.backlogs}
    waiting = {name: windows_of(backlog) for name, backlog in plan.backlogs.items()}
    tasks: list[Task] = [task for source in plan.sources for task in source.parts.tasks]
    windows = _next_windows(waiting)
    while True:
        for name, window in windows.items():
            tasks += _window_tasks(context, plan.backlogs[name], window, histories[name], history)
        results: dict[str, list[HistoryResult]] = {name: [] for name in windows}
        for result in workers.results(
            tasks,
            retrying=lambda count: log.event("workers_lost", parts=count),
            meanwhile=meanwhile,
        ):
            if isinstance(result, HistoryResult):
                results[result.source].append(result)
            else:
                log.event("part_built", part=result.part, documents=result.documents)
                parts.append(result)
        for name, window in windows.items():
            histories[name] = with_results(histories[name], window, results[name])
        if not (windows := _next_windows(waiting)):
            break
        tasks, workers = [], replace(workers, pool=None)
    from pipeline.build.part import build_rest

    for source in plan.sources:
        parts.append(build_rest(source.source, source.listing, context.root, context.options))
    return join_built(context, plan, parts, history, histories)


def forget_source(context: Context, source: str) -> Built:
    """Build nothing; leave out the parts of one source, and its history."""
    from pipeline.load.history import without

    history, _ = published_history(context.baseline)
    history = without(context.root, history, source)
    return join_built(context, Plan((), {}), [], history, {}, removed=frozenset({source}))


def join_built(
    context: Context,
    plan: Plan,
    parts: list[PartResult],
    history: PartFiles,
    histories: dict[str, HistoryRead],
    removed: frozenset[str] = frozenset(),
) -> Built:
    """Join what was built with what stays of the published snapshot."""
    from pipeline.transform.documents import PART_TABLES

    touched, baseline = plan.names | removed, context.baseline
    reused = {part for source in plan.sources for part in source.parts.reused}
    kept = kept_tables(baseline, touched, reused)
    tables = {}
    for name in PART_TABLES:
        files = [result.tables[name] for result in parts if name in result.tables]
        tables[name] = sorted([*kept.get(name, []), *files], key=lambda file: file.part or "")
    listings = {
        part: name
        for part, name in baseline.listings.items()
        if part in reused or source_of(part) not in touched
    } | {result.part: result.listing for result in parts}
    return Built(
        tables,
        dict(sorted(listings.items())),
        history,
        tuple(_entry(source, plan.fingerprint) for source in plan.sources),
        {source.name: source.listed for source in plan.sources},
        tuple(source.name for source in plan.sources if source.known is None),
        removed,
        tuple(parts),
        histories,
    )


def _entry(source: SourcePlan, fingerprint: Fingerprint) -> SourceEntry:
    entry = SourceEntry(source.name, source.source.root, fingerprint)
    return updated_entry(source.backlog, entry) if source.backlog else entry


def reckon_sources(plan: Plan, parts: Sequence[PartResult] = ()) -> dict[str, Reckoning]:
    """Return what became of the files of each source that the snapshot holds."""
    reckonings = {}
    for source in plan.sources:
        if source.known is not None:
            built = [result.read for result in parts if source_of(result.part) == source.name]
            read = list(chain(*built))
            before = chain(*source.known.states.values()) if read else ()
            unchanged, deleted = source.parts.unchanged, source.parts.deleted
            reckonings[source.name] = reckon(before, read, unchanged, deleted)
    return reckonings


def _kept_history(context: Context, plan: Plan) -> PartFiles:
    """Return the history so far, without what this run reads again from the first commit.

    What runs saw before that commit stays.
    """
    history, lost = published_history(context.baseline)
    if lost:
        context.recorder.note(message=f"{len(lost)} files of history were lost: it starts again")
    for name, backlog in plan.backlogs.items():
        if backlog.is_full_history and (since := backlog.observed_since):
            from pipeline.load.history import without

            history = without(context.root, history, name, since)
    return history


def _next_windows(waiting: Mapping[str, Iterator[Window]]) -> dict[str, Window]:
    return {name: window for name, windows in waiting.items() if (window := next(windows, None))}


def _window_tasks(
    context: Context, backlog: Backlog, window: Window, read: HistoryRead, history: PartFiles
) -> list[HistoryTask]:
    source, last = backlog.source, read.last
    if backlog.entry is not None:
        articles = {source.document_id(path): path for path in window.events if path not in last}
        files = history.get("observations", [])
        published = last_observations(context.root, files, list(articles))
        last = {articles[article]: seen for article, seen in published.items()} | dict(last)
    root, options = context.root, context.options
    groups = tracks_by_task(window, last, context.settings.workers)
    return [
        HistoryTask(source, number, window.commits, tracks, root, options)
        for number, tracks in enumerate(groups, len(read.results))
    ]
