"""The overview of the page: key figures, the latest changes, and the top of each report."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb

from pipeline.errors import PipelineError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import Change, Diff, diff
from pipeline.report.figures import Basis, Figure
from pipeline.report.page.blocks import Block, Cell, Head, Panel, Tile, figure_block
from pipeline.report.words import display_text

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
    blocks = [changes] if changes else []
    blocks += [
        figure_block(figures[view], anchor=f"top-{view}") for view in _TOP if view in figures
    ]
    lead = "The numbers that matter, and what is new."
    return Panel("overview", "Overview", lead, blocks, _tiles(connection, basis))


def _tiles(connection: duckdb.DuckDBPyConnection, basis: Basis) -> list[Tile]:
    quality, heat, coverage, health = (
        _row(connection, f"{name}_summary") for name in ("quality", "heat", "coverage", "health")
    )
    articles, newest = basis.articles, coverage["newest_article_at"]

    def share(part: int, whole: int) -> str:
        return display_text("share", part / whole) if whole else "–"

    last_day = f"{newest.astimezone(dt.UTC):%Y-%m-%d}" if newest else "an unknown day"
    tiles = {
        "Articles": (
            f"{articles:,}",
            f"of {health['files']:,} files; {health['rejected']:,} could not be read",
        ),
        "Shown by the site": (
            share(basis.shown, articles),
            f"{basis.shown:,} of {articles:,} articles",
        ),
        "Median quality": (
            display_text("", quality["median_quality"]) or "–",
            f"of {quality['scored']:,} scored; {quality['unscored']:,} are not",
        ),
        "Median heat": (
            display_text("", heat["median_heat"]) or "–",
            f"of {heat['scored']:,} scored; {heat['suppressed']:,} suppressed",
        ),
        "Newest 7 days": (
            f"{coverage['last_7_days']:,}",
            f"articles up to {last_day}; {coverage['previous_7_days']:,} in the 7 days before",
        ),
        "Newest article": (
            _age(newest, basis.as_of) or "–",
            f"before the last run, {display_text('', basis.as_of) or 'of unknown time'}",
        ),
        "Topics": (
            f"{coverage['topics']:,}",
            f"{share(coverage['with_topic'], articles)} of articles have one",
        ),
        "Outlets": (
            f"{coverage['providers']:,}",
            f"{coverage['without_provider']:,} articles name none",
        ),
        "Complete": (
            share(health["complete_articles"], articles),
            "have title, excerpt, time, URL, outlet, topic, image, score",
        ),
        "With a defect": (
            f"{health['articles_with_findings']:,}",
            f"of {articles:,} articles: repaired or set to null",
        ),
    }
    return [Tile(name, value, note) for name, (value, note) in tiles.items()]


def _row(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, Any]:
    result = connection.execute(f"from {view}")
    names = [column[0] for column in result.description or ()]
    [row] = result.fetchall()
    return dict(zip(names, row, strict=True))


def _age(time: dt.datetime | None, as_of: dt.datetime | None) -> str | None:
    """Return how long before `as_of` a time was, in hours, or in days from two days on."""
    if time is None or as_of is None:
        return None
    hours = (as_of - time).total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:,.0f} days"


def changes_block(warehouse: Warehouse, manifest: Manifest) -> Block:
    """Return the section that compares a snapshot with its parent."""
    anchor, title = "changes", "What changed"
    question = "Articles that differ from the previous snapshot."
    if manifest.parent is None:
        empty = "This is the first snapshot."
        return Block(anchor=anchor, title=title, question=question, empty=empty)
    try:
        result = diff(warehouse, manifest.parent, manifest.id)
    except PipelineError:  # deleted by gc, or meanwhile
        empty = "The previous snapshot has been deleted, so there is nothing to compare with."
        return Block(anchor=anchor, title=title, question=question, empty=empty)
    return Block(
        anchor=anchor,
        title=title,
        question=f"Since snapshot {result.before}: {_counts(result)}.",
        empty="No article differs.",
        heads=[Head(name, "text", "") for name in ("change", "article", "what", "path")],
        rows=[
            [Cell(text, text.lower(), "text") for text in _texts(change)]
            for change in result.changes[:CHANGES]
        ],
        total=len(result.changes),
    )


def _counts(result: Diff) -> str:
    counts = ", ".join(f"{count:,} {kind}" for kind, count in result.counts.items() if count)
    articles = f"{result.articles_before:,} articles before, {result.articles_after:,} now"
    return f"{counts or 'no article differs'} ({articles})"


def _texts(change: Change) -> tuple[str, str, str, str]:
    """Return the cells of a change: kind, title, what changed, path."""
    parts = []
    for field in change.fields:
        before, after = (
            display_text("", v) or "none" for v in change.values.get(field, (None, None))
        )
        parts.append(f"{field} {before} → {after}" if field in _SHORT_FIELDS else field)
    if change.moved_from:
        parts.append(f"moved from {change.moved_from}")
    return change.change, change.title or "(no title)", ", ".join(parts), change.path
