"""Checks: files of `sql/checks/` select offending rows; a row fails, in `warn/` it warns.

A threshold comes from the header of the check's file, `--   threshold NAME = NUMBER|off: what it
is`, unless `[checks]` in `pipeline.toml` sets it; the query compares with `$NAME`. `[checks]` also
sets the level of a check: error, warn, off.
"""

from __future__ import annotations

import math
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

Chosen = Mapping[str, float | str]
"""Thresholds and levels by name, from `[checks]`."""


class CheckResult(Struct, frozen=True):
    """The number of offending rows of a check, and the first `SHOWN` as dicts."""

    name: str
    level: str
    about: str
    count: int
    rows: list[dict[str, object]]
    thresholds: dict[str, float | None] = {}

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
    from pipeline.views.catalog import cursor  # loads DuckDB

    checks = relations("checks")
    levels, thresholds = _settings(checks, chosen or {})

    def run(connection: duckdb.DuckDBPyConnection, share: list[Relation]) -> list[CheckResult]:
        with connection:
            return [_run(connection, check, levels[check.name], thresholds) for check in share]

    threads = ThreadPoolExecutor(AT_ONCE)
    try:
        shares = [(cursor(connection), checks[number::AT_ONCE]) for number in range(AT_ONCE)]
        results = {
            result.name: result
            for share in threads.map(run, *zip(*shares, strict=True))
            for result in share
        }
    finally:  # stopping a run does not wait for a query
        threads.shutdown(wait=False, cancel_futures=True)
    return [results[check.name] for check in checks]


def refuse_unknown(chosen: Chosen) -> None:
    """Raise UsageError if `chosen` has an unknown name, or a value that does not fit."""
    if chosen:
        _settings(relations("checks"), chosen)


def _run(
    connection: duckdb.DuckDBPyConnection,
    check: Relation,
    level: str,
    thresholds: Mapping[str, float | None],
) -> CheckResult:
    own = {name: thresholds[name] for name in check.thresholds}
    if level == "off":
        return CheckResult(check.name, level, check.comment, 0, [], own)
    query = f"select count(*) over () as offending_rows, * from ({check.query}) limit {SHOWN}"
    result = connection.execute(query, own)
    names = [column[0] for column in result.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    count = [row.pop("offending_rows") for row in rows]
    return CheckResult(check.name, level, check.comment, count[0] if count else 0, rows, own)


def _settings(
    checks: list[Relation], chosen: Chosen
) -> tuple[dict[str, str], dict[str, float | None]]:
    """Return the level of each check and the value of each threshold."""
    levels = {
        check.name: "warn" if check.path.parent.name == "warn" else "error" for check in checks
    }
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
            thresholds[name] = None if value == "off" else _number(name, value)
        else:
            raise UsageError(
                f"checks.{name}: not a threshold or a check. Thresholds are"
                f" {', '.join(sorted(thresholds))}; checks are {', '.join(sorted(levels))}."
            )
    return levels, thresholds


def _number(name: str, value: float | str) -> float:
    try:
        number = math.nan if isinstance(value, str | bool) else float(value)
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"checks.{name}: not a threshold (got {value!r}, expected a number or off). Correct it."
        )
    return number
