"""A folder, or one file of it, as a source."""

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import SourceError, UsageError
from pipeline.extract.source import (
    MARK,
    Entry,
    Listing,
    Loaded,
    NamedSource,
    is_document,
    is_racy,
    named,
    sidecar_kind,
    text_of_name,
    too_large,
)
from pipeline.schema.documents import Rejection


class Folder(NamedSource, frozen=True):
    """A folder with front-matter files; or one file, whose folder is then the root."""

    only: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Folder":
        """Return the source that `[name=]path` names; its default name is that of the folder.

        Raises UsageError for an empty name or path, SourceError if nothing is there.
        """
        name, path = named(text)
        if not path or (path != text and not name):
            lacking = "name (got nothing before `=`)" if path else "path"
            raise UsageError(f"{text!r}: the source has no {lacking}. Write NAME=PATH or PATH.")
        full = Path(os.path.abspath(path))
        if MARK in os.fsencode(f"{name}{full}").decode("utf-8", "replace"):
            raise UsageError(
                f"{text!r}: the name or path is not UTF-8. Rename the folder, or link to it."
            )
        if full.is_dir():
            return cls(name or full.name or "root", str(full))
        if full.exists():
            return cls(name or full.stem or "root", str(full.parent), full.name)
        raise SourceError(
            f"{path}: there is no such folder or file. Name a folder with articles, or create it."
        )

    @property
    def address(self) -> str:
        """What names it on a command line, after its name."""
        return os.path.join(self.root, self.only) if self.only else self.root

    def read(
        self, entries: Iterable[Entry], limit: int
    ) -> Iterator[tuple[Entry, Loaded | Rejection]]:
        """Read files of at most `limit` bytes, one by one."""
        for entry in entries:
            yield entry, read_file(self.root, entry.path, limit)

    def list(self, *, with_times: bool = True) -> Listing:
        """List documents and sidecars below the root; hidden files and folders are left out.

        Without times, documents have no size and times either, which saves a call to the system
        for each. Raises SourceError if the root itself cannot be listed.
        """
        listing = Listing([], [], {})
        seen = {_inode(os.stat(self.root))} if os.path.exists(self.root) else set()
        waiting = [("", self.root)]
        while waiting:
            prefix, folder = waiting.pop()
            try:
                items = list(os.scandir(folder))
            except OSError as error:
                if not prefix:
                    raise SourceError(
                        f"{folder}: cannot be listed ({error.strerror}). Check its permissions."
                    ) from error
                listing.rejected[prefix] = Rejection(
                    "read", "permission_denied", f"the folder cannot be listed ({error.strerror})."
                )
                continue
            for item in items:
                if item.name[0] == "." or (self.only and not prefix and item.name != self.only):
                    continue
                path = prefix + text_of_name(item.name)
                try:
                    if not item.is_dir():
                        self._list_file(item, path, listing, with_times=with_times)
                    elif (inode := _inode(item.stat())) not in seen:  # a link may lead back up
                        seen.add(inode)
                        waiting.append((path + "/", item.path))
                except OSError as error:
                    if is_document(item.name):
                        listing.rejected[path] = _read_failure(error)
        return listing.in_order()

    def _list_file(
        self, item: "os.DirEntry[str]", path: str, listing: Listing, *, with_times: bool
    ) -> None:
        wanted = self.only is not None or is_document(item.name)
        if not wanted and not sidecar_kind(path):
            return
        if wanted and not with_times and item.is_file():
            listing.entries.append(Entry(path, 0, 0, 0))
        elif stat.S_ISREG((status := item.stat()).st_mode):
            entry = Entry(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            (listing.entries if wanted else listing.sidecars).append(entry)
        else:
            message = "this is no regular file. Remove it or replace it by a file."
            listing.rejected[path] = Rejection("read", "not_a_file", message)


def read_file(root: str, path: str, limit: int) -> Loaded | Rejection:
    """Read a file of at most `limit` bytes."""
    read_at = time.time_ns()
    try:
        # O_NONBLOCK: a file that became a pipe since it was listed must not hold the run up
        handle = os.open(file_at(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            if (size := status.st_size) > limit:
                return too_large(size, limit)
            content = more = os.read(handle, size + 1)
            while len(content) != size and len(content) <= limit and more:
                content += (more := os.read(handle, 1 << 16))
            times = status.st_mtime_ns, status.st_ctime_ns
            return Loaded(content, *times, is_racy(*times, read_at))
        finally:
            os.close(handle)
    except OSError as error:
        return _read_failure(error)


def _read_failure(error: OSError) -> Rejection:
    code, message = "unreadable", f"the file cannot be read ({error.strerror}). Check the disk."
    if isinstance(error, FileNotFoundError):
        code = "vanished"
        message = "the file was listed and is gone. The next run sees what became of it."
    elif isinstance(error, PermissionError):
        code = "permission_denied"
        message = "the file may not be read. Give the user of this run the right to read it."
    return Rejection("read", code, message)


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def file_at(root: str, path: str) -> str | bytes:
    """Return where the file of a listed path lies below a folder; undoes `text_of_name`."""
    if MARK not in path:
        return f"{root}/{path}"
    spelled = re.compile(rb"\xef\xbf\xbd([0-9a-f]{2})")
    raw = spelled.sub(lambda match: bytes.fromhex(match[1].decode()), path.encode())
    return os.fsencode(root) + b"/" + raw
