"""A run, from top to bottom: plan, build, derive, check, publish, sweep. It alone knows all stages.

Arrow and DuckDB are imported where they are used: a run that finds nothing to do loads neither.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build.workers import Progress, Workers
from pipeline.extract.sources import Source
from pipeline.load.manifest import Manifest, total_counts
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.runs.baseline import read_baseline, reason_to_rebuild, refuse_damaged
from pipeline.runs.built import Built, build, forget_source, reckon_sources
from pipeline.runs.check import check, refuse_rejections
from pipeline.runs.context import Context, begin
from pipeline.runs.fingerprint import read_fingerprint
from pipeline.runs.ledger import Ledger, ledger_of, total
from pipeline.runs.plan import Plan, is_up_to_date, parse_sources, plan_source
from pipeline.runs.record import RunResult
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.runs.history_delta import HistoryDelta
    from pipeline.views.catalog import Staged


class Finished(Struct, frozen=True):
    """What a run ends with: the manifest that readers see, its ledger, the sources it named."""

    manifest: Manifest
    ledger: Ledger
    named: frozenset[str]

    def result(self, context: Context) -> RunResult:
        """Return what `run` returns, once the record of the run is complete."""
        entries = [entry for entry in self.manifest.sources if entry.name in self.named]
        rows = {name: self.manifest.rows(name) for name in self.manifest.tables}
        record, root, checks = context.recorder.record, str(context.root), self.manifest.checks
        return RunResult(record, self.ledger, root, entries, rows, checks)


def run(
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    full: bool = False,
    dry_run: bool = False,
    wait: float = 0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Read what changed in the sources, build the tables, check and publish them.

    `now` is the time of the run (default: the clock); `full` builds every part of the named
    sources again; a dry run stops before publishing; `wait` is how many seconds to wait for
    another run to end; `progress` is called with documents done and in all. Raises PipelineError;
    the published snapshot then stays as it was.
    """
    sources = parse_sources(settings)
    with begin(settings, now, wait, full=full, dry_run=dry_run) as context:
        finished = _run(context, sources, Workers(settings.workers, executor, progress))
    return finished.result(context)


def _run(context: Context, sources: list[Source], workers: Workers) -> Finished:
    recorder, baseline = context.recorder, context.baseline
    fingerprint = read_fingerprint(context.options, baseline.entries.values())
    rebuilt = reason_to_rebuild(baseline, sources, fingerprint)
    recorder.start(sources, baseline.id, rebuilt)
    early = rebuilt is not None or baseline.manifest is None
    with workers.started(early=early) as workers, staged_catalog(context) as open_catalog:
        refuse_damaged(baseline, sources)
        with recorder.timed("scan"):
            # a run that builds everything compares no times: workers take them when they read
            rules = {"rebuilt": rebuilt is not None, "with_times": workers.pool is None}
            plans = [plan_source(context, source, **rules) for source in sources]
        plan = Plan(tuple(plans), fingerprint, rebuilt)
        if is_up_to_date(context, plan):
            return _finish_unchanged(context, plan)
        recorder.log.open()
        with recorder.timed("build"):
            built = build(context, plan, workers, meanwhile=open_catalog)
            from pipeline.runs.history_delta import history_delta

            delta = history_delta(context, plan, built)
        return finish(context, built, delta, open_catalog())


def finish(context: Context, built: Built, delta: HistoryDelta, staged: Staged) -> Finished:
    """Turn what was built into the snapshot that readers see: derive, check, publish, sweep.

    Raises PipelineError if a check fails; the published snapshot then stays.
    """
    from pipeline.runs.derive import derive
    from pipeline.runs.maintenance import sweep_after
    from pipeline.runs.publish import manifest_of, publish

    recorder = context.recorder
    recorder.log.open()
    with recorder.timed("derive"):
        derived = derive(context.warehouse, staged, built, delta)
    with recorder.timed("check"):
        staged.comment()
        checks = check(context, built, derived, staged.connection)
        manifest = manifest_of(context, built, derived, checks)
    with recorder.timed("publish"):
        outcome = publish(context, built, manifest, staged)
    counts = {entry.name: entry.counts for entry in derived.entries}
    ledger = total([delta.ledger, *(ledger_of(counts[name]) for name in built.first_seen)])
    recorder.count(total_counts(counts.values()), ledger)
    recorder.note(outcome=outcome)
    if outcome in ("published", "forgotten"):
        recorder.note(snapshot=manifest.id)
        if context.settings.auto_gc:
            sweep_after(context)
    return Finished(manifest, ledger, frozenset(counts))


def _finish_unchanged(context: Context, plan: Plan) -> Finished:
    """Finish a run that found every file as it was: no row is read or written."""
    manifest, recorder = context.baseline.manifest, context.recorder
    assert manifest is not None
    counts = total_counts(entry.counts for entry in manifest.sources if entry.name in plan.names)
    recorder.count(counts)
    refuse_rejections(context, counts)
    # after an upgrade that makes the same rows, later runs need not parse the code
    entries = [
        replace(entry, fingerprint=plan.fingerprint) if entry.name in plan.names else entry
        for entry in manifest.sources
    ]
    if entries != manifest.sources and not context.is_dry_run:
        manifest = replace(manifest, sources=entries)
        context.warehouse.amend(manifest)
    ledger = total(reckoning.ledger for reckoning in reckon_sources(plan).values())
    recorder.count(counts, ledger)
    recorder.note(outcome="dry_run" if context.is_dry_run else "unchanged")
    return Finished(manifest, ledger, plan.names)


def forget(
    settings: Settings, source: str, *, now: dt.datetime | None = None, wait: float = 0
) -> RunResult:
    """Publish a snapshot without the rows of one source.

    Raises UsageError if the published snapshot has no such source.
    """
    warehouse = Warehouse(settings.warehouse)
    warehouse.require()
    read_baseline(warehouse).require_source(source)  # before waiting for another run
    with begin(settings, now, wait) as context, staged_catalog(context) as open_catalog:
        deleted = context.baseline.require_source(source).counts.files
        context.recorder.start([], context.baseline.id, None)
        context.recorder.note(message=f"forgot {source}")
        staged = open_catalog()
        from pipeline.runs.history_delta import HistoryDelta, nothing_seen

        delta = HistoryDelta(nothing_seen(context), Ledger(deleted=deleted))
        finished = finish(context, forget_source(context, source), delta, staged)
    return finished.result(context)


@contextmanager
def staged_catalog(context: Context) -> Iterator[Callable[[], Staged]]:
    """Yield what opens the catalog of the snapshot to be, when first called.

    Leaving the context removes the catalog if it was not published.
    """
    with ExitStack() as closing:

        @cache
        def open_catalog() -> Staged:
            with signals.held():  # what comes after building, loaded while the workers build
                import pipeline.runs.derive
                import pipeline.runs.publish  # noqa: F401
            from pipeline.views.catalog import Staged

            return closing.enter_context(Staged(context.warehouse))

        yield open_catalog
