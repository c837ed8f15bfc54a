"""Publishing: a staged catalog and a manifest become what every reader sees; and going back to an older snapshot."""

from pathlib import Path

import duckdb
import msgspec

from pipeline.errors import WarehouseError
from pipeline.load import catalog
from pipeline.load.seal import is_in_order, put
from pipeline.load.snapshots import Warehouse
from pipeline.manifest import Manifest, content_id


def publish(warehouse: Warehouse, manifest: Manifest, connection: duckdb.DuckDBPyConnection, aside: Path) -> None:
    """Commit the manifest, then put the catalog in its place. What fails for want of room fails before the commit."""
    catalog.flush(connection)
    warehouse.publish(manifest)
    put(aside, warehouse, manifest.id)


def holds_the_same(manifest: Manifest, published: Manifest | None) -> bool:
    """Whether the published snapshot consists of the same part files."""
    return published is not None and content_id(published.tables) == content_id(manifest.tables)


def keep(warehouse: Warehouse, manifest: Manifest, published: Manifest, connection: duckdb.DuckDBPyConnection, aside: Path) -> None:
    """Keep the published snapshot, whose rows are those of `manifest`: bring its listings up to date, mend its catalog."""
    same = msgspec.structs.replace(manifest, id=published.id, parent=published.parent)
    if manifest.listings != published.listings:
        warehouse.amend(same)
    if not is_in_order(warehouse, published.id):
        publish(warehouse, same, connection, aside)


def publish_again(warehouse: Warehouse, snapshot: str) -> Manifest:
    """Publish a snapshot that is still there again. For the holder of the lock.

    Raises WarehouseError where any of its files is gone; what is published then stays.
    """
    manifest = warehouse.manifest(snapshot)
    for table, files in manifest.tables.items():
        for path in warehouse.part_paths(table, files):
            if not Path(path).is_file():
                raise WarehouseError(f"{path}: a part of snapshot {snapshot} is missing. Choose another: pipeline snapshots.")
    with catalog.staged(warehouse, manifest.tables) as (connection, aside):
        publish(warehouse, manifest, connection, aside)
    return manifest
