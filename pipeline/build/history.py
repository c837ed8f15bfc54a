"""The history of some files of a repository as rows: every version is read once, in the order of its commits."""

import datetime as dt
import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from pipeline.build.tasks import HistoryResult, HistoryTask, Last, Track
from pipeline.extract.frontmatter import read_safely
from pipeline.extract.git.commits import Event
from pipeline.extract.git.process import blobs
from pipeline.load import parts
from pipeline.load.manifest import PartFile
from pipeline.schema.documents import Document, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform.articles import Row, status_of
from pipeline.transform.content_changes import Values, differences, values_of
from pipeline.transform.documents import rows_or_rejection

_ENDS = ("deleted", "moved_away")


class Version(Struct, frozen=True, gc=False):
    """What one content says, in short."""

    status: str
    scores: tuple[int | None, int | None, bool | None] = (None, None, None)
    related_count: int | None = None
    content_hash: str | None = None


def read_history(task: HistoryTask) -> HistoryResult:
    """Read the versions of a task's files; memory holds what each says in short, and one article of each file."""
    collecting = gc.isenabled()
    gc.disable()  # many small objects that all live until the rows are written
    try:
        return _History(task).read()
    finally:
        if collecting:
            gc.enable()


class _History:
    def __init__(self, task: HistoryTask) -> None:
        self._task = task
        self._times = [dt.datetime.fromtimestamp(seconds, dt.UTC) for _, seconds in task.commits]
        self._versions: dict[str, Version] = {}
        self._counts: dict[int, Counter[str]] = {}
        self._fresh: Document | None = None
        """The article that was read last."""
        self._observations: list[Row] = []
        self._changes: list[Row] = []

    def read(self) -> HistoryResult:
        """Rows of all tracks."""
        task = self._task
        names = dict.fromkeys(
            event.blob for track in task.tracks for event in track.events if event.blob
        )
        last = {}
        with blobs(task.source.place, names, task.options.max_file_bytes) as contents:
            for track in task.tracks:
                way = _Way(track)
                for event in track.events:
                    self._see(way, event, contents)
                if way.last:
                    last[track.path] = way.last
        written = {"observations": self._observations, "content_changes": self._changes}
        tables = {name: self._written(name, rows) for name, rows in written.items() if rows}
        counts = {at: dict(counted) for at, counted in self._counts.items()}
        return HistoryResult(task.source.name, task.number, task.documents, tables, counts, last)

    def _written(self, name: str, rows: list[Row]) -> PartFile:
        return parts.write(
            Path(self._task.warehouse), name, TABLES[name].enforce(TABLES[name].from_rows(rows))
        )

    def _see(self, way: "_Way", event: Event, contents: Iterator[bytes | Rejection]) -> None:
        if event.blob is None:
            if event.kind == "deleted":
                self._count(event, "deleted")
            self._end(way, event)
            way.version = None
            return
        version = self._version(event.blob, contents)
        if version.status in ("rejected", "skipped"):
            self._count(event, version.status)
        else:
            self._count(event, _word(way, event, version))
            way.version = version
        if version.status == "article":
            self._observe(way, event, version)
        elif version.status != "rejected":
            self._end(way, event)

    def _version(self, blob: str, contents: Iterator[bytes | Rejection]) -> Version:
        """What a content says; it is read where it comes up for the first time."""
        if version := self._versions.get(blob):
            return version
        content = next(contents)
        document = (
            content
            if isinstance(content, Rejection)
            else read_safely(content, strict=self._task.options.strict)
        )
        version = Version(status_of(document))
        if isinstance(document, Document):
            version = Version(version.status, content_hash=document.content_hash)
            if article := document.article:
                scores = (article.quality, article.heat, article.published)
                version = Version(
                    version.status, scores, len(article.related or ()), document.content_hash
                )
                self._fresh = document
        self._versions[blob] = version
        return version

    def _observe(self, way: "_Way", event: Event, version: Version) -> None:
        last, before = way.last, way.document
        if self._fresh and self._fresh.content_hash == version.content_hash:
            way.document = self._fresh
        if event.origin is not None:
            change = "moved"
        elif last is None or last.is_over:
            change = "revived" if last else "first"
        else:
            scores_differ, content_differs = (
                last.scores != version.scores,
                last.content_hash != version.content_hash,
            )
            if not scores_differ and not content_differs:
                return
            change = (
                "content_and_scores"
                if scores_differ and content_differs
                else "scores"
                if scores_differ
                else "content"
            )
            if content_differs:
                self._tell_content(way, event, version, before)
        origin = self._task.source.document_id(event.origin) if event.origin is not None else None
        way.last = Last(
            (last.sequence if last else 0) + 1,
            False,
            version.scores,
            version.content_hash,
            event.blob,
        )
        said = (*version.scores, version.related_count, version.content_hash)
        self._add(way, event, change, origin, *said)

    def _end(self, way: "_Way", event: Event) -> None:
        """The article at this path is gone, or is no article any more."""
        if way.last and not way.last.is_over:
            way.last = Last(way.last.sequence + 1, True, (None, None, None), None, None)
            change = event.kind if event.kind in _ENDS else "deleted"
            self._add(way, event, change, None, None, None, None, None, None)

    def _add(
        self, way: "_Way", event: Event, change: str, origin: str | None, *said: object
    ) -> None:
        task = self._task
        assert way.last
        article = task.source.document_id(way.path)
        commit, _ = task.commits[event.at]
        place = (
            article,
            way.last.sequence,
            task.source.name,
            way.path,
            commit,
            self._times[event.at],
        )
        self._observations.append((*place, change, origin, *said, way.last.blob))

    def _tell_content(
        self, way: "_Way", event: Event, version: Version, before: Document | None
    ) -> None:
        assert way.last and event.blob
        if before is None or before.content_hash != way.last.content_hash:
            before = self._again(way.last.blob)
        after = (
            way.document
            if way.document and way.document.content_hash == version.content_hash
            else self._again(event.blob)
        )
        article = self._task.source.document_id(way.path)
        commit, _ = self._task.commits[event.at]
        old, new = (
            self._values(way.path, document) if document else None for document in (before, after)
        )
        if old and new:
            found = differences(old, new)
            self._changes += [(article, commit, *difference) for difference in sorted(found)]

    def _again(self, blob: str | None) -> Document | None:
        """A version that was read in another place, or in another run."""
        with blobs(
            self._task.source.place, [blob] if blob else [], self._task.options.max_file_bytes
        ) as contents:
            content = next(contents, None)
        document = (
            read_safely(content, strict=self._task.options.strict)
            if isinstance(content, bytes)
            else None
        )
        return document if isinstance(document, Document) and document.article else None

    def _values(self, path: str, document: Document) -> Values | None:
        file = SourceFile(self._task.source.name, path, self._task.source.document_id(path), "")
        rows = dict(
            rows_or_rejection(
                file, document, keep_bodies=self._task.options.keep_bodies, keep_secured=False
            )
        )
        return values_of(rows) if "articles" in rows else None

    def _count(self, event: Event, word: str) -> None:
        self._counts.setdefault(event.at, Counter())[word] += 1


class _Way:
    """One file on its way: its last observation, what its last readable version said in short, and the article."""

    def __init__(self, track: Track) -> None:
        self.path, self.last = track.path, track.last
        last = track.last
        self.version = (
            Version("article", last.scores, None, last.content_hash)
            if last and not last.is_over
            else None
        )
        self.document: Document | None = None


def _word(way: _Way, event: Event, version: Version) -> str:
    """What a commit did to a file that can be read, in the ledger's words."""
    if event.kind in ("added", "moved"):
        return "moved" if event.kind == "moved" else "new"
    if way.version is None or way.version.content_hash != version.content_hash:
        return "content"
    return "secured_only" if way.version.scores == version.scores else "score_only"
