"""The catalog's template: every view of `sql/` with its comments, on base views without rows.

DuckDB plans a view when it is created: 60 views and 700 comments take 0.3 s. They depend on `sql/` and the schema alone, so they
are made once a machine, kept in the user's cache folder, and copied from there, which takes 3 ms.
"""

import os
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.load.files import replacing
from pipeline.schema.columns import Column
from pipeline.schema.table import Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.dictionary.columns import describe
from pipeline.views.quoting import identifier, quoted
from pipeline.views.relations import digest, relations

_TYPES = {
    "string": "varchar",
    "int64": "bigint",
    "double": "double",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamptz",
    "list<item: string>": "varchar[]",
    "list<element: string>": "varchar[]",
}
_KEPT_DAYS = 30
"""How long stays what another version took the place of, or what a killed process left."""


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every view of `sql/`, commented, in the connection's current database, which is empty."""
    if not copy_into(connection):
        _create(connection)


def copy_into(connection: duckdb.DuckDBPyConnection) -> bool:
    """Copy the template into the connection's current database, which is empty; False where there is none to be had."""
    path = _path()
    for _ in range(2 if path.is_absolute() else 0):
        try:
            if not path.exists():
                _make(path)
            connection.execute(f"attach {quoted(str(path))} as template (read_only)")
        except (OSError, WarehouseError, duckdb.Error):
            with suppress(OSError):
                path.unlink(missing_ok=True)  # what cannot be read is made anew
            continue
        try:
            if _is_whole(connection):
                [(database,)] = connection.execute("select current_database()").fetchall()
                connection.execute(f"copy from database template to {database} (schema)")
                return True
        finally:
            connection.execute("detach template")
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return False


def _is_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the attached file has every view: it may be any database that somebody put there."""
    query = "select view_name from duckdb_views() where database_name = 'template' and not internal"
    names = (
        {relation.name for relation in relations("views", "reports")} | TABLES.keys() | {RUNS.name}
    )
    return {name for (name,) in connection.execute(query).fetchall()} == names


def _path() -> Path:
    """Where the template belongs; relative where the user has neither `XDG_CACHE_HOME` nor a home.

    The XDG Base Directory Specification says to ignore a relative `XDG_CACHE_HOME`.
    """
    columns = [
        (table.name, [(column.name, str(column.type), column.comment) for column in table.columns])
        for table in [*TABLES.values(), RUNS]
    ]
    says = repr(columns) + digest() + duckdb.__version__
    name = blake2b(says.encode() + Path(__file__).read_bytes(), digest_size=8).hexdigest()
    folder = os.environ.get("XDG_CACHE_HOME", "")
    return (
        Path(folder if os.path.isabs(folder) else os.path.expanduser("~/.cache"))
        / "frontmatter-warehouse"
        / f"catalog-{name}.duckdb"
    )


def _make(path: Path) -> None:
    """Write the template aside, then rename it; remove old ones."""
    with replacing(path) as aside, duckdb.connect() as connection:
        connection.execute(
            f"attach {quoted(str(aside))} as made (storage_version 'v1.2.0'); use made"
        )
        _create(connection)
        connection.execute("use memory; detach made")
    for other in path.parent.glob("*catalog-*"):
        with suppress(OSError):  # another process may remove it too
            if other != path and other.stat().st_mtime < time.time() - _KEPT_DAYS * 86_400:
                other.unlink()


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every view with its comments in the connection's current database, which is empty."""
    connection.execute(statements())
    columns, _ = describe(connection)
    lines = [
        line
        for view in relations("views", "reports")
        for line in comments(
            view.name, view.comment, {name: one.comment for name, one in columns[view.name].items()}
        )
    ]
    connection.execute("begin;\n" + ";\n".join(lines) + ";\ncommit")


def statements() -> str:
    """Return the statements that create every view in an empty database."""
    lines = [placeholder(table) for table in [*TABLES.values(), RUNS]]
    lines += [f"create view {view.name} as {view.query}" for view in relations("views", "reports")]
    return "begin;\n" + ";\n".join(lines) + ";\ncommit"


def placeholder(table: Table) -> str:
    """The statement for a base view of the right columns and no rows."""
    nulls = ", ".join(
        f"null::{duckdb_type(column)} as {identifier(column.name)}" for column in table.columns
    )
    return f"create or replace view {table.name} as select {nulls} limit 0"


def duckdb_type(column: Column) -> str:
    """DuckDB's name for the column's type."""
    return _TYPES[str(column.type)]


def comments(view: str, about: str, columns: dict[str, str]) -> list[str]:
    """The statements that describe a view and its columns."""
    return [
        f"comment on view {view} is {quoted(about)}",
        *(
            f"comment on column {view}.{identifier(name)} is {quoted(text)}"
            for name, text in columns.items()
        ),
    ]
