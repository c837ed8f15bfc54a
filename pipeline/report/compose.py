"""One report, or all of them, in a format: the only module of the room that knows all the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.load.files import replace_file
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.report.figures import Basis, Figure, basis, figures
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
    """Reports as text for a terminal (`table`), as Markdown (`md`) or JSON (`json`).

    `options` are those that a command needs to show the same articles again.
    """
    manifest = warehouse.manifest()
    with selected(warehouse, selection, manifest, _views(reports)) as connection:
        base = basis(connection)
        if style == "json":
            found = [
                _as_object(report, figures(connection, report, limit=None)) for report in reports
            ]
            head = {
                "snapshot": manifest.id,
                "filters": selection.words(),
                "basis": base,
                "reports": found,
            }
            return json.dumps(head, indent=1, ensure_ascii=False, default=_plain) + "\n"
        from pipeline.report.text import markdown, terminal

        texts = []
        for report in reports:
            if style == "md":
                found_here = figures(connection, report, limit=50)
                texts.append(
                    markdown.as_markdown(report, base, found_here, filters=selection.words())
                )
            else:
                found_here = figures(connection, report, limit=50, pictures=True)
                texts.append(
                    terminal.as_text(
                        report,
                        base,
                        found_here,
                        filters=selection.words(),
                        width=width,
                        options=options,
                    )
                )
    return "\n\n".join(texts)


def _views(reports: Sequence[Report]) -> set[str]:
    return {section.view for report in reports for section in report.sections}


def _as_object(report: Report, found: list[Figure]) -> dict[str, Any]:
    return {
        "report": report.name,
        "sections": [
            {
                "view": figure.section.view,
                "title": figure.section.title,
                "about": figure.about,
                "note": figure.note,
                "columns": figure.described,
                "rows": [dict(zip(figure.names, row, strict=True)) for row in figure.rows],
            }
            for figure in found
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Basis):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


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
    """One file per section, `<view>.csv`, in a folder that is made where it is missing; returns their paths."""
    written = []
    for report in reports:
        for view, text in csv_of(warehouse, report, selection, "\r\n").items():
            path = folder / f"{view}.csv"
            replace_file(path.resolve(), text.encode())
            written.append(path)
    return written


def as_html(
    warehouse: Warehouse,
    reports: Sequence[Report],
    selection: Selection,
    *,
    options: str | None = None,
) -> str:
    """The page; with an overview where it holds all reports."""
    from pipeline.report.page import blocks, html, overview

    manifest = warehouse.manifest()
    with selected(warehouse, selection, manifest, _views(reports)) as connection:
        base = basis(connection)
        found = {
            report.name: figures(connection, report, limit=blocks.ROWS, pictures=True)
            for report in reports
        }
        if options is None:
            options = selection.options()
        panels = [blocks.report_panel(report, found[report.name], options) for report in reports]
        if len(reports) == len(all_reports()):
            by_view = {
                figure.section.view: figure
                for figures_found in found.values()
                for figure in figures_found
            }
            changed = None if selection else overview.changes_block(warehouse, manifest)
            panels = [overview.overview_panel(connection, base, by_view, changed), *panels]
        return html.render(panels, **_frame(manifest, base, selection))


def _frame(manifest: Manifest, base: Basis, selection: Selection) -> dict[str, str]:
    names = ", ".join(source.name for source in manifest.sources)
    looked = f"{base.as_of:%Y-%m-%d %H:%M} UTC" if base.as_of else "an unknown time"
    return {
        "title": f"News report: {names}",
        "basis": base.words(),
        "filters": selection.words(),
        "standing": f"As of the last run, {looked}. Snapshot {manifest.id}.",
        "footer": "Unscored never counts as zero; suppressed heat is never averaged. Made by frontmatter-warehouse.",
    }
