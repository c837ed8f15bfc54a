"""Write rows as text: tables and records for terminals, CSV, JSON, JSON lines or Markdown."""

import csv
import datetime as dt
import io
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

Rows = Sequence[Sequence[Any]]
TABLE_ROWS = 1_000
"""Largest number of rows that a table prints."""
FORMATS = ("table", "record", "csv", "json", "jsonl", "md")
STREAMED = ("csv", "json", "jsonl")
"""Formats that are written while rows arrive."""
NULL = "∅"
"""How tables for people show a null, so that it differs from an empty text."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return the text with control characters and direction overrides escaped.

    So it can neither move the cursor of a terminal nor show letters in another order.
    """
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def counted(number: int, noun: str) -> str:
    """Return a number of things in words, such as "1 file" or "2,000 files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def closest(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return the names that a word was probably meant to be, best first.

    Case, punctuation and the order of words do not count; part of a name is enough.
    """
    from rapidfuzz import fuzz, process, utils

    # A short word is part of nearly every name, so only its spelling says anything.
    scorer, clean = fuzz.WRatio if len(word) > 3 else fuzz.ratio, utils.default_process
    choices = list(dict.fromkeys(names))
    scored = process.extract(
        word, choices, scorer=scorer, processor=clean, limit=None, score_cutoff=67
    )
    ranked = sorted(
        (-score, -fuzz.ratio(word.lower(), name.lower()), name) for name, score, _ in scored
    )
    return [name for *_, name in ranked[:most]]


def did_you_mean(names: Sequence[str]) -> str:
    """Return the question that proposes names, quoted if they have blanks; empty without any."""
    quoted = [f'"{name}"' if " " in name else name for name in map(printable, names)]
    *rest, last = quoted or [""]
    return f"Did you mean {', '.join(rest)}{' or ' if rest else ''}{last}?" if last else ""


def render(
    names: Sequence[str],
    rows: Rows,
    style: str,
    *,
    width: int | None = None,
    limit: int | None = TABLE_ROWS,
    line_end: str = "\n",
) -> str:
    """Return rows in one of `FORMATS`, ending with a line end.

    `width` is that of the terminal in characters, `limit` the largest number of rows of a table,
    `line_end` that of CSV.
    """
    if style == "record":
        return as_records(names, rows, width)
    if style in STREAMED:
        return "".join(stream(names, [rows], style, line_end=line_end))
    if style == "md":
        lines = [[_cell(cell).replace("|", "\\|") for cell in row] for row in rows]
        lines = [list(names), ["---"] * len(names), *lines]
        return "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return table(names, rows, width, limit=limit)


def stream(
    names: Sequence[str], batches: Iterable[Rows], style: str, *, line_end: str = "\n"
) -> Iterator[str]:
    """Yield batches of rows as pieces of text, in one of `STREAMED`; `line_end` is of CSV.

    RFC 4180 ends lines with CR LF; tools that read a pipe line by line expect LF.
    """
    if style == "csv":
        for rows in chain([[names]], batches):
            sink = io.StringIO()
            cells = (["" if cell is None else _flat(cell) for cell in row] for row in rows)
            csv.writer(sink, lineterminator=line_end).writerows(cells)
            yield sink.getvalue()
        return
    keys, before = _distinct(names), ""
    if style == "json":
        yield "["
    for rows in batches:
        objects = (dict(zip(keys, map(_finite, row), strict=True)) for row in rows)
        records = [json.dumps(item, ensure_ascii=False, default=_flat) for item in objects]
        if style == "jsonl":
            yield "".join(f"{record}\n" for record in records)
        elif records:
            yield before + ",\n ".join(records)
            before = ",\n "
    if style == "json":
        yield "]\n"


def as_records(names: Sequence[str], rows: Rows, width: int | None) -> str:
    """Return each row as lines of name and value below its number; long values are wrapped."""
    from rich.cells import cell_len, chop_cells, set_cell_size

    heads = [printable(name) for name in names]
    size = max(map(cell_len, heads), default=0)
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"── {number:,} ".ljust(size + 3, "─"))
        for head, cell in zip(heads, row, strict=True):
            text = _cell(cell)
            pieces = chop_cells(text, max(20, width - size - 3)) if width else [text]
            first, *rest = pieces or [""]
            lines.append(f"{set_cell_size(head, size)}   {first}".rstrip())
            lines += [f"{' ' * size}   {piece}".rstrip() for piece in rest]
    return "\n".join(lines) + "\n" if lines else "no rows\n"


def fits(names: Sequence[str], rows: Rows, width: int) -> bool:
    """Return whether a table of these rows shows all of its columns."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    return len(_widths([printable(name) for name in names], cells, width)) == len(names)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, a repeated one with a number, so that no column is lost."""
    return [
        name if names.index(name) == index else f"{name}_{names[:index].count(name)}"
        for index, name in enumerate(names)
    ]


def _finite(cell: Any) -> Any:
    """Return the value with null for NaN and infinities, also within it: JSON has none."""
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, (list, tuple)):
        return [_finite(item) for item in cell]
    if isinstance(cell, dict):
        return {key: _finite(item) for key, item in cell.items()}
    return cell


def _flat(cell: Any) -> Any:
    """Return a value as CSV and JSON write it: times in ISO 8601, lists and maps as JSON."""
    if isinstance(cell, dt.datetime) and cell.tzinfo is not None:
        return cell.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    if isinstance(cell, (list, dict, tuple)):
        return json.dumps(_finite(cell), ensure_ascii=False, default=str)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell).hex()
    return cell if isinstance(cell, (str, int, float)) else str(cell)


def _cell(cell: Any) -> str:
    if cell is None:
        return NULL
    if isinstance(cell, float):
        return f"{cell:.4g}" if abs(cell) < 1000 else f"{cell:.1f}"
    if isinstance(cell, dt.datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return printable(str(_flat(cell)))


def table(
    names: Sequence[str],
    rows: Rows,
    width: int | None,
    *,
    limit: int | None = TABLE_ROWS,
    label: Callable[[str], str] = printable,
    cell_text: Callable[[str, Any], str] = lambda _, cell: _cell(cell),
) -> str:
    """Return aligned columns; long cells are cut, and columns that do not fit are named below.

    `label` gives the head of a column, `cell_text` a cell from the column's name and its value.
    """
    heads, printed = [label(name) for name in names], rows[:limit]
    cells = [
        [cell_text(name, cell) for name, cell in zip(names, row, strict=True)] for row in printed
    ]
    widths = _widths(heads, cells, width)
    is_right = [any(_is_number(row[at]) for row in printed) for at in range(len(names))]
    lines = [_line(line, widths, is_right) for line in (heads, *cells)]
    lines.insert(1, "─" * (sum(widths) + 3 * (len(widths) - 1)))
    if len(widths) < len(names):
        lines += textwrap.wrap(f"... hidden: {', '.join(heads[len(widths) :])}", width or 80)
    if limit is not None and len(rows) > limit:
        lines.append(f"... {len(rows) - limit:,} more rows; --format csv prints all")
    return "\n".join(lines) + "\n"


def _widths(heads: Sequence[str], cells: Rows, width: int | None) -> Sequence[int]:
    """Return the widths of the columns that fit."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)]
    if width is None:
        return widths
    widths = [min(size, max(cell_len(head), 40)) for size, head in zip(widths, heads, strict=True)]
    while len(widths) > 1 and sum(widths) + 3 * (len(widths) - 1) > width:
        widths.pop()
    return [min(widths[0], width), *widths[1:]]


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool)


def _line(cells: Sequence[str], widths: Sequence[int], is_right: Sequence[bool]) -> str:
    """Return the cells of the columns that fit, padded or cut to their widths."""
    from rich.cells import cell_len, set_cell_size

    parts = []
    for cell, width, right in zip(cells, widths, is_right, strict=False):
        if cell_len(cell) > width:
            cell = set_cell_size(cell, width - 1).rstrip() + "…"
        padding = " " * (width - cell_len(cell))
        parts.append(padding + cell if right else cell + padding)
    return "   ".join(parts).rstrip()
