"""Run an export from request to files; the only module that knows all the others."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec
from msgspec import Struct

from pipeline.errors import UsageError, WarehouseError
from pipeline.export import targets
from pipeline.export.articles import whole_articles
from pipeline.export.formats import csv, frontmatter, jsonl
from pipeline.export.request import (
    ALL_TABLES,
    RelationQuery,
    Request,
    Snapshot,
    Style,
    relation_queries,
)
from pipeline.load.files import writing_to
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.text import counted
from pipeline.views.catalog import connect

MEMORY = 256
"""Megabytes that DuckDB may use for each million rows of a table; a larger sort goes to disk."""
_BINARY = ("parquet", "xlsx")


class Written(Struct, frozen=True):
    """The paths that an export wrote, and notes on what a format could not hold."""

    paths: list[Path]
    notes: list[str] = []


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
    with _opened(warehouse) as snapshot:
        if not style.nested:  # more threads keep rows back, to pass them on in order
            snapshot.connection.execute("set global threads = 1")
        queries = relation_queries(snapshot.connection, request)
        writer = _Writer(snapshot, style, bool(request.order_by or request.sample))
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
        with ExitStack() as stack:  # at its end all files are replaced, after an error none is
            asides = [stack.enter_context(writing_to(path)) for path in paths]
            for query, aside in zip(queries, asides, strict=True):
                notes += writer.to_file(query, str(aside))
        return Written(paths, notes)


class _Writer(Struct, frozen=True):
    """Write relations in a style, tables within MEMORY.

    If that is too little and nothing was sent yet, a table is written again without a limit: a sort
    merges 122,880 rows at a time and a scan holds a row group, which may be more for wide rows such
    as long bodies. Views have no limit: joins of lists and windows do not go to disk.
    """

    snapshot: Snapshot
    style: Style
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
            path = f"{self.snapshot.scratch}/whole"
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
                return self._write(query, stream.path, "\\n")

        return self._within_memory(query, write, lambda: not streams[-1].arrived)

    def _within_memory(
        self, query: RelationQuery, write: Callable[[], list[str]], can_repeat: Callable[[], bool]
    ) -> list[str]:
        limit = None if self.style.nested else memory_limit(self.snapshot.manifest, query.name)
        if limit is None:
            return write()
        self.snapshot.connection.execute(f"set global memory_limit = '{limit}MB'")
        try:
            return write()
        except WarehouseError as error:
            if not isinstance(error.__cause__, duckdb.OutOfMemoryException) or not can_repeat():
                raise
        finally:
            self.snapshot.connection.execute("reset global memory_limit")
        return write()

    def _write(self, query: RelationQuery, path: str, line_end: str = "\\r\\n") -> list[str]:
        if self.style.nested:
            articles = whole_articles(self.snapshot, query, ordered=self.ordered)
            jsonl.write_nested(articles, path)
        elif self.style.name == "csv":
            csv.write(self.snapshot, query, path, self.style, line_end)
        elif self.style.name == "jsonl":
            jsonl.write(self.snapshot, query, path)
        elif self.style.name == "parquet":
            from pipeline.export.formats import parquet

            parquet.write(self.snapshot, query, path)
        else:
            from pipeline.export.formats import xlsx

            return xlsx.write(self.snapshot, query, path)
        return []


def memory_limit(manifest: Manifest, name: str) -> int | None:
    """Return the megabytes that DuckDB may use for a table; None for a view."""
    rows = sum(file.rows for file in manifest.tables.get(name, []))
    return MEMORY * (rows // 1_000_000 + 1) if name in ALL_TABLES else None


@contextmanager
def _opened(warehouse: Warehouse) -> Iterator[Snapshot]:
    manifest = warehouse.manifest()
    try:
        folder = TemporaryDirectory(prefix="frontmatter-warehouse-", ignore_cleanup_errors=True)
    except OSError as error:
        raise WarehouseError(
            f"export: no folder for temporary files ({error.strerror}). Name one in TMPDIR."
        ) from error
    with folder as scratch, connect(warehouse, manifest) as connection:
        connection.execute("set global temp_directory = $1", [scratch])
        yield Snapshot(warehouse, manifest, connection, scratch)


def _export_front_matter(warehouse: Warehouse, request: Request, output: str | None) -> Written:
    """Write articles as front-matter files below a folder."""
    secured = "secured" in request.names
    request = _article_ids("--format frontmatter", request, ("articles", "secured"))
    if output in (None, targets.STREAM):
        raise UsageError("--format frontmatter: writes many files. Name a folder with -o.")
    folder = Path(str(output))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file. Name a folder with -o.")
    with _opened(warehouse) as snapshot:
        [query] = relation_queries(snapshot.connection, request)
        chosen = f"from articles semi join (\n{query.sql}\n) using (article_id)"
        frontmatter.require_bodies(snapshot.connection, chosen)
        kept = " and article_id not in (select article_id from secured)" if secured else ""
        [(left_out,)] = snapshot.connection.execute(
            f"select count(*) {chosen} where secured_digest is not null{kept}"
        ).fetchall()
        rows = snapshot.connection.execute(f"select distinct source {chosen} order by 1").fetchall()
        articles = whole_articles(snapshot, query, ordered=False, secured=secured)
        written = frontmatter.write(articles, folder, [source for (source,) in rows])
    notes = []
    if written.files:
        sources = shlex.join(f"{source}={path}" for source, path in written.folders.items())
        notes.append(
            f"Wrote {counted(written.files, 'article')}. `pipeline run {sources}` gives the same"
            " rows again."
        )
    if left_out:
        notes.append(
            f"The field secured of {counted(left_out, 'article')} was left out. Keep it with"
            " --keep-secured when you run, and export it by name: secured."
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
