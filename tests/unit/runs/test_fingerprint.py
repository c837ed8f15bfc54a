"""The fingerprint of rows: which code counts, and what of it."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from pipeline.build.tasks import Options
from pipeline.load.manifest import SourceEntry
from pipeline.runs import fingerprint
from pipeline.runs.fingerprint import (
    LIBRARIES,
    PACKAGE,
    ROOMS,
    code_digest,
    installed_versions,
    row_data,
    row_modules,
)
from tests.support.imports import imported_modules

CODE = b'''
"""A module."""

def double(number: int) -> int:
    """Return twice a number."""
    return 2 * number  # exact


class Pair:
    left: int
    """The first."""
'''

# Modules that the makers of rows import, and that make no row: they write and read files, and carry
# values and errors.
ROWLESS = {
    *("errors", "load.datapackage", "load.files", "load.listings"),
    *("load.manifest", "load.warehouse"),
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"  # exact", b""),
        (b'    """Return twice a number."""\n', b""),
        (b'    """The first."""\n', b""),
        (b'"""A module."""', b'"""Another module."""'),
        (b"2 * number", b"(\n        2 * number\n    )"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old: bytes, new: bytes) -> None:
    assert CODE.count(old) == 1
    assert code_digest([CODE.replace(old, new)]) == code_digest([CODE])


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"2 * number", b"3 * number"), (b"left: int", b"left: int = 0"), (b"double", b"triple")],
)
def test_whatever_else_changes_counts(old: bytes, new: bytes) -> None:
    assert code_digest([CODE.replace(old, new)]) != code_digest([CODE])


def test_code_counts_where_it_is() -> None:
    assert code_digest([b"a = 1", b"b = 2"]) != code_digest([b"b = 2", b"a = 1"])


def test_every_module_that_makes_rows_counts() -> None:
    counted = {
        str(path.relative_to(PACKAGE).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for path in row_modules(PACKAGE)
    }
    makers = {"build.part", "build.history", "transform.observations", "transform.providers"}
    imported = imported_modules({*makers, "transform.topics", "transform.related"})
    assert {"schema.positions", "extract.frontmatter", "load.parts", *makers} <= imported
    assert imported - counted <= ROWLESS


def test_every_data_file_beside_that_code_counts() -> None:
    data = {
        path
        for room in ROOMS
        for path in (PACKAGE / room).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert {"columns.csv", "tables.csv", "observations.sql"} <= {path.name for path in data}
    assert set(row_data(PACKAGE)) == data


def test_a_changed_data_file_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "pipeline"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    before = fingerprint.read_fingerprint(Options())
    assert before == fingerprint.read_fingerprint(Options())
    columns = package / "schema" / "columns.csv"
    columns.write_text(columns.read_text().replace("Headline", "Heading"))
    after = fingerprint.read_fingerprint(Options(), [SourceEntry("s", "/s", before)])
    assert fingerprint.differing(before, after) == {"code"}


def test_versions_are_those_of_the_installed_libraries() -> None:
    assert installed_versions() == {name: importlib.metadata.version(name) for name in LIBRARIES}
