"""Front-matter news articles as tidy Parquet tables with DuckDB views.

    import pipeline

    result = pipeline.run("data/raw", warehouse="data/warehouse")
    articles = pipeline.table("articles")                        # pandas frame, one row per article
    articles = pipeline.table("articles", kind="polars")         # or polars, or Arrow
    connection = pipeline.connect()                              # DuckDB, every table and view
    frames = pipeline.reports("heat", since="2024-01-01")        # the views of a report, by name
    pipeline.diff("previous", "current").counts                  # what the last run changed

Times are UTC, with microseconds. `quality` and `heat` are scores without upper bound, null where an article is unscored; a heat of
-1 means suppressed and is no temperature. What each column means: `pipeline schema TABLE`. Every error is a `PipelineError`
of `pipeline.errors`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

    from pipeline.load.retention import Snapshot
    from pipeline.query.diff import Diff
    from pipeline.runs.record import RunRecord, RunResult

from pipeline._version import __version__

__all__ = ["__version__", "connect", "diff", "reports", "rollback", "run", "snapshots", "table"]

_Place = str | os.PathLike[str] | None
_Frame = Any


def connect(warehouse: _Place = None, snapshot: str | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB connection (time zone UTC) with every table and view of a snapshot.

    `warehouse` is a folder, by default that of the settings; `snapshot` an id, the beginning of one, `previous` or `current`, by
    default the published one. A warehouse that was moved or copied works; a later run does not change what the connection shows.
    Raises WarehouseError where nothing is published, UsageError where there is no such snapshot.
    """
    from pipeline.query.frames import connected, warehouse_of

    return connected(warehouse_of(warehouse), snapshot)


def diff(before: str = "previous", after: str = "current", warehouse: _Place = None) -> Diff:
    """Which articles differ between two snapshots, and in which fields.

    `.counts` has the number of articles added, removed, changed and moved; `.changes` has one record per article that differs, with
    [old, new] of each field. Raises UsageError where there is no such snapshot, WarehouseError where its files are gone.
    """
    from pipeline.query import diff
    from pipeline.query.frames import warehouse_of

    return diff.diff(warehouse_of(warehouse), before, after)


def reports(
    name: str = "all",
    warehouse: _Place = None,
    *,
    since: str | None = None,
    until: str | None = None,
    topics: Sequence[str] = (),
    providers: Sequence[str] = (),
    collections: Sequence[str] = (),
    kind: Literal["pandas", "arrow", "polars"] = "pandas",
) -> dict[str, _Frame]:
    """The views of the report quality, heat, coverage, health or all of them, as frames by the view's name.

    Filters choose articles, so that every figure and every denominator follows: `since` and `until` are days (`2024-01-31`, UTC,
    both included), an article counts that has one of the `topics`, `providers` (names or domains) and `collections`. What a row and
    each column is stands at the head of the view's file in `sql/reports/`. Raises UsageError for a name that nothing has.
    """
    from pipeline.query.frames import warehouse_of
    from pipeline.report.frames import report_frames

    return report_frames(
        warehouse_of(warehouse),
        name,
        since=since,
        until=until,
        topics=topics,
        providers=providers,
        collections=collections,
        kind=kind,
    )


def rollback(snapshot: str, warehouse: _Place = None) -> RunRecord:
    """Publish a snapshot that is kept again: an id, the beginning of one, or `previous`.

    The next run compares the files with it. Raises UsageError where there is no such snapshot, WarehouseError where it is damaged,
    LockHeld where a run is writing.
    """
    from pipeline.query.frames import warehouse_of
    from pipeline.runs.maintenance import roll_back

    return roll_back(warehouse_of(warehouse), snapshot)


def run(
    *sources: str | os.PathLike[str], full: bool = False, dry_run: bool = False, **settings: Any
) -> RunResult:
    """Read what changed in the sources (`[name=]path`) and publish all tables; settings are those of `pipeline.toml`.

    `full` builds every part again. Raises PipelineError; the published snapshot then stays as it was.
    """
    from pipeline.runs import run
    from pipeline.settings import load_settings

    flags = {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value
        for name, value in settings.items()
    }
    flags["sources"] = tuple(os.fspath(source) for source in sources) or None
    return run.run(load_settings(flags)[0], full=full, dry_run=dry_run)


def snapshots(warehouse: _Place = None) -> list[Snapshot]:
    """The snapshots that are kept, oldest first: id, when it was made and replaced (UTC), its manifest, whether it is published."""
    from pipeline.load import retention
    from pipeline.query.frames import warehouse_of

    return retention.snapshots(warehouse_of(warehouse))


@overload
def table(
    name: str,
    warehouse: _Place = None,
    snapshot: str | None = None,
    kind: Literal["pandas"] = "pandas",
) -> pandas.DataFrame: ...
@overload
def table(
    name: str, warehouse: _Place = None, snapshot: str | None = None, *, kind: Literal["arrow"]
) -> pyarrow.Table: ...
@overload
def table(
    name: str, warehouse: _Place = None, snapshot: str | None = None, *, kind: Literal["polars"]
) -> polars.DataFrame: ...
def table(
    name: str,
    warehouse: _Place = None,
    snapshot: str | None = None,
    kind: Literal["pandas", "arrow", "polars"] = "pandas",
) -> pandas.DataFrame | pyarrow.Table | polars.DataFrame:
    """A table or view as a frame: its rows and columns as `pipeline schema` lists them.

    pandas gets Arrow-backed dtypes (nulls stay nulls, integers stay integers), polars the Arrow table's own memory: neither copies
    text, numbers or times. Raises QueryError for an unknown name, UsageError for an unknown snapshot or where polars is not
    installed.
    """
    from pipeline.query.frames import connected, frame_of, warehouse_of

    with connected(warehouse_of(warehouse), snapshot) as connection:
        return frame_of(connection, name, kind)
