"""Reports for a terminal: tables that fit the width, bars and sparklines if they help."""

import datetime as dt
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from rich.cells import cell_len, set_cell_size

from pipeline.report.figures import Basis, Figure, displayed
from pipeline.report.sections import Report
from pipeline.report.words import display_text, label
from pipeline.text import printable, table
from pipeline.views.catalog import Row

LINE = 110
"""Characters of a line of text if the width of the terminal is unknown."""
BAR = 16
"""Characters of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
SPARK = 60
"""Values of the longest sparkline: the last ones."""


def as_text(
    report: Report, basis: Basis, figures: Iterable[Figure], width: int | None, options: str
) -> str:
    """Return a report as lines, cut to the `width` of a terminal; None cuts nothing."""
    line = width or LINE
    lines = [report.title.upper(), *wrap(report.lead, line), *wrap(basis.words(), line)]
    if basis.filters:
        lines.append(f"Only articles {basis.filters}.")
    for figure in figures:
        section = figure.section
        lines += ["", "", section.title, "─" * len(section.title), *wrap(section.question, line)]
        lines += [*wrap(figure.note, line), "", *_body(figure, width)]
        if (more := figure.total - section.shown) > 0:
            command = f"pipeline report {report.name} --view {section.view} --format csv{options}"
            lines.append(f"... {more:,} more: {command}")
    view = report.sections[-1].view
    lines += ["", f"What the columns mean: pipeline schema VIEW, such as {view}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _body(figure: Figure, width: int | None) -> list[str]:
    if not figure.rows:
        return wrap(figure.section.empty, width or LINE)
    names, rows = displayed(figure)
    if figure.is_list_of_facts:
        return _facts(names, rows[0])
    rows = rows[: figure.section.shown]
    if figure.section.bar:
        names, rows = _with_bar(figure, names, rows)
    text = table(names, rows, width, label=label, cell_text=_cell_text)
    return [*_sparklines(figure), *text.rstrip("\n").split("\n")]


def _cell_text(name: str, value: Any) -> str:
    return display_text(name, value) or ("" if name == " " else "–")


def _with_bar(figure: Figure, names: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Return the rows with a bar behind the column that it shows."""
    assert figure.section.bar is not None
    at = names.index(figure.section.bar) + 1
    drawn = bars([float(row[at - 1] or 0) for row in rows])
    rows = [(*row[:at], bar, *row[at:]) for row, bar in zip(rows, drawn, strict=True)]
    return [*names[:at], " ", *names[at:]], rows


def _sparklines(figure: Figure) -> list[str]:
    """Return the chart over time, a line for each series."""
    if figure.picture is None or figure.picture.chart.kind not in ("band", "lines"):
        return []
    chart, records = figure.picture.chart, figure.picture.records
    series: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        series.setdefault(str(record[chart.series]) if chart.series else "", []).append(record)
    series = {name: points[-SPARK:] for name, points in series.items()}
    size, lines = min(max(map(cell_len, series)), 30), []
    for name, points in series.items():
        values = [record[chart.y] for record in points]
        if known := [value for value in values if value is not None]:
            head = set_cell_size(printable(name), size)
            low, high = (display_text(chart.y, value) for value in (min(known), max(known)))
            lines.append(f"{head}  {sparkline(values)}  {low} to {high}".lstrip())
    if not lines:
        return []
    days = [record[chart.x] for points in series.values() for record in points]
    ends = [dt.date.fromisoformat(day) for day in (min(days), max(days))]
    first, last = (display_text(chart.x, day) for day in ends)
    return [f"{label(chart.y)}, {first} to {last}", *lines, ""]


def _facts(names: Sequence[str], row: Sequence[Any]) -> list[str]:
    size = max(len(label(name)) for name in names)
    texts = map(printable, map(display_text, names, row))
    return [
        f"{label(name):<{size}}  {text or '–'}" for name, text in zip(names, texts, strict=True)
    ]


def bars(values: Sequence[float]) -> list[str]:
    """Return a bar for each value to an eighth of a character, the longest of `BAR`."""
    largest = max([*values, 0]) or 1
    eighths = [round(max(value, 0) / largest * BAR * 8) for value in values]
    return ["█" * (size // 8) + _EIGHTHS[size % 8].strip() for size in eighths]


def sparkline(values: Sequence[float | None]) -> str:
    """Return values as one line of characters, lowest to highest; a gap for None."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1
    return "".join(
        " " if value is None else _LEVELS[round((value - low) / span * 7)] for value in values
    )
