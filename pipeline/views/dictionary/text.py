"""The dictionary as a terminal table, Markdown, JSON, JSON lines, CSV, or an HTML page."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from pipeline.errors import UsageError
from pipeline.text import FORMATS as TEXT_FORMATS
from pipeline.text import render
from pipeline.views.dictionary.entries import Entry, entries, entry

FORMATS = (*TEXT_FORMATS, "html")
OVERVIEW = ["name", "kind", "one row per", "key", "columns"]
COLUMNS = ["column", "type", "nulls", "unit", "front matter", "description"]
"""Properties of a column."""
NULLS = {False: "not null", True: "", None: ""}
"""What `nulls` says of a column, by `nullable`; views do not say."""

Rows = list[tuple[Any, ...]]


def shown(name: str | None, style: str, *, width: int | None = None, line_end: str = "\n") -> str:
    """Return all tables and views, or the columns of one, in one of `FORMATS`.

    `width` is that of the terminal in characters, `line_end` that of CSV.
    Raises UsageError for an unknown name or format.
    """
    if style not in FORMATS:
        raise UsageError(f"--format {style}: unknown. Choose one of {', '.join(FORMATS)}.")
    if style == "html":
        return page(list(entries().values()) if name is None else [entry(name)])
    if name is None:
        rows = overview(list(entries().values()))
        return render(OVERVIEW, rows, style, width=width, line_end=line_end)
    relation = entry(name)
    if style == "json":
        return json.dumps(asdict(relation), indent=2, ensure_ascii=False) + "\n"
    if style == "md":
        return markdown(relation)
    if style == "table":
        names, rows = without_empty(COLUMNS, columns(relation))
        head = "\n".join([relation.name, *about(relation)])
        return f"{head}\n\n{render(names, rows, style, width=width)}"
    return render(COLUMNS, columns(relation), style, line_end=line_end)


def overview(relation: Sequence[Entry]) -> Rows:
    """Return a row for each table or view, with the columns of `OVERVIEW`."""
    return [
        (one.name, _kind(one), one.grain, ", ".join(one.key), len(one.columns)) for one in relation
    ]


def columns(relation: Entry) -> Rows:
    """Return a row for each column, with the columns of `COLUMNS`."""
    return [
        (one.name, one.type, NULLS[one.nullable], one.unit, one.origin, one.description)
        for one in relation.columns
    ]


def without_empty(names: list[str], rows: Rows) -> tuple[list[str], Rows]:
    """Return names and rows without columns that are empty in every row."""
    kept = [at for at in range(len(names)) if any(row[at] != "" for row in rows)]
    return [names[at] for at in kept], [tuple(row[at] for at in kept) for row in rows]


def about(relation: Entry) -> list[str]:
    """Return sentences on a table or view: a row, its key, its references, what it reads."""
    lines = [f"{_kind(relation).capitalize()}. One row per {relation.grain}."]
    if relation.key:
        lines.append(f"Key: {', '.join(relation.key)}.")
    lines += [f"Refers to {to.table} by {', '.join(to.columns)}." for to in relation.references]
    if relation.reads:
        lines.append(f"Reads {', '.join(relation.reads)}.")
    if relation.bases and relation.bases != relation.reads:
        lines.append(f"Its rows come from the tables {', '.join(relation.bases)}.")
    return lines


def markdown(relation: Entry, *, level: int = 1, with_source: bool = True) -> str:
    """Return a table or view under a heading, a view with its SQL."""
    sentences = " ".join(_escaped(line) for line in about(relation))
    # name and path are code, so that Markdown leaves them alone
    cells = [
        (f"`{name}`", *properties, f"`{origin}`" if origin else "", _escaped(description))
        for name, *properties, origin, description in columns(relation)
    ]
    rows = render(*without_empty(COLUMNS, cells), "md")
    sql = f"\n```sql\n{relation.source}\n```\n" if relation.source and with_source else ""
    return f"{'#' * level} {relation.name}\n\n{sentences}\n\n{rows}{sql}"


def _kind(relation: Entry) -> str:
    return f"{relation.kind} on {relation.subject}" if relation.subject else relation.kind


def _escaped(text: str) -> str:
    return text.replace("_", "\\_").replace("*", "\\*").replace("<", "&lt;")


def page(relation: Sequence[Entry]) -> str:
    """Return tables and views as an HTML page without external resources, all text escaped."""
    from jinja2 import Environment

    source = files("pipeline.views.dictionary").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    sections = [(one, about(one), *without_empty(COLUMNS, columns(one))) for one in relation]
    values = {"sections": sections, "overview_names": OVERVIEW, "overview_rows": overview(relation)}
    return environment.from_string(source).render(values) + "\n"
