"""What every source has in common: it has a name, lists files and gives their bytes."""

import os
from hashlib import blake2b

from msgspec import Struct

from pipeline.schema.documents import Rejection

MARK = "\ufffd"
SUFFIXES = (".md", ".markdown", ".html", ".htm")
"""Endings, in lower case, of the files that may hold an article."""
SIDECAR_FOLDERS = {"topics": (".yaml", ".yml"), "organizations": (".md",)}
"""Folders below `_data/` whose files describe topics and organisations, and their endings."""


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
    return Rejection(
        "read",
        "too_large",
        f"the file has {size:,} bytes (limit {limit:,}). Shorten it or raise max_file_bytes.",
    )


def is_document(path: str) -> bool:
    """Return whether a file may hold an article, by its ending."""
    return path.lower().endswith(SUFFIXES)


def sidecar_kind(path: str) -> str | None:
    """Return `topics` or `organizations` for a file of these folders below `_data/`; else None."""
    parts = path.split("/")
    if len(parts) < 3 or parts[-3] != "_data":
        return None
    return parts[-2] if path.lower().endswith(SIDECAR_FOLDERS.get(parts[-2], ())) else None


def is_sidecar(path: str) -> bool:
    """Return whether a file describes a topic or an organisation."""
    return "_data/" in path and sidecar_kind(path) is not None


def text_of_name(name: str) -> str:
    """Return a file name as text: U+FFFD and two hexadecimal digits for a byte that is not UTF-8.

    U+FFFD itself is written so too: no two names give the same text.
    """
    if name.isascii():
        return name
    raw = os.fsencode(name)
    try:
        if MARK not in (text := raw.decode()):
            return text
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
    return "".join(
        "".join(f"{MARK}{byte:02x}" for byte in os.fsencode(char))
        if char == MARK or "\udc80" <= char <= "\udcff"
        else char
        for char in text
    )


def is_racy(mtime_ns: int, ctime_ns: int, read_ns: int) -> bool:
    """Return whether a file read at `read_ns` could have changed since without its times telling.

    A file system's clock ticks every few milliseconds, a coarse one every second or two.
    """
    tick_ns = 20_000_000 if ctime_ns % 1_000_000_000 else 2_000_000_000
    return read_ns - max(mtime_ns, ctime_ns) < tick_ns
