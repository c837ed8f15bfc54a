"""Listings: the state of a part's files as read, so that the next run reads what changed."""

from hashlib import blake2b
from pathlib import Path

import msgspec

from pipeline.errors import WarehouseError
from pipeline.load.files import replace_file
from pipeline.load.manifest import FileState
from pipeline.load.warehouse import RECOVER

_DECODER = msgspec.msgpack.Decoder(list[FileState])


def write(root: Path, states: list[FileState]) -> str:
    """Write the states, in path order, to a file named by its content, and return the name."""
    content = msgspec.msgpack.encode(states)
    name = f"{blake2b(content, digest_size=12).hexdigest()}.msgpack"
    path = root / "listings" / name
    if not path.exists() or path.read_bytes() != content:
        replace_file(path, content, flush=False)
    return name


def read(root: Path, name: str) -> list[FileState]:
    """Return the states of one listing. Raises WarehouseError if it is missing or damaged."""
    path = root / "listings" / name
    try:
        return _DECODER.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise WarehouseError(f"{path}: cannot be read ({error}). {RECOVER}") from error
