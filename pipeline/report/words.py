"""Names and values for people: no underscores, shares as per cent, days without hours."""

import datetime as dt
import tomllib
from functools import cache
from typing import Any

from pipeline.text import printable
from pipeline.views.relations import sql_folder

_SHARES = {"share", "rate", "cr4", "survival"}
"""Words in the names of columns that hold shares of 1."""


@cache
def _labels() -> dict[str, str]:
    return tomllib.loads((sql_folder() / "labels.toml").read_text(encoding="utf-8"))


def label(name: str) -> str:
    """Return a column's name for people."""
    return _labels().get(name) or name.removesuffix("_hours").replace("_", " ").replace(
        " px", " (px)"
    )


def is_share(name: str) -> bool:
    """Return whether a column holds shares of 1, shown as per cent."""
    return not _SHARES.isdisjoint(name.split("_"))


def display_text(name: str, value: Any) -> str:
    """Return a cell for people; empty for null.

    Shares are per cent, hours are hours or days, times are to the minute in UTC.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if is_share(name):
            return f"{value:.1%}".replace("%", " %")
        if "hours" in name.split("_"):
            return f"{value:.1f} h" if abs(value) < 48 else f"{value / 24:,.0f} days"
        digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
        return f"{value:,.{digits}f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%Y-%m}" if name == "month" else f"{value}"
    if isinstance(value, (list, tuple)):
        return ", ".join(display_text("", item) for item in value)
    return printable(str(value))
