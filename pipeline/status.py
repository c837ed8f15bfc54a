"""What is there: the published snapshot, the last runs, the settings in force."""

from typing import Any

import msgspec

from pipeline.load.snapshots import Warehouse
from pipeline.render import printable
from pipeline.settings import Setting, Settings

RUNS_SHOWN = 5


def status_object(settings: Settings, origins: dict[str, Setting]) -> dict[str, Any]:
    """Warehouse, snapshot, its tables, the last runs (newest first) and each setting with its origin."""
    warehouse = Warehouse(settings.warehouse)
    manifest = warehouse.published()
    tables = {}
    if manifest:
        tables = {
            name: {"rows": manifest.rows(name), "bytes": sum(file.bytes for file in files), "files": len(files)}
            for name, files in manifest.tables.items()
        }
    return {
        "warehouse": str(warehouse.root),
        "snapshot": manifest and manifest.id,
        "created_at": manifest and manifest.created_at.isoformat(),
        "sources": [{"name": source.name, "path": source.path} for source in manifest.sources] if manifest else [],
        "tables": tables,
        "runs": _last_runs(warehouse),
        "settings": {name: {"value": setting.value, "origin": setting.origin} for name, setting in origins.items()},
    }


def _last_runs(warehouse: Warehouse) -> list[dict[str, Any]]:
    paths = sorted(warehouse.runs.glob("*.json"), reverse=True)[:RUNS_SHOWN]
    runs = []
    for path in paths:
        try:
            runs.append(msgspec.json.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError):  # a record that a full disk cut off
            continue
    return runs


def status_text(found: dict[str, Any]) -> str:
    """The status for a person."""
    lines = [f"Warehouse  {printable(found['warehouse'])}"]
    if found["snapshot"]:
        lines.append(f"Snapshot   {found['snapshot']}")
        lines += [f"Source     {printable(source['name'])} = {printable(source['path'])}" for source in found["sources"]]
        lines += ["", f"  {'table':<17}{'rows':>12}{'bytes':>14}{'files':>7}"]
        lines += [f"  {name:<17}{t['rows']:>12,}{t['bytes']:>14,}{t['files']:>7,}" for name, t in found["tables"].items()]
    else:
        lines.append("Snapshot   nothing published yet; start with: pipeline run")
    lines += ["", "Last runs"]
    for run in found["runs"]:
        counts = f"{run['files']:,} files, {run['rejected']:,} rejected, {run['seconds_total']:.1f} s"
        lines.append(f"  {run['started_at'][:19]}Z  {run['outcome']:<10} {printable(run['message'] or counts)}")
    if not found["runs"]:
        lines.append("  none")
    lines += ["", "Settings"]
    lines += [
        f"  {name:<15} {printable(_value(setting['value'])):<20} {setting['origin']}" for name, setting in found["settings"].items()
    ]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
