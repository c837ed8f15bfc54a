"""Files of a warehouse, and those that its snapshots name."""

from pathlib import Path

from pipeline.load.retention import snapshots
from pipeline.load.warehouse import Warehouse
from tests.support.world import World


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def named_by(world: World) -> set[str]:
    """Parts and listings that the manifests which are there name."""
    found = set()
    for snapshot in snapshots(Warehouse(world.warehouse)):
        for table, files in snapshot.manifest.tables.items():
            found |= {f"parts/{table}/{file.file}" for file in files}
        found |= {f"listings/{name}" for name in snapshot.manifest.listings.values()}
    return found


def on_disk(world: World) -> set[str]:
    return {
        name for name in files_below(world.warehouse) if name.startswith(("parts/", "listings/"))
    }
