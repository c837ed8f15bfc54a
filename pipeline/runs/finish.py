"""Finish a run: derive, check, publish and sweep."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline._version import __version__
from pipeline.errors import CheckFailed, PipelineError, TooManyRejections
from pipeline.load.manifest import (
    CheckCount,
    Counts,
    Manifest,
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
        entries = [entry for entry in self.manifest.sources if entry.name in self.named]
        rows = {name: self.manifest.rows(name) for name in self.manifest.tables}
        root = str(warehouse.root)
        return RunResult(record, self.ledger, root, entries, rows, self.manifest.checks)


def finish(
    context: Context, built: Built, delta: HistoryDelta, ledger: Ledger, staged: Staged
) -> Finished:
    """Turn what was built into the snapshot that readers see.

    `ledger` counts the files of sources that a snapshot had before. Raises PipelineError if a gate
    is shut; the published snapshot then stays.
    """
    from pipeline.runs.derive import derive

    recorder = context.recorder
    recorder.log.open()
    with recorder.timed("derive"):
        derived = derive(context.warehouse, staged, built, delta)
    ledger = total([ledger, *(ledger_of(derived.counts[name]) for name in built.first_seen)])
    with recorder.timed("check"):
        staged.comment()
        checks = _check(context, built, derived, staged.connection)
        manifest = _manifest(context, built, derived, checks, staged.connection)
    with recorder.timed("publish"):
        outcome = _publish(context, manifest, staged, removed=bool(built.removed))
    recorder.note(outcome=outcome, ledger=ledger)
    if outcome in ("published", "forgotten"):
        recorder.note(snapshot=manifest.id)
        if context.settings.auto_gc:
            _sweep(context)
    return Finished(manifest, ledger, frozenset(entry.name for entry in built.entries))


def _check(
    context: Context, built: Built, derived: Derived, connection: duckdb.DuckDBPyConnection
) -> list[CheckResult]:
    """Run the checks. Raises PipelineError if a gate is shut; the log then has the rejections."""
    for name, listed in built.listed.items():
        if listed > (files := derived.counts[name].files):
            raise PipelineError(
                f"documents: {files} of {listed} files of {name} are accounted for."
                " Report this defect."
            )
    counts, recorder = total_counts(derived.counts.values()), context.recorder
    recorder.note(counts=counts)
    checks = run_checks(connection, context.settings.checks)
    for check in checks:
        rows = [{name: str(value) for name, value in row.items()} for row in check.rows]
        facts = {"name": check.name, "level": check.level, "rows": check.count}
        recorder.log.event("check", **facts, examples=rows)
    try:
        warehouse = shlex.quote(context.settings.warehouse)
        see = f"pipeline rejects --run {recorder.run_id} -w {warehouse}"
        refuse_rejections(context.settings, counts, see)
        if failed := [check for check in checks if check.failed]:
            raise CheckFailed(
                f"checks: {len(failed)} failed"
                f" ({', '.join(f'{check.name} {check.count}' for check in failed)} rows)."
                f" Nothing is published. See {recorder.log.path}."
            )
    except PipelineError:
        roots = {entry.name: entry.path for entry in built.entries}
        _log_rejections(connection, roots, recorder.log)
        raise
    return checks


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


def _log_rejections(
    connection: duckdb.DuckDBPyConnection, roots: dict[str, str], log: RunLog
) -> None:
    """Log the rejections of some sources (root by name): no snapshot will hold them."""
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
    from pipeline.runs.derive import described

    started_at = context.recorder.started_at
    entries = {entry.name: entry for entry in context.baseline.entries.values()}
    entries |= {
        entry.name: described(connection, entry, derived.counts[entry.name], started_at)
        for entry in built.entries
    }
    return Manifest(
        id=snapshot_id(started_at, content_id(derived.tables)),
        created_at=started_at,
        parent=context.baseline.id,
        run_id=context.recorder.run_id,
        version=__version__,
        sources=[entries[name] for name in sorted(entries.keys() - built.removed)],
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

    settings, recorder, warehouse = context.settings, context.recorder, context.warehouse
    with recorder.timed("gc"):
        try:
            keep, days = settings.keep_snapshots, settings.keep_days
            swept = sweep(warehouse, keep, days, recorder.started_at)
            recorder.log.event(
                "swept",
                snapshots=swept.removed,
                files=swept.files,
                bytes=swept.bytes,
                logs=rotate(warehouse.logs, settings.keep_logs),
                runs=fold_records(warehouse, recorder.started_at),
            )
        except Exception as error:  # whatever it is: what was published is published
            known = isinstance(error, PipelineError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            recorder.note(message=f"published, but gc failed: {reason}")
            recorder.log.event("gc_failed", message=reason)
