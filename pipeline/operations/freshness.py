"""Three clocks of freshness: the newest article and the newest file of each source, and the last good run."""

import datetime as dt
from typing import Literal

from msgspec import Struct

from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.runs.record import records
from pipeline.settings import Limits
from pipeline.text import printable

Level = Literal["ok", "warn", "error", "unlimited"]

EXIT_CODES = {"ok": 0, "unlimited": 0, "warn": 6, "error": 7}
GOOD = ("published", "unchanged")


class Clock(Struct, frozen=True):
    """One clock: what it looks at, what that showed last, how old that is in seconds, and whether that is too old."""

    name: str
    source: str | None
    at: dt.datetime | None
    age_seconds: float | None
    level: Level
    limit: str | None


def clocks(
    warehouse: Warehouse,
    manifest: Manifest | None,
    now: dt.datetime,
    *,
    article: Limits,
    file: Limits,
    run: Limits,
) -> list[Clock]:
    """Every clock, as of `now`; one that never showed anything is too old for any limit."""
    found = []
    for source in manifest.sources if manifest else ():
        found.append(_clock("newest article", source.name, source.newest_article_at, now, article))
        found.append(_clock("newest file", source.name, source.newest_file_at, now, file))
    if not found:
        found = [
            _clock("newest article", None, None, now, article),
            _clock("newest file", None, None, now, file),
        ]
    return [*found, _clock("last good run", None, last_good_run(warehouse, now), now, run)]


def last_good_run(warehouse: Warehouse, now: dt.datetime) -> dt.datetime | None:
    """When the last run ended that published, or found nothing to publish; one in the future does not count."""
    ends = (record.finished_at for record in records(warehouse) if record.outcome in GOOD)
    return next((end for end in ends if end and end <= now), None)


def worst(found: list[Clock]) -> Level:
    """The worst level of all clocks."""
    return max((clock.level for clock in found), key=lambda level: EXIT_CODES[level])


def _clock(
    name: str, source: str | None, at: dt.datetime | None, now: dt.datetime, limits: Limits
) -> Clock:
    age = now - at if at else None
    level: Level = "ok" if limits.warn or limits.error else "unlimited"
    limit = None
    for word, bound in (("warn", limits.warn), ("error", limits.error)):
        if bound is not None and (age is None or age >= bound):
            level, limit = ("warn" if word == "warn" else "error"), _spoken(bound)
    return Clock(name, source, at, age.total_seconds() if age is not None else None, level, limit)


def _spoken(age: dt.timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= 2 * size:
            return f"{minutes / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{minutes} min"


def clock_lines(found: list[Clock]) -> list[str]:
    """A line for each clock."""
    lines = []
    for clock in found:
        shown = (
            f"{clock.at:%Y-%m-%d %H:%M}Z, {_spoken(dt.timedelta(seconds=clock.age_seconds or 0))} ago"
            if clock.at
            else "never"
        )
        mark = {
            "warn": f"  WARNING: limit {clock.limit}",
            "error": f"  TOO OLD: limit {clock.limit}",
        }.get(clock.level, "")
        lines.append(f"  {_label(clock):<30} {shown}{mark}")
    return lines


def verdict(found: list[Clock]) -> str:
    """Which clocks are past their limits, in one line."""
    return ", ".join(
        f"{_label(clock)} (limit {clock.limit})"
        for clock in found
        if clock.level in ("warn", "error")
    )


def _label(clock: Clock) -> str:
    return f"{clock.name} of {printable(clock.source)}" if clock.source else clock.name
