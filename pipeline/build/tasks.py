"""The tasks of workers and their results."""

from pathlib import Path

from msgspec import Struct

from pipeline.extract.git.commits import Event
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import Entry
from pipeline.extract.sources import Source
from pipeline.load.manifest import FileState, PartFile
from pipeline.schema.documents import Difference


class Options(Struct, frozen=True):
    """Settings that alter rows."""

    strict: bool = False
    keep_bodies: bool = True
    keep_secured: bool = False
    max_file_bytes: int = 10_000_000


class OldPart(Struct, frozen=True):
    """A published part: its files by table, its listing, and the paths whose rows must go."""

    tables: dict[str, str]
    listing: str
    drop: frozenset[str]


class PartTask(Struct, frozen=True):
    """A part to build: files of one source to read, and the old part whose other rows stay.

    With `report`, the result has the state of every file read, to tell what changed.
    """

    part: str
    source: Source
    entries: list[Entry]
    root: Path
    """Folder of the warehouse."""
    options: Options
    old: OldPart | None = None
    report: bool = False

    @property
    def documents(self) -> int:
        """Number of files to read."""
        return len(self.entries)


class PartResult(Struct, frozen=True):
    """A part that was built: its file in each table that has rows, and its listing."""

    part: str
    documents: int
    tables: dict[str, PartFile]
    listing: str
    read: list[FileState]
    """State of every file read, if the task asks for it."""
    differences: dict[str, list[Difference]] = {}
    """Fields that changed, by article_id."""


class Last(Struct, frozen=True, gc=False, array_like=True):
    """The last observation of an article."""

    sequence: int
    is_over: bool
    """Whether it was the end of the article."""
    scores: tuple[int | None, int | None, bool | None]
    """Quality, heat and published."""
    content_hash: str | None
    blob: str | None


class Track(Struct, frozen=True):
    """What some commits did to one file, after its last observation."""

    path: str
    events: list[Event]
    last: Last | None


class HistoryTask(Struct, frozen=True):
    """Versions of some files of a repository to read."""

    source: Repository
    number: int
    """Ordinal of the task in the run."""
    commits: list[tuple[str, int]]
    """Hash and time (seconds since 1970) of each commit."""
    tracks: list[Track]
    root: Path
    """Folder of the warehouse."""
    options: Options

    @property
    def documents(self) -> int:
        """Number of versions to read."""
        return sum(len(track.events) for track in self.tracks)


class HistoryResult(Struct, frozen=True):
    """What a task read: part files of the tables of history."""

    source: str
    number: int
    documents: int
    tables: dict[str, PartFile]
    counts: dict[int, dict[str, int]]
    """Files by change, for the position of each commit."""
    last: dict[str, Last]
    """The last observation by path."""
