"""Checks: each file of `sql/checks/` selects offending rows; any row fails, in `warn/` it only warns.

A file declares its thresholds, `--   threshold NAME = NUMBER|off: what it is`, and compares with `$NAME`. `[checks]` in
`pipeline.toml` sets thresholds by name, and the level of a check: error, warn or off.
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


class CheckResult(Struct, frozen=True):
    """What one check found: its offending rows as dicts, at most `SHOWN`, and how many there are; none where it is off."""

    name: str
    level: str
    about: str
    count: int
    rows: list[dict[str, object]]
    thresholds: dict[str, float | None] = {}

    @property
    def failed(self) -> bool:
        """Whether an error-level check found rows."""
        return self.count > 0 and self.level == "error"


SHOWN = 10
AT_ONCE = 2
"""Threads that run checks."""
LEVELS = ("error", "warn", "off")

Chosen = Mapping[str, float | str]
"""What `[checks]` says: thresholds and levels by name."""


def run_checks(
    connection: duckdb.DuckDBPyConnection, chosen: Chosen | None = None
) -> list[CheckResult]:
    """Run every check that is not off on a connection that has all tables and views: some at a time, since planning is half of it.

    Raises UsageError where `chosen` names what is not there, or a value that does not fit.
    """
    found = relations("checks")
    levels, thresholds = _settled(found, chosen or {})

    from pipeline.views.catalog import cursor  # loads DuckDB

    def run(connection: duckdb.DuckDBPyConnection, checks: list[Relation]) -> list[CheckResult]:
        with connection:
            return [
                _run(
                    connection,
                    check,
                    levels[check.name],
                    {name: thresholds[name] for name in check.thresholds},
                )
                for check in checks
            ]

    threads = ThreadPoolExecutor(AT_ONCE)
    try:
        shares = [(cursor(connection), found[number::AT_ONCE]) for number in range(AT_ONCE)]
        results = [
            result for share in threads.map(run, *zip(*shares, strict=True)) for result in share
        ]
    finally:
        threads.shutdown(
            wait=False, cancel_futures=True
        )  # who stops a run does not wait for a query
    names = [check.name for check in found]
    return sorted(results, key=lambda result: names.index(result.name))


def refuse_unknown(chosen: Chosen) -> None:
    """Raise UsageError where `chosen` names what is not there, or a value that does not fit."""
    if chosen:
        _settled(relations("checks"), chosen)


def _run(
    connection: duckdb.DuckDBPyConnection,
    check: Relation,
    level: str,
    thresholds: dict[str, float | None],
) -> CheckResult:
    if level == "off":
        return CheckResult(check.name, level, check.comment, 0, [], thresholds)
    found = connection.execute(
        f"select count(*) over () as offending_rows, * from ({check.query}) limit {SHOWN}",
        thresholds,
    )
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    shown = [dict(zip(names[1:], row[1:], strict=True)) for row in rows]
    return CheckResult(
        check.name, level, check.comment, rows[0][0] if rows else 0, shown, thresholds
    )


def _settled(
    checks: list[Relation], chosen: Chosen
) -> tuple[dict[str, str], dict[str, float | None]]:
    """The level of each check and the value of each threshold."""
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
                    f"checks: {name} = {value!r} is no level (expected {', '.join(LEVELS)}). Correct it."
                )
            levels[name] = str(value)
        elif name in thresholds:
            thresholds[name] = None if value == "off" else _number(name, value)
        else:
            raise UsageError(
                f"checks: there is no threshold or check {name!r}. Thresholds are {', '.join(sorted(thresholds))};"
                f" checks are {', '.join(sorted(levels))}."
            )
    return levels, thresholds


def _number(name: str, value: float | str) -> float:
    try:
        number = math.nan if isinstance(value, str | bool) else float(value)
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"checks: {name} = {value!r} is no threshold (expected a number or off). Correct it."
        )
    return number
