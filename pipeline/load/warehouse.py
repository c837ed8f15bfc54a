"""A warehouse folder: snapshots, each a manifest of part files; `CURRENT` names the published one.

CURRENT                         id of the published snapshot; its replacement is the commit
snapshots/<id>.json             the manifest
snapshots/<id>/<table>/         hard links to its part files (copies where links fail)
snapshots/<id>/datapackage.json describes them to Frictionless tools
current -> snapshots/<id>       `current/articles/*.parquet` is right for any tool
parts/<table>/<hash>.parquet    immutable
runs/<run id>.json              one record per run; after a month, a line of runs/<month>.json
logs/<run id>.jsonl             what a run did, line by line
"""

import datetime as dt
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from pipeline.errors import LockHeld, UsageError, WarehouseError
from pipeline.load.files import flush_all, replace_file, replacing, reporting, unwritable
from pipeline.load.manifest import FORMAT, Manifest, PartFile

PACKAGE = "datapackage.json"
ID_PATTERN = "[0-9]*T*Z-*.json"
RECOVER = (
    "Go back to a snapshot with `pipeline rollback ID` (see `pipeline snapshots`),"
    " or build everything again with `pipeline run --full`."
)


def damage(path: Path, what: str) -> WarehouseError:
    """Return the error for a file that is missing or damaged: what is wrong, and what to do."""
    return WarehouseError(f"{path}: {what}. {RECOVER}")


class Warehouse:
    """A warehouse folder."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.abspath(root))
        self.database = self.root / "warehouse.duckdb"
        """Views and comments only."""
        self.snapshots = self.root / "snapshots"
        self.runs, self.logs = self.root / "runs", self.root / "logs"
        text = os.fsencode(self.root).decode("utf-8", "replace")
        if not os.fspath(root) or re.search("[*?\ufffd\\\\]", text):
            named = text if os.fspath(root) else "the warehouse"
            raise UsageError(
                f"{named}: a warehouse needs a path in UTF-8, without * ? and backslash."
                " Name another folder."
            )

    def prepare(self) -> None:
        """Create the folders. Raises WarehouseError if that is not possible."""
        with reporting(self.root):
            for folder in (self.root / "parts", self.snapshots, self.runs):
                folder.mkdir(parents=True, exist_ok=True)

    def current_id(self) -> str | None:
        """Return the id of the published snapshot; None before the first one."""
        path = self.root / "CURRENT"
        try:
            if name := path.read_text("ascii").strip():
                return name
            raise damage(path, "does not name a snapshot")
        except FileNotFoundError:
            manifests = self.snapshots.glob(ID_PATTERN)
            if any(b'"parent": "' in manifest.read_bytes() for manifest in manifests):
                raise damage(path, "is missing, though there are snapshots") from None
            return None
        except (OSError, ValueError) as error:
            raise damage(path, f"cannot be read ({error})") from error

    def require(self) -> None:
        """Raise WarehouseError if there is no warehouse, before anything is written there."""
        if not self.snapshots.is_dir():
            message = "there is no warehouse here. Name one with --warehouse."
            raise WarehouseError(f"{self.root}: {message}")

    def manifest_path(self, snapshot: str) -> Path:
        """Return the path of the manifest of a snapshot."""
        return self.snapshots / f"{snapshot}.json"

    def manifest(self, snapshot: str | None = None) -> Manifest:
        """Read the manifest of a snapshot, by default of the published one.

        Raises WarehouseError if there is none or it is damaged.
        """
        name = snapshot or self.current_id()
        if name is None:
            raise WarehouseError(
                f"{self.root}: nothing is published here (no CURRENT)."
                " Run `pipeline run` first, or name another --warehouse."
            )
        path = self.manifest_path(name)
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except FileNotFoundError as error:
            raise damage(path, f"the manifest of snapshot {name} is missing") from error
        except (OSError, msgspec.DecodeError) as error:
            raise damage(path, f"the manifest cannot be read ({error})") from error
        if manifest.format != FORMAT:
            is_newer = manifest.format > FORMAT
            raise WarehouseError(
                f"{path}: was written by {'a newer' if is_newer else 'an older'} version (format"
                f" {manifest.format}, expected {FORMAT}). {'Upgrade.' if is_newer else RECOVER}"
            )
        return manifest

    def published(self) -> Manifest | None:
        """Read the published manifest; None before the first one."""
        return self.manifest() if self.current_id() else None

    def part_paths(self, table: str, files: list[PartFile]) -> list[str]:
        """Return the absolute paths of a table's part files."""
        return [str(self.root / "parts" / table / file.file) for file in files]

    def damaged(self, manifest: Manifest) -> list[Path]:
        """Return the part files of a snapshot that are missing or have another size."""
        return [
            path
            for table, files in manifest.tables.items()
            for file in files
            if _size(path := self.root / "parts" / table / file.file) != file.bytes
        ]

    def publish(self, manifest: Manifest, at: dt.datetime) -> None:
        """Make `manifest` the snapshot that every reader sees; one rename commits all tables.

        The manifest that it replaces gets `at` as its modification time.
        """
        current = self.root / "current"
        if self.database.is_dir() or (current.exists() and not current.is_symlink()):
            raise WarehouseError(
                f"{self.root}: `warehouse.duckdb` is a folder or `current` is not a link."
                " Remove what is there."
            )
        self._write_links(manifest)
        flush_all(self.root)
        self.amend(manifest)
        self._mark_replaced(manifest.id, at)
        replace_file(self.root / "CURRENT", f"{manifest.id}\n".encode())
        self.point_current(manifest)

    def _mark_replaced(self, by: str, at: dt.datetime) -> None:
        times = at.timestamp(), at.timestamp()
        with suppress(WarehouseError, FileNotFoundError):
            if (old := self.current_id()) and old != by:
                path = self.manifest_path(old)
                try:
                    os.utime(path, times)
                except PermissionError:  # another user's file: its owner alone may set a time
                    replace_file(path, path.read_bytes())
                    os.utime(path, times)

    def amend(self, manifest: Manifest) -> None:
        """Write the manifest of a snapshot, whose part files stay: listings may be newer."""
        content = msgspec.json.format(msgspec.json.encode(manifest))
        replace_file(self.manifest_path(manifest.id), content)

    def point_current(self, manifest: Manifest) -> None:
        """Point `current` at the snapshot's links."""
        with replacing(self.root / "current") as aside:
            aside.symlink_to(f"snapshots/{manifest.id}")

    def _write_links(self, manifest: Manifest) -> None:
        from pipeline.load.datapackage import descriptor  # loads Arrow

        folder = self.snapshots / manifest.id
        if _has_links(folder, manifest):  # an older snapshot: its readers must not see a hole
            if not (folder / PACKAGE).exists():  # one of an older version
                with suppress(WarehouseError):  # another user's folder
                    replace_file(folder / PACKAGE, descriptor(manifest), flush=False)
            return
        with replacing(folder) as aside:
            for table, files in manifest.tables.items():
                (aside / table).mkdir(parents=True)
                for file in files:
                    _link(self.root / "parts" / table / file.file, aside / table / file.file)
            (aside / PACKAGE).write_bytes(descriptor(manifest))

    def holder(self) -> "Holder | None":
        """Return who holds the lock, or held it when it was killed; None if that is not known."""
        try:
            return msgspec.json.decode((self.root / ".lock.holder").read_bytes(), type=Holder)
        except (OSError, msgspec.DecodeError):
            return None

    @contextmanager
    def lock(self, wait: float = 0) -> Iterator[None]:
        """Hold the right to write, after waiting for it at most `wait` seconds.

        Raises LockHeld if another run still has it, with pid, host and since when.
        """
        if not wait >= 0:
            raise UsageError(f"--wait {wait}: is not a number of seconds. Give 0 or more.")
        path, holder = self.root / ".lock", self.root / ".lock.holder"
        lock = FileLock(path, timeout=wait)
        try:
            lock.acquire()
        except Timeout as error:
            by = self.holder()
            who = f"pid {by.pid} on {by.host} since {by.since}" if by else "holder unknown"
            raise LockHeld(
                f"{self.root}: another run is writing ({who}). Let it end, wait for it with"
                " --wait SECONDS, or choose another --warehouse."
            ) from error
        except OSError as error:
            raise unwritable(path, error.strerror or str(error)) from error
        try:
            since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            by = Holder(os.getpid(), socket.gethostname(), since)
            replace_file(holder, msgspec.json.encode(by))
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()


class Holder(Struct, frozen=True):
    """Who holds the lock, and since when."""

    pid: int
    host: str
    since: str


def _has_links(folder: Path, manifest: Manifest) -> bool:
    try:
        return all(
            {(entry.name, entry.stat().st_size) for entry in os.scandir(folder / table)}
            == {(file.file, file.bytes) for file in files}
            for table, files in manifest.tables.items()
        )
    except FileNotFoundError:
        return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _link(part: Path, link: Path) -> None:
    try:
        os.link(part, link)
    except OSError:
        shutil.copyfile(part, link)
