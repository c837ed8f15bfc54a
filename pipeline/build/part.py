"""One part from its files to its Parquet files: the function that workers run."""

import gc
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import yaml_rs

from pipeline.build.tasks import OldPart, Options, PartResult, PartTask, rest_of
from pipeline.extract.frontmatter import read_safely
from pipeline.extract.source import Entry, Listing, Loaded, sidecar_kind
from pipeline.extract.sources import Source
from pipeline.load import listings, parts
from pipeline.load.manifest import FileState, PartFile
from pipeline.schema.documents import Difference, Document, Finding, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform import sidecars
from pipeline.transform.articles import Row, finding_rows, status_of
from pipeline.transform.content_changes import VALUED, Values, differences, values_of
from pipeline.transform.documents import PART_TABLES, Frames, Read, transform

_KINDS = {"topics": "topic", "organizations": "organization"}


def build_part(task: PartTask) -> PartResult:
    """Read, transform and write one part; memory holds one part's rows."""
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects that all live until the part is written
    try:
        options, root = task.options, Path(task.warehouse)
        states: list[FileState] = []
        frames = transform(
            _documents(task, states),
            keep_bodies=options.keep_bodies,
            keep_secured=options.keep_secured,
        )
        listed, differing = states, {}
        if task.old is not None:
            before = {name: parts.read(root, name, file) for name, file in task.old.tables.items()}
            then = listings.read(root, task.old.listing)
            differing = _differences(task.source, then, before, frames, states)
            kept = [state for state in then if state.path not in task.old.drop]
            listed = sorted([*kept, *states], key=lambda state: state.path)
            frames = _merge(task.old, before, frames, task.source)
        read_now = states if task.report else []
        written = _write(root, task.part, frames)
        return PartResult(
            task.part, len(task.entries), written, listings.write(root, listed), read_now, differing
        )
    finally:
        if collecting:
            gc.enable()


def _write(root: Path, part: str, frames: Frames) -> dict[str, PartFile]:
    return {
        name: parts.write(root, name, table, part)
        for name, table in frames.items()
        if table.num_rows
    }


def _differences(
    source: Source,
    then: list[FileState],
    old_frames: Frames,
    frames: Frames,
    states: list[FileState],
) -> dict[str, list[Difference]]:
    """Fields that changed, of each article that this part held before with another content."""
    before = {state.path: state.content_hash for state in then}
    edited = [
        source.document_id(state.path)
        for state in states
        if state.path in before and state.content_hash != before[state.path]
    ]
    if not edited:
        return {}
    old, new = _values(old_frames, edited), _values(frames, edited)
    return {
        article: differences(old[article], new[article])
        for article in edited
        if article in old and article in new
    }


def _values(frames: Frames, articles: list[str]) -> dict[str, Values]:
    """What some articles say, by article_id."""
    import pyarrow.compute as pc

    wanted = pa.array(articles, pa.string())
    rows: dict[str, dict[str, list[Row]]] = {}
    for name in VALUED:
        if name in frames:
            for row in (
                frames[name]
                .filter(pc.is_in(frames[name]["article_id"], value_set=wanted))
                .to_pylist()
            ):
                rows.setdefault(row["article_id"], {}).setdefault(name, []).append(
                    tuple(row.values())
                )
    return {article: values_of(found) for article, found in rows.items() if "articles" in found}


def _merge(old: OldPart, before: Frames, frames: Frames, source: Source) -> Frames:
    """Old rows that stay and new rows, in the order of a build from scratch: documents by path, each document's rows together."""
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
        place = pc.index_in(table[TABLES[name].key[0]], value_set=by_path)
        merged[name] = TABLES[name].enforce(table.take(pc.sort_indices(place)))  # a stable sort
    return merged


def _documents(task: PartTask, states: list[FileState]) -> Iterator[Read]:
    """Read the task's files one by one; `states` grows as they are read."""
    source, options = task.source, task.options
    for entry, loaded in source.read(task.entries, options.max_file_bytes):
        if isinstance(loaded, Rejection):
            states.append(
                FileState(
                    entry.path,
                    entry.size,
                    entry.mtime_ns,
                    entry.ctime_ns,
                    True,
                    "rejected",
                    version=entry.version,
                )
            )
            yield file_of(source, task.part, entry), loaded
            continue
        raw = loaded.raw
        file = SourceFile(
            source.name,
            entry.path,
            source.document_id(entry.path),
            task.part,
            _KINDS.get(sidecar_kind(entry.path) or "") if "_data/" in entry.path else None,
            len(raw),
            table_time(loaded.mtime_ns),
            blake2b(raw, digest_size=8).hexdigest(),
        )
        document = read_safely(raw, strict=options.strict)
        digests = (
            (document.content_hash, document.score_hash)
            if isinstance(document, Document)
            else (None, None)
        )
        times = loaded.mtime_ns, loaded.ctime_ns, loaded.is_racy
        states.append(
            FileState(
                entry.path,
                len(raw),
                *times,
                status_of(document),
                file.raw_hash,
                *digests,
                entry.version,
            )
        )
        yield file, document


def table_time(ns: int) -> int | None:
    """Nanoseconds since 1970 as the microseconds that tables hold; None outside the years 1 to 9999."""
    return ns // 1000 if -62_135_596_800 * 10**9 <= ns < 253_402_300_800 * 10**9 else None


def file_of(source: Source, part: str, entry: Entry) -> SourceFile:
    """A file that was listed and not read."""
    identity = source.document_id(entry.path)
    return SourceFile(source.name, entry.path, identity, part)


def build_rest(source: Source, listing: Listing, warehouse: str, options: Options) -> PartResult:
    """What is no document: topic sidecars, and what could not be listed."""
    root, part = Path(warehouse), rest_of(source.name)
    refused = [
        (SourceFile(source.name, path, source.document_id(path), part), rejection)
        for path, rejection in listing.rejected.items()
    ]
    frames = dict(transform(refused))
    rows, findings = [], []
    for entry, loaded in source.read(listing.sidecars, options.max_file_bytes):
        file = file_of(source, part, entry)
        data = _read_sidecar(loaded)
        if isinstance(data, dict):
            rows.append(sidecars.row(file, "topic", data))
        else:
            findings += finding_rows(file, [data], of_article=False)
    frames["sidecars"] = TABLES["sidecars"].from_rows(rows)
    frames["findings"] = TABLES["findings"].from_rows(findings)
    assert set(frames) == set(PART_TABLES)
    states = [
        FileState(
            entry.path,
            entry.size,
            entry.mtime_ns,
            entry.ctime_ns,
            False,
            "sidecar",
            version=entry.version,
        )
        for entry in listing.sidecars
    ]
    states += [FileState(path, 0, 0, 0, False, "rejected") for path in listing.rejected]
    return PartResult(
        part, len(refused), _write(root, part, frames), listings.write(root, states), []
    )


def _read_sidecar(loaded: Loaded | Rejection) -> dict[str, object] | Finding:
    if isinstance(loaded, Rejection):
        return Finding("unreadable_sidecar", "", loaded.message, "left out")
    try:
        data = yaml_rs.loads(loaded.raw.decode("utf-8-sig"), parse_datetime=False)
    except (ValueError, TypeError) as error:
        return Finding(
            "unreadable_sidecar", "", str(error).rsplit("\n", 1)[-1].strip(), "left out", 1, 1
        )
    if not isinstance(data, dict):
        return Finding("unreadable_sidecar", "", "no keys with values", "left out", 1, 1)
    return data
