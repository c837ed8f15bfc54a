"""JSON lines: an object per row, keys as the columns are named; times in ISO 8601, lists as lists, NaN and infinities null."""

import duckdb

from pipeline.export.expressions import copy, is_float, is_time, iso_time
from pipeline.export.request import Extract, Field
from pipeline.views.quoting import identifier


def write(connection: duckdb.DuckDBPyConnection, extract: Extract, path: str) -> None:
    """Write a file of JSON lines, UTF-8."""
    copy(
        connection,
        extract,
        [f"{_value(field)} as {identifier(field.name)}" for field in extract.fields],
        path,
        "format json",
    )


def _value(field: Field) -> str:
    if is_time(field):
        return iso_time(field)
    name = identifier(field.name)
    return f"if(isfinite({name}), {name}, null)" if is_float(field) else name
