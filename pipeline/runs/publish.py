"""Publish: a staged catalog and a manifest become what every reader sees."""

import datetime as dt

from msgspec.structs import replace

from pipeline._version import __version__
from pipeline.errors import WarehouseError
from pipeline.load import listings
from pipeline.load.manifest import CheckCount, Manifest, content_id, snapshot_id
from pipeline.load.retention import available
from pipeline.load.warehouse import Warehouse
from pipeline.runs.built import Built
from pipeline.runs.context import Context
from pipeline.runs.derive import Derived
from pipeline.runs.record import Outcome
from pipeline.views import catalog
from pipeline.views.checks import CheckResult
from pipeline.views.seal import is_in_order, put


def manifest_of(
    context: Context, built: Built, derived: Derived, checks: list[CheckResult]
) -> Manifest:
    """Return the manifest of the snapshot to be."""
    entries = context.baseline.entries | {entry.name: entry for entry in derived.entries}
    return Manifest(
        id=snapshot_id(context.started_at, content_id(derived.tables)),
        created_at=context.started_at,
        parent=context.baseline.id,
        run_id=context.recorder.record.run_id,
        version=__version__,
        sources=[entries[name] for name in sorted(entries.keys() - built.removed)],
        tables=derived.tables,
        listings=built.listings,
        checks=[
            CheckCount(result.name, result.level, result.count)
            for result in checks
            if result.level != "off"
        ],
    )


def publish(context: Context, built: Built, manifest: Manifest, staged: catalog.Staged) -> Outcome:
    """Publish the snapshot of a run, unless the published one consists of the same part files."""
    if context.is_dry_run:
        return "dry_run"
    published = context.baseline.manifest
    if published and content_id(published.tables) == content_id(manifest.tables):
        _keep(context.warehouse, manifest, published, staged)
        return "unchanged"
    _commit(context.warehouse, manifest, staged, context.started_at)
    return "forgotten" if built.removed else "published"


def _commit(
    warehouse: Warehouse, manifest: Manifest, staged: catalog.Staged, at: dt.datetime
) -> None:
    """Commit the manifest, then replace the catalog.

    What fails for lack of disk space fails before the commit.
    """
    staged.flush()
    warehouse.publish(manifest, at)
    put(staged.aside, warehouse, manifest.id)


def _keep(
    warehouse: Warehouse, manifest: Manifest, published: Manifest, staged: catalog.Staged
) -> None:
    """Keep the published snapshot, whose rows are those of `manifest`.

    Its listings and sources are brought up to date, and its catalog is mended.
    """
    same = replace(manifest, id=published.id, parent=published.parent)
    if (manifest.listings, manifest.sources) != (published.listings, published.sources):
        warehouse.amend(same)
    if not is_in_order(warehouse, published.id):
        _commit(warehouse, same, staged, manifest.created_at)


def publish_again(warehouse: Warehouse, snapshot: str, at: dt.datetime) -> Manifest:
    """Publish an older snapshot again. For the holder of the lock.

    Raises WarehouseError if any of its files is gone; what is published then stays.
    """
    manifest = warehouse.manifest(snapshot)
    if damaged := warehouse.damaged(manifest):
        raise WarehouseError(
            f"{damaged[0]}: this file of snapshot {snapshot} is missing or damaged."
            f" {available(warehouse, snapshot)}"
        )
    for name in manifest.listings.values():
        listings.read(warehouse.root, name)  # without them, no run could go on from there
    with catalog.Staged(warehouse) as staged:
        staged.show(manifest.tables)
        staged.comment()
        _commit(warehouse, manifest, staged, at)
    return manifest
