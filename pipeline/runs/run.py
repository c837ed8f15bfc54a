"""A run, from top to bottom: baseline, plan, build, history, finish. It alone knows all stages.

Arrow and DuckDB are imported where they are used: a run that finds nothing to do loads neither.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pipeline.build.workers import Progress, Workers
from pipeline.extract.sources import Source
from pipeline.load.manifest import Manifest, total_counts
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.runs.baseline import read_baseline, reason_to_rebuild, refuse_damaged
from pipeline.runs.built import build, forget_source, reckon_sources
from pipeline.runs.context import Context
from pipeline.runs.fingerprint import read_fingerprint
from pipeline.runs.finish import Finished, finish, refuse_rejections
from pipeline.runs.ledger import Ledger, total
from pipeline.runs.plan import Plan, is_up_to_date, parse_sources, plan_run
from pipeline.runs.record import RunResult, recorded
from pipeline.settings import Settings
from pipeline.views.checks import refuse_unknown

if TYPE_CHECKING:
    from pipeline.views.catalog import Staged


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
    refuse_unknown(settings.checks)
    warehouse = Warehouse(settings.warehouse)
    with recorded(warehouse, now, wait) as recorder:
        baseline = read_baseline(warehouse, full=full)
        context = Context(settings, warehouse, baseline, recorder, dry_run)
        finished = _run(context, sources, Workers(settings.workers, executor, progress))
    return finished.result(recorder.record, warehouse)


def _run(context: Context, sources: list[Source], workers: Workers) -> Finished:
    recorder, baseline = context.recorder, context.baseline
    fingerprint = read_fingerprint(context.options, baseline.entries.values())
    rebuilt = reason_to_rebuild(baseline, sources, fingerprint)
    recorder.start(sources, baseline.id, rebuilt)
    early = rebuilt is not None or baseline.manifest is None
    with (
        workers.started(early=early) as workers,
        staged_catalog(context.warehouse) as open_catalog,
    ):
        refuse_damaged(baseline, sources)
        with recorder.timed("scan"):
            # a run that builds everything compares no times: workers take them when they read
            plan = plan_run(context, sources, fingerprint, rebuilt, with_times=workers.pool is None)
        if is_up_to_date(context, plan):
            return _finish_unchanged(context, plan)
        recorder.log.open()
        with recorder.timed("build"):
            built = build(context, plan, workers, meanwhile=open_catalog)
            from pipeline.runs.history_delta import history_delta

            reckonings = reckon_sources(plan, built.parts)
            delta = history_delta(context, plan, built, reckonings)
        ledger = total(reckoning.ledger for reckoning in reckonings.values())
        return finish(context, built, delta, ledger, open_catalog())


def forget(
    settings: Settings, source: str, *, now: dt.datetime | None = None, wait: float = 0
) -> RunResult:
    """Publish a snapshot without the rows of one source.

    Raises UsageError if the published snapshot has no such source.
    """
    warehouse = Warehouse(settings.warehouse)
    warehouse.require()
    refuse_unknown(settings.checks)
    read_baseline(warehouse).require_source(source)
    with recorded(warehouse, now, wait) as recorder:
        context = Context(settings, warehouse, read_baseline(warehouse), recorder)
        recorder.start([], context.baseline.id, None)
        ledger = Ledger(deleted=context.baseline.require_source(source).counts.files)
        recorder.note(message=f"forgot {source}")
        with staged_catalog(warehouse) as open_catalog:
            from pipeline.runs.history_delta import empty_delta

            built = forget_source(context.baseline, source)
            finished = finish(context, built, empty_delta(context), ledger, open_catalog())
    return finished.result(recorder.record, warehouse)


def _finish_unchanged(context: Context, plan: Plan) -> Finished:
    """Finish a run that found every file as it was: no row is read or written."""
    manifest, settings = context.baseline.manifest, context.settings
    assert manifest is not None
    named = plan.names
    counts = total_counts(entry.counts for entry in manifest.sources if entry.name in named)
    ledger = total(reckoning.ledger for reckoning in reckon_sources(plan).values())
    context.recorder.note(counts=counts)
    refuse_rejections(settings, counts, f"pipeline rejects -w {shlex.quote(settings.warehouse)}")
    if not context.is_dry_run:
        manifest = _with_fingerprint(context.warehouse, manifest, plan)
    outcome = "dry_run" if context.is_dry_run else "unchanged"
    context.recorder.note(outcome=outcome, ledger=ledger)
    return Finished(manifest, ledger, named)


def _with_fingerprint(warehouse: Warehouse, manifest: Manifest, plan: Plan) -> Manifest:
    """Write the fingerprint of the named sources into the manifest, if it differs, and return it.

    After an upgrade that makes the same rows, later runs then need not parse the code.
    """
    entries = [
        replace(entry, fingerprint=plan.fingerprint) if entry.name in plan.names else entry
        for entry in manifest.sources
    ]
    if entries != manifest.sources:
        manifest = replace(manifest, sources=entries)
        warehouse.amend(manifest)
    return manifest


@contextmanager
def staged_catalog(warehouse: Warehouse) -> Iterator[Callable[[], Staged]]:
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

            return closing.enter_context(Staged(warehouse))

        yield open_catalog
