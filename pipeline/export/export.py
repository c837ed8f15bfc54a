"""Run an export from request to files; the only module that knows all the others."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
from msgspec import Struct

from pipeline.errors import UsageError, WarehouseError
from pipeline.export import targets
from pipeline.export.articles import whole_articles
from pipeline.export.formats import csv, frontmatter, jsonl
from pipeline.export.request import ALL_TABLES, RelationQuery, Request, relation_queries
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.text import counted
from pipeline.views.catalog import connect

FORMATS = ("csv", "parquet", "jsonl", "xlsx", "frontmatter")
MEMORY = 256
"""Megabytes that DuckDB may use for each million rows of a table; a larger sort goes to disk."""
_BINARY = ("parquet", "xlsx")


class Written(Struct, frozen=True):
    """The paths that an export wrote, and notes on what a format could not hold."""

    paths: list[Path]
    notes: list[str] = []


class Style(Struct, frozen=True):
    """A format and its options."""

    name: str = "csv"
    raw: bool = False
    """CSV: escape no formulas."""
    excel: bool = False
    """CSV: begin with a byte order mark."""
    nested: bool = False
    """JSON lines: an object per article, with its topics, related items and images."""

    def check(self) -> None:
        """Raise UsageError for an unknown format, or an option of another format."""
        if self.name not in FORMATS:
            raise UsageError(f"--format {self.name}: unknown. Choose one of {', '.join(FORMATS)}.")
        for flag, is_set, style in (
            ("--raw", self.raw, "csv"),
            ("--excel", self.excel, "csv"),
            ("--nested", self.nested, "jsonl"),
        ):
            if is_set and self.name != style:
                raise UsageError(
                    f"{flag}: belongs to --format {style} (got {self.name}). Leave it out."
                )


def export(warehouse: Warehouse, request: Request, style: Style, output: str | None) -> Written:
    """Write the relations of a request to `output`, a file or a folder; `-` is standard output.

    Without `output`, a single relation of text goes to standard output. Raises UsageError,
    QueryError and WarehouseError.
    """
    style.check()
    if style.name == "frontmatter":
        return _export_front_matter(warehouse, request, output)
    if style.nested:
        request = _article_ids("--nested", request, ("articles",))
    with _opened(warehouse) as (connection, manifest, scratch):
        if not style.nested:  # more threads keep rows back, to pass them on in order
            connection.execute("set global threads = 1")
        queries = relation_queries(connection, request)
        ordered = bool(request.order_by or request.sample)
        writer = _Writer(connection, warehouse, manifest, style, scratch, ordered)
        if output in (None, targets.STREAM):
            if len(queries) > 1:
                raise UsageError(
                    f"export: {len(queries)} tables (expected one for standard output). Name a"
                    " folder with -o."
                )
            if output is None and style.name in _BINARY:
                raise UsageError(
                    f"--format {style.name}: is not text. Name a file with -o, or -o - for"
                    " standard output."
                )
            return Written([], writer.to_stream(queries[0]))
        paths = targets.files_of([query.name for query in queries], style.name, str(output))
        notes: list[str] = []
        with targets.replacing(paths) as asides:
            for query, path in zip(queries, asides, strict=True):
                notes += writer.to_file(query, path)
        return Written(paths, notes)


class _Writer(Struct, frozen=True):
    """Write relations in a style, tables within MEMORY.

    If that is too little and nothing was sent yet, a table is written again without a limit: a sort
    merges 122,880 rows at a time and a scan holds a row group, which may be more for wide rows such
    as long bodies. Views have no limit: joins of lists and windows do not go to disk.
    """

    connection: duckdb.DuckDBPyConnection
    warehouse: Warehouse
    manifest: Manifest
    style: Style
    scratch: str
    """Folder for temporary files."""
    ordered: bool

    def to_file(self, query: RelationQuery, path: str) -> list[str]:
        """Write to a path and return notes; a pipe or a device is written only once."""
        return self._within_memory(
            query,
            lambda: self._write(query, path),
            lambda: os.path.isfile(path) or not os.path.exists(path),
        )

    def to_stream(self, query: RelationQuery) -> list[str]:
        """Write to standard output and return notes; text lines end with LF."""
        if self.style.name in _BINARY:  # these are written with seeks
            path = f"{self.scratch}/whole"
            notes = self.to_file(query, path)
            sys.stdout.flush()
            with open(path, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return notes
        streams: list[targets.Stream] = []

        def write() -> list[str]:
            with targets.streaming() as stream:
                streams.append(stream)
                return self._write(query, stream.path, line_end="\\n")

        return self._within_memory(query, write, lambda: not streams[-1].arrived)

    def _within_memory(
        self,
        query: RelationQuery,
        write: Callable[[], list[str]],
        can_repeat: Callable[[], bool],
    ) -> list[str]:
        limit = None if self.style.nested else memory_limit(self.manifest, query.name)
        if limit is None:
            return write()
        self.connection.execute(f"set global memory_limit = '{limit}MB'")
        try:
            return write()
        except WarehouseError as error:
            if not isinstance(error.__cause__, duckdb.OutOfMemoryException) or not can_repeat():
                raise
        finally:
            self.connection.execute("reset global memory_limit")
        return write()

    def _write(self, query: RelationQuery, path: str, line_end: str = "\\r\\n") -> list[str]:
        connection, style = self.connection, self.style
        if style.nested:
            articles = whole_articles(
                connection, self.warehouse, self.manifest, query, ordered=self.ordered
            )
            jsonl.write_nested(articles, path)
        elif style.name == "csv":
            csv.write(connection, query, path, raw=style.raw, excel=style.excel, line_end=line_end)
        elif style.name == "jsonl":
            jsonl.write(connection, query, path)
        elif style.name == "parquet":
            from pipeline.export.formats import parquet

            parquet.write(connection, query, path)
        else:
            from pipeline.export.formats import xlsx

            return xlsx.write(connection, query, path, self.manifest.created_at, self.scratch)
        return []


def memory_limit(manifest: Manifest, name: str) -> int | None:
    """Return the megabytes that DuckDB may use for a table; None for a view."""
    if name not in ALL_TABLES:
        return None
    return MEMORY * (sum(file.rows for file in manifest.tables.get(name, [])) // 1_000_000 + 1)


@contextmanager
def _opened(warehouse: Warehouse) -> Iterator[tuple[duckdb.DuckDBPyConnection, Manifest, str]]:
    """Yield a connection on the published snapshot, its manifest, and a temporary folder."""
    manifest = warehouse.manifest()
    connection = connect(warehouse, manifest)
    try:
        scratch = tempfile.mkdtemp(prefix="frontmatter-warehouse-")
    except OSError as error:
        connection.close()
        raise WarehouseError(
            f"export: no folder for temporary files ({error.strerror}). Name one in TMPDIR."
        ) from error
    try:
        connection.execute("set global temp_directory = $1", [scratch])
        yield connection, manifest, scratch
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _export_front_matter(warehouse: Warehouse, request: Request, output: str | None) -> Written:
    """Write articles as front-matter files below a folder."""
    secured = "secured" in request.names
    request = _article_ids("--format frontmatter", request, ("articles", "secured"))
    if output in (None, targets.STREAM):
        raise UsageError("--format frontmatter: writes many files. Name a folder with -o.")
    folder = Path(str(output))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file. Name a folder with -o.")
    with _opened(warehouse) as (connection, manifest, _):
        [query] = relation_queries(connection, request)
        chosen = f"from articles semi join (\n{query.sql}\n) using (article_id)"
        frontmatter.require_bodies(connection, chosen)
        kept = " and article_id not in (select article_id from secured)" if secured else ""
        [(secured_left_out,)] = connection.execute(
            f"select count(*) {chosen} where secured_digest is not null{kept}"
        ).fetchall()
        rows = connection.execute(f"select distinct source {chosen} order by 1").fetchall()
        articles = whole_articles(
            connection, warehouse, manifest, query, ordered=False, secured=secured
        )
        written = frontmatter.write(articles, folder, [source for (source,) in rows])
    notes = []
    if written.files:
        sources = shlex.join(f"{source}={path}" for source, path in written.folders.items())
        notes.append(
            f"Wrote {counted(written.files, 'article')}. `pipeline run {sources}` gives the same"
            " rows again."
        )
    if secured_left_out:
        notes.append(
            f"The field secured of {counted(secured_left_out, 'article')} was left out. Keep it"
            " with --keep-secured when you run, and export it by name: secured."
        )
    return Written(list(written.folders.values()), notes)


def _article_ids(flag: str, request: Request, names: tuple[str, ...]) -> Request:
    """Return the request for the ids of articles; UsageError if it names others or columns."""
    if set(request.names) - set(names) or request.columns:
        raise UsageError(
            f"{flag}: writes whole articles, without other tables or --columns. Choose rows with"
            " --where."
        )
    return msgspec.structs.replace(request, names=("articles",), columns=("article_id",))
