"""Report the published snapshot, its sources, the latest runs and the settings in force."""

import os
import socket
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import asdict

from pipeline.load.retention import Snapshot
from pipeline.load.warehouse import Warehouse
from pipeline.operations.freshness import Clock, clock_lines
from pipeline.runs.record import records
from pipeline.settings import Setting, Settings
from pipeline.text import printable

RUNS_LISTED = 5


def status_object(
    settings: Settings, origins: dict[str, Setting], freshness: list[Clock]
) -> dict[str, Any]:
    """Return the status as one JSON object: runs newest first, each setting with its origin."""
    warehouse = Warehouse(settings.warehouse)
    manifest = warehouse.published()
    tables = manifest.tables if manifest else {}
    sources = manifest.sources if manifest else []
    return {
        "warehouse": str(warehouse.root),
        "snapshot": manifest and manifest.id,
        "created_at": manifest and manifest.created_at.isoformat(),
        "sources": [{"name": source.name, "path": source.path} for source in sources],
        "tables": {
            name: {"rows": sum(one.rows for one in files), "bytes": sum(one.bytes for one in files)}
            | {"files": len(files)}
            for name, files in tables.items()
        },
        "freshness": msgspec.to_builtins(freshness),
        "running": _running(warehouse),
        "runs": msgspec.to_builtins(list(islice(records(warehouse), RUNS_LISTED))),
        "settings": {name: asdict(setting) for name, setting in origins.items()},
    }


def _running(warehouse: Warehouse) -> str | None:
    """Return the id of the run that holds the lock on this host; None if there is none."""
    holder = warehouse.holder()
    if not holder or holder.host != socket.gethostname() or not _is_alive(holder.pid):
        return None
    ids = (record.run_id for record in records(warehouse))
    return next((run_id for run_id in ids if run_id.endswith(f"-{holder.pid}")), None)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def status_text(status: dict[str, Any], freshness: list[Clock]) -> str:
    """Return the status for a person."""
    snapshot = status["snapshot"] or "nothing published yet; start with: pipeline run"
    lines = [f"Warehouse  {printable(status['warehouse'])}", f"Snapshot   {snapshot}"]
    if status["snapshot"]:
        lines += [
            f"Source     {printable(source['name'])} = {printable(source['path'])}"
            for source in status["sources"]
        ]
        lines += ["", "Freshness", *clock_lines(freshness)]
        lines += ["", f"  {'table':<17}{'rows':>12}{'bytes':>14}{'files':>7}"]
        lines += [
            f"  {name:<17}{table['rows']:>12,}{table['bytes']:>14,}{table['files']:>7,}"
            for name, table in status["tables"].items()
        ]
    runs = [_run_line(run, status["running"]) for run in status["runs"]]
    lines += ["", "Last runs", *(runs or ["  none"]), "", "Settings"]
    lines += [
        f"  {name:<15} {printable(_value_text(setting['value'])):<20} {setting['origin']}"
        for name, setting in status["settings"].items()
    ]
    return "\n".join(lines) + "\n"


def _run_line(run: dict[str, Any], running: str | None) -> str:
    outcome = run["outcome"]
    if outcome == "running" and run["run_id"] != running:
        outcome = "killed"
    counts = f"{run['files']:,} files, {run['rejected']:,} rejected, {run['seconds_total']:.1f} s"
    return f"  {run['started_at'][:19]}Z  {outcome:<11} {printable(run['message'] or counts)}"


def _value_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} = {item}" for name, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def snapshot_rows(snapshots: list[Snapshot]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows of kept snapshots, newest first.

    A file counts its bytes in each snapshot that has it.
    """
    counted, rows = ["files", "articles", "rejected"], []
    for snapshot in reversed(snapshots):
        counts = [source.counts for source in snapshot.manifest.sources]
        sums = [sum(getattr(count, name) for count in counts) for name in counted]
        size = sum(file.bytes for files in snapshot.manifest.tables.values() for file in files)
        mark = "current" if snapshot.is_current else None
        rows.append((mark, snapshot.id, snapshot.created_at, *sums, size))
    return ["", "snapshot", "created_at", *counted, "bytes"], rows
