"""Find where an export goes: a file, a folder of files, or standard output."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UsageError

STREAM = "-"
"""The output that means standard output."""
_CHUNK = 1 << 20


class Stream:
    """A path that leads to standard output, and whether anything has arrived there."""

    def __init__(self, path: str) -> None:
        self.path, self.arrived, self.failed = path, False, False


def files_of(names: list[str], ending: str, output: str) -> list[Path]:
    """Return the file of each relation.

    That is `output` itself for one, `<output>/<name>.<ending>` for several or if it is a folder.
    """
    folder = Path(output)
    if len(names) == 1 and not folder.is_dir() and not output.endswith("/"):
        return [folder]
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{output}: is a file (expected a folder for {len(names)} tables). Name a folder with"
            " -o."
        )
    return [folder / f"{name}.{ending}" for name in names]


@contextmanager
def streaming() -> Iterator[Stream]:
    """Yield a path whose content goes to standard output while it is written.

    The first megabyte waits for more or for the end, so that what fails before has sent nothing.
    Raises BrokenPipeError if the reader has gone.
    """
    sys.stdout.flush()
    source, sink = os.pipe()
    errors: list[OSError] = []
    stream = Stream(f"/dev/fd/{sink}")

    def forward() -> None:
        out = sys.stdout.fileno()
        try:
            waiting = b""
            while chunk := os.read(source, _CHUNK):
                waiting += chunk
                if stream.arrived or len(waiting) >= _CHUNK:
                    stream.arrived = True
                    _write_all(out, waiting)
                    waiting = b""
            if not stream.failed:
                _write_all(out, waiting)
        except OSError as error:
            errors.append(error)
        finally:
            os.close(source)

    thread = threading.Thread(target=forward)
    thread.start()
    try:
        yield stream
    except BaseException as error:
        stream.failed = True
        if errors:
            raise errors[0] from error
        raise
    finally:
        os.close(sink)
        thread.join()
    if errors:
        raise errors[0]


def _write_all(out: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(out, view) :]
