"""Tables, views and reports as frames, for Python programs and notebooks."""

import os
from typing import Any, Literal

import duckdb

from pipeline.errors import QueryError, UsageError
from pipeline.load.retention import resolve
from pipeline.load.warehouse import Warehouse
from pipeline.settings import load_settings
from pipeline.views.catalog import connect

Kind = Literal["pandas", "arrow", "polars"]


def warehouse_of(place: str | os.PathLike[str] | None) -> Warehouse:
    """The warehouse at a place, or the one that the settings name."""
    return Warehouse(
        load_settings({"warehouse": None if place is None else os.fspath(place)})[0].warehouse
    )


def connected(warehouse: Warehouse, snapshot: str | None) -> duckdb.DuckDBPyConnection:
    """A connection on a snapshot, by default the published one. Raises UsageError where it is not there."""
    return connect(
        warehouse, warehouse.manifest(resolve(warehouse, snapshot)) if snapshot else None
    )


def frame_of(connection: duckdb.DuckDBPyConnection, name: str, kind: Kind) -> Any:
    """A table or view as a frame. Raises QueryError for an unknown name, UsageError for a kind that cannot be had."""
    names = [
        row[0]
        for row in connection.execute(
            "select view_name from duckdb_views() where not internal order by 1"
        ).fetchall()
    ]
    tables = [
        row[0]
        for row in connection.execute(
            "select table_name from duckdb_tables() where not internal"
        ).fetchall()
    ]
    if name not in names and name not in tables:
        raise QueryError(
            f"{name}: there is no such table or view. There are {', '.join(sorted([*names, *tables]))}."
        )
    try:
        arrow = connection.table(name).to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(f"{name}: cannot be read ({error}). See `pipeline status`.") from error
    return _as_kind(arrow, kind)


def _as_kind(arrow: Any, kind: str) -> Any:
    """An Arrow table as what is asked for; text, numbers and times are not copied."""
    if kind == "arrow":
        return arrow
    if kind == "pandas":
        import pandas

        return arrow.to_pandas(types_mapper=pandas.ArrowDtype)
    if kind == "polars":
        try:
            import polars
        except ImportError as error:
            raise UsageError(
                "polars: is not installed. Install it with `pip install polars`."
            ) from error
        return polars.from_arrow(arrow)
    raise UsageError(f"kind {kind!r}: unknown. Choose one of pandas, arrow, polars.")
