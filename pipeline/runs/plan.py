"""The plan of a run: what each source lists, which parts are built again, which commits are read."""

from bisect import bisect_right
from itertools import pairwise

from msgspec import Struct

from pipeline.build.tasks import OldPart, PartTask
from pipeline.errors import UsageError
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import Entry, Listing, part_bounds, part_name, rest_of
from pipeline.extract.sources import Source, parse
from pipeline.load.manifest import FileState
from pipeline.runs.backlog import Backlog, dated_listing, plan_backlog
from pipeline.runs.baseline import Known, read_known, refuse_empty
from pipeline.runs.context import Context
from pipeline.runs.fingerprint import Fingerprint
from pipeline.settings import Settings
from pipeline.views.seal import is_in_order


class PartPlan(Struct, frozen=True):
    """The parts of one source: those to build, those that stay, and the states of files by fate."""

    tasks: list[PartTask]
    reused: list[str]
    deleted: list[FileState]
    unchanged: list[FileState]


class SourcePlan(Struct, frozen=True):
    """What a run does with one source."""

    source: Source
    listing: Listing
    known: Known | None
    """What the published snapshot holds of it."""
    backlog: Backlog | None
    """New commits; None for a folder."""
    parts: PartPlan

    @property
    def is_up_to_date(self) -> bool:
        """Whether the published snapshot says of the source what there is to say."""
        return (
            self.known is not None
            and not (self.parts.tasks or self.parts.deleted)
            and not _sidecars_differ(self.listing, self.known, self.source)
            and not (self.backlog and self.backlog.has_news)
        )


class Plan(Struct, frozen=True):
    """What a run does: with each source, and why it builds every part again if it does."""

    sources: tuple[SourcePlan, ...]
    fingerprint: Fingerprint
    rebuilt: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names of the sources."""
        return frozenset(plan.source.name for plan in self.sources)

    @property
    def backlogs(self) -> dict[str, Backlog]:
        """New commits by source."""
        return {plan.source.name: plan.backlog for plan in self.sources if plan.backlog}


def parse_sources(settings: Settings) -> list[Source]:
    """Return the sources that the settings name. Raises UsageError and SourceError."""
    if not settings.sources:
        raise UsageError("sources: no source is named. Name a folder with articles.")
    sources = [parse(source) for source in settings.sources]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise UsageError(
                f"{source.root}: two sources are called {source.name!r}."
                " Name one of them: NAME=PATH."
            )
    return sources


def plan_run(
    context: Context,
    sources: list[Source],
    fingerprint: Fingerprint,
    rebuilt: str | None,
    *,
    with_times: bool,
) -> Plan:
    """List the sources and compare them with what the snapshot holds.

    Without times, nothing is compared by them: the run builds everything.
    Raises SourceError if a source cannot be listed, or is empty.
    """
    known = {source.name: read_known(context.baseline, source.name) for source in sources}
    entries = context.baseline.entries
    listed: list[tuple[Source, Listing, Backlog | None]] = []
    for source in sources:
        listing, backlog = source.list(with_times=with_times), None
        if isinstance(source, Repository):
            backlog = plan_backlog(
                source,
                entries.get(source.name),
                rebuilt=rebuilt is not None,
                observed=context.settings.history,
            )
            listing = dated_listing(backlog, listing, known[source.name])
            if backlog.is_rewritten:
                context.recorder.note(
                    message=f"history of {source.name} was rewritten;"
                    " it is read again from the first commit"
                )
        listed.append((source, listing, backlog))
    for source, listing, _ in listed:
        if not context.settings.allow_empty:
            refuse_empty(context.baseline, source, listing)
    return Plan(
        tuple(
            SourcePlan(
                source,
                listing,
                before := known[source.name],
                backlog,
                plan_all(context, source, listing, before)
                if before is None or rebuilt
                else plan_changed(context, source, listing, before),
            )
            for source, listing, backlog in listed
        ),
        fingerprint,
        rebuilt,
    )


def is_up_to_date(context: Context, plan: Plan) -> bool:
    """Return whether the published snapshot shows the sources as they are."""
    baseline, entries = context.baseline, context.baseline.entries
    return (
        baseline.id is not None
        and not plan.rebuilt
        and all(
            source.is_up_to_date and entries[source.source.name].path == source.source.root
            for source in plan.sources
        )
        and is_in_order(context.warehouse, baseline.id)
    )


def plan_all(context: Context, source: Source, listing: Listing, known: Known | None) -> PartPlan:
    """Build every part; what is known only serves to tell what changed."""
    tasks = _new_parts(context, source, listing.entries, 0, report=known is not None)
    listed = {entry.path for entry in listing.entries} | set(listing.rejected)
    parts = known.states.items() if known else ()
    deleted = [
        state
        for part, states in parts
        if part != rest_of(source.name)
        for state in states
        if state.path not in listed
    ]
    return PartPlan(tasks, [], deleted, [])


def plan_changed(context: Context, source: Source, listing: Listing, known: Known) -> PartPlan:
    """Compare a listing with what is known, and touch as few parts as possible."""
    size = context.settings.part_size
    parts = {
        name: states
        for name, states in known.states.items()
        if name != rest_of(source.name) and states
    }
    closed = tuple(path for path in listing.rejected if path.endswith("/"))
    before = {state.path: (state, part) for part, states in parts.items() for state in states}
    changed: dict[str, list[Entry]] = {}
    unchanged: list[FileState] = []
    names, edges = _edges(parts)
    for entry in listing.entries:
        state, part = before.pop(entry.path, (None, ""))
        if state is not None and state.matches(
            entry.size, entry.mtime_ns, entry.ctime_ns, entry.version
        ):
            unchanged.append(state)
        else:
            part = part or (names[max(0, bisect_right(edges, entry.path) - 1)] if names else "")
            changed.setdefault(part, []).append(entry)
    missing: dict[str, set[str]] = {}
    deleted: list[FileState] = []
    for state, part in before.values():
        if closed and state.path.startswith(closed):  # not to be seen now is not deleted
            unchanged.append(state)
            continue
        missing.setdefault(part, set()).add(state.path)
        if state.path not in listing.rejected:
            deleted.append(state)
    tasks = _new_parts(context, source, changed.pop("", []), 0, report=True)
    reused = []
    for part, states in parts.items():
        new = changed.get(part, [])
        drop = missing.get(part, set()) | {entry.path for entry in new}
        if not drop:
            reused.append(part)
            continue
        left = len(states) - sum(state.path in drop for state in states) + len(new)
        if left > 2 * size and not any(state.path.startswith(closed) for state in states if closed):
            entries = sorted([*_entries(states, drop), *new], key=lambda entry: entry.path)
            first = _next_number(names, tasks)
            tasks += _new_parts(context, source, entries, first, report=True)
        elif left:
            old = OldPart(known.tables.get(part, {}), known.listings[part], frozenset(drop))
            warehouse, options = str(context.root), context.options
            tasks.append(PartTask(part, source, new, warehouse, options, old, report=True))
    return PartPlan(tasks, reused, deleted, unchanged)


def _new_parts(
    context: Context, source: Source, entries: list[Entry], first: int, *, report: bool
) -> list[PartTask]:
    """Return tasks of about `part_size` documents each, in path order, numbered from `first`."""
    bounds = part_bounds(len(entries), context.settings.part_size)
    return [
        PartTask(
            part_name(source.name, number),
            source,
            entries[start:end],
            str(context.root),
            context.options,
            report=report,
        )
        for number, (start, end) in enumerate(pairwise(bounds), first)
    ]


def _edges(parts: dict[str, list[FileState]]) -> tuple[list[str], list[str]]:
    """Parts in path order and the first path of each: a new file goes where its neighbours are."""
    firsts = sorted((states[0].path, part) for part, states in parts.items())
    return [part for _, part in firsts], [path for path, _ in firsts]


def _next_number(names: list[str], tasks: list[PartTask]) -> int:
    numbers = [int(name.rpartition("/")[2]) for name in [*names, *(task.part for task in tasks)]]
    return max(numbers, default=-1) + 1


def _entries(states: list[FileState], without: set[str]) -> list[Entry]:
    return [
        Entry(state.path, state.size, state.mtime_ns, state.ctime_ns, state.version)
        for state in states
        if state.path not in without
    ]


def _sidecars_differ(listing: Listing, known: Known, source: Source) -> bool:
    states = known.states.get(rest_of(source.name), [])
    before = [
        (state.path, state.size, state.mtime_ns, state.ctime_ns, state.version) for state in states
    ]
    now = [
        (entry.path, entry.size, entry.mtime_ns, entry.ctime_ns, entry.version)
        for entry in listing.sidecars
    ]
    now += [(path, 0, 0, 0, "") for path in listing.rejected]
    return sorted(before) != sorted(now)
