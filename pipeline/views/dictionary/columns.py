"""Describe columns: by their own lines, by what a view reads, or by the common columns.

A line in the header of a view's file (`--   name: what it is`) comes first. Without one, a column
means what the column of that name and type means in the facts that the view reads, else in the
tables; if these differ, or none has it, it means what `sql/columns.toml` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.dictionary import lineage
from pipeline.views.relations import common_columns, relations


@dataclass(frozen=True)
class Described:
    """A column as in `Column`, its type by DuckDB's name; `nullable` is None for views."""

    name: str
    type: str
    nullable: bool | None
    unit: str
    origin: str
    description: str

    @property
    def comment(self) -> str:
        """Description and unit in one line, as `COMMENT ON` shows them."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


Columns = dict[str, Described]


def describe(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[dict[str, Columns], dict[str, tuple[str, ...]]]:
    """Return the columns of every table and view by name, and what each view reads.

    The connection's current database has all of them; rows are not needed.
    """
    types, known, reads = _types(connection), dict[str, Columns](), dict[str, tuple[str, ...]]()
    for table in (*TABLES.values(), RUNS):
        known[table.name] = {
            name: Described(name, kind, own.nullable, own.unit, own.origin, own.description)
            for (name, kind), own in zip(types[table.name].items(), table.columns, strict=True)
        }
    common = common_columns()
    for view in relations("views", "reports"):
        reads[view.name] = lineage.reads(connection, view.query)
        facts = [known[name] for name in reads[view.name] if name in reads]
        tables = [known[name] for name in reads[view.name] if name not in reads]
        known[view.name] = {
            name: _own(name, kind, view.columns)
            or inherited(name, kind, facts, tables)
            or _own(name, kind, common)
            or Described(name, kind, None, "", "", "")
            for name, kind in types[view.name].items()
        }
    return known, reads


def _own(name: str, kind: str, texts: Mapping[str, str]) -> Described | None:
    return Described(name, kind, None, "", "", texts[name]) if name in texts else None


def inherited(name: str, kind: str, *levels: Sequence[Columns]) -> Described | None:
    """Return the column of the first level that has it; None if its relations differ."""
    for level in levels:
        same = {
            Described(name, kind, None, one.unit, one.origin, one.description)
            for columns in level
            if (one := columns.get(name)) and one.type == kind
        }
        if same:
            return same.pop() if len(same) == 1 else None
    return None


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return DuckDB's type of each column by relation and column, in order."""
    types: dict[str, dict[str, str]] = {}
    query = (
        "select table_name, column_name, lower(data_type) from duckdb_columns() where not internal"
        " and database_name = current_database() order by table_name, column_index"
    )
    for relation, column, kind in connection.execute(query).fetchall():
        kind = kind.replace("timestamp with time zone", "timestamptz")
        types.setdefault(relation, {})[column] = kind
    return types
