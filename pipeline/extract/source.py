"""What every source has in common: it has a name, lists files and gives their bytes."""

import os
import re
from hashlib import blake2b

from msgspec import Struct

from pipeline.schema.documents import Rejection

MARK = "\ufffd"
SUFFIXES = (".md", ".markdown", ".html", ".htm")
"""Endings, in lower case, of the files that may hold an article."""
SIDECAR_FOLDERS = {"topics": (".yaml", ".yml"), "organizations": (".md",)}
"""Folders below `_data/` whose files describe topics and organisations, and their endings."""
_SIDECAR = re.compile(rf"(?:^|/)_data/({'|'.join(SIDECAR_FOLDERS)})/[^/]*\Z")
_ESCAPED = re.compile(f"[{MARK}\udc80-\udcff]")


class Entry(Struct, frozen=True, gc=False):
    """A file as listed: path inside the source, size in bytes, times of its last changes.

    Times are nanoseconds since 1970: of the content, and of the status. New content always has a
    new status time, even if size and modification time were put back; or a new version, if the
    source names contents (git: the blob).
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    version: str = ""


class Loaded(Struct, frozen=True, gc=False):
    """A file as read: its bytes, and its times when it was opened.

    `is_racy` says that it could have changed since without these telling.
    """

    raw: bytes
    mtime_ns: int
    ctime_ns: int
    is_racy: bool


class Listing(Struct, frozen=True):
    """Documents and topic sidecars of a source in path order, and rejections by path."""

    entries: list[Entry]
    sidecars: list[Entry]
    rejected: dict[str, Rejection]

    def in_order(self) -> "Listing":
        """Sort documents and sidecars by path, and return the listing."""
        for entries in (self.entries, self.sidecars):
            entries.sort(key=lambda entry: entry.path)
        return self


class NamedSource(Struct, frozen=True):
    """A source: its name, and its root, a folder or the address of a repository."""

    name: str
    root: str

    @property
    def address(self) -> str:
        """What names it on a command line, after its name."""
        return self.root

    def document_id(self, path: str) -> str:
        """Return the identity of the file at `path`, wherever the source lies."""
        return document_id(self.name, path)


def named(text: str) -> tuple[str, str]:
    """Split `[name=]path` into name and path; the name may be empty."""
    name, equals, path = text.partition("=")
    return ("", text) if not equals or "/" in name or os.path.exists(text) else (name, path)


def document_id(source: str, path: str) -> str:
    """Return the identity of a file: BLAKE2b of source and path, 16 hexadecimal characters."""
    return blake2b(f"{source}\0{path}".encode(), digest_size=8).hexdigest()


def part_bounds(documents: int, size: int) -> list[int]:
    """Return where parts of about `size` documents begin and end.

    Small sites make up to four parts, so that processors share them.
    """
    if not documents:
        return []
    count = max(round(documents / size), min(4, documents * 10 // size), 1)
    return [documents * at // count for at in range(count + 1)]


def part_name(source: str, number: int) -> str:
    """Return the name of a part of a source."""
    return f"{source}/{number:04}"


def rest_of(source: str) -> str:
    """Return the name of the part for what is not a document."""
    return f"{source}/rest"


def too_large(size: int, limit: int) -> Rejection:
    """Return the rejection of a file of more than `limit` bytes."""
    message = f"the file has {size:,} bytes (limit {limit:,}). Shorten it or raise max_file_bytes."
    return Rejection("read", "too_large", message)


def is_document(path: str) -> bool:
    """Return whether a file may hold an article, by its ending."""
    return path.lower().endswith(SUFFIXES)


def sidecar_kind(path: str) -> str | None:
    """Return `topics` or `organizations` for a file of these folders below `_data/`; else None."""
    match = _SIDECAR.search(path) if "_data/" in path else None
    return match[1] if match and path.lower().endswith(SIDECAR_FOLDERS[match[1]]) else None


def text_of_name(name: str) -> str:
    """Return a file name as text: U+FFFD and two hexadecimal digits for a byte that is not UTF-8.

    U+FFFD itself is written so too: no two names give the same text.
    """
    if name.isascii():
        return name
    text = os.fsencode(name).decode("utf-8", "surrogateescape")

    def spelled_out(match: re.Match[str]) -> str:
        return "".join(f"{MARK}{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))

    return _ESCAPED.sub(spelled_out, text)


def is_racy(mtime_ns: int, ctime_ns: int, read_ns: int) -> bool:
    """Return whether a file read at `read_ns` could have changed since without its times telling.

    A file system's clock ticks every few milliseconds, a coarse one every second or two.
    """
    tick_ns = 20_000_000 if ctime_ns % 1_000_000_000 else 2_000_000_000
    return read_ns - max(mtime_ns, ctime_ns) < tick_ns
