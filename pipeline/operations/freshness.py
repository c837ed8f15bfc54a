"""Measure freshness: the newest article and file of each source, and the last good run."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from pipeline.load.warehouse import Warehouse
from pipeline.runs.record import records
from pipeline.settings import Limits, Settings, parse_limits
from pipeline.text import printable

Level = Literal["ok", "warn", "error", "unlimited"]
EXIT_CODES = {"ok": 0, "unlimited": 0, "warn": 6, "error": 7}
_GOOD = ("published", "unchanged")
_MARKS = {"warn": "WARNING", "error": "TOO OLD"}


class Clock(Struct, frozen=True):
    """The age of one thing: when it last happened, and how that compares with its limits."""

    name: str
    source: str | None
    at: dt.datetime | None
    age_seconds: float | None
    level: Level
    limit: str | None

    @property
    def label(self) -> str:
        """Name of the clock with its source, for people."""
        return f"{self.name} of {printable(self.source)}" if self.source else self.name


def read_clocks(settings: Settings, now: dt.datetime) -> list[Clock]:
    """Return every clock as of `now`, by the limits of the settings.

    What never happened exceeds any limit.
    """
    warehouse = Warehouse(settings.warehouse)
    manifest = warehouse.published()
    article, file = parse_limits(settings.max_article_age), parse_limits(settings.max_file_age)
    measured = []
    for source in (manifest and manifest.sources) or (None,):
        name, at = (source.name, source.newest_article_at) if source else (None, None)
        measured.append(_clock("newest article", name, at, now, article))
        at = source.newest_file_at if source else None
        measured.append(_clock("newest file", name, at, now, file))
    run = parse_limits(settings.max_run_age)
    return [*measured, _clock("last good run", None, last_good_run(warehouse, now), now, run)]


def last_good_run(warehouse: Warehouse, now: dt.datetime) -> dt.datetime | None:
    """Return when the last run ended that published or found no changes; not one in the future."""
    ends = (record.finished_at for record in records(warehouse) if record.outcome in _GOOD)
    return next((end for end in ends if end and end <= now), None)


def worst(measured: list[Clock]) -> Level:
    """Return the worst level of all clocks."""
    return max((clock.level for clock in measured), key=lambda level: EXIT_CODES[level])


def _clock(
    name: str, source: str | None, at: dt.datetime | None, now: dt.datetime, limits: Limits
) -> Clock:
    age = now - at if at else None
    level: Level = "ok" if limits.warn or limits.error else "unlimited"
    limit = None
    if limits.warn is not None and (age is None or age >= limits.warn):
        level, limit = "warn", _age_text(limits.warn)
    if limits.error is not None and (age is None or age >= limits.error):
        level, limit = "error", _age_text(limits.error)
    return Clock(name, source, at, age.total_seconds() if age is not None else None, level, limit)


def _age_text(age: dt.timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= 2 * size:
            return f"{minutes / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{minutes} min"


def clock_lines(measured: list[Clock]) -> list[str]:
    """Return a line for each clock."""
    lines = []
    for clock in measured:
        age = _age_text(dt.timedelta(seconds=clock.age_seconds or 0))
        last = f"{clock.at:%Y-%m-%d %H:%M}Z, {age} ago" if clock.at else "never"
        mark = f"  {_MARKS[clock.level]}: limit {clock.limit}" if clock.level in _MARKS else ""
        lines.append(f"  {clock.label:<30} {last}{mark}")
    return lines


def over_limit(measured: list[Clock]) -> str:
    """Return the clocks that exceed their limits, in one line."""
    return ", ".join(
        f"{clock.label} (limit {clock.limit})" for clock in measured if clock.level in _MARKS
    )
