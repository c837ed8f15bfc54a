"""What a worker is told and what it answers."""

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
