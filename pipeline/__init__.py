"""Front-matter news articles as tidy Parquet tables with DuckDB views.

    import pipeline

    result = pipeline.run("data/raw", warehouse="data/warehouse")

    warehouse = pipeline.Warehouse("data/warehouse")
    articles = warehouse.table("articles")                       # pandas, one row per article
    articles = warehouse.table("articles", kind="polars")        # or polars, or Arrow
    connection = warehouse.connect()                             # DuckDB, every table and view
    frames = warehouse.reports("heat", since="2024-01-01")       # the views of a report, by name
    warehouse.diff("previous", "current").counts                 # what the last run changed

Each method is a function too: `pipeline.table("articles", warehouse="data/warehouse")`. What is
wanted comes first, then the warehouse, by default that of the settings, then options.

A run is three steps, and each can be taken alone:

    documents = pipeline.extract("data/raw")                     # files, lazily
    frames = pipeline.transform(documents)                       # pandas frames by table
    pipeline.load(frames, warehouse="data/warehouse")            # Parquet, views, one snapshot

Times are UTC, with microseconds. `quality` and `heat` are scores without upper bound, null if an
article is unscored; a heat of -1 means suppressed and is not a temperature. `pipeline schema TABLE`
says what each column means. Every error is a `PipelineError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

# The packages of the steps have the names of the functions below. An import of a submodule binds
# its package to an attribute of this one, once: when it is first loaded. So they are loaded before
# the functions are defined, which then keep the names. `from pipeline.extract.folder import Folder`
# works, for it looks in sys.modules; `import pipeline.extract.folder` as an expression does not.
import pipeline.extract
import pipeline.load
import pipeline.transform  # noqa: F401
from pipeline._version import __version__
from pipeline.errors import (
    CheckFailed,
    LockHeld,
    PipelineError,
    QueryError,
    SchemaError,
    SourceError,
    TooManyRejections,
    UsageError,
    WarehouseError,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from pipeline.load.retention import Snapshot
    from pipeline.query.diff import Diff
    from pipeline.runs.record import RunRecord, RunResult
    from pipeline.schema.documents import (
        Article,
        Document,
        Extracted,
        Finding,
        Rejection,
        SourceFile,
    )
    from pipeline.settings import LoadValues, Settings, SettingValues

# fmt: off
__all__ = [
    "Article", "CheckFailed", "Diff", "Document", "Extracted", "Finding", "LockHeld",
    "PipelineError", "QueryError", "Rejection", "RunRecord", "RunResult", "SchemaError", "Settings",
    "Snapshot", "SourceError", "SourceFile", "TooManyRejections", "UsageError", "Warehouse",
    "WarehouseError", "__version__", "connect", "diff", "extract", "load", "reports", "rollback",
    "run", "snapshots", "table", "transform",
]
# fmt: on

PathLike = str | os.PathLike[str]
At = PathLike | None
Id = str | None
Pandas = Literal["pandas"]
Arrow = Literal["arrow"]
Polars = Literal["polars"]
Kind = Literal["pandas", "arrow", "polars"]
Frame = Any
"""A frame of one of the kinds, for type checkers by the overloads of `table`."""
Frames = dict[str, Frame]


class ReportOptions(TypedDict, total=False):
    """Options of `reports`."""

    since: str | None
    until: str | None
    topics: Sequence[str]
    providers: Sequence[str]
    collections: Sequence[str]
    kind: Kind


class Warehouse:
    """A warehouse folder, by default that of the settings, and what can be asked of it."""

    def __init__(self, path: At = None) -> None:
        from pipeline.query.frames import warehouse_at

        self._folder = warehouse_at(path)

    def __fspath__(self) -> str:
        """Return the folder: a handle does wherever a path does."""
        return str(self._folder.root)

    def __repr__(self) -> str:
        return f"Warehouse({os.fspath(self)!r})"

    def connect(self, snapshot: Id = None) -> duckdb.DuckDBPyConnection:
        """Open an in-memory DuckDB connection (UTC) on every table and view of a snapshot.

        `snapshot` is an id, the beginning of one, `previous` or `current`; by default the published
        one. A later run does not change what the connection shows. Raises WarehouseError if nothing
        is published, UsageError if there is no such snapshot.
        """
        from pipeline.query.frames import open_snapshot

        return open_snapshot(self._folder, snapshot)

    @overload
    def table(self, name: str, *, snapshot: Id = ..., kind: Pandas = ...) -> pd.DataFrame: ...
    @overload
    def table(self, name: str, *, snapshot: Id = ..., kind: Arrow) -> pa.Table: ...
    @overload
    def table(self, name: str, *, snapshot: Id = ..., kind: Polars) -> pl.DataFrame: ...
    def table(self, name: str, *, snapshot: Id = None, kind: Kind = "pandas") -> Frame:
        """Return a table or view as a frame with the columns that `pipeline schema` lists.

        pandas gets Arrow-backed dtypes (nulls stay nulls, integers stay integers), polars the Arrow
        table's own memory: neither copies text, numbers or times. Raises QueryError for an unknown
        name, UsageError for an unknown snapshot or if polars is not installed.
        """
        from pipeline.query.frames import read_frame

        with self.connect(snapshot) as connection:
            return read_frame(connection, name, kind)

    def reports(self, name: str = "all", **options: Unpack[ReportOptions]) -> Frames:
        """Return the views of a report (quality, heat, coverage, health or all) as frames by name.

        Options choose articles, so that every figure and every denominator follows: `since` and
        `until` are days (`2024-01-31`, UTC, both included); an article counts that has one of the
        `topics`, `providers` (names or domains) and `collections`. `kind` is that of `table`. A
        view's file in `sql/reports/` says what a row is. Raises UsageError for an unknown name.
        """
        from pipeline.report.frames import report_frames

        return report_frames(self._folder, name, **options)

    def diff(self, before: str = "previous", after: str = "current") -> Diff:
        """Compare the articles of two snapshots, field by field.

        `.counts` has the number of articles added, removed, changed and moved; `.changes` one
        record per article that differs, with [old, new] of each field. Raises UsageError if there
        is no such snapshot, WarehouseError if its files are gone.
        """
        from pipeline.query import diff

        return diff.diff(self._folder, before, after)

    def snapshots(self) -> list[Snapshot]:
        """List the snapshots that are kept, oldest first."""
        from pipeline.load.retention import snapshots

        return snapshots(self._folder)

    def rollback(self, snapshot: str) -> RunRecord:
        """Publish a snapshot that is kept again: an id, the beginning of one, or `previous`.

        The next run compares the files with it. Raises UsageError if there is no such snapshot,
        WarehouseError if it is damaged, LockHeld if a run is writing.
        """
        from pipeline.runs.maintenance import roll_back

        return roll_back(self._folder, snapshot)

    def status(self) -> dict[str, Any]:
        """Return what `pipeline status --json` prints: snapshot, tables, freshness, latest runs."""
        import datetime as dt

        from pipeline.operations.freshness import read_clocks
        from pipeline.operations.status import status_object
        from pipeline.settings import load_settings

        settings, origins = load_settings({"warehouse": os.fspath(self)})
        return status_object(settings, origins, read_clocks(settings, dt.datetime.now(dt.UTC)))


def run(
    *sources: PathLike, full: bool = False, dry_run: bool = False, **settings: Unpack[SettingValues]
) -> RunResult:
    """Read what changed in the sources (`[name=]path`), check all tables and publish them at once.

    Sources and settings that are not given come from `PIPELINE_*` variables and `pipeline.toml`.
    `full` builds every part again; a dry run stops before publishing. Raises PipelineError; the
    published snapshot then stays as it was.
    """
    from pipeline.runs import run
    from pipeline.settings import load_settings

    paths = tuple(os.fspath(source) for source in sources) or None
    return run.run(load_settings({**settings, "sources": paths})[0], full=full, dry_run=dry_run)


def extract(
    source: PathLike, *, strict: bool = False, max_file_bytes: int = 10**7, part_size: int = 5_000
) -> Iterator[Extracted]:
    """List a source (`[name=]path` or an address of a git commit) and read its files lazily.

    Each item is a file with its Document, or with the Rejection that says why it has none.
    `strict` repairs nothing; `part_size` is the number of documents that `load` writes into one
    Parquet file per table. Raises UsageError and SourceError.
    """
    from pipeline.extract.documents import extract

    return extract(source, strict=strict, max_file_bytes=max_file_bytes, part_size=part_size)


def transform(
    documents: Iterable[Extracted], *, keep_bodies: bool = True, keep_secured: bool = False
) -> dict[str, pd.DataFrame]:
    """Return documents as tidy tables: pandas frames by name, with Arrow-backed dtypes.

    Tables that depend on more than their own document (providers, topics, related_matches, the
    history) are derived by `load`. Raises SchemaError if a key is not unique, as when a file was
    given twice.
    """
    from pipeline.transform.documents import transform

    tables = transform(documents, keep_bodies=keep_bodies, keep_secured=keep_secured)
    import pandas

    return {name: rows.to_pandas(types_mapper=pandas.ArrowDtype) for name, rows in tables.items()}


def load(
    frames: Mapping[str, Frame],
    warehouse: At = None,
    *,
    dry_run: bool = False,
    **settings: Unpack[LoadValues],
) -> RunResult:
    """Write frames (pandas, polars or Arrow) by table name, and publish one snapshot.

    `documents` says what is loaded: all rows of the sources in it are replaced, those of other
    sources stay. A table that is not given has no rows; derived tables are made here. Observations
    get what a run would observe, `content_changes` nothing. Raises SchemaError that lists every
    failure of every table, and PipelineError; the published snapshot then stays. The next run of
    such a source reads all of its files again.
    """
    from pipeline.runs.load import load
    from pipeline.settings import load_settings

    return load(frames, load_settings({**settings, "warehouse": warehouse})[0], dry_run=dry_run)


def connect(warehouse: At = None, snapshot: Id = None) -> duckdb.DuckDBPyConnection:
    """Return `Warehouse(warehouse).connect(snapshot)`."""
    return Warehouse(warehouse).connect(snapshot)


@overload
def table(
    name: str, warehouse: At = ..., snapshot: Id = ..., kind: Pandas = ...
) -> pd.DataFrame: ...
@overload
def table(name: str, warehouse: At = ..., snapshot: Id = ..., *, kind: Arrow) -> pa.Table: ...
@overload
def table(name: str, warehouse: At = ..., snapshot: Id = ..., *, kind: Polars) -> pl.DataFrame: ...
def table(name: str, warehouse: At = None, snapshot: Id = None, kind: Kind = "pandas") -> Frame:
    """Return `Warehouse(warehouse).table(name, snapshot=snapshot, kind=kind)`."""
    return Warehouse(warehouse).table(name, snapshot=snapshot, kind=kind)


def reports(name: str = "all", warehouse: At = None, **options: Unpack[ReportOptions]) -> Frames:
    """Return `Warehouse(warehouse).reports(name, **options)`."""
    return Warehouse(warehouse).reports(name, **options)


def diff(before: str = "previous", after: str = "current", warehouse: At = None) -> Diff:
    """Return `Warehouse(warehouse).diff(before, after)`."""
    return Warehouse(warehouse).diff(before, after)


def snapshots(warehouse: At = None) -> list[Snapshot]:
    """Return `Warehouse(warehouse).snapshots()`."""
    return Warehouse(warehouse).snapshots()


def rollback(snapshot: str, warehouse: At = None) -> RunRecord:
    """Return `Warehouse(warehouse).rollback(snapshot)`."""
    return Warehouse(warehouse).rollback(snapshot)


if not TYPE_CHECKING:  # a type checker would take every name for one of these

    def __getattr__(name: str) -> Any:
        """Load a record when first asked for, so that `import pipeline` stays light (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pipeline.schema import documents

        if hasattr(documents, name):
            return getattr(documents, name)
        from pipeline import settings
        from pipeline.load import retention
        from pipeline.query import diff
        from pipeline.runs import record

        modules = (settings, retention, diff, record)
        return next(getattr(module, name) for module in modules if hasattr(module, name))
