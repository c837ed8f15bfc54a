"""Front-matter news articles as tidy Parquet tables with DuckDB views.

import pipeline
result = pipeline.run("data/raw", warehouse="data/warehouse")
articles = pipeline.table("articles")                      # a pandas frame
connection = pipeline.connect()                            # DuckDB, every table and view
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas

    from pipeline.record import RunResult

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "run", "table"]


def connect(warehouse: str | os.PathLike[str] | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB connection (time zone UTC) with every table and view of the published snapshot.

    It reads the manifest, so a warehouse that was moved or copied works; a later run does not change what it shows.
    Raises WarehouseError where nothing is published.
    """
    from pipeline.load import catalog
    from pipeline.load.snapshots import Warehouse
    from pipeline.settings import load_settings

    settings, _ = load_settings({"warehouse": None if warehouse is None else os.fspath(warehouse)})
    return catalog.connect(Warehouse(settings.warehouse))


def run(*sources: str | os.PathLike[str], full: bool = False, dry_run: bool = False, **settings: Any) -> RunResult:
    """Read what changed in the sources (`[name=]path`) and publish all tables; settings are those of `pipeline.toml`.

    `full` builds every part again. Raises PipelineError; the published snapshot then stays as it was.
    """
    from pipeline import runs
    from pipeline.settings import load_settings

    flags = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in settings.items()}
    flags["sources"] = tuple(os.fspath(source) for source in sources) or None
    return runs.run(load_settings(flags)[0], full=full, dry_run=dry_run)


def table(name: str, warehouse: str | os.PathLike[str] | None = None) -> pandas.DataFrame:
    """A table or view as a pandas frame with Arrow-backed dtypes: nulls stay nulls, integers stay integers.

    Raises QueryError for an unknown name.
    """
    import duckdb
    import pandas

    from pipeline.errors import QueryError

    connection = connect(warehouse)
    try:
        arrow = connection.table(name).to_arrow_table()
    except duckdb.CatalogException as error:
        names = ", ".join(
            row[0] for row in connection.execute("select table_name from information_schema.tables order by 1").fetchall()
        )
        raise QueryError(f"{name}: there is no such table or view. There are {names}.") from error
    return arrow.to_pandas(types_mapper=pandas.ArrowDtype)
