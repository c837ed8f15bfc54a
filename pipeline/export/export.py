"""An export from request to files: the only module of the room that knows all the others."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from msgspec import Struct

from pipeline.errors import UsageError, WarehouseError
from pipeline.export import targets
from pipeline.export.expressions import unwritable
from pipeline.export.formats import csv, jsonl
from pipeline.export.request import Extract, Request, extracts
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.catalog import connect

FORMATS = ("csv", "parquet", "jsonl", "xlsx", "frontmatter")
MEMORY = 256
"""Megabytes that DuckDB may hold of a table, where that does, for each million rows begun; the rest of a sort is in files aside."""
_BINARY = ("parquet", "xlsx")
Write = Callable[[duckdb.DuckDBPyConnection, Extract, str], list[str]]
"""Writes the rows of an extract to a path; returns notes."""


class Written(Struct, frozen=True):
    """What an export wrote: paths, and notes on what a format could not hold."""

    paths: list[Path]
    notes: list[str] = []


class Style(Struct, frozen=True):
    """How rows are written: a format and its options."""

    name: str = "csv"
    raw: bool = False
    """CSV: defuse no formulas."""
    excel: bool = False
    """CSV: begin with a byte order mark."""
    nested: bool = False
    """JSON lines: an object per article, with its topics, related items and images."""

    def refuse_odd(self) -> None:
        """Raise UsageError for an unknown format, or an option of another one."""
        if self.name not in FORMATS:
            raise UsageError(f"--format {self.name}: unknown. Choose one of {', '.join(FORMATS)}.")
        for flag, given, home in (
            ("--raw", self.raw, "csv"),
            ("--excel", self.excel, "csv"),
            ("--nested", self.nested, "jsonl"),
        ):
            if given and self.name != home:
                raise UsageError(
                    f"{flag}: belongs to --format {home} (got {self.name}). Leave it out."
                )


def export(warehouse: Warehouse, request: Request, style: Style, output: str | None) -> Written:
    """Write the relations of a request to `output`, a file or a folder; `-` is standard output.

    One relation of text goes to standard output without an output. Raises UsageError, QueryError and WarehouseError.
    """
    style.refuse_odd()
    if style.name == "frontmatter":
        return _write_back(warehouse, request, output)
    if style.nested:
        _refuse_not_whole("--nested", request, ("articles",))
        request = _only_ids(request)
    with _opened(warehouse) as (connection, manifest, scratch):
        if not style.nested:
            connection.execute(
                "set global threads = 1"
            )  # more threads keep rows back, to hand them on in order
        found = extracts(connection, request)
        ordered = bool(request.order_by or request.sample)
        write = _writer(warehouse, manifest, style, scratch, ordered=ordered)
        pen = _Pen(connection, write, {} if style.nested else _limits(manifest))
        if output in (None, targets.STREAM):
            if len(found) > 1 or (output is None and style.name in _BINARY):
                raise UsageError(
                    f"export: {len(found)} tables as {style.name} cannot go to the screen. Name a file or a folder with -o."
                )
            if style.name in _BINARY:
                return Written(
                    [], _through_a_file(lambda path: pen.to_file(found[0], path), scratch)
                )
            return Written([], pen.to_stream(found[0]))
        paths = targets.files_of([extract.name for extract in found], style.name, str(output))
        notes: list[str] = []
        with targets.replacing(paths) as asides:
            for extract, target in zip(found, asides, strict=True):
                notes += pen.to_file(extract, target)
        return Written(paths, notes)


class _Pen(Struct, frozen=True):
    """Writes extracts; tables within MEMORY, or where that does not do and nothing has gone out yet, again with all there is.

    A sort merges 122,880 rows at a time and a scan holds a row group: of wide rows, such as long bodies, these take more than
    MEMORY. Views take what their computation takes: joins of lists and windows do not go to disk.
    """

    connection: duckdb.DuckDBPyConnection
    write: Write
    limits: dict[str, int]
    """Megabytes by table."""

    def to_file(self, extract: Extract, path: str) -> list[str]:
        """Write to a path; what is there and no file is written to once."""
        return self._write(
            extract,
            lambda: self.write(self.connection, extract, path),
            lambda: os.path.isfile(path) or not os.path.exists(path),
        )

    def to_stream(self, extract: Extract) -> list[str]:
        """Write to standard output."""
        streams: list[targets.Stream] = []

        def once() -> list[str]:
            with targets.streaming() as stream:
                streams.append(stream)
                return self.write(self.connection, extract, stream.path)

        return self._write(extract, once, lambda: not streams[-1].arrived)

    def _write(
        self, extract: Extract, once: Callable[[], list[str]], untouched: Callable[[], bool]
    ) -> list[str]:
        if extract.name not in self.limits:
            return once()
        self.connection.execute(f"set global memory_limit = '{self.limits[extract.name]}MB'")
        try:
            return once()
        except WarehouseError as error:
            if not isinstance(error.__cause__, duckdb.OutOfMemoryException) or not untouched():
                raise
        finally:
            self.connection.execute("reset global memory_limit")
        return once()


def _limits(manifest: Manifest) -> dict[str, int]:
    rows = {
        name: sum(file.rows for file in manifest.tables.get(name, []))
        for name in (*TABLES, RUNS.name)
    }
    return {name: MEMORY * (count // 1_000_000 + 1) for name, count in rows.items()}


@contextmanager
def _opened(warehouse: Warehouse) -> Iterator[tuple[duckdb.DuckDBPyConnection, Manifest, str]]:
    """A connection on the published snapshot, and a folder for what does not stay in memory, which goes afterwards."""
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


def _through_a_file(write: Callable[[str], list[str]], scratch: str) -> list[str]:
    """Send a format to standard output that is written with jumps back: once it is whole."""
    path = f"{scratch}/whole"
    notes = write(path)
    with open(path, "rb") as whole:
        sys.stdout.flush()
        shutil.copyfileobj(whole, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return notes


def _writer(
    warehouse: Warehouse, manifest: Manifest, style: Style, scratch: str, *, ordered: bool
) -> Write:
    def write(connection: duckdb.DuckDBPyConnection, extract: Extract, path: str) -> list[str]:
        if style.nested:
            _write_nested(connection, warehouse, manifest, extract, path, ordered=ordered)
        elif style.name == "csv":
            csv.write(connection, extract, path, raw=style.raw, excel=style.excel)
        elif style.name == "jsonl":
            jsonl.write(connection, extract, path)
        elif style.name == "parquet":
            from pipeline.export.formats import parquet

            parquet.write(connection, extract, path)
        else:
            from pipeline.export.formats import xlsx

            return xlsx.write(connection, extract, path, manifest.created_at, scratch)
        return []

    return write


def _write_nested(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    manifest: Manifest,
    extract: Extract,
    path: str,
    *,
    ordered: bool,
) -> None:
    """JSON lines: what a front matter says, and _article_id, _source, _path and _body."""
    from pipeline.export.articles import wholes

    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            for article in wholes(connection, warehouse, manifest, extract, ordered=ordered):
                place = {
                    "_article_id": article.article_id,
                    "_source": article.source,
                    "_path": article.path,
                }
                body = {"_body": article.body} if article.body else {}
                file.write(
                    json.dumps(article.front_matter | place | body, ensure_ascii=False) + "\n"
                )
    except OSError as error:
        raise unwritable(extract.name, str(error.strerror)) from error


def _write_back(warehouse: Warehouse, request: Request, output: str | None) -> Written:
    """Articles as front-matter files below a folder."""
    from pipeline.export.articles import wholes
    from pipeline.export.formats import frontmatter

    _refuse_not_whole("--format frontmatter", request, ("articles", "secured"))
    if output in (None, targets.STREAM):
        raise UsageError("--format frontmatter: is many files. Name a folder with -o.")
    folder = Path(str(output))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file. Name a folder with -o.")
    secured = "secured" in request.names
    with _opened(warehouse) as (connection, manifest, _):
        [extract] = extracts(connection, _only_ids(request))
        frontmatter.refuse_lost_bodies(connection, extract.query)
        chosen = f"from articles semi join (\n{extract.query}\n) using (article_id)"
        kept = " and article_id not in (select article_id from secured)" if secured else ""
        [(lost,)] = connection.execute(
            f"select count(*) {chosen} where secured_digest is not null{kept}"
        ).fetchall()
        sources = [
            row[0]
            for row in connection.execute(f"select distinct source {chosen} order by 1").fetchall()
        ]
        articles = wholes(connection, warehouse, manifest, extract, ordered=False, secured=secured)
        done = frontmatter.write(articles, folder, sources)
    told = ", ".join(f"{source}={place}" for source, place in done.folders.items())
    notes = (
        [f"Wrote {done.files:,} articles. Sources of the same names give the same rows: {told}."]
        if done.files
        else []
    )
    if lost:
        notes.append(
            f"{lost:,} articles had a field secured that is left out. Keep it with --keep-secured, and name it: secured."
        )
    return Written(list(done.folders.values()), notes)


def _refuse_not_whole(flag: str, request: Request, names: tuple[str, ...]) -> None:
    if set(request.names) - set(names) or request.columns:
        raise UsageError(
            f"{flag}: writes whole articles, no other tables and no --columns. Choose rows with --where."
        )


def _only_ids(request: Request) -> Request:
    import msgspec

    return msgspec.structs.replace(request, names=("articles",), columns=("article_id",))
