"""The catalog's template: every view of `sql/`, commented, on base views without rows.

DuckDB plans a view when it is created: 60 views and 900 comments take 0.4 s. They depend on `sql/`
and the schema alone, so they are made once a machine, kept in the user's cache folder, and copied
from there, which takes 3 ms.
"""

import os
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import duckdb

from pipeline.errors import WarehouseError
from pipeline.load.files import replacing
from pipeline.schema.table import Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.dictionary import columns
from pipeline.views.quoting import identifier, quoted
from pipeline.views.relations import digest, relations, sql_files

TYPES = {
    "string": "varchar",
    "int64": "bigint",
    "double": "double",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamptz",
    "list<item: string>": "varchar[]",
    "list<element: string>": "varchar[]",
}
"""DuckDB's names for Arrow's types."""
_KEPT_DAYS = 30
"""Days after which the templates of other versions and of killed processes are removed."""


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every view of `sql/` with its comments in the current, empty database."""
    if not copy_into(connection):
        _create(connection)


def copy_into(connection: duckdb.DuckDBPyConnection) -> bool:
    """Copy the template into the current, empty database; return False if there is none."""
    path = _path()
    for _ in range(2 if path.is_absolute() else 0):
        with suppress(OSError, WarehouseError, duckdb.Error):
            if not path.exists():
                _make(path)
            connection.execute(f"attach {quoted(str(path))} as template (read_only)")
            try:
                if _is_whole(connection):
                    [(database,)] = connection.execute("select current_database()").fetchall()
                    connection.execute(f"copy from database template to {database} (schema)")
                    return True
            finally:
                connection.execute("detach template")
        with suppress(OSError):
            path.unlink(missing_ok=True)  # an unreadable template is made again
    return False


def _is_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the attached file, which may be any database, has every view."""
    query = "select view_name from duckdb_views() where database_name = 'template' and not internal"
    names = {path.stem for path in sql_files("views", "reports")} | TABLES.keys() | {RUNS.name}
    return {name for (name,) in connection.execute(query).fetchall()} == names


def _path() -> Path:
    """Return the template's path, a relative one if the user has no cache folder and no home.

    The XDG Base Directory Specification says to ignore a relative `XDG_CACHE_HOME`.
    """
    schema = [
        (table.name, [(column.name, str(column.type), column.comment) for column in table.columns])
        for table in [*TABLES.values(), RUNS]
    ]
    code = b"".join(Path(file).read_bytes() for file in (__file__, columns.__file__))
    content = (repr(schema) + digest() + duckdb.__version__).encode() + code
    folder = os.environ.get("XDG_CACHE_HOME", "")
    cache = Path(folder if os.path.isabs(folder) else os.path.expanduser("~/.cache"))
    name = blake2b(content, digest_size=8).hexdigest()
    return cache / "frontmatter-warehouse" / f"catalog-{name}.duckdb"


def _make(path: Path) -> None:
    """Write the template to a temporary file, rename it, and remove old ones."""
    with replacing(path) as aside, duckdb.connect() as connection:
        attach(connection, aside, "made")
        _create(connection)
        connection.execute("use memory; detach made")
    for other in path.parent.glob("*catalog-*"):
        with suppress(OSError):  # another process may remove it too
            if other != path and other.stat().st_mtime < time.time() - _KEPT_DAYS * 86_400:
                other.unlink()


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Create a database file in the storage format of DuckDB 1.2, and make it the current one."""
    file = quoted(str(path))
    connection.execute(f"attach {file} as {name} (storage_version 'v1.2.0'); use {name}")


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every view with its comments in the current, empty database."""
    connection.execute(statements())
    described, lines = columns.describe(connection)[0], list[str]()
    for view in relations("views", "reports"):
        texts = {name: column.comment for name, column in described[view.name].items()}
        lines += comments(view.name, view.comment, texts)
    connection.execute("begin;\n" + ";\n".join(lines) + ";\ncommit")


def statements() -> str:
    """Return the statements that create every view in an empty database."""
    lines = [placeholder(table) for table in [*TABLES.values(), RUNS]]
    lines += [f"create view {view.name} as {view.query}" for view in relations("views", "reports")]
    return "begin;\n" + ";\n".join(lines) + ";\ncommit"


def placeholder(table: Table) -> str:
    """Return the statement for a base view of a table's columns and no rows."""
    nulls = [f"null::{TYPES[str(one.type)]} as {identifier(one.name)}" for one in table.columns]
    return f"create or replace view {table.name} as select {', '.join(nulls)} limit 0"


def comments(name: str, about: str, texts: dict[str, str], kind: str = "view") -> list[str]:
    """Return the statements that comment a view, or another kind of relation, and its columns."""
    texts = {f"column {name}.{identifier(column)}": text for column, text in texts.items()}
    texts = {f"{kind} {name}": about} | texts
    return [f"comment on {relation} is {quoted(text)}" for relation, text in texts.items()]
