"""The seal, which ties `warehouse.duckdb` and `current` to the published snapshot."""

import json
import os
from pathlib import Path

from pipeline.load.files import replace_file
from pipeline.load.warehouse import PACKAGE, Warehouse
from pipeline.views.relations import digest


def put(aside: Path, warehouse: Warehouse, snapshot: str) -> None:
    """Rename a flushed catalog to `warehouse.duckdb`; readers of the old file keep it open."""
    os.replace(aside, warehouse.database)
    replace_file(_mark(warehouse), json.dumps(_seal(warehouse, snapshot)).encode())


def is_in_order(warehouse: Warehouse, snapshot: str) -> bool:
    """Return whether `warehouse.duckdb` and `current` show the snapshot by this version's SQL."""
    try:
        sealed = json.loads(_mark(warehouse).read_text()) == _seal(warehouse, snapshot)
        return sealed and os.readlink(warehouse.root / "current") == f"snapshots/{snapshot}"
    except (OSError, ValueError):
        return False


def _mark(warehouse: Warehouse) -> Path:
    return warehouse.root / ".catalog.json"


def _seal(warehouse: Warehouse, snapshot: str) -> dict[str, object]:
    status = warehouse.database.stat()
    return {
        "snapshot": snapshot,
        "root": str(warehouse.root),
        "sql": digest(),
        "package": PACKAGE,  # an older version published without one
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }
