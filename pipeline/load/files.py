"""Writing a file so that nobody ever sees half of it."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.errors import WarehouseError


def replace_file(path: Path, content: bytes | memoryview, *, flush: bool = True) -> None:
    """Write aside, flush to the disk, rename. Raises WarehouseError where that fails; the old file stays.

    Without `flush`, the caller flushes all files of a publication at once, before it commits: see `flush_all`.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(aside, "wb") as handle:
            handle.write(content)
            handle.flush()
            if flush:
                os.fsync(handle.fileno())
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):  # a file where a folder should be
            aside.unlink()
        raise WarehouseError(
            f"{path}: cannot be written ({error.strerror}). Make room or give the right to write."
        ) from error


def flush_all(folder: Path) -> None:
    """Flush everything written to the file system that holds `folder`; raises WarehouseError where it cannot be kept."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if sys.platform == "linux":
            if ctypes.CDLL(None, use_errno=True).syncfs(handle):
                reason = os.strerror(ctypes.get_errno())
                raise WarehouseError(
                    f"{folder}: cannot be flushed to the disk ({reason}). Check the disk."
                )
        else:
            os.sync()
    finally:
        os.close(handle)
