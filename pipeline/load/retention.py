"""Keep the snapshots that are needed, and remove the others with their files."""

import datetime as dt
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from pipeline.errors import UsageError, WarehouseError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import ID_PATTERN, Warehouse
from pipeline.settings import MOST_DAYS
from pipeline.text import printable

GRACE = dt.timedelta(hours=1)
"""A snapshot stays for this long after readers could last see it."""
LISTED = 10
"""Snapshots that an error names at most."""


class Snapshot(Struct, frozen=True):
    """A snapshot that is kept: when it was made and replaced, and whether it is published."""

    id: str
    created_at: dt.datetime
    replaced_at: dt.datetime
    is_current: bool
    manifest: Manifest


class Swept(Struct, frozen=True):
    """What a sweep removed, or would remove: snapshots, and files that no other snapshot names."""

    removed: list[str]
    kept: list[str]
    files: int
    bytes: int


def snapshots(warehouse: Warehouse, *, strict: bool = False) -> list[Snapshot]:
    """Return all snapshots, oldest first, but for those whose manifests cannot be read.

    With `strict`, these raise WarehouseError, as does a published one that is not there.
    """
    tolerated = () if strict else (WarehouseError,)
    current, kept = None, []
    with suppress(*tolerated):
        if current := warehouse.current_id():
            warehouse.manifest(current)
    for name in _ids(warehouse):
        with suppress(*tolerated):
            manifest = warehouse.manifest(name)
            changed = warehouse.manifest_path(name).stat().st_mtime
            replaced_at = dt.datetime.fromtimestamp(changed, dt.UTC)
            is_current = name == current
            kept.append(Snapshot(name, manifest.created_at, replaced_at, is_current, manifest))
    return sorted(kept, key=lambda snapshot: (snapshot.created_at, snapshot.id))


def resolve(warehouse: Warehouse, text: str) -> str:
    """Return the id that `text` means: an id, the beginning of one, `current` or `previous`.

    `previous` is what `current` was made from. Raises UsageError if none or several match, with
    those that are there.
    """
    ids = _ids(warehouse)
    if text in ("current", "previous"):
        current = next((snapshot for snapshot in snapshots(warehouse) if snapshot.is_current), None)
        wanted = current and (current.id if text == "current" else current.manifest.parent)
        fitting = [name for name in ids if name == wanted]
    else:
        longer = [name for name in ids if text and name.startswith(text)]
        fitting = [text] if text in ids else longer
    if len(fitting) > 1:
        raise UsageError(
            f"{text}: fits {len(fitting)} snapshots ({_listed(fitting)}; expected one)."
            " Give more of the id."
        )
    if not fitting:
        raise UsageError(
            f"{warehouse.root}: there is no snapshot {printable(text) or '(no id)'}."
            f" {available(warehouse)}"
        )
    return fitting[0]


def available(warehouse: Warehouse, without: str = "") -> str:
    """Return the end of an error about a snapshot: which others there are."""
    ids = [name for name in _ids(warehouse) if name != without]
    choice = f"Choose from {_listed(ids)}" if ids else "Run `pipeline run` first"
    return f"{choice}: see `pipeline snapshots`."


def _ids(warehouse: Warehouse) -> list[str]:
    return [path.stem for path in warehouse.snapshots.glob(ID_PATTERN)]


def _listed(ids: list[str]) -> str:
    newest = ", ".join(sorted(ids, reverse=True)[:LISTED])
    return f"{newest} and {len(ids) - LISTED} older" if len(ids) > LISTED else newest


def staying(existing: list[Snapshot], keep: int, keep_days: float, now: dt.datetime) -> set[str]:
    """Return the ids of those to keep.

    They are the newest `keep`, all younger than `keep_days`, the published one, and those that
    readers may hold.
    """
    newest = {snapshot.id for snapshot in existing[max(0, len(existing) - keep) :]}
    days = dt.timedelta(days=keep_days)
    young = {snapshot.id for snapshot in existing if abs(now - snapshot.created_at) < days}
    current = {snapshot.id for snapshot in existing if snapshot.is_current}
    held = {snapshot.id for snapshot in existing if abs(now - snapshot.replaced_at) < GRACE}
    return newest | young | current | held


def sweep(
    warehouse: Warehouse, keep: int, keep_days: float, now: dt.datetime, *, dry_run: bool = False
) -> Swept:
    """Remove snapshots that need not stay, and every file that then belongs to none.

    For the holder of the lock. Manifests go first, so that a manifest names only files that are
    there wherever a sweep is cut off. Raises WarehouseError if a manifest cannot be read: which
    files it names is then unknown.
    """
    if not 0 <= keep_days <= MOST_DAYS:
        raise UsageError(
            f"--keep-days {keep_days}: is not a number of days (expected 0 to {MOST_DAYS:,})."
        )
    existing = snapshots(warehouse, strict=True)
    stay = staying(existing, keep, keep_days, now)
    gone = [snapshot.id for snapshot in existing if snapshot.id not in stay]
    kept = [snapshot.manifest for snapshot in existing if snapshot.id in stay]
    needed = _named_files(warehouse.root, kept)
    manifests = warehouse.snapshots.glob(ID_PATTERN)
    doomed = [str(path) for path in manifests if path.stem not in stay]
    links = _entries(warehouse.snapshots, r"\.?[0-9]{8}T[0-9]{6}Z-.+")
    doomed += [entry.path for entry in links if entry.name not in stay and _is_folder(entry)]
    doomed += [path for path in _content(warehouse.root) if path not in needed]
    size = sum(map(_size, doomed))
    for path in () if dry_run else doomed:
        _remove(path)
    return Swept(gone, sorted(stay), len(doomed), size)


def _named_files(root: Path, manifests: list[Manifest]) -> set[str]:
    named = set()
    for manifest in manifests:
        for table, files in manifest.tables.items():
            named |= {f"{root}/parts/{table}/{file.file}" for file in files}
        named |= {f"{root}/listings/{name}" for name in manifest.listings.values()}
    return named


def _content(root: Path) -> Iterator[str]:
    """Yield parts, listings, and what a killed run left half written."""
    tables = [Path(table.path) for table in _entries(root / "parts") if table.is_dir()]
    for folder in (*tables, root / "listings"):
        entries = _entries(folder, r"[0-9a-f]{24}\.(parquet|msgpack)|\..*\.tmp")
        yield from (entry.path for entry in entries)
    for folder in (root, root / "runs", root / "logs", root / "snapshots"):
        entries = _entries(folder, r"\..*\.tmp(\.wal)?")
        yield from (entry.path for entry in entries if not _is_folder(entry))


def _entries(folder: Path, pattern: str = ".*") -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            matching = [entry for entry in entries if re.fullmatch(pattern, entry.name, re.DOTALL)]
    except FileNotFoundError:
        return []
    return sorted(matching, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _size(path: str) -> int:
    """Return the bytes that removing the file frees; a folder of links holds none of its own."""
    try:
        return 0 if os.path.isdir(path) else os.lstat(path).st_size
    except OSError:
        return 0


def _remove(path: str) -> None:
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise WarehouseError(
            f"{path}: cannot be removed ({error.strerror}). Grant permission to write."
        ) from error
