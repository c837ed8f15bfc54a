"""The history of some files of a repository as rows: each version is read once, in commit order."""

import datetime as dt
import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.build.tasks import HistoryResult, HistoryTask, Last, Track
from pipeline.extract.frontmatter import read_safely
from pipeline.extract.git.commits import Event
from pipeline.extract.git.process import blobs
from pipeline.load import parts
from pipeline.load.manifest import PartFile
from pipeline.schema.changes import (
    ENDS,
    UNREADABLE,
    Change,
    Version,
    classify_article,
    classify_file,
)
from pipeline.schema.documents import Document, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform.articles import Row, status_of
from pipeline.transform.content_changes import Values, differences, values_of
from pipeline.transform.documents import rows_or_rejection

NO_SCORES = (None, None, None)


class ScoredVersion(Version, frozen=True, gc=False):
    """What one content says, in short."""

    scores: tuple[int | None, int | None, bool | None] = NO_SCORES
    """Quality, heat and published."""
    related_count: int | None = None


UNREAD = ScoredVersion("rejected")
"""What classifies a change after which no version could be read."""


class FileHistory:
    """One file from commit to commit: its last observation and its last readable version."""

    def __init__(self, track: Track) -> None:
        self.path, self.last = track.path, track.last
        last = track.last
        self.version = (
            ScoredVersion("article", last.content_hash, last.scores)
            if last and not last.is_over
            else UNREAD
        )
        self.document: Document | None = None
        """The article of the last observation, if this task has read it."""


def read_history(task: HistoryTask) -> HistoryResult:
    """Read the versions of a task's files and write their rows.

    Memory holds what each version says in short, and one article of each file.
    """
    collecting = gc.isenabled()
    gc.disable()  # many small objects that all live until the rows are written
    try:
        return _Reader(task).read()
    finally:
        if collecting:
            gc.enable()


class _Reader:
    def __init__(self, task: HistoryTask) -> None:
        self._task = task
        self._versions: dict[str, ScoredVersion] = {}
        self._counts: dict[int, Counter[str]] = {}
        self._fresh: Document | None = None
        """The article that was read last."""
        self._observations: list[Row] = []
        self._changes: list[Row] = []

    def read(self) -> HistoryResult:
        """Return the result of all tracks."""
        task = self._task
        names = dict.fromkeys(
            event.blob for track in task.tracks for event in track.events if event.blob
        )
        last = {}
        with blobs(task.source.directory, names, task.options.max_file_bytes) as contents:
            for track in task.tracks:
                file = FileHistory(track)
                for event in track.events:
                    self._add_event(file, event, contents)
                if file.last:
                    last[track.path] = file.last
        rows = {"observations": self._observations, "content_changes": self._changes}
        tables = {name: self._write(name, added) for name, added in rows.items() if added}
        counts = {at: dict(counted) for at, counted in self._counts.items()}
        return HistoryResult(task.source.name, task.number, task.documents, tables, counts, last)

    def _write(self, name: str, rows: list[Row]) -> PartFile:
        table = TABLES[name]
        return parts.write(Path(self._task.warehouse), name, table.enforce(table.from_rows(rows)))

    def _add_event(
        self, file: FileHistory, event: Event, contents: Iterator[bytes | Rejection]
    ) -> None:
        """Count an event, and observe the article that it changes."""
        if event.blob is None:
            if event.kind == "deleted":
                self._count(event, Change.DELETED)
            self._end(file, event)
            file.version = UNREAD
            return
        version = self._version(event.blob, contents)
        before = None if event.kind == "added" else file.version
        self._count(event, classify_file(before, version, is_moved=event.kind == "moved"))
        if version.status not in UNREADABLE:
            file.version = version
        if version.status == "article":
            self._observe(file, event, version)
        elif version.status != "rejected":
            self._end(file, event)

    def _version(self, blob: str, contents: Iterator[bytes | Rejection]) -> ScoredVersion:
        """Return what a content says; it is read when it first comes up."""
        if version := self._versions.get(blob):
            return version
        content = next(contents)
        document = content if isinstance(content, Rejection) else self._document(content)
        status = status_of(document)
        if isinstance(document, Document) and (article := document.article):
            self._fresh = document
            version = ScoredVersion(
                status,
                document.content_hash,
                (article.quality, article.heat, article.published),
                related_count=len(article.related or ()),
            )
        else:
            digest = document.content_hash if isinstance(document, Document) else None
            version = ScoredVersion(status, digest)
        self._versions[blob] = version
        return version

    def _document(self, content: bytes) -> Document | Rejection:
        return read_safely(content, strict=self._task.options.strict)

    def _observe(self, file: FileHistory, event: Event, version: ScoredVersion) -> None:
        """Add an observation if the article differs from the last one."""
        last, before = file.last, file.document
        if self._fresh and self._fresh.content_hash == version.content_hash:
            file.document = self._fresh
        change = classify_article(
            is_moved=event.origin is not None,
            is_known=last is not None,
            is_over=last is not None and last.is_over,
            scores_differ=last is not None and last.scores != version.scores,
            content_differs=last is not None and last.content_hash != version.content_hash,
        )
        if change is None:
            return
        if change in (Change.CONTENT, Change.CONTENT_AND_SCORES):
            self._add_content_changes(file, event, version, before)
        origin = self._task.source.document_id(event.origin) if event.origin is not None else None
        sequence = (last.sequence if last else 0) + 1
        file.last = Last(sequence, False, version.scores, version.content_hash, event.blob)
        values = (*version.scores, version.related_count, version.content_hash)
        self._add_observation(file, file.last, event, change, origin, values)

    def _end(self, file: FileHistory, event: Event) -> None:
        """Observe that the article at this path is gone, or is not an article any more."""
        if file.last and not file.last.is_over:
            change = Change(event.kind) if event.kind in ENDS else Change.DELETED
            file.last = Last(file.last.sequence + 1, True, NO_SCORES, None, None)
            values = (*NO_SCORES, None, None)
            self._add_observation(file, file.last, event, change, None, values)

    def _add_observation(
        self,
        file: FileHistory,
        last: Last,
        event: Event,
        change: Change,
        origin: str | None,
        values: tuple[object, ...],
    ) -> None:
        source = self._task.source
        commit, seconds = self._task.commits[event.at]
        self._observations.append(
            (
                source.document_id(file.path),
                last.sequence,
                source.name,
                file.path,
                commit,
                dt.datetime.fromtimestamp(seconds, dt.UTC),
                change,
                origin,
                *values,
                last.blob,
            )
        )

    def _add_content_changes(
        self, file: FileHistory, event: Event, version: ScoredVersion, before: Document | None
    ) -> None:
        """Add the fields that differ from the last observation; `before` is its article if read."""
        assert file.last and event.blob
        if before is None or before.content_hash != file.last.content_hash:
            before = self._read_again(file.last.blob)
        after = file.document
        if after is None or after.content_hash != version.content_hash:
            after = self._read_again(event.blob)
        old, new = (
            self._values(file.path, document) if document else None for document in (before, after)
        )
        if old and new:
            article = self._task.source.document_id(file.path)
            commit, _ = self._task.commits[event.at]
            for difference in sorted(differences(old, new)):
                self._changes.append((article, commit, *difference))

    def _read_again(self, blob: str | None) -> Document | None:
        """Return the article of a version that was read for another file, or by another run."""
        names, options = [blob] if blob else [], self._task.options
        with blobs(self._task.source.directory, names, options.max_file_bytes) as contents:
            content = next(contents, None)
        document = self._document(content) if isinstance(content, bytes) else None
        return document if isinstance(document, Document) and document.article else None

    def _values(self, path: str, document: Document) -> Values | None:
        source = self._task.source
        file = SourceFile(source.name, path, source.document_id(path), "")
        rows = dict(
            rows_or_rejection(
                file, document, keep_bodies=self._task.options.keep_bodies, keep_secured=False
            )
        )
        return values_of(rows) if "articles" in rows else None

    def _count(self, event: Event, change: Change) -> None:
        self._counts.setdefault(event.at, Counter())[change] += 1
