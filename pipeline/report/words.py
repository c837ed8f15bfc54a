"""Names and values as people read them: columns without underscores, shares as per cent, days without hours."""

import datetime as dt
from typing import Any

from pipeline.text import printable

_SHARES = {"share", "rate", "cr4", "survival"}
"""Words in the names of columns that hold shares of 1."""
_NAMES = {
    "hhi": "HHI",
    "gini": "Gini",
    "cr4": "top 4 share",
    "url": "link",
    "best_url": "best link",
    "other_url": "other link",
    "first_url": "first link",
    "is_open": "still open",
    "is_defect": "defect",
    "modified_z": "modified z",
    "as_of": "looked up to",
    "hours_between": "time between",
    "hours_apart": "time apart",
    "hours_to_peak": "time to peak",
    "hours_above_baseline": "time above quality",
    "is_censored": "still above at the end",
    "change_24h": "change in 24 h",
    "change_7d": "change in 7 days",
    "changes_7d": "changes in 7 days",
    "median_heat": "median heat",
    "mad_heat": "MAD",
    "n": "points",
    "low_hours": "at least",
    "high_hours": "at most",
    "r_squared": "R²",
    "article_hours": "time of its articles",
    "all_article_hours": "time of all articles",
}


def label(name: str) -> str:
    """A column's name for people."""
    return _NAMES.get(name) or name.removesuffix("_hours").replace("_", " ").replace(" px", " (px)")


def is_share(name: str) -> bool:
    """Whether a column holds shares of 1, which people read as per cent."""
    return not _SHARES.isdisjoint(name.split("_"))


def spoken(name: str, value: Any) -> str:
    """A cell for people: shares as per cent, hours as hours or days, times to the minute in UTC; empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if is_share(name):
            return f"{value:.1%}".replace("%", " %")
        if "hours" in name.split("_"):
            return f"{value:.1f} h" if abs(value) < 48 else f"{value / 24:,.0f} days"
        return (
            f"{value:,.0f}"
            if abs(value) >= 1000
            else f"{value:.1f}"
            if abs(value) >= 10
            else f"{value:.2f}"
        )
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%Y-%m}" if name == "month" else f"{value}"
    if isinstance(value, (list, tuple)):
        return ", ".join(spoken("", item) for item in value)
    return printable(str(value))
