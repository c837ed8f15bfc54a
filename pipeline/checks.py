"""Checks: each file of `sql/checks/` selects offending rows; any row fails, in `warn/` it only warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.relations import relations

if TYPE_CHECKING:
    import duckdb


class CheckResult(Struct, frozen=True):
    """What one check found: its offending rows as dicts, at most `SHOWN`, and how many there are."""

    name: str
    level: str
    about: str
    count: int
    rows: list[dict[str, object]]

    @property
    def failed(self) -> bool:
        """Whether an error-level check found rows."""
        return self.count > 0 and self.level == "error"


SHOWN = 10


def run_checks(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Run every check on a connection that has all tables and views."""
    results = []
    for relation in relations("checks"):
        level = "warn" if relation.path.parent.name == "warn" else "error"
        found = connection.execute(f"select count(*) over () as offending_rows, * from ({relation.query}) limit {SHOWN}")
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall()
        shown = [dict(zip(names[1:], row[1:], strict=True)) for row in rows]
        results.append(CheckResult(relation.name, level, relation.comment, rows[0][0] if rows else 0, shown))
    return results
