"""The plan of a run: which files are new, changed or gone, which parts that touches, and what a worker is told and answers."""

from bisect import bisect_right
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline._version import __version__
from pipeline.build.tasks import OldPart, Options, PartTask, rest_of
from pipeline.extract.source import Entry, Listing
from pipeline.extract.sources import Source
from pipeline.load.manifest import FileState


class SourcePlan(Struct, frozen=True):
    """What a run does with a source: parts to build, parts that stay, states of files that are gone."""

    tasks: list[PartTask]
    reused: list[str]
    deleted: list[FileState]
    unchanged: list[FileState]
    sidecars_changed: bool


class Known(Struct, frozen=True):
    """What the published snapshot holds of a source: file states, tables and listing of each part."""

    states: dict[str, list[FileState]]
    tables: dict[str, dict[str, str]]
    listings: dict[str, str]


def plan_all(
    source: Source,
    listing: Listing,
    known: Known | None,
    size: int,
    warehouse: str,
    options: Options,
) -> SourcePlan:
    """Build every part; what is known only serves to say what changed."""
    tasks = _fresh(source, listing.entries, size, warehouse, options, 0, report=known is not None)
    there = {entry.path for entry in listing.entries} | set(listing.rejected)
    parts = known.states.items() if known else ()
    gone = [
        state
        for part, states in parts
        if part != rest_of(source.name)
        for state in states
        if state.path not in there
    ]
    return SourcePlan(tasks, [], gone, [], True)


def plan(
    source: Source, listing: Listing, known: Known, size: int, warehouse: str, options: Options
) -> SourcePlan:
    """Compare a listing with what is known, and touch as few parts as possible."""
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
    tasks = _fresh(source, changed.pop("", []), size, warehouse, options, 0, report=True)
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
            tasks += _fresh(
                source, entries, size, warehouse, options, _next_number(names, tasks), report=True
            )
        elif left:
            old = OldPart(known.tables.get(part, {}), known.listings[part], frozenset(drop))
            tasks.append(PartTask(part, source, new, warehouse, options, old, report=True))
    return SourcePlan(tasks, reused, deleted, unchanged, _sidecars_differ(listing, known, source))


def _fresh(
    source: Source,
    entries: list[Entry],
    size: int,
    warehouse: str,
    options: Options,
    first: int,
    *,
    report: bool,
) -> list[PartTask]:
    """Tasks of about `size` documents each, in path order; small sites make up to four, so that processors share them."""
    count = max(round(len(entries) / size), min(4, len(entries) * 10 // size), 1)
    edges = [len(entries) * at // count for at in range(count + 1)] if entries else []
    return [
        PartTask(
            f"{source.name}/{first + at:04}",
            source,
            entries[start:end],
            warehouse,
            options,
            report=report,
        )
        for at, (start, end) in enumerate(pairwise(edges))
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


def fingerprint(options: Options) -> dict[str, str]:
    """What alters rows beside the files: version, code of the stages, and each setting that counts."""
    package = Path(__file__).parents[1]
    rooms = ("schema", "extract", "transform", "build")
    modules = sorted(path for room in rooms for path in (package / room).rglob("*.py"))
    code = blake2b(b"".join(path.read_bytes() for path in modules), digest_size=8).hexdigest()
    chosen = {name: str(value).lower() for name, value in msgspec.structs.asdict(options).items()}
    return {"version": __version__, "code": code, **chosen}
