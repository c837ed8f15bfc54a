"""Publishing: a staged catalog and a manifest become what every reader sees; and going back to an older snapshot."""

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
    """Commit the manifest, then put the catalog in its place. What fails for want of room fails before the commit."""
    staged.flush()
    warehouse.publish(manifest, at)
    put(staged.aside, warehouse, manifest.id)


def holds_the_same(manifest: Manifest, published: Manifest) -> bool:
    """Whether the published snapshot consists of the same part files."""
    return content_id(published.tables) == content_id(manifest.tables)


def keep(
    warehouse: Warehouse, manifest: Manifest, published: Manifest, staged: catalog.Staged
) -> None:
    """Keep the published snapshot, whose rows are those of `manifest`: bring listings and sources up to date, mend its catalog."""
    same = msgspec.structs.replace(manifest, id=published.id, parent=published.parent)
    if (manifest.listings, manifest.sources) != (published.listings, published.sources):
        warehouse.amend(same)
    if not is_in_order(warehouse, published.id):
        publish(warehouse, same, staged, manifest.created_at)


def publish_again(warehouse: Warehouse, snapshot: str, at: dt.datetime) -> Manifest:
    """Publish a snapshot that is still there again. For the holder of the lock.

    Raises WarehouseError where any of its files is gone; what is published then stays.
    """
    manifest = warehouse.manifest(snapshot)
    if damaged := warehouse.damaged(manifest):
        raise WarehouseError(
            f"{damaged[0]}: this file of snapshot {snapshot} is missing or damaged. {available(warehouse, snapshot)}"
        )
    for name in manifest.listings.values():
        listings.read(warehouse.root, name)  # else no run could go on from there
    with catalog.Staged(warehouse) as staged:
        staged.show(manifest.tables)
        staged.comment()
        publish(warehouse, manifest, staged, at)
    return manifest
