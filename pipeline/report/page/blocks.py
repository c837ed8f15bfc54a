"""The parts of the page as values: panels (tabs) of blocks (sections) with their cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.report.figures import Figure, displayed
from pipeline.report.sections import Report
from pipeline.report.words import display_text, label
from pipeline.views.catalog import Row

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


class Block(Struct, frozen=True):
    """A section of the page: a list of facts or a table, with an optional chart above it."""

    figure: Figure
    anchor: str
    command: str = ""
    """Command that prints all rows."""
    facts: list[tuple[str, str]] = []
    heads: list[Head] = []
    rows: list[list[Cell]] = []


class Panel(Struct, frozen=True):
    """A tab of the page; `summaries` are the values of the tiles above its blocks, by subject."""

    name: str
    title: str
    lead: str
    blocks: list[Block]
    summaries: dict[str, dict[str, Any]] = {}


def report_panel(report: Report, figures: Sequence[Figure], options: str) -> Panel:
    """Return the tab of a report; `options` are the command-line options of its selection."""
    command = f"pipeline report {report.name} --view {{}} --format csv{options}"
    blocks = [figure_block(figure, command.format(figure.section.view)) for figure in figures]
    return Panel(report.name, report.title, report.lead, blocks)


def figure_block(figure: Figure, command: str = "", anchor: str | None = None) -> Block:
    """Return the section that shows a figure; `command` prints all its rows."""
    names, rows = displayed(figure)
    anchor = anchor or figure.section.view
    if figure.is_list_of_facts:
        facts = list(zip(map(label, names), map(display_text, names, rows[0]), strict=True))
        return Block(figure, anchor, command, facts)
    heads, cells = _table(names, rows, figure.described)
    return Block(figure, anchor, command, [], heads, cells)


def _table(
    names: list[str], rows: Sequence[Row], about: dict[str, str]
) -> tuple[list[Head], list[list[Cell]]]:
    """Return a table's headers and cells, without the columns that other columns link to."""
    values = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    targets = {name: _LINKS[name] for name in names if _LINKS.get(name) in names}
    heads, columns = [], []
    for name in [name for name in names if name not in targets.values()]:
        classes = _classes(name, values[name])
        links = values[targets[name]] if name in targets else [None] * len(rows)
        pairs = zip(values[name], links, strict=True)
        heads.append(Head(label(name), classes.partition(" ")[0], about.get(name, "")))
        columns.append([_cell(name, classes, *pair) for pair in pairs])
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
    sort_key = value.isoformat() if classes == "moment" and value is not None else text.lower()
    sort_key = str(value) if classes == "number" else sort_key
    return Cell(text, None if value is None else sort_key, classes, link)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def safe_link(value: Any) -> str | None:
    """Return an address as text if its scheme is http or https, else None."""
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return None
    return str(value) if parts.scheme in ("http", "https") and parts.hostname else None
