"""The SQL files of `sql/`: one relation per file, the file's name is the relation's name."""

import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path

from pipeline.errors import SchemaError

_HEADER = re.compile(r"-- (One row per .+)")
_COLUMN_LINE = re.compile(r"--   (\w+): (.+)")
_THRESHOLD_LINE = re.compile(r"--   threshold (\w+) = (off|-?[0-9]+(?:\.[0-9]+)?): (.+)")


def sql_folder() -> Path:
    """Where the SQL files lie: inside the installed package, or beside it in a checkout."""
    packed = Path(__file__).parents[1] / "sql"
    return packed if packed.is_dir() else Path(__file__).parents[2] / "sql"


@dataclass(frozen=True)
class Threshold:
    """A number that a check compares with, the query's parameter of that name; None (off) is a limit that nothing exceeds."""

    default: float | None
    about: str


@dataclass(frozen=True)
class Relation:
    """One SQL file: its name is the view's name, its header says what a row and each column is, and each threshold of a check."""

    path: Path
    comment: str
    columns: dict[str, str]
    query: str
    thresholds: dict[str, Threshold] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the view."""
        return self.path.stem

    @property
    def subject(self) -> str:
        """Subject of a report: its folder below `sql/reports`; empty for the other levels."""
        return self.path.parent.name if self.path.parents[1].name == "reports" else ""

    @classmethod
    def load(cls, path: Path) -> "Relation":
        """Read a file. Raises SchemaError where the first line is no grain line."""
        query = path.read_text(encoding="utf-8")
        header = _HEADER.match(query)
        if header is None:
            raise SchemaError(
                f"{path.name}: the first line is no grain line (expected `-- One row per <grain>: <purpose>.`). Add one."
            )
        columns, thresholds = {}, {}
        for line in query.splitlines()[1:]:
            if not line.startswith("--"):
                break
            if found := _COLUMN_LINE.match(line):
                columns[found[1]] = found[2]
            elif found := _THRESHOLD_LINE.match(line):
                thresholds[found[1]] = Threshold(
                    None if found[2] == "off" else float(found[2]), found[3]
                )
        return cls(path, header[1], columns, query.strip().rstrip(";"), thresholds)


def relations(*levels: str) -> list[Relation]:
    """The SQL files of the levels in order; within a level no relation reads another one."""
    return [
        Relation.load(path)
        for level in levels
        for path in sorted((sql_folder() / level).rglob("*.sql"))
    ]


@cache
def common_columns() -> dict[str, str]:
    """Return what columns of common names mean in every view that says nothing else, by `sql/columns.toml`."""
    return tomllib.loads((sql_folder() / "columns.toml").read_text(encoding="utf-8"))


def digest() -> str:
    """Return a hash of what views, reports and their columns are defined by, as 16 hexadecimal characters."""
    paths = sorted(
        path for level in ("views", "reports") for path in (sql_folder() / level).rglob("*.sql")
    )
    paths.append(sql_folder() / "columns.toml")
    return blake2b(
        b"\0".join(os.fsencode(path.name) + b"\0" + path.read_bytes() for path in paths),
        digest_size=8,
    ).hexdigest()
