"""Files and rows of a warehouse, and the files that its snapshots name."""

from pathlib import Path

from pipeline.load.retention import snapshots
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import TABLES
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


def tables(world: World, *, without: set[str] = frozenset()) -> dict[str, list[tuple[object, ...]]]:  # type: ignore[assignment]
    """All rows of tables; not the part that holds them, nor when a folder's file was written."""
    found = {}
    with world.connect() as connection:
        for name in set(TABLES) - without:
            columns = ", ".join(
                column
                for column in TABLES[name].names
                if column not in ("part", *(without & {"modified_at"}))
            )
            found[name] = connection.execute(
                f"select {columns} from {name} order by all"
            ).fetchall()
    return found
