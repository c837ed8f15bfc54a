"""Maintain a warehouse: go back to an older snapshot, remove what nobody needs."""

import datetime as dt
from contextlib import suppress

from pipeline.errors import PipelineError, WarehouseError
from pipeline.load.retention import Swept, resolve, sweep
from pipeline.load.warehouse import Warehouse
from pipeline.runs.context import Context
from pipeline.runs.log import rotate
from pipeline.runs.publish import publish_again
from pipeline.runs.record import RunRecord, fold_records, recorded


def roll_back(
    warehouse: Warehouse, snapshot: str, *, now: dt.datetime | None = None, wait: float = 0
) -> RunRecord:
    """Publish an older snapshot again and return the record of that.

    `snapshot` is an id, the beginning of one, or `previous`. Raises UsageError if there is no such
    snapshot, WarehouseError if it is damaged.
    """
    warehouse.require()
    target = resolve(warehouse, snapshot)  # before waiting for another run, which may publish
    with recorded(warehouse, now, wait) as recorder:
        recorder.log.open()
        before = None
        with suppress(WarehouseError):  # a lost CURRENT is a reason to roll back
            before = warehouse.current_id()
            recorder.note(snapshot=before)
        manifest = publish_again(warehouse, target, recorder.record.started_at)
        message = f"it was {before}" if before else None
        recorder.note(snapshot=manifest.id, message=message, outcome="rolled_back")
    return recorder.record


def collect_garbage(
    warehouse: Warehouse,
    keep: int,
    keep_days: float,
    *,
    now: dt.datetime | None = None,
    dry_run: bool = False,
    wait: float = 0,
) -> Swept:
    """Remove old snapshots and the files that belong to none.

    The newest `keep` stay, and all younger than `keep_days`.
    """
    warehouse.require()
    with warehouse.lock(wait):
        return sweep(warehouse, keep, keep_days, now or dt.datetime.now(dt.UTC), dry_run=dry_run)


def sweep_after(context: Context) -> None:
    """Remove what nobody needs after a run; if that fails, what was published stays published."""
    settings, recorder, warehouse = context.settings, context.recorder, context.warehouse
    with recorder.timed("gc"):
        try:
            keep, days = settings.keep_snapshots, settings.keep_days
            swept = sweep(warehouse, keep, days, context.started_at)
            recorder.log.event(
                "swept",
                snapshots=swept.removed,
                files=swept.files,
                bytes=swept.bytes,
                logs=rotate(warehouse.logs, settings.keep_logs),
                runs=fold_records(warehouse, context.started_at),
            )
        except Exception as error:  # whatever it is: what was published is published
            known = isinstance(error, PipelineError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            recorder.note(message=f"published, but gc failed: {reason}")
            recorder.log.event("gc_failed", message=reason)
