"""What the published snapshot tells the next run: what it knows of a source, and why it must build everything again."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pipeline.errors import SourceError, UsageError, WarehouseError
from pipeline.extract.source import Listing
from pipeline.extract.sources import Source
from pipeline.load.listings import read as read_listing
from pipeline.load.manifest import HISTORY, Manifest, PartFile, SourceEntry
from pipeline.load.warehouse import RECOVER, Warehouse
from pipeline.runs.plan import Known
from pipeline.text import printable


class Previous:
    """The snapshot that was published before a run; `manifest` is None before the first one."""

    def __init__(self, warehouse: Warehouse, *, full: bool) -> None:
        """A full run does without a manifest that is damaged; raises WarehouseError for it else."""
        self._warehouse, self._full = warehouse, full
        self.manifest: Manifest | None = None
        try:
            self.manifest = warehouse.published()
        except WarehouseError:
            if not full:
                raise
        self._entries = (
            {entry.name: entry for entry in self.manifest.sources} if self.manifest else {}
        )

    @property
    def id(self) -> str | None:
        """Id of the snapshot."""
        return self.manifest.id if self.manifest else None

    def entry(self, source: str) -> SourceEntry | None:
        """What the snapshot says of a source; None where it holds nothing of it."""
        return self._entries.get(source)

    def entries(self, *, without: Iterable[str] = ()) -> dict[str, SourceEntry]:
        """What it says of each source, but for some."""
        left_out = set(without)
        return {name: entry for name, entry in self._entries.items() if name not in left_out}

    def files(self, table: str, sources: set[str], reused: set[str]) -> list[PartFile]:
        """Part files of a table that stay: those of `reused` parts, and those of sources that the run does not touch."""
        kept = self.manifest.tables.get(table, []) if self.manifest else []
        return [
            file
            for file in kept
            if file.part and (file.part in reused or source_of(file.part) not in sources)
        ]

    def listings(self, sources: set[str], reused: set[str]) -> dict[str, str]:
        """Listings of the parts that stay."""
        old = self.manifest.listings if self.manifest else {}
        return {
            part: name
            for part, name in old.items()
            if part in reused or source_of(part) not in sources
        }

    def history(self) -> tuple[dict[str, list[PartFile]], list[Path]]:
        """Part files of the tables of history so far; and those that are lost, which a full run does without."""
        tables = self.manifest.tables if self.manifest else {}
        files = {name: tables.get(name, []) for name in HISTORY}
        if not self._full or self.manifest is None:
            return files, []
        lost = self._warehouse.damaged(msgspec.structs.replace(self.manifest, tables=files))
        names = {path.name for path in lost}
        return {
            name: [file for file in found if file.file not in names]
            for name, found in files.items()
        }, lost

    def known(self, source: Source) -> Known | None:
        """Files, tables and listings of a source; None where the snapshot holds nothing of it."""
        if self.manifest is None or source.name not in self._entries:
            return None
        mine = {
            part: name
            for part, name in self.manifest.listings.items()
            if source_of(part) == source.name
        }
        tables: dict[str, dict[str, str]] = {}
        for table, files in self.manifest.tables.items():
            for file in files:
                if file.part in mine:
                    tables.setdefault(file.part, {})[table] = file.file
        states = {}
        for part, name in mine.items():
            try:
                states[part] = read_listing(self._warehouse.root, name)
            except WarehouseError:
                if not self._full:
                    raise
        return Known(states, tables, mine)

    def why_rebuild(
        self, sources: Iterable[Source], fingerprint: dict[str, str], *, full: bool
    ) -> str | None:
        """Why every part of the named sources is built again; None where only what changed is."""
        if full:
            return "--full"
        differing = set()
        for source in sources:
            if entry := self._entries.get(source.name):
                names = entry.fingerprint.keys() | fingerprint.keys()
                differing |= {
                    name for name in names if entry.fingerprint.get(name) != fingerprint.get(name)
                }
        return f"{', '.join(sorted(differing))} changed" if differing else None

    def refuse_damaged(self, sources: Iterable[Source]) -> None:
        """Raise WarehouseError where a part is missing or cut off; a full run needs none of its own sources' and no derived one."""
        if self.manifest is None:
            return
        tables = self.manifest.tables
        if self._full:
            named = {source.name for source in sources}
            tables = {
                name: [file for file in files if file.part and source_of(file.part) not in named]
                for name, files in tables.items()
            }
        if damaged := self._warehouse.damaged(
            msgspec.structs.replace(self.manifest, tables=tables)
        ):
            raise WarehouseError(
                f"{damaged[0]}: {len(damaged)} parts are missing or damaged. {RECOVER} Name every source then."
            )

    def refuse_empty(self, source: Source, listing: Listing) -> None:
        """A source without files is more likely not mounted, or another folder, than meant. Raises SourceError."""
        if not listing.entries:
            entry = self._entries.get(source.name)
            had = (
                f" (the snapshot has {entry.counts.files} of {source.name})"
                if entry and entry.counts.files
                else ""
            )
            raise SourceError(
                f"{source.root}: holds no article files{had}. Check that it is mounted and the right folder, or say --allow-empty."
            )

    def refuse_unknown(self, source: str) -> SourceEntry:
        """The entry of a source that the snapshot must hold. Raises UsageError, naming those it holds."""
        if source not in self._entries:
            there = ", ".join(map(printable, self._entries)) or "none"
            raise UsageError(
                f"{printable(source)}: the snapshot has no such source (it has {there}). Name one of them."
            )
        return self._entries[source]


def source_of(part: str) -> str:
    """Name of the source of a part."""
    return part.rpartition("/")[0]
