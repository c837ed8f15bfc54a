"""Rows as text: a table or records for the terminal, CSV, JSON, JSON lines or Markdown; and text that a terminal may show."""

import csv
import datetime as dt
import io
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

SHOWN_ROWS = 1_000
"""Rows that the table format prints at most."""
FORMATS = ("table", "record", "csv", "json", "jsonl", "md")
STREAMED = ("csv", "json", "jsonl")
"""Formats that are written while rows arrive."""
NULL = "∅"
"""How tables for people show a null, so that it differs from an empty text."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with control characters and direction overrides spelled out, so that it can neither move the cursor nor lie."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def closest(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return the names that a word was probably meant to be, best first.

    Case, punctuation and the order of words do not count; part of a name is enough.
    """
    from rapidfuzz import fuzz, process, utils

    # A short word is part of nearly every name, so only its spelling says anything.
    scorer = fuzz.WRatio if len(word) > 3 else fuzz.ratio
    scored = process.extract(
        word,
        list(dict.fromkeys(names)),
        scorer=scorer,
        processor=utils.default_process,
        limit=None,
        score_cutoff=67,
    )
    ranked = sorted(
        (-score, -fuzz.ratio(word.lower(), name.lower()), name) for name, score, _ in scored
    )
    return [name for *_, name in ranked[:most]]


def did_you_mean(names: Sequence[str]) -> str:
    """Return the question that proposes names; empty if there are none."""
    *rest, last = map(printable, names or [""])
    return f"Did you mean {', '.join(rest)}{' or ' if rest else ''}{last}?" if last else ""


def render(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    style: str,
    *,
    width: int | None = None,
    limit: int | None = SHOWN_ROWS,
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
        lines = [
            list(names),
            ["---"] * len(names),
            *([_cell(cell).replace("|", "\\|") for cell in row] for row in rows),
        ]
        return "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return table(names, rows, width, limit=limit)


def stream(
    names: Sequence[str],
    batches: Iterable[Sequence[Sequence[Any]]],
    style: str,
    *,
    line_end: str = "\n",
) -> Iterator[str]:
    """Yield batches of rows in one of `STREAMED`, as pieces of text; `line_end` is that of CSV.

    RFC 4180 ends lines with CR LF; tools that read a pipe line by line expect LF.
    """
    if style == "csv":
        yield _csv([names], line_end)
        for rows in batches:
            cells = [["" if cell is None else _flat(cell) for cell in row] for row in rows]
            yield _csv(cells, line_end)
        return
    keys, before = _distinct(names), ""
    if style == "json":
        yield "["
    for rows in batches:
        records = [
            json.dumps(
                dict(zip(keys, map(_finite, row), strict=True)), ensure_ascii=False, default=_flat
            )
            for row in rows
        ]
        if style == "jsonl":
            yield "".join(f"{record}\n" for record in records)
        elif records:
            yield before + ",\n ".join(records)
            before = ",\n "
    if style == "json":
        yield "]\n"


def _csv(rows: Sequence[Sequence[Any]], line_end: str) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator=line_end).writerows(rows)
    return sink.getvalue()


def as_records(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None) -> str:
    """Each row as lines of name and value, under a line with its number; long values go on below."""
    from rich.cells import cell_len, chop_cells, set_cell_size

    heads = [printable(name) for name in names]
    size = max(map(cell_len, heads), default=0)
    room = max(20, width - size - 3) if width else None
    lines = []
    for number, row in enumerate(rows, 1):
        lines.append(f"── {number:,} ".ljust(size + 3, "─"))
        for head, cell in zip(heads, row, strict=True):
            first, *rest = (chop_cells(_cell(cell), room) if room else [_cell(cell)]) or [""]
            lines.append(f"{set_cell_size(head, size)}   {first}".rstrip())
            lines += [f"{' ' * size}   {piece}".rstrip() for piece in rest]
    return "\n".join(lines) + "\n" if lines else "no rows\n"


def fits(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> bool:
    """Whether a table of these rows shows all of its columns."""
    return len(
        _layout(
            [printable(name) for name in names],
            [[_cell(cell) for cell in row] for row in rows],
            width,
        )[1]
    ) == len(names)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one repeats, so that no column is lost."""
    return [
        name if names.index(name) == at else f"{name}_{names[:at].count(name)}"
        for at, name in enumerate(names)
    ]


def _finite(cell: Any) -> Any:
    """The value with null for what is not finite, also inside of lists and maps: JSON has no word for it."""
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, (list, tuple)):
        return [_finite(item) for item in cell]
    if isinstance(cell, dict):
        return {key: _finite(item) for key, item in cell.items()}
    return cell


def _flat(cell: Any) -> Any:
    """A value as CSV and JSON write it: times in ISO 8601, lists and maps as JSON."""
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


def _told(name: str, cell: Any) -> str:
    return _cell(cell)


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    width: int | None,
    *,
    limit: int | None = SHOWN_ROWS,
    label: Callable[[str], str] = printable,
    tell: Callable[[str, Any], str] = _told,
) -> str:
    """Aligned columns; what does not fit is cut with an ellipsis, columns that do not fit are named as hidden.

    `label` gives a column's head, `tell` a cell's text from the column's name and the value.
    """
    shown = [
        [tell(name, cell) for name, cell in zip(names, row, strict=True)] for row in rows[:limit]
    ]
    heads = [label(name) for name in names]
    numeric = [_is_numeric([row[at] for row in rows[:limit]]) for at in range(len(names))]
    widths, fitted = _layout(heads, shown, width)
    fitting = len(fitted)
    lines = [
        _line(heads, widths, numeric, fitting),
        "─" * (sum(widths[:fitting]) + 3 * (fitting - 1)),
    ]
    lines += [_line(row, widths, numeric, fitting) for row in shown]
    if fitting < len(names):
        lines += textwrap.wrap(f"... hidden: {', '.join(heads[fitting:])}", width or 80)
    if limit is not None and len(rows) > limit:
        lines.append(f"... {len(rows) - limit:,} more rows; --format csv prints all")
    return "\n".join(lines) + "\n"


def _layout(
    heads: Sequence[str], shown: Sequence[Sequence[str]], width: int | None
) -> tuple[list[int], list[int]]:
    """Widths of all columns, and of those that fit."""
    from rich.cells import cell_len

    widths = [
        max([cell_len(head), *(cell_len(row[at]) for row in shown)])
        for at, head in enumerate(heads)
    ]
    fitting = len(heads)
    if width is not None:
        widths = [
            min(size, max(cell_len(head), 40)) for size, head in zip(widths, heads, strict=True)
        ]
        while fitting > 1 and sum(widths[:fitting]) + 3 * (fitting - 1) > width:
            fitting -= 1
        widths[0] = min(widths[0], width)
    return widths, widths[:fitting]


def _is_numeric(cells: Sequence[Any]) -> bool:
    return any(
        isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool) for cell in cells
    )


def _line(
    cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool], fitting: int
) -> str:
    from rich.cells import cell_len, set_cell_size

    parts = []
    for cell, width, right in list(zip(cells, widths, numeric, strict=True))[:fitting]:
        if cell_len(cell) > width:
            cell = set_cell_size(cell, width - 1).rstrip() + "…"
        padding = " " * (width - cell_len(cell))
        parts.append(padding + cell if right else cell + padding)
    return "   ".join(parts).rstrip()
