"""Values as text files write them, in DuckDB's own expressions, so that rows never pass through Python."""

import duckdb

from pipeline.errors import QueryError, WarehouseError
from pipeline.export.request import Extract, Field, identifier
from pipeline.load.template import quoted

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


def copy(connection: duckdb.DuckDBPyConnection, extract: Extract, expressions: list[str], path: str, options: str) -> None:
    """Let DuckDB write the rows. Raises WarehouseError where the file cannot be written, QueryError where SQL fails on a row."""
    query = f"select {', '.join(expressions)} from (\n{extract.query}\n)"
    try:
        connection.execute(f"copy (\n{query}\n) to {quoted(path)} ({options})")
    except duckdb.IOException as error:
        raise unwritable(extract.name, str(error)) from error
    except duckdb.Error as error:
        raise QueryError(f"{extract.name}: {error}") from error


def unwritable(name: str, reason: str) -> WarehouseError:
    """The error for a file that cannot be written."""
    first = reason.split("\n", 1)[0]
    return WarehouseError(f"{name}: cannot be exported ({first}). Make room, give the right to write, or choose another place.")
