"""The DuckDB catalog of a snapshot: base views over part files, and the views of `sql/`."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from pipeline.load.files import discard, temporary, unwritable
from pipeline.load.manifest import Manifest, PartFile
from pipeline.load.warehouse import Warehouse, damage
from pipeline.schema.table import Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views import template
from pipeline.views.dictionary.columns import by_column
from pipeline.views.quoting import identifier, path_literal, quoted

Tables = dict[str, list[PartFile]]
Row = tuple[Any, ...]


def connect(warehouse: Warehouse, manifest: Manifest | None = None) -> duckdb.DuckDBPyConnection:
    """Return an in-memory database in UTC with every table and view of a snapshot.

    Base views are not commented, which would take as long as all the rest.
    Raises WarehouseError for a damaged snapshot.
    """
    connection, tables = open_memory(), (manifest or warehouse.manifest()).tables
    try:
        template.fill(connection)
        show(connection, warehouse, tables)
    except duckdb.Error as error:
        connection.close()
        raise damage(warehouse.root, f"the snapshot is damaged ({_reason(error)})") from error
    return connection


def open_memory() -> duckdb.DuckDBPyConnection:
    """Return an empty in-memory database in UTC; its cursors are in UTC too."""
    connection = duckdb.connect()
    connection.execute("set global timezone = 'UTC'")
    return connection


def show(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, tables: Tables) -> None:
    """Point the base views of some tables at these files, and `runs` at the records of runs."""
    statements = [base_view(warehouse, name, files) for name, files in tables.items()]
    connection.execute("begin;\n" + ";\n".join([*statements, _runs_view(warehouse)]) + ";\ncommit")


def column_comments(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return the comments of the current database's columns, by relation and column."""
    return by_column(connection, "comment")


def fetch(connection: duckdb.DuckDBPyConnection, *query: Any) -> tuple[list[str], list[Row]]:
    """Return the column names and the rows of a query, which parameters may follow."""
    result = connection.execute(*query)
    return [column[0] for column in result.description or ()], result.fetchall()


def fetch_records(connection: duckdb.DuckDBPyConnection, *query: Any) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts by column."""
    names, rows = fetch(connection, *query)
    return [dict(zip(names, row, strict=True)) for row in rows]


def cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a cursor for another thread, in the same database."""
    [(database,)] = connection.execute("select current_database()").fetchall()
    return connection.cursor().execute(f"use {database}")


def base_view(warehouse: Warehouse, name: str, files: list[PartFile]) -> str:
    """Return the statement that shows a table's part files as a view."""
    return f"create or replace view {name} as {base_query(warehouse, name, files)}"


def base_query(warehouse: Warehouse, name: str, files: list[PartFile]) -> str:
    """Return the query that reads some part files of a table."""
    paths = ", ".join(map(path_literal, warehouse.part_paths(name, files)))
    parquet = f"read_parquet([{paths}], hive_partitioning = false)"
    return f"select {_names(TABLES[name])} from {parquet}"


def _runs_view(warehouse: Warehouse) -> str:
    if not any(warehouse.runs.glob("*.json")):
        return template.placeholder(RUNS)
    types = {one.name: template.TYPES[str(one.type)] for one in RUNS.columns}
    columns = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in types.items())
    return (
        f"create or replace view runs as select {_names(RUNS)} from"
        f" read_json({path_literal(str(warehouse.runs), '/*.json')}, columns = {{{columns}}},"
        " format = 'newline_delimited', ignore_errors = true, hive_partitioning = false)"
        " where run_id is not null"
    )


def _names(table: Table) -> str:
    return ", ".join(map(identifier, table.names))


def add_comments(connection: duckdb.DuckDBPyConnection) -> None:
    """Comment every base view and its columns; the views of `sql/` have comments."""
    statements = []
    for table in [*TABLES.values(), RUNS]:
        columns = {column.name: column.comment for column in table.columns}
        statements += template.comments(table.name, f"One row per {table.grain}.", columns)
    with connection:
        connection.execute("begin;\n" + ";\n".join(statements) + ";\ncommit")


class Staged:
    """The catalog of a snapshot to publish, in a temporary file.

    Leaving the context removes the file unless it was moved. It has the storage format of DuckDB
    1.2, so that 1.x and 2.x open it. Raises WarehouseError if it cannot be written.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.aside = temporary(warehouse.database)
        self._threads = ThreadPoolExecutor(1)
        self._commented: Future[None] | None = None
        self._flushed = False

    def __enter__(self) -> "Staged":
        self.connection = open_memory()
        try:
            with self._writing():
                discard(self.aside)
                template.attach(self.connection, self.aside, "warehouse")
                template.fill(self.connection)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *about: object) -> None:
        try:
            self._threads.shutdown(cancel_futures=True)
            if not self._flushed:  # else it has nothing open, and closing would take 10 ms
                # stopping a run does not wait for a query, and a busy database refuses to close
                with suppress(duckdb.Error):
                    self.connection.close()
        finally:
            discard(self.aside)

    def show(self, tables: Tables) -> None:
        """Point the base views of some tables at these files."""
        with self._writing():
            show(self.connection, self._warehouse, tables)

    def comment(self) -> None:
        """Start to comment the base views; meanwhile the catalog may be queried."""
        self._commented = self._threads.submit(add_comments, cursor(self.connection))

    def flush(self) -> None:
        """Write the catalog to its file; a full disk fails here, before anything is published."""
        with self._writing():
            if self._commented is not None:
                self._commented.result()
            self.connection.execute("use memory; detach warehouse")
            self._flushed = True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        # TransactionException: a commit on a full disk
        except (OSError, duckdb.IOException, duckdb.TransactionException) as error:
            raise unwritable(self.aside, _reason(error)) from error


def _reason(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
