"""Publish: a staged catalog and a manifest become what every reader sees."""

import datetime as dt

import msgspec

from pipeline.errors import WarehouseError
from pipeline.load import listings
from pipeline.load.manifest import Manifest, content_id
from pipeline.load.retention import available
from pipeline.load.warehouse import Warehouse
from pipeline.views import catalog
from pipeline.views.seal import is_in_order, put


def publish(
    warehouse: Warehouse, manifest: Manifest, staged: catalog.Staged, at: dt.datetime
) -> None:
    """Commit the manifest, then replace the catalog.

    What fails for lack of disk space fails before the commit.
    """
    staged.flush()
    warehouse.publish(manifest, at)
    put(staged.aside, warehouse, manifest.id)


def holds_the_same(manifest: Manifest, published: Manifest) -> bool:
    """Return whether the published snapshot consists of the same part files."""
    return content_id(published.tables) == content_id(manifest.tables)


def keep(
    warehouse: Warehouse, manifest: Manifest, published: Manifest, staged: catalog.Staged
) -> None:
    """Keep the published snapshot, whose rows are those of `manifest`.

    Its listings and sources are brought up to date, and its catalog is mended.
    """
    same = msgspec.structs.replace(manifest, id=published.id, parent=published.parent)
    if (manifest.listings, manifest.sources) != (published.listings, published.sources):
        warehouse.amend(same)
    if not is_in_order(warehouse, published.id):
        publish(warehouse, same, staged, manifest.created_at)


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
        publish(warehouse, manifest, staged, at)
    return manifest
