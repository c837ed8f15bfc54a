"""The plan of a run: which files are new, changed or gone, which parts that touches, and what a worker is told and answers."""

import importlib
from bisect import bisect_right
from collections.abc import Callable
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline import __version__
from pipeline.extract.commits import Event
from pipeline.extract.git import Repository
from pipeline.extract.source import Entry, Listing
from pipeline.extract.sources import Source
from pipeline.manifest import Difference, FileState, PartFile


class Options(Struct, frozen=True):
    """Settings that alter rows."""

    strict: bool = False
    keep_bodies: bool = True
    keep_secured: bool = False
    max_file_bytes: int = 10_000_000


class OldPart(Struct, frozen=True):
    """A part as it is published: its files by table, its listing, and the paths whose rows must go."""

    tables: dict[str, str]
    listing: str
    drop: frozenset[str]


class PartTask(Struct, frozen=True):
    """A part to build: files of one source to read, and the old part whose other rows stay.

    With `report`, the answer tells the state of every file read, so that the run can say what changed.
    """

    part: str
    source: Source
    entries: list[Entry]
    warehouse: str
    options: Options
    old: OldPart | None = None
    report: bool = False

    @property
    def documents(self) -> int:
        """Number of files to read."""
        return len(self.entries)


class PartResult(Struct, frozen=True):
    """A part that was built: its Parquet file in each table that has rows, its listing, the state of the files read."""

    part: str
    documents: int
    tables: dict[str, PartFile]
    listing: str
    read: list[FileState]
    differences: dict[str, list[Difference]] = {}
    """Fields that changed of articles whose content did, by article_id."""


class SourcePlan(Struct, frozen=True):
    """What a run does with a source: parts to build, parts that stay, states of files that are gone."""

    tasks: list[PartTask]
    reused: list[str]
    deleted: list[FileState]
    unchanged: list[FileState]
    sidecars_changed: bool


class Last(Struct, frozen=True, gc=False, array_like=True):
    """The last observation of an article: its ordinal, whether it was the end, scores, digest of the content, git's name of it."""

    sequence: int
    is_over: bool
    scores: tuple[int | None, int | None, bool | None]
    content_hash: str | None
    blob: str | None


class Track(Struct, frozen=True):
    """A file's way through some commits, after its last observation."""

    path: str
    events: list[Event]
    last: Last | None


class HistoryTask(Struct, frozen=True):
    """Versions of some files of a repository to read; `commits` has hash and time (seconds since 1970) of each commit."""

    source: Repository
    number: int
    commits: list[tuple[str, int]]
    tracks: list[Track]
    warehouse: str
    options: Options

    @property
    def documents(self) -> int:
        """Number of versions to read."""
        return sum(len(track.events) for track in self.tracks)


class HistoryResult(Struct, frozen=True):
    """What a task saw: part files of tables of history, files by what changed per commit, the last observation by path."""

    source: str
    number: int
    documents: int
    tables: dict[str, PartFile]
    counts: dict[int, dict[str, int]]
    last: dict[str, Last]


def rest_of(source: str) -> str:
    """Name of the part for what is no document."""
    return f"{source}/rest"


class Known(Struct, frozen=True):
    """What the published snapshot holds of a source: file states, tables and listing of each part."""

    states: dict[str, list[FileState]]
    tables: dict[str, dict[str, str]]
    listings: dict[str, str]


def plan_all(source: Source, listing: Listing, known: Known | None, size: int, warehouse: str, options: Options) -> SourcePlan:
    """Build every part; what is known only serves to say what changed."""
    tasks = _fresh(source, listing.entries, size, warehouse, options, 0, report=known is not None)
    there = {entry.path for entry in listing.entries} | set(listing.rejected)
    parts = known.states.items() if known else ()
    gone = [state for part, states in parts if part != rest_of(source.name) for state in states if state.path not in there]
    return SourcePlan(tasks, [], gone, [], True)


def plan(source: Source, listing: Listing, known: Known, size: int, warehouse: str, options: Options) -> SourcePlan:
    """Compare a listing with what is known, and touch as few parts as possible."""
    parts = {name: states for name, states in known.states.items() if name != rest_of(source.name) and states}
    closed = tuple(path for path in listing.rejected if path.endswith("/"))
    before = {state.path: (state, part) for part, states in parts.items() for state in states}
    changed: dict[str, list[Entry]] = {}
    unchanged: list[FileState] = []
    names, edges = _edges(parts)
    for entry in listing.entries:
        state, part = before.pop(entry.path, (None, ""))
        if state is not None and state.matches(entry.size, entry.mtime_ns, entry.ctime_ns, entry.version):
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
            tasks += _fresh(source, entries, size, warehouse, options, _next_number(names, tasks), report=True)
        elif left:
            old = OldPart(known.tables.get(part, {}), known.listings[part], frozenset(drop))
            tasks.append(PartTask(part, source, new, warehouse, options, old, report=True))
    return SourcePlan(tasks, reused, deleted, unchanged, _sidecars_differ(listing, known, source))


def _fresh(
    source: Source, entries: list[Entry], size: int, warehouse: str, options: Options, first: int, *, report: bool
) -> list[PartTask]:
    """Tasks of about `size` documents each, in path order; small sites make up to four, so that processors share them."""
    count = max(round(len(entries) / size), min(4, len(entries) * 10 // size), 1)
    edges = [len(entries) * at // count for at in range(count + 1)] if entries else []
    return [
        PartTask(f"{source.name}/{first + at:04}", source, entries[start:end], warehouse, options, report=report)
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
    before = [(state.path, state.size, state.mtime_ns, state.ctime_ns, state.version) for state in states]
    now = [(entry.path, entry.size, entry.mtime_ns, entry.ctime_ns, entry.version) for entry in listing.sidecars]
    now += [(path, 0, 0, 0, "") for path in listing.rejected]
    return sorted(before) != sorted(now)


def work(task: PartTask | HistoryTask) -> PartResult | HistoryResult:
    """Build a part, or read a history: what a worker runs. The driver need not load what that takes."""
    module, name = ("pipeline.build", "build_part") if isinstance(task, PartTask) else ("pipeline.history", "read_history")
    build: Callable[[PartTask | HistoryTask], PartResult | HistoryResult] = getattr(importlib.import_module(module), name)
    return build(task)


def fingerprint(options: Options) -> dict[str, str]:
    """What alters rows beside the files: version, code of the stages, and each setting that counts."""
    package = Path(__file__).parent
    modules = sorted(
        [
            *package.glob("extract/*.py"),
            *package.glob("transform/*.py"),
            *(package / f"{name}.py" for name in ("documents", "columns", "schema", "history")),
        ]
    )
    code = blake2b(b"".join(path.read_bytes() for path in modules), digest_size=8).hexdigest()
    chosen = {name: str(value).lower() for name, value in msgspec.structs.asdict(options).items()}
    return {"version": __version__, "code": code, **chosen}
