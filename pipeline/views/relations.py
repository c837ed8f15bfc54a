"""The SQL files of `sql/`: one relation per file, named like the file.

views     facts: what several reports build on
reports   what people read, by subject
computed  views on rows that Python computes, created in a connection when a report asks for them
selection the articles that filters select, as temporary tables
checks    queries of offending rows, with their thresholds in the header

A file with a second suffix, such as `heat_survival.chart.sql`, is a query beside a report, and not
a view.
"""

import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path

from pipeline.errors import SchemaError

_HEADER = re.compile(r"-- (One row per .+)")
_COLUMN_LINE = re.compile(r"--   (\w+): (.+)")
_THRESHOLD_LINE = re.compile(r"--   threshold (\w+) = (off|-?[0-9]+(?:\.[0-9]+)?): (.+)")


SUBJECTS = ("quality", "heat", "coverage", "health")
"""Subjects of reports, in the order of reading: the folders of `sql/reports`."""


def sql_folder() -> Path:
    """Return the folder of SQL files: in the installed package, or beside it in a checkout."""
    packed = Path(__file__).parents[1] / "sql"
    return packed if packed.is_dir() else Path(__file__).parents[2] / "sql"


@dataclass(frozen=True)
class Threshold:
    """A number that a check compares with, a parameter of its query; None (off) is no limit."""

    default: float | None
    about: str


@dataclass(frozen=True)
class Relation:
    """A SQL file: its header says what a row and columns are, and the thresholds of a check."""

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

    def companion(self, kind: str) -> str | None:
        """Return the query of `<name>.<kind>.sql` beside this file; None if there is none."""
        path = self.path.with_suffix(f".{kind}.sql")
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    @classmethod
    def load(cls, path: Path) -> "Relation":
        """Read a file. Raises SchemaError if the first line is not a grain line."""
        query = path.read_text(encoding="utf-8")
        header = _HEADER.match(query)
        if header is None:
            raise SchemaError(
                f"{path.name}: the first line is not a grain line"
                " (expected `-- One row per <grain>: <purpose>.`). Add one."
            )
        lines = list(takewhile(lambda line: line.startswith("--"), query.splitlines()))
        columns = {line[1]: line[2] for line in map(_COLUMN_LINE.match, lines) if line}
        thresholds = {
            line[1]: Threshold(None if line[2] == "off" else float(line[2]), line[3])
            for line in map(_THRESHOLD_LINE.match, lines)
            if line
        }
        return cls(path, header[1], columns, query.strip().rstrip(";"), thresholds)


def relations(*levels: str) -> list[Relation]:
    """Return the relations of the levels in order; none reads another of its level."""
    return [Relation.load(path) for path in sql_files(*levels)]


def sql_files(*levels: str) -> list[Path]:
    """Return the files of the levels' relations, in order."""
    return [
        path
        for level in levels
        for path in sorted((sql_folder() / level).rglob("*.sql"))
        if "." not in path.stem
    ]


@cache
def common_columns() -> dict[str, str]:
    """Return what common columns mean unless a view says otherwise, from `sql/columns.toml`."""
    return tomllib.loads((sql_folder() / "columns.toml").read_text(encoding="utf-8"))


def digest() -> str:
    """Return a hash of views, reports and common columns, as 16 hexadecimal characters."""
    paths = [*sql_files("views", "reports"), sql_folder() / "columns.toml"]
    content = b"\0".join(os.fsencode(path.name) + b"\0" + path.read_bytes() for path in paths)
    return blake2b(content, digest_size=8).hexdigest()
