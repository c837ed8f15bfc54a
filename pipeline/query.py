"""SQL against a published snapshot: one statement that reads."""

import os
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import QueryError, UsageError
from pipeline.load.catalog import connect
from pipeline.load.snapshots import Warehouse
from pipeline.load.template import quoted

READING = {"SELECT", "EXPLAIN", "MULTI"}
"""DuckDB's types of statements that change nothing; MULTI is a pivot."""


def answer(sql: str, warehouse: Warehouse) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one statement. Raises QueryError with DuckDB's message, UsageError for no or several."""
    connection = connect(warehouse)
    try:
        found = connection.execute(_reading(connection, sql))
        return [column[0] for column in found.description or ()], found.fetchall()
    except (duckdb.Error, RuntimeError) as error:
        raise QueryError(f"query: {error}") from error


def write_parquet(sql: str, path: Path, warehouse: Warehouse) -> None:
    """The rows of one statement as a Parquet file, written aside and renamed. Raises QueryError and UsageError."""
    connection = connect(warehouse)
    place = path.resolve()
    aside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        statement = _reading(connection, sql).query.strip().rstrip(";")
        connection.execute(f"copy (\n{statement}\n) to {quoted(str(aside))} (format parquet)")
        os.replace(aside, place)
    except (duckdb.Error, OSError) as error:
        raise QueryError(f"query: {error}") from error
    finally:
        aside.unlink(missing_ok=True)


def _reading(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"query: {len(statements)} statements (expected one). Give a single SQL statement.")
    kind = statements[0].type.name
    if kind not in READING:
        raise UsageError(f"query: {kind.lower()} is no statement that reads (expected select). Use `pipeline.connect()` for more.")
    return statements[0]
