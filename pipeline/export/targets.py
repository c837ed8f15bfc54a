"""Where an export goes: a file, a folder of files, or standard output."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.load.files import writing_to

STREAM = "-"
"""The output that is standard output."""
_CHUNK = 1 << 20


class Stream:
    """A path that leads to standard output, and whether anything has arrived there."""

    def __init__(self, path: str) -> None:
        self.path, self.arrived, self.failed = path, False, False


def files_of(names: list[str], ending: str, output: str) -> list[Path]:
    """The file of each relation: `output` itself for one, `<output>/<name>.<ending>` for several or where it is a folder."""
    folder = Path(output)
    if len(names) == 1 and not folder.is_dir() and not output.endswith("/"):
        return [folder]
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{output}: is a file, {len(names)} tables need a folder. Name a folder with -o."
        )
    return [folder / f"{name}.{ending}" for name in names]


@contextmanager
def replacing(paths: list[Path]) -> Iterator[list[str]]:
    """Paths to write to in their stead; at the end all take their places, after an error none does.

    What is there and no file (a pipe, /dev/null) is written to directly. Raises WarehouseError where that is not possible.
    """
    with ExitStack() as stack:
        yield [str(stack.enter_context(writing_to(path))) for path in paths]


@contextmanager
def streaming() -> Iterator[Stream]:
    """A path of which everything goes on to standard output while it is written.

    The first megabyte waits for more or for the end, so that what fails before has written nothing. Raises BrokenPipeError
    where the reader has gone.
    """
    sys.stdout.flush()
    source, sink = os.pipe()
    gone: list[OSError] = []
    stream = Stream(f"/dev/fd/{sink}")

    def carry() -> None:
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
            gone.append(error)
        finally:
            os.close(source)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield stream
    except BaseException as error:
        stream.failed = True
        if gone:
            raise gone[0] from error
        raise
    finally:
        os.close(sink)
        thread.join()
    if gone:
        raise gone[0]


def _write_all(out: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(out, view) :]
