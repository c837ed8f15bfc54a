"""The past of a repository in a run: which commits are new, the tasks that read them, and what comes of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from pipeline.build.tasks import HistoryResult, HistoryTask, Last, Options, Track
from pipeline.extract.git.commits import Window, follows, refuse_shallow, windows
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import Entry, Listing
from pipeline.load import parts
from pipeline.load.manifest import PartFile, SourceEntry
from pipeline.process.pool import available_processors
from pipeline.runs.plan import Known
from pipeline.schema.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.load.history import Files

WINDOW = 200_000
"""Events whose tasks are in memory at a time."""
SMALL, LARGE = 500, 20_000
"""Events of a task: at least and at most about so many."""


class Past:
    """Commits of one repository that the published snapshot does not know; with `observed`, what they did is to be read."""

    def __init__(
        self, source: Repository, entry: SourceEntry | None, *, rebuilt: bool, observed: bool
    ) -> None:
        """Raises SourceError where the history is cut off."""
        self.source, self.is_observed = source, observed
        if observed:
            refuse_shallow(source)
        known = entry if entry and entry.path == source.root and not rebuilt else None
        self.since: str | None = (
            (known.observed_commit if observed else known.commit) if known else None
        )
        self.is_rewritten = bool(self.since and not follows(source, self.since))
        if self.is_rewritten:
            self.since = None
        self._entry = entry
        self.times: dict[str, int] = {}
        """Time of the last change by path, in seconds since 1970, of files that changed."""
        self._first: Window | None = None
        self._is_long = False
        self.began: int | None = None
        for window in windows(source, self.since, WINDOW):
            self._is_long, self._first = self._first is not None, self._first or window
            for path, events in window.events.items():
                self.times[path] = window.commits[events[-1].at][1]
            earliest = min(seconds for _, seconds in window.commits)
            self.began = earliest if self.began is None else min(self.began, earliest)
        self._counts: list[tuple[str, int, Counter[str]]] = []
        self._results: list[HistoryResult] = []
        self._last: dict[str, Last] = {}

    @property
    def is_new(self) -> bool:
        """Whether there is something to observe."""
        return self.is_observed and (self._first is not None or self.is_told_anew)

    @property
    def is_told_anew(self) -> bool:
        """Whether the whole history is read, of a source that the snapshot has observations of."""
        return self.is_observed and self.since is None and self._entry is not None

    def dated(self, listing: Listing, known: Known | None) -> Listing:
        """The listing with the time of each file's last change."""
        before = (
            {state.path: state.mtime_ns for states in known.states.values() for state in states}
            if known
            else {}
        )

        def with_time(entry: Entry) -> Entry:
            seconds = self.times.get(entry.path)
            mtime_ns = before.get(entry.path, 0) if seconds is None else seconds * 10**9
            return Entry(entry.path, entry.size, mtime_ns, 0, entry.version)

        return Listing(list(map(with_time, listing.entries)), listing.sidecars, listing.rejected)

    def kept(self, root: Path, history: Files) -> Files:
        """The history without what this run tells anew: what was seen before the first commit stays."""
        from pipeline.load.history import without

        if not self.is_told_anew:
            return history
        return (
            without(root, history, self.source.name, since)
            if (since := self._observed_since())
            else history
        )

    def windows(self) -> Iterator[Window]:
        """The new commits; read again where they are more than one window."""
        if self.is_observed and self._first is not None:
            first, self._first = self._first, None
            yield from windows(self.source, self.since, WINDOW) if self._is_long else (first,)

    def tasks(
        self, window: Window, root: Path, history: Files, workers: int, options: Options
    ) -> list[HistoryTask]:
        """The tasks that read a window; files that one came from another by a move share a task, so that each blob is read once."""
        last = self._last_of(window, root, history)
        homes: dict[str, str] = {}
        for path, events in window.events.items():
            for event in events:
                if event.origin is not None:
                    homes.setdefault(path, homes.get(event.origin, event.origin))
        home = {path: homes.get(path, path) for path in window.events}
        paths = sorted(window.events, key=lambda path: (home[path], path))
        size = max(
            SMALL, min(LARGE, window.size() // (2 * (workers or available_processors())) + 1)
        )
        tasks: list[HistoryTask] = []
        tracks: list[Track] = []
        waiting = 0
        for path, following in zip(paths, [*paths[1:], None], strict=True):
            tracks.append(Track(path, window.events[path], last.get(path)))
            waiting += len(window.events[path])
            if following is None or (waiting >= size and home[following] != home[path]):
                number = len(self._results) + len(tasks)
                tasks.append(
                    HistoryTask(self.source, number, window.commits, tracks, str(root), options)
                )
                tracks, waiting = [], 0
        return tasks

    def _last_of(self, window: Window, root: Path, history: Files) -> Mapping[str, Last]:
        from pipeline.runs.backlog import last_observations

        if self._entry is None:
            return self._last
        articles = {
            self.source.document_id(path): path for path in window.events if path not in self._last
        }
        found = last_observations(root, history.get("observations", []), list(articles))
        return {articles[article]: last for article, last in found.items()} | self._last

    def take(self, window: Window, results: list[HistoryResult]) -> None:
        """Keep what the tasks of a window found."""
        counts: dict[int, Counter[str]] = {}
        for result in results:
            self._results.append(result)
            self._last |= result.last
            for at, counted in result.counts.items():
                counts.setdefault(at, Counter()).update(counted)
        self._counts += [(*window.commits[at], counts[at]) for at in sorted(counts)]

    def files(self, root: Path, history: Files) -> Files:
        """Part files of the tables of history, in the order of the history."""
        from pipeline.load.history import last_revisions, revision_row

        found: Files = {}
        for result in sorted(self._results, key=lambda result: result.number):
            for name, file in result.tables.items():
                found.setdefault(name, []).append(file)
        if self._counts:
            first = last_revisions(root, history.get("revisions", [])).get(self.source.name, 0) + 1
            rows = [
                revision_row(
                    self.source.name,
                    commit,
                    number,
                    dt.datetime.fromtimestamp(seconds, dt.UTC),
                    counts,
                )
                for number, (commit, seconds, counts) in enumerate(self._counts, first)
            ]
            table = TABLES["revisions"]
            found["revisions"] = [
                parts.write(root, table.name, table.enforce(table.from_rows(rows)))
            ]
        return found

    def enter(self, entry: SourceEntry) -> SourceEntry:
        """The source's entry with how far its history is known."""
        observed = self.source.commit if self.is_observed else None
        since = (
            self._observed_since()
            if self.is_observed
            else self._entry and self._entry.observed_since
        )
        return msgspec.structs.replace(
            entry, commit=self.source.commit, observed_commit=observed, observed_since=since
        )

    def _observed_since(self) -> dt.datetime | None:
        """Time of the earliest commit that was ever observed."""
        times = [dt.datetime.fromtimestamp(self.began, dt.UTC)] if self.began is not None else []
        times += [self._entry.observed_since] if self._entry and self._entry.observed_since else []
        return min(times, default=None)


def last_observations(root: Path, files: list[PartFile], articles: list[str]) -> dict[str, Last]:
    """The last observation of some articles, by article_id."""
    import duckdb

    if not files or not articles:
        return {}
    paths = [str(root / "parts" / "observations" / file.file) for file in files]
    with duckdb.connect() as connection:
        connection.register("wanted", pa.table({"article_id": pa.array(articles, pa.string())}))
        rows = connection.execute(
            """
            select article_id, sequence, change in ('deleted', 'moved_away'), quality, heat, published, content_hash, blob
            from read_parquet($1, hive_partitioning = false)
            where article_id in (from wanted)
            qualify row_number() over (partition by article_id order by sequence desc) = 1
            """,
            [paths],
        ).fetchall()
    return {
        article: Last(sequence, over, (quality, heat, published), content, blob)
        for article, sequence, over, quality, heat, published, content, blob in rows
    }
