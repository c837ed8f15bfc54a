"""Three clocks of freshness: the newest article and the newest file of each source, and the last good run."""

import datetime as dt
import re
from typing import Literal

from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.load.snapshots import Warehouse
from pipeline.manifest import Manifest
from pipeline.record import records

Level = Literal["ok", "warn", "error", "unlimited"]

EXIT_CODES = {"ok": 0, "unlimited": 0, "warn": 6, "error": 7}
GOOD = ("published", "unchanged")

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Limits(Struct, frozen=True):
    """From which age on a clock warns, and from which on it is an error; None = never."""

    warn: dt.timedelta | None = None
    error: dt.timedelta | None = None


class Clock(Struct, frozen=True):
    """One clock: what it looks at, what that showed last, how old that is in seconds, and whether that is too old."""

    name: str
    source: str | None
    at: dt.datetime | None
    age_seconds: float | None
    level: Level
    limit: str | None


def parse_limits(text: str) -> Limits:
    """`6h` (an error from six hours on) or `2h,6h` (a warning from two on too); units m, h, d; empty = none.

    Raises UsageError.
    """
    if not text:
        return Limits()
    ages = [_age(part) for part in text.split(",")]
    if len(ages) > 2 or None in ages:
        raise UsageError(f"{text!r}: is no limit of age. Write ERROR or WARN,ERROR with m, h or d, such as 2h,6h.")
    if len(ages) == 2 and ages[0] and ages[1] and ages[0] > ages[1]:
        raise UsageError(f"{text!r}: warns later than it is an error. Write the smaller age first.")
    return Limits(ages[0] if len(ages) == 2 else None, ages[-1])


def _age(text: str) -> dt.timedelta | None:
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)([mhd])\s*", text)
    return dt.timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else None


def clocks(
    warehouse: Warehouse, manifest: Manifest | None, now: dt.datetime, *, article: Limits, file: Limits, run: Limits
) -> list[Clock]:
    """Every clock, as of `now`; one that never showed anything is too old for any limit."""
    found = []
    for source in manifest.sources if manifest else ():
        found.append(_clock("newest article", source.name, source.newest_article_at, now, article))
        found.append(_clock("newest file", source.name, source.newest_file_at, now, file))
    return [*found, _clock("last good run", None, last_good_run(warehouse), now, run)]


def last_good_run(warehouse: Warehouse) -> dt.datetime | None:
    """When the last run ended that published, or found nothing to publish."""
    good = (record for record in records(warehouse) if record.outcome in GOOD)
    return next((record.finished_at for record in good), None)


def worst(found: list[Clock]) -> Level:
    """The worst level of all clocks."""
    return max((clock.level for clock in found), key=lambda level: EXIT_CODES[level])


def _clock(name: str, source: str | None, at: dt.datetime | None, now: dt.datetime, limits: Limits) -> Clock:
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
        name = f"{clock.name} of {clock.source}" if clock.source else clock.name
        shown = f"{clock.at:%Y-%m-%d %H:%M}Z, {_spoken(dt.timedelta(seconds=clock.age_seconds or 0))} ago" if clock.at else "never"
        mark = {"warn": f"  WARNING: limit {clock.limit}", "error": f"  TOO OLD: limit {clock.limit}"}.get(clock.level, "")
        lines.append(f"  {name:<30} {shown}{mark}")
    return lines
