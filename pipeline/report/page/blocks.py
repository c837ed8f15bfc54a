"""The parts of the page as values: panels (tabs) of blocks (sections) with their cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.report.figures import Figure, displayed
from pipeline.report.page.charts import specification
from pipeline.report.sections import Report
from pipeline.report.words import display_text, label

ROWS = 60
"""Rows of a table on the page, at most."""
_CELL_LENGTH = 240
_LINK_LENGTH = 60
"""Characters of a cell, and of an address that is shown as such, at most."""
_LINKS = {
    "title": "url",
    "best_title": "best_url",
    "other_title": "other_url",
    "first_provider": "first_url",
}
"""Columns whose cells link to the address in another column, which is then not shown itself."""


class Tile(Struct, frozen=True):
    """A key figure with its denominator."""

    name: str
    value: str
    note: str


class Cell(Struct, frozen=True):
    """A table cell: its text, the key it sorts by (None for null), its CSS classes, its link."""

    text: str
    sort_key: str | None
    classes: str
    link: str | None = None


class Head(Struct, frozen=True):
    """A column header: its name, its CSS class, and a description of the column."""

    name: str
    classes: str
    about: str


class Block(Struct, frozen=True, kw_only=True):
    """A section of the page: a list of facts or a table, with an optional chart above it."""

    anchor: str
    title: str
    question: str
    empty: str = ""
    note: str = ""
    facts: list[tuple[str, str]] = []
    heads: list[Head] = []
    rows: list[list[Cell]] = []
    total: int = 0
    shown: int = 10
    command: str = ""
    """Command that prints all rows."""
    chart: dict[str, Any] | None = None
    chart_about: str = ""
    chart_query: str = ""
    view: str = ""
    view_about: str = ""
    view_columns: dict[str, str] = {}
    view_query: str = ""


class Panel(Struct, frozen=True):
    """A tab of the page."""

    name: str
    title: str
    lead: str
    blocks: list[Block]
    tiles: list[Tile] = []


def report_panel(report: Report, figures: Sequence[Figure], options: str) -> Panel:
    """Return the tab of a report; `options` are the command-line options of its selection."""
    command = f"pipeline report {report.name} --view {{}} --format csv{options}"
    blocks = [figure_block(figure, command.format(figure.section.view)) for figure in figures]
    return Panel(report.name, report.title, report.lead, blocks)


def figure_block(figure: Figure, command: str = "", anchor: str | None = None) -> Block:
    """Return the section that shows a figure; `command` prints all its rows."""
    section, picture = figure.section, figure.picture
    names, rows = displayed(figure)
    is_facts = len(figure.rows) == 1 and not section.columns
    facts = (
        list(zip(map(label, names), map(display_text, names, rows[0]), strict=True))
        if is_facts
        else []
    )
    heads, cells = ([], []) if is_facts else _table(names, rows, figure.described)
    return Block(
        anchor=anchor or section.view,
        title=section.title,
        question=section.question,
        empty=section.empty,
        note=figure.note,
        facts=facts,
        heads=heads,
        rows=cells,
        total=figure.total,
        shown=section.shown,
        command=command,
        chart=specification(picture) if picture else None,
        chart_about=picture.chart.about if picture else "",
        chart_query=picture.query if picture else "",
        view=section.view,
        view_about=figure.about,
        view_columns=figure.described,
        view_query=figure.sql,
    )


def _table(
    names: list[str], rows: Sequence[Sequence[Any]], about: dict[str, str]
) -> tuple[list[Head], list[list[Cell]]]:
    """Return a table's headers and cells, without the columns that other columns link to."""
    targets = {name: _LINKS[name] for name in names if _LINKS.get(name) in names}
    heads, columns = [], []
    for i, name in enumerate(names):
        if name in targets.values():
            continue
        values = [row[i] for row in rows]
        classes = _classes(name, values)
        links = [None] * len(rows)
        if name in targets:
            target = names.index(targets[name])
            links = [row[target] for row in rows]
        heads.append(Head(label(name), classes.partition(" ")[0], about.get(name, "")))
        columns.append([_cell(name, classes, *pair) for pair in zip(values, links, strict=True)])
    return heads, [list(cells) for cells in zip(*columns, strict=True)]


def _classes(name: str, values: list[Any]) -> str:
    """Return the CSS classes of a column: how its cells are sorted, and how wide they are."""
    known = [value for value in values if value is not None]
    types = {type(value) for value in known}
    if types and types <= {int, float}:
        return "number"
    if known and all(hasattr(value, "isoformat") for value in known):
        return "moment"
    if name.endswith(("url", "path", "paths")):
        return "text wide"
    return "text long" if max((len(str(value)) for value in known), default=0) > 40 else "text"


def _cell(name: str, classes: str, value: Any, address: Any) -> Cell:
    """Return a cell that links to `address`, or to its own value if that is an address."""
    text = display_text(name, value)
    target = address or (value if name.endswith("url") else None)
    link = safe_link(target) if target else None
    if link and not address:
        text = _shortened(re.sub(r"^https?://(?:www\.)?", "", text), _LINK_LENGTH)
    text = _shortened(text, _CELL_LENGTH)
    if value is None:
        sort_key = None
    elif classes == "moment":
        sort_key = value.isoformat()
    else:
        sort_key = str(value) if classes == "number" else text.lower()
    return Cell(text, sort_key, classes, link)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def safe_link(value: Any) -> str | None:
    """Return an address as text if its scheme is http or https, else None."""
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return None
    return str(value) if parts.scheme in ("http", "https") and parts.hostname else None
