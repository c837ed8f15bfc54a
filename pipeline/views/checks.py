"""Checks: files of `sql/checks/` select offending rows; a row fails, in `warn/` it warns.

A threshold comes from the header of the check's file, `--   threshold NAME = NUMBER|off: what it
is`, unless `[checks]` in `pipeline.toml` sets it; the query compares with `$NAME`. `[checks]` also
sets the level of a check: error, warn, off.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.views.relations import Relation, relations

if TYPE_CHECKING:
    import duckdb

SHOWN = 10
"""Offending rows kept of a check."""
AT_ONCE = 2
"""Threads that run checks."""
LEVELS = ("error", "warn", "off")

Thresholds = dict[str, float | None]
Chosen = Mapping[str, float | str]
"""Thresholds and levels by name, from `[checks]`."""


class CheckResult(Struct, frozen=True):
    """The number of offending rows of a check, and the first `SHOWN` as dicts."""

    name: str
    level: str
    about: str
    count: int
    rows: list[dict[str, object]]
    thresholds: Thresholds = {}

    @property
    def failed(self) -> bool:
        """Whether a check of level error found rows."""
        return self.count > 0 and self.level == "error"


def run_checks(
    connection: duckdb.DuckDBPyConnection, chosen: Chosen | None = None
) -> list[CheckResult]:
    """Run every check that is not off, on a connection with all tables and views.

    Some run at a time, since planning is half of the work. Raises UsageError as `refuse_unknown`
    does.
    """
    from pipeline.views.catalog import cursor, fetch_records  # loads DuckDB

    checks = relations("checks")
    levels, thresholds = _settings(checks, chosen or {})

    def run(check: Relation, connection: duckdb.DuckDBPyConnection) -> CheckResult:
        level, own = levels[check.name], {name: thresholds[name] for name in check.thresholds}
        query = f"select count(*) over () as offending_rows, * from ({check.query}) limit {SHOWN}"
        with connection:
            rows = fetch_records(connection, query, own) if level != "off" else []
        counts = [row.pop("offending_rows") for row in rows] or [0]
        return CheckResult(check.name, level, check.comment, counts[0], rows, own)

    threads = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(threads.map(run, checks, [cursor(connection) for _ in checks]))
    finally:  # stopping a run does not wait for a query
        threads.shutdown(wait=False, cancel_futures=True)


def refuse_unknown(chosen: Chosen) -> None:
    """Raise UsageError if `chosen` has an unknown name, or a value that does not fit."""
    if chosen:
        _settings(relations("checks"), chosen)


def _settings(checks: list[Relation], chosen: Chosen) -> tuple[dict[str, str], Thresholds]:
    """Return the level of each check and the value of each threshold."""
    levels = {one.name: "warn" if one.path.parent.name == "warn" else "error" for one in checks}
    thresholds = {
        name: threshold.default for check in checks for name, threshold in check.thresholds.items()
    }
    for name, value in chosen.items():
        if name in levels:
            if value not in LEVELS:
                raise UsageError(
                    f"checks.{name}: not a level (got {value!r}, expected {', '.join(LEVELS)})."
                    " Correct it."
                )
            levels[name] = str(value)
        elif name in thresholds:
            thresholds[name] = _threshold(name, value)
        else:
            raise UsageError(
                f"checks.{name}: not a threshold or a check. Thresholds are"
                f" {', '.join(sorted(thresholds))}; checks are {', '.join(sorted(levels))}."
            )
    return levels, thresholds


def _threshold(name: str, value: float | str) -> float | None:
    if value == "off":
        return None
    if isinstance(value, str | bool) or not abs(value) <= sys.float_info.max:  # or not a number
        raise UsageError(
            f"checks.{name}: not a threshold (got {value!r}, expected a number or off). Correct it."
        )
    return float(value)
