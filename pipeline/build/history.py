"""The history of some files of a repository as rows: each version is read once, in commit order."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

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
    return _Reader(task).read()


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
        events = (event for track in task.tracks for event in track.events)
        names = dict.fromkeys(event.blob for event in events if event.blob)
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
        return parts.write(self._task.root, name, table.enforce(table.from_rows(rows)))

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
        version = ScoredVersion(status)
        if isinstance(document, Document):
            version = ScoredVersion(status, document.content_hash)
            if article := document.article:
                self._fresh = document
                scores = (article.quality, article.heat, article.published)
                related = len(article.related or ())
                version = ScoredVersion(status, document.content_hash, scores, None, related)
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
        sequence = (last.sequence if last else 0) + 1
        file.last = Last(sequence, False, version.scores, version.content_hash, event.blob)
        origin = event.origin
        moved_from = None if origin is None else self._task.source.document_id(origin)
        self._add_observation(file.path, file.last, event, (change, moved_from), version)

    def _end(self, file: FileHistory, event: Event) -> None:
        """Observe that the article at this path is gone, or is not an article any more."""
        if file.last and not file.last.is_over:
            change = Change(event.kind) if event.kind in ENDS else Change.DELETED
            file.last = Last(file.last.sequence + 1, True, NO_SCORES, None, None)
            self._add_observation(file.path, file.last, event, (change, None), UNREAD)

    def _add_observation(
        self, path: str, last: Last, event: Event, change: Row, version: ScoredVersion
    ) -> None:
        """Add a row; `change` is what happened, and the id of the article that it moved from."""
        source = self._task.source
        commit, seconds = self._task.commits[event.at]
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
        values = (*version.scores, version.related_count, version.content_hash, last.blob)
        article = source.document_id(path)
        row = (article, last.sequence, source.name, path, commit, at, *change, *values)
        self._observations.append(row)

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
        old, new = (document and self._values(file.path, document) for document in (before, after))
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
        source, bodies = self._task.source, self._task.options.keep_bodies
        file = SourceFile(source.name, path, source.document_id(path), "")
        rows = dict(rows_or_rejection(file, document, keep_bodies=bodies, keep_secured=False))
        return values_of(rows) if "articles" in rows else None

    def _count(self, event: Event, change: Change) -> None:
        self._counts.setdefault(event.at, Counter())[change] += 1
