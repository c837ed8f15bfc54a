"""Check a snapshot before it is published: what keeps a run from publishing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipeline.errors import CheckFailed, PipelineError, TooManyRejections
from pipeline.load.manifest import Counts, SourceEntry, total_counts
from pipeline.runs.built import Built
from pipeline.runs.context import Context
from pipeline.views.checks import CheckResult, run_checks

if TYPE_CHECKING:
    import duckdb

    from pipeline.runs.derive import Derived


def check(
    context: Context, built: Built, derived: Derived, connection: duckdb.DuckDBPyConnection
) -> list[CheckResult]:
    """Run the checks. Raises PipelineError if one fails; the log then has the rejections."""
    for entry in derived.entries:
        if (listed := built.listed[entry.name]) > (files := entry.counts.files):
            raise PipelineError(
                f"documents: {files} of {listed} files of {entry.name} are accounted for."
                " Report this defect."
            )
    recorder = context.recorder
    counts = total_counts(entry.counts for entry in derived.entries)
    recorder.count(counts)
    checks = run_checks(connection, context.settings.checks)
    for result in checks:
        rows = [{name: str(value) for name, value in row.items()} for row in result.rows]
        facts = {"name": result.name, "level": result.level, "rows": result.count}
        recorder.log.event("check", **facts, examples=rows)
    try:
        refuse_rejections(context, counts, f"--run {recorder.record.run_id} ")
        if failed := [f"{result.name} {result.count}" for result in checks if result.failed]:
            raise CheckFailed(
                f"checks: {len(failed)} failed ({', '.join(failed)} rows)."
                f" Nothing is published. See {recorder.log.path}."
            )
    except PipelineError:
        _log_rejections(context, derived.entries, connection)
        raise
    return checks


def refuse_rejections(context: Context, counts: Counts, choice: str = "") -> None:
    """Raise TooManyRejections if more files were rejected than the settings allow.

    `choice` are options of the command that lists them.
    """
    settings = context.settings
    allowed = settings.max_rejected(counts.files)
    if allowed is not None and counts.rejected > allowed:
        raise TooManyRejections(
            f"rejections: {counts.rejected} of {counts.files} files (allowed {allowed}, max_rejects"
            f" {settings.max_rejects}). Nothing is published. List them: pipeline rejects"
            f" {choice}-w {shlex.quote(settings.warehouse)}."
        )


def _log_rejections(
    context: Context, entries: list[SourceEntry], connection: duckdb.DuckDBPyConnection
) -> None:
    """Log the rejections of some sources: no snapshot will hold them."""
    roots = {entry.name: entry.path for entry in entries}
    result = connection.execute("select * from rejections order by source, path")
    names = [column[0] for column in result.description or ()]
    for row in result.fetchall():
        rejection = dict(zip(names, row, strict=True))
        if rejection["source"] in roots:
            context.recorder.log.event("rejection", root=roots[rejection["source"]], **rejection)
