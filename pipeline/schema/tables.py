"""The tables of the warehouse, declared in `tables.csv`: a line for a table, then its columns'.

The line of a table names no column; its role is `derived` if rows depend on more than one document,
and its description completes the sentence "One row per ...". The line of a column gives its role
(`key`, `required`, or none if it may be null) and the table that it refers to, if any; columns that
refer to the same table do so together. Origin and description are those of `columns.csv` unless
the line gives others.
"""

from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import SchemaError
from pipeline.schema.columns import COLUMNS, Column, read_lines
from pipeline.schema.table import Reference, Table

TABLE_ROLES, COLUMN_ROLES = ("derived", ""), ("key", "required", "")


class _Line(NamedTuple):
    table: str
    column: str
    role: str
    references: str
    origin: str
    description: str


def read_tables(path: Path) -> dict[str, Table]:
    """Return the tables of a file such as `tables.csv` by name. Raises SchemaError."""
    lines: dict[str, list[_Line]] = {}
    targets: dict[str, str] = {}
    for position, line in read_lines(path, _Line):
        if line.column:
            _require("column", line.column, COLUMNS, position)
        else:
            lines[line.table] = []
        _require("role", line.role, COLUMN_ROLES if line.column else TABLE_ROLES, position)
        _require("table", line.table, lines, position)
        lines[line.table].append(line)
        targets[line.references or line.table] = position
    for name, position in targets.items():
        _require("table", name, lines, position)
    return {name: _table(*group) for name, group in lines.items()}


def _require(kind: str, name: str, known: Container[str], position: str) -> None:
    if name not in known:
        raise SchemaError(f"{position}: unknown {kind} '{name}'. Correct or declare it.")


def _table(described: _Line, *lines: _Line) -> Table:
    references: dict[str, list[str]] = {}
    for line in lines:
        if line.references:
            references.setdefault(line.references, []).append(line.column)
    return Table(
        described.table,
        described.description,
        tuple(line.column for line in lines if line.role == "key"),
        tuple(map(_column, lines)),
        described.role == "derived",
        tuple(Reference(tuple(columns), table) for table, columns in references.items()),
    )


def _column(line: _Line) -> Column:
    column = COLUMNS[line.column]
    return replace(
        column,
        nullable=not line.role,
        description=line.description or column.description,
        origin=line.origin or column.origin,
    )


TABLES = read_tables(Path(__file__).with_name("tables.csv"))
RUNS = TABLES.pop("runs")
