"""Reports for a terminal: tables that fit the width, bars and sparklines where they help."""

import datetime as dt
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from rich.cells import cell_len, set_cell_size

from pipeline.report.figures import Basis, Figure, Row, chosen
from pipeline.report.sections import Report
from pipeline.report.words import label, spoken
from pipeline.text import printable, table

LINE = 110
"""Characters of a line of text, where the terminal does not say."""
BAR = 16
"""Characters of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
SPARK = 60
"""Values of the longest sparkline: the last ones."""


def as_text(
    report: Report,
    basis: Basis,
    figures: Iterable[Figure],
    *,
    filters: str,
    width: int | None,
    options: str = "",
) -> str:
    """A report as lines; `width` is that of the terminal in characters, None where nothing is cut."""
    lines = [
        report.title.upper(),
        *wrap(report.lead, width or LINE),
        *wrap(basis.words(), width or LINE),
    ]
    if filters:
        lines.append(f"Only articles {filters}.")
    for figure in figures:
        lines += [
            "",
            "",
            figure.section.title,
            "─" * len(figure.section.title),
            *wrap(figure.section.question, width or LINE),
        ]
        lines += [*wrap(figure.note, width or LINE), ""]
        lines += _body(figure, width)
        if figure.total > figure.section.shown:
            rest = figure.total - figure.section.shown
            lines.append(
                f"... {rest:,} more: pipeline report {report.name} --view {figure.section.view} --format csv{options}"
            )
    lines += [
        "",
        "What the columns mean: pipeline schema VIEW, such as " + report.sections[-1].view,
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _body(figure: Figure, width: int | None) -> list[str]:
    if not figure.rows:
        return wrap(figure.section.empty, width or LINE)
    names, rows = chosen(figure)
    if len(figure.rows) == 1 and not figure.section.columns:
        return _facts(names, rows[0])
    rows = rows[: figure.section.shown]
    if figure.section.bar:
        names, rows = _with_bar(figure, names, rows)
    lines = _sparklines(figure)
    return [
        *lines,
        *table(names, rows, width, label=label, cell_text=_told).rstrip("\n").split("\n"),
    ]


def _told(name: str, value: Any) -> str:
    return spoken(name, value) or ("" if name == " " else "–")


def _with_bar(figure: Figure, names: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """The rows with a bar behind the column that it shows."""
    assert figure.section.bar is not None
    drawn = bars([float(value or 0) for value in figure.column(figure.section.bar)[: len(rows)]])
    at = names.index(figure.section.bar) + 1
    rows = [(*row[:at], bar, *row[at:]) for row, bar in zip(rows, drawn, strict=True)]
    return [*names[:at], " ", *names[at:]], rows


def _sparklines(figure: Figure) -> list[str]:
    """The line of a chart over time, one for each series."""
    if figure.picture is None or figure.picture.chart.kind not in ("band", "lines"):
        return []
    chart, records = figure.picture.chart, figure.picture.records
    series: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        series.setdefault(str(record[chart.series]) if chart.series else "", []).append(record)
    series = {name: found[-SPARK:] for name, found in series.items()}
    size = min(max(map(cell_len, series)), 30)
    lines = []
    for name, found in series.items():
        values = [record[chart.y] for record in found]
        known = [value for value in values if value is not None]
        if known:
            ends = f"{spoken(chart.y, min(known))} to {spoken(chart.y, max(known))}"
            lines.append(
                f"{set_cell_size(printable(name), size)}  {sparkline(values)}  {ends}".lstrip()
            )
    moments = [
        spoken(chart.x, dt.date.fromisoformat(record[chart.x]))
        for found in series.values()
        for record in found
        if record[chart.x]
    ]
    return (
        [f"{label(chart.y)}, {min(moments)} to {max(moments)}", *lines, ""]
        if lines and moments
        else []
    )


def _facts(names: Sequence[str], row: Sequence[Any]) -> list[str]:
    heads = [label(name) for name in names]
    size = max(map(len, heads))
    return [
        f"{head:<{size}}  {printable(spoken(name, cell)) or '–'}"
        for head, name, cell in zip(heads, names, row, strict=True)
    ]


def bars(values: Sequence[float]) -> list[str]:
    """A bar for each value, the largest of `BAR` characters, to an eighth of a character."""
    largest = max([*values, 0])
    if largest <= 0:
        return [""] * len(values)
    found = []
    for value in values:
        eighths = round(max(value, 0) / largest * BAR * 8)
        found.append("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip())
    return found


def sparkline(values: Sequence[float | None]) -> str:
    """Values as one line of characters, lowest to highest; a gap where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1
    return "".join(
        " " if value is None else _LEVELS[round((value - low) / span * 7)] for value in values
    )
