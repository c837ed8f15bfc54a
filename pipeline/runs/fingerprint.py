"""The fingerprint of rows: what makes them beside the files, so that a change builds them again.

That is the settings that alter rows, the libraries that read and repair values, and the code. Code
counts without comments, docstrings and layout: its syntax tree is hashed, and the data files beside
it. Parsing takes 50 ms, so an entry also keeps a digest of the bytes, by which an unchanged run
knows unchanged code.
"""

import ast
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

from pipeline.build.tasks import Options
from pipeline.load.manifest import SourceEntry

PACKAGE = Path(__file__).parents[1]
ROOMS = ("schema", "extract", "transform", "build")
"""Folders whose code makes rows."""
MODULES = ("load/history.py", "load/parts.py", "runs/derive.py", "runs/history_delta.py")
"""Other modules that make rows."""
DATA = (".csv", ".sql")
"""Suffixes of the data files in `ROOMS`."""
LIBRARIES = ("ftfy", "msgspec", "publicsuffixlist", "python_frontmatter", "pyyaml", "yaml_rs")
"""Distributions whose versions may alter rows."""

Fingerprint = dict[str, str]


def read_fingerprint(options: Options, known: Iterable[SourceEntry] = ()) -> Fingerprint:
    """Return the fingerprint of the rows that this code makes with these options.

    The code is parsed only if none of the `known` entries was made by the same bytes.
    """
    modules = [path.read_bytes() for path in row_modules(PACKAGE)]
    data = [path.read_bytes() for path in row_data(PACKAGE)]
    code_bytes = blake2b(b"\0".join([*modules, *data]), digest_size=8).hexdigest()
    same = (entry.fingerprint for entry in known if entry.fingerprint.get(_BYTES) == code_bytes)
    code = next(same, {}).get("code") or code_digest(modules, data)
    chosen = {name: str(value).lower() for name, value in msgspec.structs.asdict(options).items()}
    return {"code": code, _BYTES: code_bytes, **installed_versions(), **chosen}


_BYTES = "code_bytes"


def differing(before: Fingerprint, after: Fingerprint) -> set[str]:
    """Return the names of what alters rows and differs.

    Entries of older versions lack the libraries; their code differs anyway.
    """
    return {
        name
        for name, value in after.items()
        if name != _BYTES and before.get(name, None if name == "code" else value) != value
    }


def row_modules(package: Path) -> list[Path]:
    """Return the modules of a package whose code makes rows."""
    paths = [path for room in ROOMS for path in (package / room).rglob("*.py")]
    return sorted([*paths, *(package / name for name in MODULES)])


def row_data(package: Path) -> list[Path]:
    """Return the data files of the rooms that make rows."""
    paths = (path for room in ROOMS for path in (package / room).rglob("*"))
    return sorted(path for path in paths if path.suffix in DATA)


def code_digest(sources: Iterable[bytes], data: Iterable[bytes] = ()) -> str:
    """Return a digest of Python sources without comments, docstrings and layout, and of data."""
    digest = blake2b(digest_size=8)
    for source in sources:
        words: list[str] = []
        _add_node(ast.parse(source), words)
        digest.update("\0".join(words).encode("utf-8", "surrogatepass"))
    for content in data:
        digest.update(content)
    return digest.hexdigest()


def _add_node(node: object, words: list[str]) -> None:
    match node:
        case ast.Expr(ast.Constant(str())):  # a docstring: as a statement, a text does nothing
            pass
        case list():
            words.append("[")
            for item in node:
                _add_node(item, words)
            words.append("]")
        case ast.AST():
            words.append(type(node).__name__)
            for name in node._fields:
                _add_node(getattr(node, name, None), words)
            words.append(";")
        case _:
            words.append(repr(node))


def installed_versions() -> Mapping[str, str]:
    """Return the version of each of `LIBRARIES`, from the names of its metadata folder.

    `importlib.metadata` gives the same, after 70 ms of imports.
    """
    versions: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path):
        with suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                library, _, version = entry.name.removesuffix(".dist-info").partition("-")
                if entry.name.endswith(".dist-info") and library.lower() in LIBRARIES:
                    versions.setdefault(library.lower(), version)
    return dict(sorted(versions.items()))
