"""The data dictionary: every table and view with its columns and what it reads, from the schema and the headers of `sql/`.

What only DuckDB knows, the types of views and what they read, it is asked on base views without rows: no warehouse is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import duckdb

from pipeline.errors import UsageError
from pipeline.schema.table import Reference, Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.text import closest, did_you_mean, printable
from pipeline.views import template
from pipeline.views.catalog import open_memory
from pipeline.views.dictionary import lineage
from pipeline.views.relations import Relation, relations


@dataclass(frozen=True)
class Described:
    """A column: its type by DuckDB's name; whether it may be null, None where nobody says so (views); the rest as in `Column`."""

    name: str
    type: str
    nullable: bool | None
    unit: str
    origin: str
    description: str


@dataclass(frozen=True)
class Entry:
    """A table, fact (a view that reports build on) or report; `subject` is the folder of a report's file.

    A `derived` table is made of others over all parts; `reads` are the relations that a view names, `bases` the tables that
    its rows come from in the end, `source` its SQL.
    """

    name: str
    kind: str
    subject: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Described, ...]
    derived: bool = False
    references: tuple[Reference, ...] = ()
    reads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    source: str = ""


@cache
def entries() -> dict[str, Entry]:
    """Every table, then every view, by name."""
    with open_memory() as connection:
        if not template.copy_into(connection):
            connection.execute(template.statements())
        types = _types(connection)
        views = relations("views", "reports")
        reads = {view.name: lineage.reads(connection, view.query) for view in views}
    found = {table.name: _table(table, types[table.name]) for table in (*TABLES.values(), RUNS)}
    for view in views:
        bases = lineage.bases(view.name, reads)
        inherited = _inherited([found[name] for name in bases])
        found[view.name] = _view(view, types[view.name], reads[view.name], bases, inherited)
    return found


def entry(name: str) -> Entry:
    """Return one table or view; raise UsageError with the nearest names if it is unknown."""
    known = entries()
    if name in known:
        return known[name]
    hint = did_you_mean(closest(name, known)) or "`pipeline schema` lists all."
    raise UsageError(f"{printable(name) or 'schema'}: there is no such table or view. {hint}")


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """DuckDB's type of each column by relation and column, in order."""
    found: dict[str, dict[str, str]] = {}
    sql = (
        "select table_name, column_name, lower(data_type) from duckdb_columns()"
        " where not internal and database_name = current_database() order by table_name, column_index"
    )
    for relation, column, kind in connection.execute(sql).fetchall():
        found.setdefault(relation, {})[column] = kind.replace(
            "timestamp with time zone", "timestamptz"
        )
    return found


def _table(table: Table, types: dict[str, str]) -> Entry:
    columns = tuple(
        Described(
            column.name,
            types[column.name],
            column.nullable,
            column.unit,
            column.origin,
            column.description,
        )
        for column in table.columns
    )
    return Entry(
        table.name, "table", "", table.grain, table.key, columns, table.derived, table.references
    )


def _view(
    view: Relation,
    types: dict[str, str],
    reads: tuple[str, ...],
    bases: tuple[str, ...],
    inherited: dict[str, Described],
) -> Entry:
    columns = []
    for name, kind in types.items():
        same = inherited.get(name)
        known = (
            same if same is not None and same.type == kind and name not in view.columns else None
        )
        if known is not None:
            columns.append(Described(name, kind, None, known.unit, known.origin, known.description))
        else:
            columns.append(Described(name, kind, None, "", "", view.columns.get(name, "")))
    folder = view.path.parent.name
    kind, subject = ("fact", "") if folder == "views" else ("report", folder)
    grain = view.comment.removeprefix("One row per ").removesuffix(".")
    return Entry(
        view.name,
        kind,
        subject,
        grain,
        (),
        tuple(columns),
        reads=reads,
        bases=bases,
        source=view.query,
    )


def _inherited(bases: list[Entry]) -> dict[str, Described]:
    """Columns that a view may hand on under their own names: those that mean one thing in all tables that it is made of."""
    found: dict[str, Described] = {}
    ambiguous = set()
    for column in _all_columns(bases):
        other = found.setdefault(column.name, column)
        if (other.description, other.origin) != (column.description, column.origin):
            ambiguous.add(column.name)
    return {name: column for name, column in found.items() if name not in ambiguous}


def _all_columns(bases: list[Entry]) -> Iterator[Described]:
    for base in bases:
        yield from base.columns
