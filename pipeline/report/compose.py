"""Compose one report, or all of them, in a format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from pipeline.errors import UsageError
from pipeline.load.files import replace_file
from pipeline.load.warehouse import Warehouse
from pipeline.report.figures import Figure, basis, figures, json_value
from pipeline.report.sections import Report, all_reports
from pipeline.report.selection import Selection, selected
from pipeline.text import closest, did_you_mean, render

FORMATS = ("table", "md", "csv", "json", "html")


def reports_of(name: str, view: str | None = None) -> list[Report]:
    """Return the report of that name, or all; with `view`, its section of that view alone.

    Raises UsageError for an unknown report or view.
    """
    known = all_reports()
    if name != "all" and name not in known:
        raise UsageError(f"{name}: no such report. Choose one of {', '.join([*known, 'all'])}.")
    reports = list(known.values()) if name == "all" else [known[name]]
    if view is None:
        return reports
    for report in known.values():
        if sections := tuple(section for section in report.sections if section.view == view):
            if report not in reports:
                raise UsageError(f"--view {view}: is in report {report.name}, not in {name}.")
            return [Report(report.name, report.title, report.lead, sections)]
    views = [section.view for report in reports for section in report.sections]
    hint = did_you_mean(closest(view, views)) or f"It has {', '.join(views)}."
    raise UsageError(f"--view {view}: report {name} has no such view. {hint}")


def as_text(
    warehouse: Warehouse,
    reports: Sequence[Report],
    selection: Selection,
    style: str,
    *,
    width: int | None,
    options: str = "",
) -> str:
    """Return reports as text for a terminal (`table`), as Markdown (`md`) or JSON (`json`).

    `options` are those that a command needs to show the same articles again.
    """
    from pipeline.report.text import markdown, terminal

    manifest, texts = warehouse.manifest(), []
    with selected(warehouse, selection, manifest, _views(reports)) as connection:
        base = basis(connection, selection.words())
        if style == "json":
            values = asdict(base)
            content = {"snapshot": manifest.id, "filters": values.pop("filters"), "basis": values}
            content["reports"] = [
                _as_object(one, figures(connection, one, limit=None)) for one in reports
            ]
            return json.dumps(content, indent=1, ensure_ascii=False, default=json_value) + "\n"
        for report in reports:
            parts = figures(connection, report, limit=50, pictures=style == "table")
            if style == "md":
                texts.append(markdown.as_markdown(report, base, parts))
            else:
                texts.append(terminal.as_text(report, base, parts, width, options))
    return "\n\n".join(texts)


def _views(reports: Sequence[Report]) -> set[str]:
    return {section.view for report in reports for section in report.sections}


def _as_object(report: Report, parts: list[Figure]) -> dict[str, Any]:
    sections = [
        {
            "view": figure.section.view,
            "title": figure.section.title,
            "about": figure.about,
            "note": figure.note,
            "columns": figure.described,
            "rows": [dict(zip(figure.names, row, strict=True)) for row in figure.rows],
        }
        for figure in parts
    ]
    return {"report": report.name, "sections": sections}


def csv_of(
    warehouse: Warehouse, report: Report, selection: Selection, line_end: str = "\n"
) -> dict[str, str]:
    """Return the CSV of each section, all rows and columns, by view."""
    with selected(warehouse, selection, views=_views([report])) as connection:
        return {
            figure.section.view: render(figure.names, figure.rows, "csv", line_end=line_end)
            for figure in figures(connection, report, limit=None)
        }


def write_csv(
    warehouse: Warehouse, reports: Sequence[Report], selection: Selection, folder: Path
) -> list[Path]:
    """Write one file per section, `<view>.csv`, to a folder; return their paths."""
    written = []
    for report in reports:
        for view, text in csv_of(warehouse, report, selection, "\r\n").items():
            written.append(folder / f"{view}.csv")
            replace_file(written[-1].resolve(), text.encode())
    return written


def as_html(
    warehouse: Warehouse, reports: Sequence[Report], selection: Selection, *, options: str = ""
) -> str:
    """Return the page, with an overview if it has all reports.

    `options` are those of a command that shows the same articles, by default the selection's.
    """
    from pipeline.report.page import blocks, html, overview

    manifest = warehouse.manifest()
    with selected(warehouse, selection, manifest, _views(reports)) as connection:
        base = basis(connection, selection.words())
        parts = [figures(connection, one, limit=blocks.ROWS, pictures=True) for one in reports]
        options = options or selection.options()
        panels = [blocks.report_panel(*pair, options) for pair in zip(reports, parts, strict=True)]
        if len(reports) == len(all_reports()):
            by_view = {figure.section.view: figure for some in parts for figure in some}
            changed = None if selection else overview.changes_block(warehouse, manifest)
            panels.insert(0, overview.overview_panel(connection, base, by_view, changed))
    return html.render(panels, base, manifest)
