"""Write Excel workbooks row by row: typed cells, a frozen header with filters, links.

A second sheet describes the columns. What a sheet cannot hold
(https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3) becomes text or is cut:
integers of more than 15 digits and times before March 1900 are text, texts end after 32,767
characters, addresses after the first 65,530 are not links.
"""

import datetime as dt
import io
import re
import sys
from collections.abc import Callable
from typing import Any

import duckdb
from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.worksheet import Worksheet

from pipeline.errors import UsageError
from pipeline.export.expressions import ZONED, export_error, is_nested, is_time, write_error
from pipeline.export.request import Field, RelationQuery, Snapshot
from pipeline.text import counted
from pipeline.views.quoting import identifier

ROWS = 1_048_576
"""Rows of a sheet, the header included."""
LINKS = 65_530
"""Links of a sheet."""
CHARACTERS = 32_767
"""UTF-16 units of a cell."""
_EXACT = 10**15
_FIRST_DAY = dt.date(1900, 3, 1)
"""Excel takes 1900 for a leap year, so days before March differ between programs."""
_LINK = re.compile(
    r"https?://[^\s\x00-\x1f\x7f\ufffe\uffff#]{1,2000}(?:#[^\s\x00-\x1f\x7f\ufffe\uffff#]{0,2000})?",
    re.IGNORECASE,
)
_SHEET_NAME = 31
_WIDTHS = {"BIGINT": 10, "BOOLEAN": 10, "DOUBLE": 12, "DATE": 11, "VARCHAR": 24}

_CUT = -2
"""What XlsxWriter returns for a text that is too long."""
Write = Callable[[int, int, Any], Any]
"""Writes a value to a row and column, both from 0; returns XlsxWriter's status."""


def write(snapshot: Snapshot, query: RelationQuery, path: str) -> list[str]:
    """Write a workbook dated as the snapshot, and return sentences about what did not fit.

    Its sheets lie in the folder for temporary files until then. Raises UsageError for too many
    rows.
    """
    connection = snapshot.connection
    try:
        [(rows,)] = connection.execute(f"select count(*) from (\n{query.sql}\n)").fetchall()
        if rows >= ROWS:
            raise UsageError(
                f"{query.name}: has {rows:,} rows, but a sheet of Excel holds {ROWS - 1:,}. Export"
                " csv or parquet, or choose rows."
            )
        addresses = [field for field in query.fields if _is_address(field)]
        # Links for the first columns that fit completely, and for one in any case.
        linked = addresses[: max(1, LINKS // max(rows, 1))]
        created = snapshot.manifest.created_at.astimezone(dt.UTC).replace(tzinfo=None)
        with _Sink(path, "w") as sink:
            book = Workbook(sink, {"constant_memory": True, "tmpdir": snapshot.scratch})
            book.use_zip64()
            book.set_properties({"created": created, "title": query.name})
            cut = _write_rows(connection, query, book, linked)
            _write_descriptions(book, query)
            book.close()
    except (OSError, XlsxWriterException) as error:
        raise write_error(query.name, str(error)) from error
    except duckdb.Error as error:
        raise export_error(query.name, error) from error
    notes = []
    if cut:
        notes.append(
            f"{query.name}: cut {counted(cut, 'text')} to {CHARACTERS:,} characters, the most that"
            " a cell holds."
        )
    if len(linked) < len(addresses) or rows > LINKS:
        notes.append(f"{query.name}: a sheet holds {LINKS:,} links; other addresses are text.")
    return notes


class _Sink(io.FileIO):
    """A file that ignores writes once it is closed.

    A ZipFile that failed tries to write again when it is collected, and would warn.
    """

    def write(self, content: Any) -> int:
        view = memoryview(content)
        while view and not self.closed:
            view = view[super().write(view) :]
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset if self.closed else super().seek(offset, whence)

    def tell(self) -> int:
        return sys.maxsize if self.closed else super().tell()

    def flush(self) -> None:
        if not self.closed:
            super().flush()


def _is_address(field: Field) -> bool:
    return field.type == "VARCHAR" and (field.name == "url" or field.name.endswith("_url"))


def _write_rows(
    connection: duckdb.DuckDBPyConnection, query: RelationQuery, book: Workbook, linked: list[Field]
) -> int:
    """Fill the first sheet; return the number of texts that were cut."""
    sheet = book.add_worksheet(query.name[:_SHEET_NAME])
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    writers = []
    for index, field in enumerate(query.fields):
        width = 20 if is_time(field) else _WIDTHS.get(field.type, 16)
        sheet.set_column(index, index, max(width, len(field.name) + 3))
        sheet.write_string(0, index, field.name, bold)
        writers.append(_cell_writer(book, sheet, field, linked=field in linked))
    expressions = ", ".join(map(_expression, query.fields))
    result = connection.execute(f"select {expressions} from (\n{query.sql}\n)")
    cut, row = 0, 0
    while batch := result.fetchmany(1_000):
        for values in batch:
            row += 1
            for index, value in enumerate(values):
                if value is not None:
                    cut += writers[index](row, index, value) == _CUT
    sheet.autofilter(0, 0, max(row, 1), len(query.fields) - 1)
    return cut


def _expression(field: Field) -> str:
    name = identifier(field.name)
    if field.type == ZONED:
        return f"{name} at time zone 'UTC'"
    return f"to_json({name})::varchar" if is_nested(field) else name


def _cell_writer(book: Workbook, sheet: Worksheet, field: Field, *, linked: bool) -> Write:
    """Return the function that writes the values of a column."""
    time_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day_format = book.add_format({"num_format": "yyyy-mm-dd"})
    links = 0

    def text(row: int, column: int, value: Any) -> Any:
        return sheet.write_string(row, column, str(value))

    def number(row: int, column: int, value: Any) -> Any:
        if isinstance(value, bool) or not -_EXACT < value < _EXACT:  # NaN compares false
            return text(row, column, value)
        return sheet.write_number(row, column, value)

    def time(row: int, column: int, value: Any) -> Any:
        is_day = not isinstance(value, dt.datetime)
        day = value if is_day else value.date()
        if not isinstance(day, dt.date) or day < _FIRST_DAY:
            return text(row, column, value.isoformat() if hasattr(value, "isoformat") else value)
        return sheet.write_datetime(row, column, value, day_format if is_day else time_format)

    def link(row: int, column: int, value: Any) -> Any:
        nonlocal links
        if links >= LINKS or not _LINK.fullmatch(value):
            return text(row, column, value)
        links += 1
        return sheet.write_url(row, column, value, string=value)

    if is_time(field) or field.type == "DATE":
        return time
    if field.type == "BOOLEAN":
        boolean: Write = sheet.write_boolean
        return boolean
    if field.type in ("VARCHAR", "JSON") or is_nested(field):
        return link if linked else text
    return number


def _write_descriptions(book: Workbook, query: RelationQuery) -> None:
    """Fill the second sheet with the columns, their types and descriptions."""
    sheet = book.add_worksheet("columns" if query.name != "columns" else "meanings")
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2, 110)
    lines = [
        ("column", "type", "meaning"),
        *((field.name, field.type.lower(), field.description) for field in query.fields),
        ("", "", ""),
        (query.name, "", query.description),
    ]
    for row, line in enumerate(lines):
        for column, text in enumerate(line):
            if text:
                sheet.write_string(row, column, text, bold if row == 0 else None)
