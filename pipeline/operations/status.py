"""What is there: the published snapshot, the last runs, the settings in force."""

import datetime as dt
import os
import socket
from itertools import islice
from typing import Any

import msgspec

from pipeline.load.retention import Snapshot
from pipeline.load.warehouse import Warehouse
from pipeline.operations.freshness import Clock, clock_lines, clocks
from pipeline.runs.record import records
from pipeline.settings import Setting, Settings, parse_limits
from pipeline.text import printable

RUNS_SHOWN = 5


def status_clocks(settings: Settings, now: dt.datetime) -> list[Clock]:
    """The clocks of freshness, by the limits of the settings."""
    warehouse = Warehouse(settings.warehouse)
    limits = {
        "article": parse_limits(settings.max_article_age),
        "file": parse_limits(settings.max_file_age),
        "run": parse_limits(settings.max_run_age),
    }
    return clocks(warehouse, warehouse.published(), now, **limits)


def status_object(
    settings: Settings, origins: dict[str, Setting], found: list[Clock]
) -> dict[str, Any]:
    """Warehouse, snapshot, its tables, freshness, the last runs (newest first) and each setting with its origin."""
    warehouse = Warehouse(settings.warehouse)
    manifest = warehouse.published()
    tables = {}
    if manifest:
        tables = {
            name: {
                "rows": manifest.rows(name),
                "bytes": sum(file.bytes for file in files),
                "files": len(files),
            }
            for name, files in manifest.tables.items()
        }
    return {
        "warehouse": str(warehouse.root),
        "snapshot": manifest and manifest.id,
        "created_at": manifest and manifest.created_at.isoformat(),
        "sources": [{"name": source.name, "path": source.path} for source in manifest.sources]
        if manifest
        else [],
        "tables": tables,
        "freshness": msgspec.to_builtins(found),
        "running": _running(warehouse),
        "runs": msgspec.to_builtins(list(islice(records(warehouse), RUNS_SHOWN))),
        "settings": {
            name: {"value": setting.value, "origin": setting.origin}
            for name, setting in origins.items()
        },
    }


def _running(warehouse: Warehouse) -> str | None:
    """Id of the run that holds the lock on this host; None where none does."""
    holder = warehouse.holder()
    if not holder or holder.host != socket.gethostname() or not _is_alive(holder.pid):
        return None
    return next(
        (
            record.run_id
            for record in records(warehouse)
            if record.run_id.endswith(f"-{holder.pid}")
        ),
        None,
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def status_text(found: dict[str, Any], freshness: list[Clock]) -> str:
    """The status for a person."""
    lines = [f"Warehouse  {printable(found['warehouse'])}"]
    if found["snapshot"]:
        lines.append(f"Snapshot   {found['snapshot']}")
        lines += [
            f"Source     {printable(source['name'])} = {printable(source['path'])}"
            for source in found["sources"]
        ]
        lines += ["", "Freshness", *clock_lines(freshness)]
        lines += ["", f"  {'table':<17}{'rows':>12}{'bytes':>14}{'files':>7}"]
        lines += [
            f"  {name:<17}{t['rows']:>12,}{t['bytes']:>14,}{t['files']:>7,}"
            for name, t in found["tables"].items()
        ]
    else:
        lines.append("Snapshot   nothing published yet; start with: pipeline run")
    lines += ["", "Last runs"]
    for run in found["runs"]:
        counts = (
            f"{run['files']:,} files, {run['rejected']:,} rejected, {run['seconds_total']:.1f} s"
        )
        outcome = (
            "killed"
            if run["outcome"] == "running" and run["run_id"] != found["running"]
            else run["outcome"]
        )
        lines.append(
            f"  {run['started_at'][:19]}Z  {outcome:<11} {printable(run['message'] or counts)}"
        )
    if not found["runs"]:
        lines.append("  none")
    lines += ["", "Settings"]
    lines += [
        f"  {name:<15} {printable(_value(setting['value'])):<20} {setting['origin']}"
        for name, setting in found["settings"].items()
    ]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} = {item}" for name, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def snapshot_rows(found: list[Snapshot]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names and rows of the snapshots that are there, newest first; bytes count a file in each snapshot that has it."""
    rows: list[tuple[Any, ...]] = []
    for snapshot in reversed(found):
        counts = [source.counts for source in snapshot.manifest.sources]
        size = sum(file.bytes for files in snapshot.manifest.tables.values() for file in files)
        totals = [
            sum(getattr(count, name) for count in counts)
            for name in ("files", "articles", "rejected")
        ]
        rows.append(
            (
                "current" if snapshot.is_current else None,
                snapshot.id,
                snapshot.created_at,
                *totals,
                size,
            )
        )
    return ["", "snapshot", "created_at", "files", "articles", "rejected", "bytes"], rows
