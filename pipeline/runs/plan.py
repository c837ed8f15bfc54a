"""Plan a run: list the sources, choose the parts to build and the commits to read."""

import itertools
from bisect import bisect_right
from collections.abc import Set
from operator import attrgetter, itemgetter

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
    """The parts of one source to build, those that stay, and files by fate."""

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
    def name(self) -> str:
        """Name of the source."""
        return self.source.name

    @property
    def listed(self) -> int:
        """Number of files listed."""
        return len(self.listing.entries) + len(self.listing.rejected)

    @property
    def is_up_to_date(self) -> bool:
        """Whether the published snapshot shows the source as it is."""
        return (
            self.known is not None
            and not (self.parts.tasks or self.parts.deleted)
            and not _sidecars_differ(self.listing, self.known.states.get(rest_of(self.name), []))
            and not (self.backlog and self.backlog.has_news)
        )


class Plan(Struct, frozen=True):
    """What a run does with each source."""

    sources: tuple[SourcePlan, ...]
    fingerprint: Fingerprint
    rebuilt: str | None = None
    """Why every part is built again, if it is."""

    @property
    def names(self) -> frozenset[str]:
        """Names of the sources."""
        return frozenset(plan.name for plan in self.sources)

    @property
    def backlogs(self) -> dict[str, Backlog]:
        """New commits by source."""
        return {plan.name: plan.backlog for plan in self.sources if plan.backlog}


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


def plan_source(context: Context, source: Source, *, rebuilt: bool, with_times: bool) -> SourcePlan:
    """List a source and compare it with what the snapshot holds.

    A run that builds everything can do without times. Raises SourceError if the source cannot be
    listed, or is empty.
    """
    baseline, settings = context.baseline, context.settings
    known = read_known(baseline, source.name)
    listing, backlog = source.list(with_times=with_times), None
    if isinstance(source, Repository):
        entry = baseline.entries.get(source.name)
        backlog = plan_backlog(source, entry, rebuilt=rebuilt, observed=settings.history)
        listing = dated_listing(backlog, listing, known)
        if backlog.is_rewritten:
            was = f"history of {source.name} was rewritten; it is read again from the first commit"
            context.recorder.note(message=was)
    if not settings.allow_empty:
        refuse_empty(baseline, source, listing)
    if known is None or rebuilt:
        parts = plan_all(context, source, listing, known)
    else:
        parts = plan_changed(context, source, listing, known)
    return SourcePlan(source, listing, known, backlog, parts)


def is_up_to_date(context: Context, plan: Plan) -> bool:
    """Return whether the published snapshot shows all sources as they are."""
    baseline, entries = context.baseline, context.baseline.entries
    return (
        baseline.id is not None
        and not plan.rebuilt
        and all(part.is_up_to_date for part in plan.sources)
        and all(entries[part.name].path == part.source.root for part in plan.sources)
        and is_in_order(context.warehouse, baseline.id)
    )


def plan_all(context: Context, source: Source, listing: Listing, known: Known | None) -> PartPlan:
    """Build every part; what is known only serves to tell what changed."""
    tasks = _new_parts(context, source, listing.entries, 0, report=known is not None)
    listed = {entry.path for entry in listing.entries} | set(listing.rejected)
    return PartPlan(tasks, [], states_without(known, source, listed), [])


def plan_changed(context: Context, source: Source, listing: Listing, known: Known) -> PartPlan:
    """Compare a listing with what is known, and touch as few parts as possible."""
    parts = _document_states(known, source)
    closed = tuple(path for path in listing.rejected if path.endswith("/"))
    before = {state.path: (state, part) for part, states in parts.items() for state in states}
    # a new file goes where its neighbours are
    firsts = sorted((states[0].path, part) for part, states in parts.items())
    changed: dict[str, list[Entry]] = {}
    unchanged: list[FileState] = []
    for entry in listing.entries:
        state, part = before.pop(entry.path, (None, ""))
        if state is not None and state.matches(
            entry.size, entry.mtime_ns, entry.ctime_ns, entry.version
        ):
            unchanged.append(state)
            continue
        if not part and firsts:
            _, part = firsts[max(0, bisect_right(firsts, entry.path, key=itemgetter(0)) - 1)]
        changed.setdefault(part, []).append(entry)
    missing: dict[str, set[str]] = {}
    deleted: list[FileState] = []
    for state, part in before.values():
        if state.path.startswith(closed):  # not to be seen now is not deleted
            unchanged.append(state)
            continue
        missing.setdefault(part, set()).add(state.path)
        if state.path not in listing.rejected:
            deleted.append(state)
    tasks = _new_parts(context, source, changed.pop("", []), 0, report=True)
    reused = []
    root, options, largest = context.root, context.options, 2 * context.settings.part_size
    for part, states in parts.items():
        new = changed.get(part, [])
        drop = missing.get(part, set()) | {entry.path for entry in new}
        if not drop:
            reused.append(part)
            continue
        kept = [state for state in states if state.path not in drop]
        is_closed = any(state.path.startswith(closed) for state in states)
        if len(kept) + len(new) > largest and not is_closed:
            entries = [*(Entry(*_listed(state)) for state in kept), *new]
            entries.sort(key=attrgetter("path"))
            names = [*parts, *(task.part for task in tasks)]
            first = 1 + max(int(name.rpartition("/")[2]) for name in names)
            tasks += _new_parts(context, source, entries, first, report=True)
        elif kept or new:
            old = OldPart(known.tables.get(part, {}), known.listings[part], frozenset(drop))
            tasks.append(PartTask(part, source, new, root, options, old, report=True))
    return PartPlan(tasks, reused, deleted, unchanged)


def states_without(known: Known | None, source: Source, paths: Set[str]) -> list[FileState]:
    """Return the states of known documents that are not among `paths`."""
    parts = _document_states(known, source).values() if known else ()
    return [state for states in parts for state in states if state.path not in paths]


def _document_states(known: Known, source: Source) -> dict[str, list[FileState]]:
    """Return the states of each part that holds documents."""
    rest = rest_of(source.name)
    return {part: states for part, states in known.states.items() if part != rest and states}


def _new_parts(
    context: Context, source: Source, entries: list[Entry], first: int, *, report: bool
) -> list[PartTask]:
    """Return tasks of about `part_size` documents each, in path order, numbered from `first`."""
    bounds = part_bounds(len(entries), context.settings.part_size)
    root, options = context.root, context.options
    return [
        PartTask(part_name(source.name, number), source, entries[a:b], root, options, report=report)
        for number, (a, b) in enumerate(itertools.pairwise(bounds), first)
    ]


def _listed(file: Entry | FileState) -> tuple[str, int, int, int, str]:
    """Return what a listing says of a file, in the order of an Entry."""
    return file.path, file.size, file.mtime_ns, file.ctime_ns, file.version


def _sidecars_differ(listing: Listing, known: list[FileState]) -> bool:
    listed = [*map(_listed, listing.sidecars)]
    listed += [(path, 0, 0, 0, "") for path in listing.rejected]
    return sorted(listed) != sorted(map(_listed, known))
