"""Values as text files write them, in DuckDB's own expressions, so that rows never pass through Python."""

import tempfile

import duckdb

from pipeline.errors import PipelineError, QueryError, WarehouseError
from pipeline.export.request import Extract, Field
from pipeline.views.quoting import identifier, quoted

ZONED = "TIMESTAMP WITH TIME ZONE"
_FLOATS = ("DOUBLE", "FLOAT")


def iso_time(field: Field) -> str:
    """ISO 8601, in UTC with a Z for times of a zone; a fraction of the second only where there is one."""
    if field.type == ZONED:
        return f"replace(({identifier(field.name)} at time zone 'UTC')::varchar, ' ', 'T') || 'Z'"
    return f"replace({identifier(field.name)}::varchar, ' ', 'T')"


def is_time(field: Field) -> bool:
    """Whether a column holds times of day; dates are ISO 8601 by themselves."""
    return field.type.startswith("TIMESTAMP")


def is_nested(field: Field) -> bool:
    """Whether a column holds lists, maps or records."""
    return field.type.endswith("]") or field.type.startswith(("STRUCT", "MAP"))


def is_float(field: Field) -> bool:
    """Whether a column may hold NaN and infinities."""
    return field.type in _FLOATS


def copy(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    expressions: list[str],
    path: str,
    options: str,
) -> None:
    """Let DuckDB write the rows. Raises what `failed` makes of DuckDB's errors."""
    query = f"select {', '.join(expressions)} from (\n{extract.query}\n)"
    try:
        connection.execute(f"copy (\n{query}\n) to {quoted(path)} ({options})")
    except duckdb.Error as error:
        raise failed(extract.name, error) from error


def failed(name: str, error: duckdb.Error) -> PipelineError:
    """WarehouseError where memory or room ran out or a file cannot be written, QueryError where SQL fails on a row."""
    if isinstance(error, duckdb.OutOfMemoryException):
        first = str(error).split("\n", 1)[0].removeprefix("Out of Memory Error: ").rstrip(".")
        return WarehouseError(
            f"{name}: cannot be exported for want of memory, or of room in {tempfile.gettempdir()} ({first})."
            " Choose fewer rows or columns, leave out --order-by, or name a folder with more room in TMPDIR."
        )
    return (
        unwritable(name, str(error))
        if isinstance(error, duckdb.IOException)
        else QueryError(f"{name}: {error}")
    )


def unwritable(name: str, reason: str) -> WarehouseError:
    """The error for a file that cannot be written."""
    first = reason.split("\n", 1)[0]
    return WarehouseError(
        f"{name}: cannot be exported ({first}). Make room, give the right to write, or choose another place."
    )
