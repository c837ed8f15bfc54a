"""The snapshot that was published before a run, and what the run needs to know of it."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.errors import SourceError, UsageError, WarehouseError
from pipeline.extract.source import Listing
from pipeline.extract.sources import Source
from pipeline.load.listings import read as read_listing
from pipeline.load.manifest import HISTORY, FileState, Manifest, PartFiles, SourceEntry
from pipeline.load.warehouse import RECOVER, Warehouse
from pipeline.runs.fingerprint import Fingerprint, differing
from pipeline.text import printable


class Baseline(Struct, frozen=True):
    """The published snapshot; `manifest` is None before the first one."""

    warehouse: Warehouse
    manifest: Manifest | None
    is_full: bool = False
    """Whether the run builds everything again, and so does without damaged files."""

    @property
    def id(self) -> str | None:
        """Id of the snapshot."""
        return self.manifest.id if self.manifest else None

    @property
    def entries(self) -> dict[str, SourceEntry]:
        """Sources of the snapshot by name."""
        return {entry.name: entry for entry in self.manifest.sources} if self.manifest else {}

    @property
    def tables(self) -> PartFiles:
        """Part files of the snapshot by table."""
        return self.manifest.tables if self.manifest else {}

    @property
    def listings(self) -> dict[str, str]:
        """Listings of the snapshot by part."""
        return self.manifest.listings if self.manifest else {}

    def require_source(self, source: str) -> SourceEntry:
        """Return the entry of a source. Raises UsageError if the snapshot has no such source."""
        if entry := self.entries.get(source):
            return entry
        names = ", ".join(map(printable, self.entries)) or "none"
        raise UsageError(
            f"{printable(source)}: the snapshot has no such source (it has {names})."
            " Name one of them."
        )


class Known(Struct, frozen=True):
    """What the snapshot holds of a source, by part: file states, tables and listing."""

    states: dict[str, list[FileState]]
    tables: dict[str, dict[str, str]]
    listings: dict[str, str]


def read_baseline(warehouse: Warehouse, *, full: bool = False) -> Baseline:
    """Read the published manifest.

    Raises WarehouseError if it is damaged; a `full` run does without it.
    """
    try:
        return Baseline(warehouse, warehouse.published(), full)
    except WarehouseError:
        if not full:
            raise
        return Baseline(warehouse, None, full)


def read_known(baseline: Baseline, source: str) -> Known | None:
    """Read the listings of a source; None if the snapshot holds nothing of it."""
    if source not in baseline.entries:
        return None
    listings = {part: name for part, name in baseline.listings.items() if source_of(part) == source}
    tables: dict[str, dict[str, str]] = {}
    for table, files in baseline.tables.items():
        for file in files:
            if file.part in listings:
                tables.setdefault(file.part, {})[table] = file.file
    states = {}
    for part, name in listings.items():
        with suppress(*((WarehouseError,) if baseline.is_full else ())):
            states[part] = read_listing(baseline.warehouse.root, name)
    return Known(states, tables, listings)


def published_history(baseline: Baseline) -> tuple[PartFiles, list[Path]]:
    """Return the part files of the tables of history, and those of them that are lost.

    Only a full run looks for lost files, and does without them.
    """
    history = {name: baseline.tables.get(name, []) for name in HISTORY}
    if not baseline.is_full or baseline.manifest is None:
        return history, []
    lost = baseline.warehouse.damaged(replace(baseline.manifest, tables=history))
    names = {path.name for path in lost}
    return {
        name: [file for file in files if file.file not in names] for name, files in history.items()
    }, lost


def kept_tables(
    baseline: Baseline, touched: Collection[str], reused: Collection[str] = ()
) -> PartFiles:
    """Return part files that stay: those of `reused` parts and of sources not in `touched`."""
    return {
        name: [
            file
            for file in files
            if file.part and (file.part in reused or source_of(file.part) not in touched)
        ]
        for name, files in baseline.tables.items()
    }


def reason_to_rebuild(
    baseline: Baseline, sources: Iterable[Source], fingerprint: Fingerprint
) -> str | None:
    """Return why every part of the named sources is built again; None if it is not."""
    if baseline.is_full:
        return "--full"
    known = [source.name for source in sources if source.name in baseline.entries]
    differences = (differing(baseline.entries[name].fingerprint, fingerprint) for name in known)
    names = set().union(*differences)
    return f"{', '.join(sorted(names))} changed" if names else None


def refuse_damaged(baseline: Baseline, sources: Iterable[Source]) -> None:
    """Raise WarehouseError if a part is missing or cut off.

    A full run needs neither derived tables nor the parts of the sources that it names.
    """
    if baseline.manifest is None:
        return
    manifest = baseline.manifest
    if baseline.is_full:
        tables = kept_tables(baseline, {source.name for source in sources})
        manifest = replace(manifest, tables=tables)
    if damaged := baseline.warehouse.damaged(manifest):
        raise WarehouseError(
            f"{damaged[0]}: {len(damaged)} parts are missing or damaged. {RECOVER}"
            " Name every source then."
        )


def refuse_empty(baseline: Baseline, source: Source, listing: Listing) -> None:
    """Raise SourceError if a source has no files: it is probably not mounted."""
    if listing.entries:
        return
    entry = baseline.entries.get(source.name)
    known = entry.counts.files if entry else 0
    published = f" (the snapshot has {known} of {source.name})" if known else ""
    raise SourceError(
        f"{source.root}: no article files found{published}."
        " Check that it is mounted and is the right folder, or pass --allow-empty."
    )


def source_of(part: str) -> str:
    """Return the name of the source of a part."""
    return part.rpartition("/")[0]
