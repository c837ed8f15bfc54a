"""The overview of the page: key figures, the latest changes, and the top of each report."""

from __future__ import annotations

import datetime as dt

import duckdb
from msgspec.structs import asdict

from pipeline.errors import PipelineError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import Change, Diff, diff
from pipeline.report.figures import Basis, Figure
from pipeline.report.page.blocks import Block, Cell, Head, Panel, figure_block
from pipeline.report.sections import Section
from pipeline.report.words import display_text
from pipeline.views.catalog import fetch_records

CHANGES = 30
"""Changed articles that the overview lists, at most."""
_TOP = ("heat_now", "stories", "coverage_by_topic")
"""Views whose first rows the overview repeats."""
_SHORT_FIELDS = {"quality", "heat", "published", "topics", "related", "images"}
"""Fields of which a change shows the values before and after."""


def overview_panel(
    connection: duckdb.DuckDBPyConnection,
    basis: Basis,
    figures: dict[str, Figure],
    changes: Block | None,
) -> Panel:
    """Return the first tab of the page; `figures` are those of all reports, by view."""
    top = [figure_block(figures[view], anchor=f"top-{view}") for view in _TOP if view in figures]
    summaries = {"basis": asdict(basis)}
    for name in ("quality", "heat", "coverage", "health"):
        [summaries[name]] = fetch_records(connection, f"from {name}_summary")
    newest = summaries["coverage"]["newest_article_at"]
    summaries["newest"] = {
        "day": f"{newest.astimezone(dt.UTC):%Y-%m-%d}" if newest else "an unknown day",
        "age": _age(newest, basis.as_of),
    }
    lead = "The numbers that matter, and what is new."
    return Panel("overview", "Overview", lead, [changes, *top] if changes else top, summaries)


def _age(time: dt.datetime | None, as_of: dt.datetime | None) -> str:
    """Return how long before `as_of` a time was, in hours, or in days from two days on."""
    if time is None or as_of is None:
        return "–"
    hours = (as_of - time).total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:,.0f} days"


def changes_block(warehouse: Warehouse, manifest: Manifest) -> Block:
    """Return the section that compares a snapshot with its parent."""
    question, empty = "Articles that differ from the previous snapshot.", "No article differs."
    changes: list[Change] = []
    if manifest.parent is None:
        empty = "This is the first snapshot."
    else:
        try:
            result = diff(warehouse, manifest.parent, manifest.id)
            question, changes = (
                f"Since snapshot {result.before}: {_counts(result)}.",
                result.changes,
            )
        except PipelineError:  # deleted by gc, or meanwhile
            empty = "The previous snapshot has been deleted, so there is nothing to compare with."
    section = Section("changes", "What changed", question, empty=empty)
    return Block(
        Figure(section, total=len(changes)),
        anchor="changes",
        heads=[Head(name, "text", "") for name in ("change", "article", "what", "path")],
        rows=[
            [Cell(text, text.lower(), "text") for text in _texts(change)]
            for change in changes[:CHANGES]
        ],
    )


def _counts(result: Diff) -> str:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in result.counts.items() if count)
    articles = f"{result.articles_before:,} articles before, {result.articles_after:,} now"
    return f"{counts or 'no article differs'} ({articles})"


def _texts(change: Change) -> tuple[str, str, str, str]:
    """Return the cells of a change: kind, title, what changed, path."""
    parts = []
    for field in change.fields:
        values = change.values.get(field, (None, None))
        before, after = (display_text("", value) or "none" for value in values)
        parts.append(f"{field} {before} → {after}" if field in _SHORT_FIELDS else field)
    if change.moved_from:
        parts.append(f"moved from {change.moved_from}")
    return change.change, change.title or "(no title)", ", ".join(parts), change.path
