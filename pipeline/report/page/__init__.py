"""The page: all reports as one HTML file that needs no network, opens from the disk and prints.

Every text of the data is escaped by Jinja; scripts run by their hashes alone; the policy blocks the network.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from msgspec import Struct

from pipeline._version import __version__
from pipeline.report.figures import Figure, chosen
from pipeline.report.page.charts import specification
from pipeline.report.sections import Report
from pipeline.report.words import label, spoken

ROWS = 60
"""Rows of a table on the page at most."""
_LONG = 240
"""Characters of a cell at most."""


_LINKS = {
    "title": "url",
    "best_title": "best_url",
    "other_title": "other_url",
    "first_provider": "first_url",
}
"""Texts that lead to an address: the address needs no column then."""


class Tile(Struct, frozen=True):
    """A number that matters, and its denominator."""

    name: str
    value: str
    note: str


class Cell(Struct, frozen=True):
    """A cell: what is shown, what it is sorted by, and where it leads."""

    text: str
    raw: str | None
    kind: str
    link: str | None = None


class Head(Struct, frozen=True):
    """A column's head, and what it means."""

    name: str
    kind: str
    about: str


class Block(Struct, frozen=True):
    """A section of the page."""

    anchor: str
    title: str
    question: str
    empty: str = ""
    facts: list[tuple[str, str]] = []
    heads: list[Head] = []
    rows: list[list[Cell]] = []
    total: int = 0
    shown: int = 10
    spec: Markup | None = None
    picture: str = ""
    drawn: str = ""
    view: str = ""
    about: str = ""
    described: dict[str, str] = {}
    sql: str = ""
    command: str = ""
    note: str = ""


class Panel(Struct, frozen=True):
    """A tab."""

    name: str
    title: str
    lead: str
    blocks: list[Block]
    tiles: list[Tile] = []


def report_panel(report: Report, figures: Sequence[Figure], options: str) -> Panel:
    """The tab of a report; `options` choose its articles on a command line."""
    command = f"pipeline report {report.name} --view {{}} --format csv{options}"
    return Panel(
        report.name,
        report.title,
        report.lead,
        [block(figure, command.format(figure.section.view)) for figure in figures],
    )


def block(figure: Figure, command: str = "", anchor: str | None = None) -> Block:
    """A figure as a section of the page; `command` prints all its rows."""
    section, picture = figure.section, figure.picture
    names, rows = chosen(figure)
    is_facts = len(figure.rows) == 1 and not section.columns
    shown = [
        at
        for at, name in enumerate(names)
        if name not in {_LINKS[text] for text in names if text in _LINKS}
    ]
    kinds = {at: _kind(names[at], [row[at] for row in rows]) for at in shown}
    links = {at: names.index(_LINKS[names[at]]) for at in shown if _LINKS.get(names[at]) in names}
    cells = [
        [
            _cell(names[at], kinds[at], row[at], row[links[at]] if at in links else None)
            for at in shown
        ]
        for row in rows
    ]
    return Block(
        anchor or section.view,
        section.title,
        section.question,
        section.empty,
        [(label(name), spoken(name, cell)) for name, cell in zip(names, rows[0], strict=True)]
        if is_facts
        else [],
        [
            Head(label(names[at]), kinds[at].partition(" ")[0], figure.described.get(names[at], ""))
            for at in shown
        ],
        [] if is_facts else cells,
        figure.total,
        section.shown,
        _as_script(specification(picture)) if picture else None,
        picture.chart.about if picture else "",
        _dedented(picture.chart.query) if picture and picture.chart.query else "",
        section.view,
        figure.about,
        figure.described,
        figure.sql,
        command,
        figure.note,
    )


def _kind(name: str, cells: list[Any]) -> str:
    known = [cell for cell in cells if cell is not None]
    if known and all(
        isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in known
    ):
        return "number"
    if known and all(hasattr(cell, "isoformat") for cell in known):
        return "moment"
    longest = max((len(str(cell)) for cell in known), default=0)
    if name.endswith(("url", "path", "paths")):
        return "text wide"
    return "text long" if longest > 40 else "text"


def _cell(name: str, kind: str, value: Any, address: Any) -> Cell:
    """A cell; it leads to `address`, or to itself where it is one."""
    text = spoken(name, value)
    link = safe_link(address or (value if name.endswith("url") else None))
    if link and not address:
        text = re.sub(r"^https?://(?:www\.)?", "", text)
        text = text if len(text) <= 60 else text[:59] + "…"
    elif len(text) > _LONG:
        text = text[: _LONG - 1] + "…"
    if value is None:
        return Cell(text, None, kind, link)
    return Cell(
        text,
        value.isoformat() if kind == "moment" else str(value) if kind == "number" else text.lower(),
        kind,
        link,
    )


def safe_link(value: Any) -> str | None:
    """The address where it is one of http or https, else None."""
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return None
    return str(value) if parts.scheme in ("http", "https") and parts.hostname else None


def _as_script(value: Any) -> Markup:
    """JSON that no text in it can end the script element of."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(
        text.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _dedented(sql: str) -> str:
    lines = sql.strip("\n").rstrip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def as_html(
    panels: Sequence[Panel],
    vega: str,
    *,
    title: str,
    basis: str,
    filters: str,
    standing: str,
    footer: str,
) -> str:
    """The page."""
    folder = Path(__file__).parent
    css, js = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"script-src {_hash(vega)} {_hash(js)}"
    )
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=False)
    environment.filters["code"] = _code
    return environment.get_template("page.html").render(
        panels=panels,
        policy=policy,
        css=Markup(css),
        js=Markup(js),
        vega=Markup(vega),
        version=__version__,
        title=title,
        basis=basis,
        filters=filters,
        standing=standing,
        footer=footer,
    )


def _code(text: str) -> Markup:
    """A text of ours with `commands` set off."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"
