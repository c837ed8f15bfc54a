"""Build one part, from its files to its Parquet files: what workers run."""

import itertools
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import pyarrow as pa

from pipeline.build.tasks import OldPart, Options, PartResult, PartTask
from pipeline.extract.documents import listed_file, read_documents, read_sidecars
from pipeline.extract.source import Entry, Listing, rest_of
from pipeline.extract.sources import Source
from pipeline.load import listings, parts
from pipeline.load.manifest import FileState, PartFile
from pipeline.schema.documents import Difference, Document, Extracted, Rejection
from pipeline.schema.tables import TABLES
from pipeline.transform.articles import Row, status_of
from pipeline.transform.content_changes import VALUED, Values, differences, values_of
from pipeline.transform.documents import Frames, transform


def build_part(task: PartTask) -> PartResult:
    """Read, transform and write one part; memory holds one part's rows."""
    options, root, old = task.options, task.root, task.old
    bodies, secured = options.keep_bodies, options.keep_secured
    states: list[FileState] = []
    frames = transform(_documents(task, states), keep_bodies=bodies, keep_secured=secured)
    listed, changed_fields = states, {}
    if old is not None:
        before = {name: parts.read(root, name, file) for name, file in old.tables.items()}
        old_states = listings.read(root, old.listing)
        known = {state.path: state.content_hash for state in old_states}
        edited = [
            task.source.document_id(state.path)
            for state in states
            if known.get(state.path, state.content_hash) != state.content_hash
        ]
        changed_fields = _changed_fields(before, frames, edited) if edited else {}
        kept = [state for state in old_states if state.path not in old.drop]
        listed = sorted([*kept, *states], key=attrgetter("path"))
        frames = _merge(old, before, frames, task.source)
    written = write_part(root, task.part, frames)
    listing, report = listings.write(root, listed), states if task.report else []
    return PartResult(task.part, len(task.entries), written, listing, report, changed_fields)


def write_part(root: Path, part: str, frames: Frames) -> dict[str, PartFile]:
    """Write the tables of a part that have rows."""
    return {
        name: parts.write(root, name, table, part)
        for name, table in frames.items()
        if table.num_rows
    }


def _changed_fields(
    before: Frames, frames: Frames, edited: list[str]
) -> dict[str, list[Difference]]:
    """Return the fields that changed, of each edited article that is one before and after."""
    old, new = _values(before, edited), _values(frames, edited)
    return {
        article: differences(old[article], new[article])
        for article in edited
        if article in old and article in new
    }


def _values(frames: Frames, articles: list[str]) -> dict[str, Values]:
    """Return the values of some articles, by article_id."""
    import pyarrow.compute as pc

    wanted = pa.array(articles, pa.string())
    rows: dict[str, dict[str, list[Row]]] = {}
    for name in VALUED:
        if (frame := frames.get(name)) is not None:
            for row in frame.filter(pc.is_in(frame["article_id"], value_set=wanted)).to_pylist():
                tables = rows.setdefault(row["article_id"], {})
                tables.setdefault(name, []).append(tuple(row.values()))
    return {article: values_of(own) for article, own in rows.items() if "articles" in own}


def _merge(old: OldPart, before: Frames, frames: Frames, source: Source) -> Frames:
    """Return old rows that stay and new rows, as a build from scratch orders them.

    Documents are in path order, each document's rows together.
    """
    import pyarrow.compute as pc  # a build from scratch does without it

    dropped = pa.array([source.document_id(path) for path in old.drop], pa.string())
    merged = {}
    for name, new in frames.items():
        kept = before[name] if name in before else TABLES[name].empty()
        stays = pc.invert(pc.is_in(kept[TABLES[name].key[0]], value_set=dropped))
        merged[name] = pa.concat_tables([kept.filter(stays).cast(TABLES[name].arrow), new])
    documents = merged["documents"]
    by_path = documents["document_id"].take(pc.sort_indices(documents["path"])).combine_chunks()
    for name, table in merged.items():
        rank = pc.index_in(table[TABLES[name].key[0]], value_set=by_path)
        merged[name] = TABLES[name].enforce(table.take(pc.sort_indices(rank)))  # a stable sort
    return merged


def _documents(task: PartTask, states: list[FileState]) -> Iterator[Extracted]:
    """Yield the task's files as they are read; `states` grows with them."""
    options = task.options
    for entry, loaded, extracted in read_documents(
        task.source, task.entries, task.part, strict=options.strict, limit=options.max_file_bytes
    ):
        file, document = extracted
        if isinstance(loaded, Rejection):
            state = _listed_state(entry, "rejected", racy=True)
        else:
            content_hash = score_hash = None
            if isinstance(document, Document):
                content_hash, score_hash = document.content_hash, document.score_hash
            read = (len(loaded.raw), loaded.mtime_ns, loaded.ctime_ns, loaded.is_racy)
            digests = (file.raw_hash, content_hash, score_hash)
            state = FileState(entry.path, *read, status_of(document), *digests, entry.version)
        states.append(state)
        yield extracted


def _listed_state(entry: Entry, status: str, *, racy: bool) -> FileState:
    times = entry.mtime_ns, entry.ctime_ns
    return FileState(entry.path, entry.size, *times, racy, status, version=entry.version)


def build_rest(source: Source, listing: Listing, root: Path, options: Options) -> PartResult:
    """Write what is not a document: topic sidecars, and what could not be listed."""
    part = rest_of(source.name)
    rejected = (
        Extracted(listed_file(source, path, part), rejection)
        for path, rejection in listing.rejected.items()
    )
    sidecars = read_sidecars(source, listing.sidecars, options.max_file_bytes)
    frames = transform(itertools.chain(rejected, sidecars))
    states = [_listed_state(entry, "sidecar", racy=False) for entry in listing.sidecars]
    states += [FileState(path, 0, 0, 0, False, "rejected") for path in listing.rejected]
    written = write_part(root, part, frames)
    return PartResult(part, len(listing.rejected), written, listings.write(root, states), [])
