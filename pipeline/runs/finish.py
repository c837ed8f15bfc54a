"""From part files to a published snapshot: derive, check, publish, sweep. With this ends every run that found something to do."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline._version import __version__
from pipeline.errors import PipelineError
from pipeline.load.manifest import (
    CheckCount,
    Counts,
    Manifest,
    PartFile,
    SourceEntry,
    content_id,
    snapshot_id,
)
from pipeline.runs.backlog import Past
from pipeline.runs.context import Job
from pipeline.runs.gates import log_rejections, refuse_failed, refuse_rejections
from pipeline.runs.log import rotate
from pipeline.runs.record import RunResult, fold_records
from pipeline.views.checks import CheckResult, run_checks

if TYPE_CHECKING:
    import duckdb

    from pipeline.load.history import Files
    from pipeline.runs.history_delta import News

Tables = dict[str, list[PartFile]]


class Built(Struct):
    """What was built: part files of all sources by table, listings by part, and the history that stays."""

    tables: Tables
    listings: dict[str, str]
    history: Files
    listed: dict[str, int]
    """Files that each named source lists."""
    first_seen: list[str]
    """Sources that no snapshot had before."""
    forgotten: set[str]
    """Sources that leave."""
    pasts: dict[str, Past]
    """Repositories by name."""


def complete(job: Job, built: Built, news: News, *, dry_run: bool) -> RunResult:
    """Derive, check and publish; raises PipelineError where a gate is shut, and the published snapshot stays."""
    from pipeline.runs.derive import add_derived

    job.log.open()
    staged = job.staged
    with job.timed("derive"):
        add_derived(job.warehouse, staged, built.tables, built.history, news)
    with job.timed("check"):
        staged.comment()
        connection = staged.connection
        counts = _counts(job, built, connection)
        checks = run_checks(connection, job.settings.checks)
        for check in checks:
            job.log.event(
                "check",
                name=check.name,
                level=check.level,
                rows=check.count,
                examples=_printable(check.rows),
            )
        _pass_gates(job, checks, connection)
        found = [
            CheckCount(check.name, check.level, check.count)
            for check in checks
            if check.level != "off"
        ]
        manifest = _manifest(job, built, counts, found, connection)
        with job.timed("publish"):
            _publish(job, manifest, dry_run=dry_run, forgotten=bool(built.forgotten))
    if job.record.outcome in ("published", "forgotten") and job.settings.auto_gc:
        _sweep(job)
    return job.result(manifest)


def _pass_gates(job: Job, checks: list[CheckResult], connection: duckdb.DuckDBPyConnection) -> None:
    """Raise where a gate is shut; what was rejected is in the log then."""
    try:
        place = shlex.quote(job.settings.warehouse)
        refuse_rejections(
            job.settings, job.record, f"pipeline rejects --run {job.record.run_id} -w {place}"
        )
        refuse_failed(checks, job.log)
    except PipelineError:
        log_rejections(connection, {source.name: source.root for source in job.sources}, job.log)
        raise


def _counts(job: Job, built: Built, connection: duckdb.DuckDBPyConnection) -> dict[str, Counts]:
    """Files of each named source by status; every file listed must be there as exactly one of four things."""
    from pipeline.runs.derive import counts_of

    counts = {source.name: counts_of(connection, source.name) for source in job.sources}
    for name, found in counts.items():
        if built.listed[name] > found.files:
            raise PipelineError(
                f"documents: {found.files} of {built.listed[name]} files of {name} are accounted for. Report this defect."
            )
    job.fill(list(counts.values()))
    for name in built.first_seen:
        job.ledger.new += counts[name].articles + counts[name].other
        job.ledger.rejected += counts[name].rejected
        job.ledger.skipped += counts[name].skipped
    return counts


def _manifest(
    job: Job,
    built: Built,
    counts: dict[str, Counts],
    checks: list[CheckCount],
    connection: duckdb.DuckDBPyConnection,
) -> Manifest:
    from pipeline.runs.derive import newest_of, tallies_of

    started_at = job.record.started_at
    entries = job.previous.entries(without=built.forgotten)
    for source in job.sources:
        name = source.name
        tallies, newest = tallies_of(connection, name), newest_of(connection, name, started_at)
        entry = SourceEntry(name, source.root, job.fingerprint, counts[name], tallies, *newest)
        entries[name] = built.pasts[name].enter(entry) if name in built.pasts else entry
    return Manifest(
        id=snapshot_id(started_at, content_id(built.tables)),
        created_at=started_at,
        parent=job.previous.id,
        run_id=job.record.run_id,
        version=__version__,
        sources=sorted(entries.values(), key=lambda entry: entry.name),
        tables=built.tables,
        listings=built.listings,
        checks=checks,
    )


def _publish(job: Job, manifest: Manifest, *, dry_run: bool, forgotten: bool) -> None:
    from pipeline.runs.publish import holds_the_same, keep, publish

    published = job.previous.manifest
    if dry_run:
        job.record.outcome = "dry_run"
    elif published is not None and holds_the_same(manifest, published):
        keep(job.warehouse, manifest, published, job.staged)
        job.record.outcome = "unchanged"
    else:
        publish(job.warehouse, manifest, job.staged, manifest.created_at)
        job.record.outcome, job.record.snapshot = (
            "forgotten" if forgotten else "published",
            manifest.id,
        )


def _sweep(job: Job) -> None:
    """Remove what nobody needs; that it cannot be removed does not undo a run."""
    from pipeline.load.retention import sweep

    settings = job.settings
    with job.timed("gc"):
        try:
            swept = sweep(
                job.warehouse, settings.keep_snapshots, settings.keep_days, job.record.started_at
            )
            logs = rotate(job.warehouse.logs, settings.keep_logs)
            runs = fold_records(job.warehouse, job.record.started_at)
            job.log.event(
                "swept",
                snapshots=swept.removed,
                files=swept.files,
                bytes=swept.bytes,
                logs=logs,
                runs=runs,
            )
        except Exception as error:  # whatever it is: what was published is published
            reason = (
                str(error)
                if isinstance(error, PipelineError)
                else f"{type(error).__name__}: {error}"
            )
            job.record.message = f"published, but gc failed: {reason}"
            job.log.event("gc_failed", message=reason)


def _printable(rows: list[dict[str, object]]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in rows]
