"""Tables, views and reports as frames, for Python programs and notebooks."""

import os
from typing import Any, Literal

import duckdb

from pipeline.errors import QueryError, UsageError
from pipeline.load.retention import resolve
from pipeline.load.warehouse import Warehouse
from pipeline.settings import load_settings
from pipeline.text import closest, did_you_mean
from pipeline.views.catalog import connect

Kind = Literal["pandas", "arrow", "polars"]


def warehouse_at(path: str | os.PathLike[str] | None) -> Warehouse:
    """Return the warehouse at `path`, or the one that the settings name."""
    return Warehouse(load_settings({"warehouse": path})[0].warehouse)


def open_snapshot(warehouse: Warehouse, snapshot: str | None) -> duckdb.DuckDBPyConnection:
    """Connect to a snapshot, by default the published one; raises UsageError if it is not kept."""
    manifest = warehouse.manifest(resolve(warehouse, snapshot)) if snapshot else None
    return connect(warehouse, manifest)


def read_frame(connection: duckdb.DuckDBPyConnection, name: str, kind: Kind) -> Any:
    """Return a table or view as a frame.

    Raises QueryError for an unknown name, UsageError for an unknown or missing kind of frame.
    """
    rows = connection.execute(
        "select view_name from duckdb_views() where not internal"
        " union all select table_name from duckdb_tables() where not internal order by 1"
    ).fetchall()
    names = [name for (name,) in rows]
    if name not in names:
        hint = did_you_mean(closest(name, names)) or f"There are {', '.join(names)}."
        raise QueryError(f"{name}: there is no such table or view. {hint}")
    try:
        arrow = connection.table(name).to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(f"{name}: cannot be read ({error}). See `pipeline status`.") from error
    return as_kind(arrow, kind)


def as_kind(arrow: Any, kind: str) -> Any:
    """Return an Arrow table as a frame of some kind; text, numbers and times are not copied."""
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
