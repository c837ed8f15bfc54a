"""What an operator does beside running: going back to an older snapshot, removing what nobody needs."""

import datetime as dt
from contextlib import suppress

from pipeline.errors import WarehouseError
from pipeline.load.retention import Swept, resolve, sweep
from pipeline.load.warehouse import Warehouse
from pipeline.runs.publish import publish_again
from pipeline.runs.record import RunRecord, recorded


def roll_back(
    warehouse: Warehouse, snapshot: str, *, now: dt.datetime | None = None, wait: float = 0
) -> RunRecord:
    """Publish a snapshot that is kept again: an id, the beginning of one, or `previous`; the record says so in `runs`.

    Raises UsageError where there is no such snapshot, WarehouseError where it is damaged.
    """
    warehouse.require()
    wanted = resolve(
        warehouse, snapshot
    )  # what it meant when it was asked, whoever publishes meanwhile
    with recorded(warehouse, now, wait) as (warehouse, record, log):
        log.open()
        before = None
        with suppress(WarehouseError):  # a lost CURRENT is a reason to come here
            before = record.snapshot = warehouse.current_id()
        record.snapshot = publish_again(warehouse, wanted, record.started_at).id
        record.message = f"it was {before}" if before else None
        record.outcome = "rolled_back"
    return record


def collect_garbage(
    warehouse: Warehouse,
    keep: int,
    keep_days: float,
    *,
    now: dt.datetime | None = None,
    dry_run: bool = False,
    wait: float = 0,
) -> Swept:
    """Remove snapshots but for the newest `keep` and those younger than `keep_days`, and files that belong to none."""
    warehouse.require()
    with warehouse.lock(wait):
        return sweep(warehouse, keep, keep_days, now or dt.datetime.now(dt.UTC), dry_run=dry_run)
