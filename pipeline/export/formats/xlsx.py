"""Excel workbooks by XlsxWriter, row by row: typed cells, a frozen header with filters, links, a sheet of what columns mean.

What a sheet cannot hold (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3) is text or cut: whole numbers
of more than 15 digits and times before March 1900 are text, texts end after 32,767 characters, links after the first 65,530.
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
from pipeline.export.expressions import ZONED, failed, is_nested, is_time, unwritable
from pipeline.export.request import Extract, Field
from pipeline.views.quoting import identifier

ROWS = 1_048_576
"""Rows of a sheet, the header included."""
LINKS = 65_530
"""Links of a sheet."""
CHARACTERS = 32_767
"""UTF-16 units of a cell."""
_EXACT = 10**15
_FIRST_DAY = dt.date(1900, 3, 1)
"""Excel believes that 1900 was a leap year: days before March differ between programs."""
_LINK = re.compile(
    r"https?://[^\s\x00-\x1f\x7f\ufffe\uffff#]{1,2000}(?:#[^\s\x00-\x1f\x7f\ufffe\uffff#]{0,2000})?",
    re.IGNORECASE,
)
_SHEET_NAME = 31
_WIDTHS = {"BIGINT": 10, "BOOLEAN": 10, "DOUBLE": 12, "DATE": 11, "VARCHAR": 24}

Write = Callable[[int, int, Any], bool]
"""Writes a value to row and column, both from 0; tells whether it had to be cut."""


def write(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    path: str,
    created: dt.datetime,
    scratch: str,
) -> list[str]:
    """Write a workbook dated `created`, with its sheets in the folder `scratch` until it is whole.

    Returns what did not fit, in sentences. Raises UsageError for too many rows.
    """
    try:
        [(rows,)] = connection.execute(f"select count(*) from (\n{extract.query}\n)").fetchall()
        if rows >= ROWS:
            raise UsageError(
                f"{extract.name}: has {rows:,} rows, a sheet of Excel holds {ROWS - 1:,}. Export csv or parquet, or choose rows."
            )
        linked = _linked(extract, rows)
        with _Sink(path, "w") as sink:
            book = Workbook(sink, {"constant_memory": True, "tmpdir": scratch})
            book.use_zip64()
            book.set_properties(
                {"created": created.astimezone(dt.UTC).replace(tzinfo=None), "title": extract.name}
            )
            cut = _rows(connection, extract, book, rows, linked)
            _meanings(book, extract)
            book.close()
    except (OSError, XlsxWriterException) as error:
        raise unwritable(extract.name, str(error)) from error
    except duckdb.Error as error:
        raise failed(extract.name, error) from error
    notes = (
        [
            f"{extract.name}: {cut:,} texts were cut to {CHARACTERS:,} characters, all that a cell holds."
        ]
        if cut
        else []
    )
    addresses = sum(_is_address(field) for field in extract.fields)
    if len(linked) < addresses or rows > LINKS:
        notes.append(f"{extract.name}: a sheet holds {LINKS:,} links; other addresses are text.")
    return notes


class _Sink(io.FileIO):
    """A file that takes anything once it is closed: a ZipFile that failed tries again when it is forgotten, and would complain."""

    def write(self, content: Any) -> int:
        view = memoryview(content)
        while view and not self.closed:
            view = view[super().write(view) :]
        return len(content)

    def seek(self, place: int, whence: int = 0) -> int:
        return place if self.closed else super().seek(place, whence)

    def tell(self) -> int:
        return sys.maxsize if self.closed else super().tell()

    def flush(self) -> None:
        if not self.closed:
            super().flush()


def _is_address(field: Field) -> bool:
    return field.type == "VARCHAR" and (field.name == "url" or field.name.endswith("_url"))


def _linked(extract: Extract, rows: int) -> set[int]:
    """Which columns have links: the first ones that fit wholly, at least one."""
    addresses = [at for at, field in enumerate(extract.fields) if _is_address(field)]
    return set(addresses[: max(1, LINKS // max(rows, 1))])


def _rows(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    book: Workbook,
    rows: int,
    linked: set[int],
) -> int:
    """Fill the first sheet; returns how many texts were cut."""
    sheet = book.add_worksheet(extract.name[:_SHEET_NAME])
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for at, field in enumerate(extract.fields):
        width = 20 if is_time(field) else _WIDTHS.get(field.type, 16)
        sheet.set_column(at, at, max(width, len(field.name) + 3))
    for at, field in enumerate(extract.fields):
        sheet.write_string(0, at, field.name, bold)
    writers = [
        _writer(book, sheet, field, linked=at in linked) for at, field in enumerate(extract.fields)
    ]
    found = connection.execute(
        f"select {', '.join(map(_fetched, extract.fields))} from (\n{extract.query}\n)"
    )
    cut, row = 0, 0
    while batch := found.fetchmany(1_000):
        for values in batch:
            row += 1
            for at, value in enumerate(values):
                if value is not None:
                    cut += writers[at](row, at, value)
    sheet.autofilter(0, 0, max(row, 1), len(extract.fields) - 1)
    return cut


def _fetched(field: Field) -> str:
    name = identifier(field.name)
    if field.type == ZONED:
        return f"{name} at time zone 'UTC'"
    return f"to_json({name})::varchar" if is_nested(field) else name


def _writer(book: Workbook, sheet: Worksheet, field: Field, *, linked: bool) -> Write:
    """How the values of a column are written."""
    time_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day_format = book.add_format({"num_format": "yyyy-mm-dd"})
    links = 0

    def text(row: int, column: int, value: Any) -> bool:
        return bool(sheet.write_string(row, column, str(value)) == -2)

    def number(row: int, column: int, value: Any) -> bool:
        if isinstance(value, bool) or not -_EXACT < value < _EXACT:  # NaN compares false
            return text(row, column, value)
        sheet.write_number(row, column, value)
        return False

    def boolean(row: int, column: int, value: Any) -> bool:
        sheet.write_boolean(row, column, value)
        return False

    def time(row: int, column: int, value: Any) -> bool:
        day = value.date() if isinstance(value, dt.datetime) else value
        if not isinstance(day, dt.date) or day < _FIRST_DAY:
            return text(row, column, value.isoformat() if hasattr(value, "isoformat") else value)
        sheet.write_datetime(
            row, column, value, time_format if isinstance(value, dt.datetime) else day_format
        )
        return False

    def link(row: int, column: int, value: Any) -> bool:
        nonlocal links
        if links >= LINKS or not _LINK.fullmatch(value):
            return text(row, column, value)
        links += 1
        sheet.write_url(row, column, value, string=value)
        return False

    if is_time(field) or field.type == "DATE":
        return time
    if field.type == "BOOLEAN":
        return boolean
    if field.type in ("VARCHAR", "JSON") or is_nested(field):
        return link if linked else text
    return number


def _meanings(book: Workbook, extract: Extract) -> None:
    """The second sheet: what the columns mean."""
    name = "columns" if extract.name != "columns" else "meanings"
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2, 110)
    lines = [
        ("column", "type", "meaning"),
        *((field.name, field.type.lower(), field.about) for field in extract.fields),
    ]
    for row, line in enumerate([*lines, ("", "", ""), (extract.name, "", extract.about)]):
        for column, text in enumerate(line):
            if text:
                sheet.write_string(row, column, text, bold if row == 0 else None)
