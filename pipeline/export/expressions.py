"""Write values as text in DuckDB's own expressions, so that rows never pass through Python."""

import tempfile

import duckdb

from pipeline.errors import PipelineError, QueryError, WarehouseError
from pipeline.export.request import Field, RelationQuery, Snapshot
from pipeline.views.quoting import identifier, quoted

ZONED = "TIMESTAMP WITH TIME ZONE"


def iso_time(field: Field) -> str:
    """Return the expression for ISO 8601, in UTC with a Z if the time has a zone.

    A fraction of a second is written only if there is one.
    """
    if field.type == ZONED:
        return f"replace(({identifier(field.name)} at time zone 'UTC')::varchar, ' ', 'T') || 'Z'"
    return f"replace({identifier(field.name)}::varchar, ' ', 'T')"


def is_time(field: Field) -> bool:
    """Return whether a column holds times; DuckDB writes dates in ISO 8601 by itself."""
    return field.type.startswith("TIMESTAMP")


def is_nested(field: Field) -> bool:
    """Return whether a column holds lists, maps or records."""
    return field.type.endswith("]") or field.type.startswith(("STRUCT", "MAP"))


def copy(
    snapshot: Snapshot, query: RelationQuery, expressions: list[str], path: str, options: str
) -> None:
    """Let DuckDB write the rows to a file; raises what `export_error` makes of its errors."""
    rows = f"select {', '.join(expressions)} from (\n{query.sql}\n)"
    try:
        snapshot.connection.execute(f"copy (\n{rows}\n) to {quoted(path)} ({options})")
    except duckdb.Error as error:
        raise export_error(query.name, error) from error


def export_error(name: str, error: duckdb.Error) -> PipelineError:
    """Return the error of the project for an error of DuckDB.

    WarehouseError if memory or disk space ran out or a file cannot be written, QueryError if SQL
    fails on a row.
    """
    if isinstance(error, duckdb.OutOfMemoryException):
        reason = str(error).split("\n", 1)[0].removeprefix("Out of Memory Error: ").rstrip(".")
        return WarehouseError(
            f"{name}: cannot be exported: not enough memory, or disk space in"
            f" {tempfile.gettempdir()} ({reason}). Choose fewer rows or columns, leave out"
            " --order-by, or name a folder with more space in TMPDIR."
        )
    if isinstance(error, duckdb.IOException):
        return write_error(name, str(error))
    return QueryError(f"{name}: {error}")


def write_error(name: str, reason: str) -> WarehouseError:
    """Return the error for a relation whose file cannot be written."""
    first_line = reason.split("\n", 1)[0]
    return WarehouseError(
        f"{name}: cannot be exported ({first_line}). Free disk space, grant permission to write, or"
        " choose another path."
    )
