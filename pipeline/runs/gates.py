"""The gates before publishing: too many rejections, or a check that failed, and the published snapshot stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.errors import CheckFailed, TooManyRejections
from pipeline.runs.log import RunLog
from pipeline.runs.record import RunRecord
from pipeline.settings import Settings
from pipeline.views.checks import CheckResult

if TYPE_CHECKING:
    import duckdb


def refuse_rejections(settings: Settings, record: RunRecord, see: str) -> None:
    """Raise TooManyRejections where more files were rejected than allowed; `see` is the command that lists them."""
    allowed = settings.max_rejected(record.files)
    if allowed is not None and record.rejected > allowed:
        raise TooManyRejections(
            f"rejections: {record.rejected} of {record.files} files (allowed {allowed}, max_rejects"
            f" {settings.max_rejects}). Nothing is published. See which: {see}."
        )


def refuse_failed(checks: list[CheckResult], log: RunLog) -> None:
    """Raise CheckFailed where a check of level error found rows."""
    if failed := [check for check in checks if check.failed]:
        counts = ", ".join(f"{check.name} {check.count}" for check in failed)
        raise CheckFailed(
            f"checks: {len(failed)} failed ({counts} rows). Nothing is published. See {log.path}."
        )


def log_rejections(
    connection: duckdb.DuckDBPyConnection, roots: Mapping[str, str], log: RunLog
) -> None:
    """Leave the rejections of some sources (root by name) in the log, for when nothing is published that holds them."""
    found = connection.execute("select * from rejections order by source, path")
    names = [column[0] for column in found.description or ()]
    for row in found.fetchall():
        rejection = dict(zip(names, row, strict=True))
        if rejection["source"] in roots:
            log.event("rejection", root=roots[rejection["source"]], **rejection)
