"""What a source is: a named place that lists files and gives their bytes. Here: a folder, or one file of it."""

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from pipeline.documents import Rejection
from pipeline.errors import SourceError, UsageError
from pipeline.manifest import is_racy

MARK = "\ufffd"
SUFFIXES = (".md", ".markdown", ".html", ".htm")
"""Endings, in lower case, of the files that may hold an article."""
SIDECAR_FOLDERS = {"topics": (".yaml", ".yml"), "organizations": (".md",)}
"""Folders below `_data/` whose files describe topics and organisations, and their endings."""


class Entry(Struct, frozen=True, gc=False):
    """A file as listed: path inside the source, size in bytes, times of last modification and change of status.

    Times are nanoseconds since 1970. A new content always has a new change time, even where its size and modification
    time were put back; or a new version, where the source names contents (git: the blob).
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    version: str = ""


class Loaded(Struct, frozen=True, gc=False):
    """A file as read: its bytes, its times when it was opened, and whether it could have changed since without these telling."""

    raw: bytes
    mtime_ns: int
    ctime_ns: int
    is_racy: bool


class Listing(Struct, frozen=True):
    """What a source holds: documents and topic sidecars in path order, and what could not be listed."""

    entries: list[Entry]
    sidecars: list[Entry]
    rejected: dict[str, Rejection]


class Folder(Struct, frozen=True):
    """A folder with front-matter files; or one file, whose folder is then the root."""

    name: str
    root: str
    only: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Folder":
        """The source that `[name=]path` means; by default it is named after the folder.

        Raises UsageError for an empty name or path, SourceError where nothing is there.
        """
        name, path = named(text)
        if path != text and not name:
            raise UsageError(f"{text!r}: the source has no name (got nothing before `=`). Write NAME=PATH or PATH.")
        if not path:
            raise UsageError(f"{text!r}: the source has no path. Write NAME=PATH or PATH.")
        place = Path(os.path.abspath(path))
        if not (name + str(place)).isascii() and "\ufffd" in os.fsencode(name + str(place)).decode("utf-8", "replace"):
            raise UsageError(f"{text!r}: the name or path is not UTF-8. Rename the folder, or link to it.")
        if place.is_dir():
            return cls(name or place.name or "root", str(place))
        if place.exists():
            return cls(name or place.stem or "root", str(place.parent), place.name)
        raise SourceError(f"{path}: there is no such folder or file. Name a folder with articles, or create it.")

    @property
    def address(self) -> str:
        """What names it on a command line, after its name."""
        return os.path.join(self.root, self.only) if self.only else self.root

    def document_id(self, path: str) -> str:
        """Identity of the file at `path`: it does not depend on where the folder lies."""
        return document_id(self.name, path)

    def read(self, entries: Iterable[Entry], limit: int) -> Iterator[tuple[Entry, Loaded | Rejection]]:
        """Read files of at most `limit` bytes, one by one."""
        for entry in entries:
            yield entry, read_file(self.root, entry.path, limit)

    def list(self, *, with_times: bool = True) -> Listing:
        """All documents and sidecars below the root; hidden files and folders are left out.

        Without times, documents have no size and times either, which saves a call to the system for each.
        Raises SourceError where the root itself cannot be listed.
        """
        entries: list[Entry] = []
        sidecars: list[Entry] = []
        rejected: dict[str, Rejection] = {}
        seen = {_inode(os.stat(self.root))} if os.path.exists(self.root) else set()
        waiting = [("", self.root)]
        while waiting:
            prefix, folder = waiting.pop()
            try:
                found = list(os.scandir(folder))
            except OSError as error:
                if not prefix:
                    raise SourceError(f"{folder}: cannot be listed ({error.strerror}). Check its permissions.") from error
                rejected[prefix] = Rejection("read", "permission_denied", f"the folder cannot be listed ({error.strerror}).")
                continue
            for item in found:
                if item.name.startswith(".") or (self.only is not None and not prefix and item.name != self.only):
                    continue
                path = prefix + text_of_name(item.name)
                try:
                    if item.is_dir():
                        status = item.stat()
                        if _inode(status) not in seen:  # a link may lead back up
                            seen.add(_inode(status))
                            waiting.append((path + "/", item.path))
                        continue
                    wanted = self.only is not None or is_document(item.name)
                    if not wanted and not is_sidecar(path):
                        continue
                    if wanted and not with_times and item.is_file():
                        entries.append(Entry(path, 0, 0, 0))
                        continue
                    status = item.stat()
                except OSError as error:
                    if is_document(item.name):
                        rejected[path] = _read_failure(error)
                    continue
                if not stat.S_ISREG(status.st_mode):
                    rejected[path] = Rejection("read", "not_a_file", "this is no regular file. Remove it or replace it by a file.")
                else:
                    listed = entries if wanted else sidecars
                    listed.append(Entry(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        entries.sort(key=_by_path)
        sidecars.sort(key=_by_path)
        return Listing(entries, sidecars, rejected)


def named(text: str) -> tuple[str, str]:
    """Name and path of `[name=]path`; the name is empty where none is given."""
    name, equals, path = text.partition("=")
    return ("", text) if not equals or "/" in name or os.path.exists(text) else (name, path)


def document_id(source: str, path: str) -> str:
    """Identity of a file: 16 hexadecimal characters, BLAKE2b of the source's name and the path in it."""
    return blake2b(f"{source}\0{path}".encode(), digest_size=8).hexdigest()


def read_file(root: str, path: str, limit: int) -> Loaded | Rejection:
    """Read a file of at most `limit` bytes."""
    read_at = time.time_ns()
    try:
        # O_NONBLOCK: a file that became a pipe since it was listed must not hold the run up
        handle = os.open(file_at(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if status.st_size > limit:
                return too_large(status.st_size, limit)
            content = os.read(handle, status.st_size + 1)
            while len(content) != status.st_size and len(content) <= limit and (more := os.read(handle, 1 << 16)):
                content += more
            times = status.st_mtime_ns, status.st_ctime_ns
            return Loaded(content, *times, is_racy(*times, read_at))
        finally:
            os.close(handle)
    except OSError as error:
        return _read_failure(error)


def too_large(size: int, limit: int) -> Rejection:
    """The rejection of a file of more than `limit` bytes."""
    return Rejection("read", "too_large", f"the file has {size:,} bytes (limit {limit:,}). Shorten it or raise max_file_bytes.")


def is_document(path: str) -> bool:
    """Whether a file may hold an article, by its ending."""
    return path.lower().endswith(SUFFIXES)


def _read_failure(error: OSError) -> Rejection:
    if isinstance(error, FileNotFoundError):
        return Rejection("read", "vanished", "the file was listed and is gone. The next run sees what became of it.")
    if isinstance(error, PermissionError):
        return Rejection("read", "permission_denied", "the file may not be read. Give the user of this run the right to read it.")
    return Rejection("read", "unreadable", f"the file cannot be read ({error.strerror}). Check the disk.")


def sidecar_kind(path: str) -> str | None:
    """`topics` or `organizations` for a file of those folders below `_data/`; else None."""
    parts = path.split("/")
    if len(parts) >= 3 and parts[-3] == "_data" and path.lower().endswith(SIDECAR_FOLDERS.get(parts[-2], ())):
        return parts[-2] if parts[-2] in SIDECAR_FOLDERS else None
    return None


def is_sidecar(path: str) -> bool:
    """Whether a file describes a topic or an organisation."""
    return "_data/" in path and sidecar_kind(path) is not None


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _by_path(entry: Entry) -> str:
    return entry.path


def text_of_name(name: str) -> str:
    """A file name as text that any table holds: U+FFFD and two hexadecimal digits for each byte that is not UTF-8.

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
    return "".join(_spelled_out(char) if char == MARK or "\udc80" <= char <= "\udcff" else char for char in text)


def _spelled_out(char: str) -> str:
    return "".join(f"{MARK}{byte:02x}" for byte in os.fsencode(char))


def file_at(root: str, path: str) -> str | bytes:
    """Where the file of a listed path lies below a folder; undoes `text_of_name`."""
    if MARK not in path:
        return f"{root}/{path}"
    raw = re.sub(rb"\xef\xbf\xbd([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), path.encode())
    return os.fsencode(root) + b"/" + raw
