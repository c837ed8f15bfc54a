"""Listings: the state of a part's files as read, so that the next run reads what changed."""

from pathlib import Path

import msgspec

from pipeline.load.files import write_named
from pipeline.load.manifest import FileState
from pipeline.load.warehouse import damage

_DECODER = msgspec.msgpack.Decoder(list[FileState])


def write(root: Path, states: list[FileState]) -> str:
    """Write the states, in path order, to a file named by its content, and return the name."""
    return write_named(root / "listings", msgspec.msgpack.encode(states), "msgpack")


def read(root: Path, name: str) -> list[FileState]:
    """Return the states of one listing. Raises WarehouseError if it is missing or damaged."""
    path = root / "listings" / name
    try:
        return _DECODER.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise damage(path, f"cannot be read ({error})") from error
