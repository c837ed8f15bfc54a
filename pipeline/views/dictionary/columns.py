"""Describe columns: by their own lines, by what a view reads, or by the common columns.

A line in the header of a view's file (`--   name: what it is`) comes first. Without one, a column
means what the column of that name and type means in the facts that the view reads, else in the
tables; if these differ, or none has it, it means what `sql/columns.toml` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.dictionary import lineage
from pipeline.views.relations import common_columns, relations


@dataclass(frozen=True)
class Described:
    """A column as in `Column`, its type by DuckDB's name; `nullable` is None for views."""

    name: str
    type: str
    nullable: bool | None = None
    unit: str = ""
    origin: str = ""
    description: str = ""

    @property
    def comment(self) -> str:
        """Description and unit in one line, as `COMMENT ON` shows them."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


Columns = dict[str, Described]
Reads = dict[str, tuple[str, ...]]
"""The relations that each view reads, by its name."""


def describe(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, Columns], Reads]:
    """Return the columns of every table and view by name, and what each view reads.

    The connection's current database has all of them; rows are not needed.
    """
    data_type = "replace(lower(data_type), 'timestamp with time zone', 'timestamptz')"
    types, known, reads = by_column(connection, data_type), dict[str, Columns](), Reads()
    for table in (*TABLES.values(), RUNS):
        known[table.name] = {
            name: Described(name, kind, own.nullable, own.unit, own.origin, own.description)
            for (name, kind), own in zip(types[table.name].items(), table.columns, strict=True)
        }
    for view in relations("views", "reports"):
        reads[view.name] = lineage.reads(connection, view.query)
        facts = [known[name] for name in reads[view.name] if name in reads]
        tables = [known[name] for name in reads[view.name] if name not in reads]
        known[view.name] = {}
        for name, kind in types[view.name].items():
            text = view.columns.get(name)
            same = None if text else inherited(name, kind, facts, tables)
            text = text or common_columns().get(name, "")
            known[view.name][name] = same or Described(name, kind, description=text)
    return known, reads


def inherited(name: str, kind: str, *levels: Sequence[Columns]) -> Described | None:
    """Return the column of the first level that has it; None if its relations differ."""
    for level in levels:
        same = {
            replace(column, nullable=None)
            for columns in level
            if (column := columns.get(name)) and column.type == kind
        }
        if same:
            return same.pop() if len(same) == 1 else None
    return None


def by_column(connection: duckdb.DuckDBPyConnection, value: str) -> dict[str, dict[str, str]]:
    """Return what a SQL expression on `duckdb_columns()` gives, by relation and column, in order.

    Only columns of the current database count, and values that are not null.
    """
    values: dict[str, dict[str, str]] = {}
    query = (
        f"select table_name, column_name, {value} as value from duckdb_columns() where not internal"
        " and value is not null and database_name = current_database()"
        " order by table_name, column_index"
    )
    for relation, column, text in connection.execute(query).fetchall():
        values.setdefault(relation, {})[column] = text
    return values
