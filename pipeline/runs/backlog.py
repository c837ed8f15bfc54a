"""The commits of a git source that the published snapshot does not know, and the tasks for them."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build.tasks import HistoryResult, Last, Track
from pipeline.extract.git.commits import Window, follows, refuse_shallow, windows
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import Entry, Listing
from pipeline.load.manifest import PartFile, SourceEntry
from pipeline.process.pool import available_processors
from pipeline.runs.baseline import Known
from pipeline.schema.changes import ENDS

WINDOW = 200_000
"""Events whose tasks are in memory at a time."""
SMALL, LARGE = 500, 20_000
"""Events of a task: at least and at most about so many."""


class Backlog(Struct, frozen=True):
    """New commits of one repository; they are read only if the source is observed."""

    source: Repository
    entry: SourceEntry | None
    is_observed: bool
    since: str | None
    """The commit after which they begin; None for the whole history."""
    is_rewritten: bool
    """Whether the history no longer holds the commit that the snapshot knows."""
    changed_at: Mapping[str, int]
    """Time of the last change of each changed file, in seconds since 1970."""
    began_at: int | None
    """Time of the earliest of the commits, in seconds since 1970; None without commits."""
    only_window: Window | None
    """The commits themselves, if they fit into one window."""

    @property
    def is_full_history(self) -> bool:
        """Whether the whole history replaces observations that the snapshot has."""
        return self.is_observed and self.since is None and self.entry is not None

    @property
    def has_news(self) -> bool:
        """Whether there is something to observe."""
        return self.is_observed and (self.began_at is not None or self.is_full_history)

    @property
    def observed_since(self) -> dt.datetime | None:
        """Time of the earliest commit that was ever observed."""
        known = self.entry.observed_since if self.entry else None
        if self.began_at is None:
            return known
        began_at = dt.datetime.fromtimestamp(self.began_at, dt.UTC)
        return min(began_at, known or began_at)


class HistoryRead(Struct, frozen=True):
    """What was read of one repository so far."""

    results: tuple[HistoryResult, ...] = ()
    counts: tuple[tuple[str, int, Mapping[str, int]], ...] = ()
    """Hash and time (seconds since 1970) of each commit, and its files by change."""
    last: Mapping[str, Last] = {}
    """The last observation by path."""


def plan_backlog(
    source: Repository, entry: SourceEntry | None, *, rebuilt: bool, observed: bool
) -> Backlog:
    """Read the log of a repository after the commit that the snapshot knows.

    Raises SourceError if the clone is shallow.
    """
    if observed:
        refuse_shallow(source)
    known = entry if entry and entry.path == source.root and not rebuilt else None
    since = (known.observed_commit if observed else known.commit) if known else None
    is_rewritten = bool(since and not follows(source, since))
    since = None if is_rewritten else since
    changed_at: dict[str, int] = {}
    began_at: int | None = None
    kept: Window | None = None
    for count, window in enumerate(windows(source, since, WINDOW)):
        kept = window if observed and not count else None
        for path, events in window.events.items():
            changed_at[path] = window.commits[events[-1].at][1]
        times = [seconds for _, seconds in window.commits]
        began_at = min(times if began_at is None else [*times, began_at])
    return Backlog(source, entry, observed, since, is_rewritten, changed_at, began_at, kept)


def dated_listing(backlog: Backlog, listing: Listing, known: Known | None) -> Listing:
    """Return the listing with the time of each file's last change."""
    states = chain(*known.states.values()) if known else ()
    times = {state.path: state.mtime_ns for state in states}
    times |= {path: seconds * 10**9 for path, seconds in backlog.changed_at.items()}
    entries = [
        Entry(entry.path, entry.size, times.get(entry.path, 0), 0, entry.version)
        for entry in listing.entries
    ]
    return replace(listing, entries=entries)


def windows_of(backlog: Backlog) -> Iterator[Window]:
    """Yield the commits to observe; the log is read again if they are more than one window."""
    if backlog.only_window is not None:
        yield backlog.only_window
    elif backlog.is_observed and backlog.began_at is not None:
        yield from windows(backlog.source, backlog.since, WINDOW)


def tracks_by_task(window: Window, last: Mapping[str, Last], workers: int) -> list[list[Track]]:
    """Return the tracks of a window's files, given the last observation by path, in task groups.

    Files that came from each other by moves share a task, so that each blob is read once.
    """
    origins: dict[str, str] = {}
    for path, events in window.events.items():
        for event in events:
            if event.origin is not None:
                origins.setdefault(path, origins.get(event.origin, event.origin))
    groups: dict[str, list[Track]] = {}
    for path in sorted(window.events):
        track = Track(path, window.events[path], last.get(path))
        groups.setdefault(origins.get(path, path), []).append(track)
    size = max(SMALL, min(LARGE, window.size() // (2 * (workers or available_processors())) + 1))
    tasks: list[list[Track]] = []
    left = 0  # events that the last task may still take
    for _, tracks in sorted(groups.items()):
        if left <= 0:
            tasks.append([])
            left = size
        tasks[-1] += tracks
        left -= sum(len(track.events) for track in tracks)
    return tasks


def with_results(read: HistoryRead, window: Window, results: list[HistoryResult]) -> HistoryRead:
    """Return what was read so far, and the results of a window's tasks."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    last = dict(read.last)
    for result in results:
        last |= result.last
        for at, counted in result.counts.items():
            counts[at].update(counted)
    of_commits = tuple((*window.commits[at], counts[at]) for at in sorted(counts))
    return HistoryRead((*read.results, *results), (*read.counts, *of_commits), last)


def last_observations(root: Path, files: list[PartFile], articles: list[str]) -> dict[str, Last]:
    """Return the last observation of some articles, by article_id."""
    if not files or not articles:
        return {}
    import duckdb
    import pyarrow as pa

    paths = [str(root / "parts" / "observations" / file.file) for file in files]
    with duckdb.connect() as connection:
        connection.register("wanted", pa.table({"article_id": pa.array(articles, pa.string())}))
        rows = connection.execute(
            """
            select article_id, sequence, change in $ends, quality, heat, published,
                   content_hash, blob
            from read_parquet($paths, hive_partitioning = false)
            where article_id in (from wanted)
            qualify row_number() over (partition by article_id order by sequence desc) = 1
            """,
            {"paths": paths, "ends": [str(end) for end in ENDS]},
        ).fetchall()
    return {
        article: Last(sequence, is_over, (quality, heat, published), content, blob)
        for article, sequence, is_over, quality, heat, published, content, blob in rows
    }


def updated_entry(backlog: Backlog, entry: SourceEntry) -> SourceEntry:
    """Return the source's entry with how far its history is known."""
    commit, known = backlog.source.commit, backlog.entry
    if backlog.is_observed:
        since = backlog.observed_since
        return replace(entry, commit=commit, observed_commit=commit, observed_since=since)
    return replace(entry, commit=commit, observed_since=known.observed_since if known else None)
