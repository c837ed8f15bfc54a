"""The manifest: what one snapshot consists of."""

import datetime as dt
from collections.abc import Iterable
from hashlib import blake2b

import msgspec
from msgspec import Struct

FORMAT = 4

HISTORY = ("observations", "content_changes", "revisions")
"""Tables that no run can build again from the files as they are now."""


class PartFile(Struct, frozen=True):
    """One Parquet file of a table; `part` names its documents, None for a derived table."""

    file: str
    rows: int
    bytes: int
    part: str | None = None


PartFiles = dict[str, list[PartFile]]
"""Part files by table."""


class FileState(Struct, frozen=True, gc=False, array_like=True):
    """A file as a run read it, for the next run to compare. Times are nanoseconds since 1970."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    racy: bool
    status: str
    raw_hash: str | None = None
    content_hash: str | None = None
    score_hash: str | None = None
    version: str = ""

    def matches(self, size: int, mtime_ns: int, ctime_ns: int, version: str) -> bool:
        """Return whether a file with these properties surely has the content that was read."""
        return (
            self.ctime_ns == ctime_ns
            and self.version == version
            and self.mtime_ns == mtime_ns
            and self.size == size
            and not self.racy
            and self.raw_hash is not None
        )


class Counts(Struct, frozen=True):
    """Files of a source by status; `files` is their sum."""

    files: int = 0
    articles: int = 0
    other: int = 0
    skipped: int = 0
    rejected: int = 0
    findings: int = 0


def total_counts(counts: Iterable[Counts]) -> Counts:
    """Return the sum of the counts of some sources."""
    rows = list(map(msgspec.structs.astuple, counts))
    return Counts(*map(sum, zip(*rows, strict=True)))


class CheckCount(Struct, frozen=True):
    """How many rows a check found before the snapshot was published."""

    name: str
    level: str
    rows: int


class Tallies(Struct, frozen=True):
    """Findings of a source by rule, rejections by code, unknown fields by name."""

    findings: dict[str, int]
    rejections: dict[str, int]
    unknown_fields: dict[str, int]


class SourceEntry(Struct, frozen=True):
    """A source in the snapshot: where it is, what made its rows, and what it holds."""

    name: str
    path: str
    fingerprint: dict[str, str]
    counts: Counts = Counts()
    tallies: Tallies = Tallies({}, {}, {})
    newest_article_at: dt.datetime | None = None
    """Latest publish time of an article that was not in the future."""
    newest_file_at: dt.datetime | None = None
    """Latest modification time of a file that was not in the future."""
    commit: str | None = None
    """Commit that was read, of a repository."""
    observed_commit: str | None = None
    """Commit up to which the history is in the observations; None if runs observe the source."""
    observed_since: dt.datetime | None = None
    """Time of the earliest commit in the observations."""


class Manifest(Struct, frozen=True):
    """One snapshot: where the rows of every table are, and what a run needs to see changes."""

    id: str
    created_at: dt.datetime
    parent: str | None
    run_id: str
    version: str
    sources: list[SourceEntry]
    tables: PartFiles
    listings: dict[str, str]
    checks: list[CheckCount]
    format: int = FORMAT

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        return sum(file.rows for file in self.tables[table])


def snapshot_id(created_at: dt.datetime, content: str) -> str:
    """Return an id that sorts by age and ends in a digest of the content."""
    return f"{created_at:%Y%m%dT%H%M%SZ}-{content}"


def content_id(tables: PartFiles) -> str:
    """Return a digest of the part files of all tables."""
    listing = {name: [file.file for file in files] for name, files in sorted(tables.items())}
    return blake2b(msgspec.json.encode(listing), digest_size=4).hexdigest()
