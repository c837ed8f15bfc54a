"""Finish a run: derive, check, publish and sweep."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pipeline._version import __version__
from pipeline.errors import CheckFailed, PipelineError, TooManyRejections
from pipeline.load.manifest import (
    CheckCount,
    Counts,
    Manifest,
    SourceEntry,
    content_id,
    snapshot_id,
    total_counts,
)
from pipeline.load.warehouse import Warehouse
from pipeline.runs.built import Built
from pipeline.runs.context import Context
from pipeline.runs.ledger import Ledger, ledger_of, total
from pipeline.runs.log import RunLog, rotate
from pipeline.runs.record import Outcome, RunRecord, RunResult, fold_records
from pipeline.settings import Settings
from pipeline.views.checks import CheckResult, run_checks

if TYPE_CHECKING:
    import duckdb

    from pipeline.runs.derive import Derived
    from pipeline.runs.history_delta import HistoryDelta
    from pipeline.views.catalog import Staged


class Finished(Struct, frozen=True):
    """What a run ends with: the manifest that readers see, its ledger, the sources it named."""

    manifest: Manifest
    ledger: Ledger
    named: frozenset[str]

    def result(self, record: RunRecord, warehouse: Warehouse) -> RunResult:
        """Return what `run` returns, with the record of the run that has ended."""
        return RunResult(
            record,
            self.ledger,
            str(warehouse.root),
            [entry for entry in self.manifest.sources if entry.name in self.named],
            {name: self.manifest.rows(name) for name in self.manifest.tables},
            self.manifest.checks,
        )


def finish(
    context: Context, built: Built, delta: HistoryDelta, ledger: Ledger, staged: Staged
) -> Finished:
    """Turn what was built into the snapshot that readers see.

    `ledger` counts the files of sources that a snapshot had before. Raises PipelineError if a gate
    is shut; the published snapshot then stays.
    """
    context.recorder.log.open()
    with context.recorder.timed("derive"):
        from pipeline.runs.derive import derive

        derived = derive(context.warehouse, staged, built, delta)
    ledger = total([ledger, *(ledger_of(derived.counts[name]) for name in built.first_seen)])
    with context.recorder.timed("check"):
        staged.comment()
        checks = _check(context, built, derived, staged.connection)
        manifest = _manifest(context, built, derived, checks, staged.connection)
    with context.recorder.timed("publish"):
        outcome = _publish(context, manifest, staged, removed=bool(built.removed))
    context.recorder.note(outcome=outcome, ledger=ledger)
    if outcome in ("published", "forgotten"):
        context.recorder.note(snapshot=manifest.id)
        if context.settings.auto_gc:
            _sweep(context)
    return Finished(manifest, ledger, frozenset(entry.name for entry in built.entries))


def _check(
    context: Context, built: Built, derived: Derived, connection: duckdb.DuckDBPyConnection
) -> list[CheckResult]:
    """Run the checks and raise PipelineError if a gate is shut; the log then has the rejections."""
    refuse_missing(built.listed, derived.counts)
    counts = total_counts(derived.counts.values())
    recorder, settings = context.recorder, context.settings
    recorder.note(counts=counts)
    checks = run_checks(connection, settings.checks)
    for check in checks:
        recorder.log.event(
            "check",
            name=check.name,
            level=check.level,
            rows=check.count,
            examples=[{name: str(value) for name, value in row.items()} for row in check.rows],
        )
    warehouse = shlex.quote(settings.warehouse)
    try:
        see = f"pipeline rejects --run {recorder.run_id} -w {warehouse}"
        refuse_rejections(settings, counts, see)
        refuse_failed(checks, recorder.log)
    except PipelineError:
        log_rejections(
            connection, {entry.name: entry.path for entry in built.entries}, recorder.log
        )
        raise
    return checks


def refuse_missing(listed: Mapping[str, int], counts: Mapping[str, Counts]) -> None:
    """Raise PipelineError if a file that was listed is in no row of `documents`."""
    for name, number in listed.items():
        if number > counts[name].files:
            raise PipelineError(
                f"documents: {counts[name].files} of {number} files of {name} are accounted for."
                " Report this defect."
            )


def refuse_rejections(settings: Settings, counts: Counts, see: str) -> None:
    """Raise TooManyRejections if more files were rejected than the settings allow.

    `see` is the command that lists them.
    """
    allowed = settings.max_rejected(counts.files)
    if allowed is not None and counts.rejected > allowed:
        raise TooManyRejections(
            f"rejections: {counts.rejected} of {counts.files} files (allowed {allowed}, max_rejects"
            f" {settings.max_rejects}). Nothing is published. List them: {see}."
        )


def refuse_failed(checks: list[CheckResult], log: RunLog) -> None:
    """Raise CheckFailed if a check of level error found rows."""
    if failed := [check for check in checks if check.failed]:
        counts = ", ".join(f"{check.name} {check.count}" for check in failed)
        raise CheckFailed(
            f"checks: {len(failed)} failed ({counts} rows). Nothing is published. See {log.path}."
        )


def log_rejections(
    connection: duckdb.DuckDBPyConnection, roots: Mapping[str, str], log: RunLog
) -> None:
    """Log the rejections of some sources (root by name): no published snapshot will hold them."""
    result = connection.execute("select * from rejections order by source, path")
    names = [column[0] for column in result.description or ()]
    for row in result.fetchall():
        rejection = dict(zip(names, row, strict=True))
        if rejection["source"] in roots:
            log.event("rejection", root=roots[rejection["source"]], **rejection)


def _manifest(
    context: Context,
    built: Built,
    derived: Derived,
    checks: list[CheckResult],
    connection: duckdb.DuckDBPyConnection,
) -> Manifest:
    """Return the manifest of the snapshot to be."""
    from pipeline.runs.derive import newest_of, tallies_of

    started_at = context.recorder.started_at
    entries: dict[str, SourceEntry] = {
        name: entry for name, entry in context.baseline.entries.items() if name not in built.removed
    }
    for entry in built.entries:
        newest_article_at, newest_file_at = newest_of(connection, entry.name, started_at)
        entries[entry.name] = msgspec.structs.replace(
            entry,
            counts=derived.counts[entry.name],
            tallies=tallies_of(connection, entry.name),
            newest_article_at=newest_article_at,
            newest_file_at=newest_file_at,
        )
    return Manifest(
        id=snapshot_id(started_at, content_id(derived.tables)),
        created_at=started_at,
        parent=context.baseline.id,
        run_id=context.recorder.run_id,
        version=__version__,
        sources=sorted(entries.values(), key=lambda entry: entry.name),
        tables=derived.tables,
        listings=built.listings,
        checks=[
            CheckCount(check.name, check.level, check.count)
            for check in checks
            if check.level != "off"
        ],
    )


def _publish(context: Context, manifest: Manifest, staged: Staged, *, removed: bool) -> Outcome:
    from pipeline.runs.publish import holds_the_same, keep, publish

    published = context.baseline.manifest
    if context.is_dry_run:
        return "dry_run"
    if published is not None and holds_the_same(manifest, published):
        keep(context.warehouse, manifest, published, staged)
        return "unchanged"
    publish(context.warehouse, manifest, staged, manifest.created_at)
    return "forgotten" if removed else "published"


def _sweep(context: Context) -> None:
    """Remove what nobody needs; if that fails, what was published stays published."""
    from pipeline.load.retention import sweep

    settings, recorder = context.settings, context.recorder
    with recorder.timed("gc"):
        try:
            swept = sweep(
                context.warehouse, settings.keep_snapshots, settings.keep_days, recorder.started_at
            )
            logs = rotate(context.warehouse.logs, settings.keep_logs)
            runs = fold_records(context.warehouse, recorder.started_at)
            recorder.log.event(
                "swept",
                snapshots=swept.removed,
                files=swept.files,
                bytes=swept.bytes,
                logs=logs,
                runs=runs,
            )
        except Exception as error:  # whatever it is: what was published is published
            known = isinstance(error, PipelineError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            recorder.note(message=f"published, but gc failed: {reason}")
            recorder.log.event("gc_failed", message=reason)
