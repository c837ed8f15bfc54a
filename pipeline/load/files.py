"""Write files so that no reader ever sees half of one."""

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from pipeline.errors import UsageError, WarehouseError


@contextmanager
def replacing(path: Path, *, flush: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` for a file, link or folder that replaces it.

    The replacement is one rename when the block ends; with `flush`, a file is on the disk before.
    After an error or a signal, nothing of the new content is left and the old one stays.
    Raises WarehouseError if it cannot be written.
    """
    aside = temporary(path)
    try:
        with reporting(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            discard(aside)  # of a killed process that had the same id
            yield aside
            if flush:
                _with_handle(aside, os.fsync)
            if stat.S_ISDIR(os.lstat(aside).st_mode) and path.exists():
                shutil.rmtree(path)
            os.replace(aside, path)
    except BaseException:  # also a signal
        discard(aside)
        raise


@contextmanager
def writing_to(path: Path) -> Iterator[Path]:
    """Yield the path at which to write an output file that a user named.

    That is a temporary one (see `replacing`), or `path` itself if it is a pipe or a device. Links
    are followed. Raises UsageError for a folder, WarehouseError if it cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder (expected a file). Name a file with -o.")
    if path.exists() and not path.is_file():  # the pipe behind /dev/stdout has no path of its own
        with reporting(path):
            yield path
    else:
        with replacing(path.resolve()) as aside:
            yield aside


def replace_file(path: Path, content: bytes | memoryview, *, flush: bool = True) -> None:
    """Replace the content of a file in one step. Raises WarehouseError; the old file then stays.

    Without `flush`, the caller flushes all files of a publication at once: see `flush_all`.
    """
    with replacing(path, flush=flush) as aside, open(aside, "wb") as file:
        file.write(content)


def write_named(folder: Path, content: bytes | memoryview, suffix: str) -> str:
    """Write a file named by its content, unless it is there already, and return the name."""
    path = folder / f"{blake2b(content, digest_size=12).hexdigest()}.{suffix}"
    if not path.exists() or path.read_bytes() != content:
        replace_file(path, content, flush=False)
    return path.name


def temporary(path: Path) -> Path:
    """Return the name under which this process writes the replacement of `path`."""
    name = os.fsencode(path.name)[:200].decode(errors="ignore")  # names end at 255 bytes
    return path.with_name(f".{name}.{os.getpid()}.tmp")


def discard(aside: Path) -> None:
    """Remove a temporary file or folder, and the log that DuckDB keeps beside a database."""
    for path in (aside, f"{aside}.wal"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Raise WarehouseError if `path` cannot be written; let errors of a closed pipe pass."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error


def unwritable(path: Path, reason: str) -> WarehouseError:
    """Return the error for a file that cannot be written."""
    return WarehouseError(
        f"{path}: cannot be written ({reason}). Free disk space, grant permission to write, or"
        " choose another path."
    )


def flush_all(folder: Path) -> None:
    """Flush everything written to the file system of `folder`. Raises WarehouseError."""
    if sys.platform != "linux":
        os.sync()
    elif _with_handle(folder, ctypes.CDLL(None, use_errno=True).syncfs):
        reason = os.strerror(ctypes.get_errno())
        raise WarehouseError(f"{folder}: cannot be flushed to the disk ({reason}). Check the disk.")


def _with_handle(path: Path, flush: Callable[[int], int | None]) -> int | None:
    handle = os.open(path, os.O_RDONLY)
    try:
        return flush(handle)
    finally:
        os.close(handle)
