"""The overview: the handful of numbers that matter, what changed since the last snapshot, the top of each report."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb

from pipeline.errors import PipelineError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import Change, Diff, diff
from pipeline.report.figures import Basis, Figure
from pipeline.report.page import Block, Cell, Head, Panel, Tile, block
from pipeline.report.words import spoken

CHANGES = 30
"""Changed articles that the overview lists at most."""
_TOP = ("heat_now", "stories", "coverage_by_topic")


def overview_panel(
    connection: duckdb.DuckDBPyConnection,
    basis: Basis,
    found: dict[str, Figure],
    changed: Block | None,
) -> Panel:
    """The first tab of the page. `found` are the figures of all reports by view."""
    blocks = [changed] if changed else []
    blocks += [block(found[view], anchor=f"top-{view}") for view in _TOP if view in found]
    return Panel(
        "overview",
        "Overview",
        "The numbers that matter, and what is new.",
        blocks,
        _tiles(connection, basis),
    )


def _tiles(connection: duckdb.DuckDBPyConnection, basis: Basis) -> list[Tile]:
    quality, heat, coverage, health = (
        _row(connection, view)
        for view in ("quality_summary", "heat_summary", "coverage_summary", "health_summary")
    )

    def share(part: int, whole: int) -> str:
        return spoken("share", part / whole) if whole else "–"

    scored, articles = quality["scored"], basis.articles
    fresh = _age(coverage["newest_article_at"], basis.as_of)
    return [
        Tile(
            "Articles",
            f"{articles:,}",
            f"of {health['files']:,} files; {health['rejected']:,} could not be read",
        ),
        Tile(
            "Shown by the site",
            share(basis.shown, articles),
            f"{basis.shown:,} of {articles:,} articles",
        ),
        Tile(
            "Median quality",
            spoken("", quality["median_quality"]) or "–",
            f"of {scored:,} scored; {quality['unscored']:,} are not",
        ),
        Tile(
            "Median heat",
            spoken("", heat["median_heat"]) or "–",
            f"of {heat['scored']:,} scored; {heat['suppressed']:,} suppressed",
        ),
        Tile(
            "Newest 7 days",
            f"{coverage['last_7_days']:,}",
            f"articles up to {_last_day(coverage)}; {coverage['previous_7_days']:,} in the 7 days before",
        ),
        Tile(
            "Newest article",
            fresh or "–",
            f"before the last run, {spoken('', basis.as_of) or 'of unknown time'}",
        ),
        Tile(
            "Topics",
            f"{coverage['topics']:,}",
            f"{share(coverage['with_topic'], articles)} of articles have one",
        ),
        Tile(
            "Outlets",
            f"{coverage['providers']:,}",
            f"{coverage['without_provider']:,} articles name none",
        ),
        Tile(
            "Complete",
            share(health["complete_articles"], articles),
            "have title, excerpt, time, URL, outlet, topic, image, score",
        ),
        Tile(
            "With a defect",
            f"{health['articles_with_findings']:,}",
            f"of {articles:,} articles: repaired or set to null",
        ),
    ]


def _last_day(coverage: dict[str, Any]) -> str:
    newest = coverage["newest_article_at"]
    return f"{newest.astimezone(dt.UTC):%Y-%m-%d}" if newest else "an unknown day"


def _row(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, Any]:
    found = connection.execute(f"from {view}")
    names = [column[0] for column in found.description or ()]
    [row] = found.fetchall()
    return dict(zip(names, row, strict=True))


def _age(moment: dt.datetime | None, as_of: dt.datetime | None) -> str | None:
    """How long before `as_of` something was, in the largest unit that says it."""
    if moment is None or as_of is None:
        return None
    hours = (as_of - moment).total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:,.0f} days"


def changes(warehouse: Warehouse, manifest: Manifest) -> Block:
    """What a snapshot changed: how it differs from the one that it was made from."""
    title, question = "What changed", "Articles that differ from the snapshot before."
    if manifest.parent is None:
        return Block("changes", title, question, "This is the first snapshot.")
    try:
        found = diff(warehouse, manifest.parent, manifest.id)
    except PipelineError:  # gone by now
        return Block(
            "changes",
            title,
            question,
            "The snapshot before this one is not kept: there is nothing to compare with.",
        )
    return Block(
        "changes",
        title,
        f"Since snapshot {found.before}: {_counted(found)}.",
        "No article differs.",
        heads=[Head(name, "text", "") for name in ("change", "article", "what", "path")],
        rows=[
            [Cell(text, text.lower(), "text") for text in _told(change)]
            for change in found.changes[:CHANGES]
        ],
        total=len(found.changes),
    )


def _counted(found: Diff) -> str:
    told = (
        ", ".join(f"{number:,} {kind}" for kind, number in found.counts.items() if number)
        or "no article differs"
    )
    return f"{told} ({found.articles_before:,} articles before, {found.articles_after:,} now)"


def _told(change: Change) -> tuple[str, str, str, str]:
    parts = []
    for field in change.fields:
        old, new = change.values.get(field, [None, None])
        short = field in ("quality", "heat", "published", "topics", "related", "images")
        parts.append(
            f"{field} {spoken('', old) or 'none'} → {spoken('', new) or 'none'}" if short else field
        )
    if change.moved_from:
        parts.append(f"moved from {change.moved_from}")
    return change.change, change.title or "(no title)", ", ".join(parts), change.path
