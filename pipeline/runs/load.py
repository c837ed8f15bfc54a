"""Load frames into a warehouse: what a full run publishes, from tables instead of files."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.build.part import write_part
from pipeline.build.tasks import PartResult
from pipeline.errors import SchemaError
from pipeline.extract.folder import Folder
from pipeline.extract.source import Listing, document_id, rest_of
from pipeline.load import listings
from pipeline.load.manifest import FileState
from pipeline.runs.baseline import published_history, read_known, source_of
from pipeline.runs.built import join_built
from pipeline.runs.context import Context, begin
from pipeline.runs.history_delta import history_delta
from pipeline.runs.plan import PartPlan, Plan, SourcePlan, states_without
from pipeline.runs.record import RunResult
from pipeline.runs.run import finish
from pipeline.schema.tables import TABLES
from pipeline.settings import Settings
from pipeline.transform.documents import PART_TABLES, Frames
from pipeline.views.catalog import Staged

STATE = ("status", "raw_hash", "content_hash", "score_hash")
FINGERPRINT = {"code": "frames"}
"""What made the rows: not this code alone, so the next run of the source builds them again."""


def load(
    frames: Mapping[str, Any],
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    wait: float = 0,
    dry_run: bool = False,
) -> RunResult:
    """Check frames by table name, derive the other tables, and publish all of them at once.

    The rows of the sources that `documents` names are replaced, those of other sources stay, as in
    a full run; a table that is missing has no rows. Observations are those of a run that finds the
    documents so. Raises SchemaError that lists every failure, and PipelineError as a run does.
    """
    loaded = split_by_part(checked_tables(frames))
    with begin(settings, now, wait, dry_run=dry_run) as context:
        recorder, baseline = context.recorder, context.baseline
        plan = _plan(context, loaded)
        recorder.start([source.source for source in plan.sources], baseline.id, None)
        recorder.note(message="loaded frames")
        recorder.log.open()
        with recorder.timed("build"):
            results = [_write(context.root, part, frames) for part, frames in loaded.items()]
            built = join_built(context, plan, results, published_history(baseline)[0], {})
            delta = history_delta(context, plan, built)
        with Staged(context.warehouse) as staged:
            finished = finish(context, built, delta, staged)
    return finished.result(context)


def checked_tables(frames: Mapping[str, Any]) -> Frames:
    """Return frames (pandas, polars or Arrow) as tables that have passed the gate of the schema.

    Raises SchemaError that lists the failures of all tables.
    """
    tables, failures = {name: TABLES[name].empty() for name in PART_TABLES}, []
    for name, frame in frames.items():
        if name not in PART_TABLES:
            reason = "is derived, leave it out" if name in TABLES else "is not a table"
            failures.append(f"{name}: {reason}. Tables to load are {', '.join(PART_TABLES)}.")
            continue
        try:
            tables[name] = TABLES[name].enforce(_arrow(frame))
        except SchemaError as error:
            failures.append(str(error))
        except (pa.ArrowException, TypeError, ValueError) as error:
            failures.append(f"{name}: not a frame with typed columns ({error}).")
    if not failures:
        failures = [*_part_failures(tables["documents"]), *_orphans(tables)]
    if failures:
        raise SchemaError("\n".join(failures))
    return tables


def _arrow(frame: Any) -> pa.Table:
    if isinstance(frame, pa.Table):
        return frame
    if hasattr(frame, "to_arrow"):  # polars
        return frame.to_arrow()
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def _part_failures(documents: pa.Table) -> Iterable[str]:
    """Yield why documents do not lie in parts of their sources, or have an id of another file."""
    if not documents.num_rows:
        yield "documents: has no rows (expected at least one). They name the sources to replace."
    columns = (documents[name].to_pylist() for name in ("source", "path", "document_id", "part"))
    for source, path, identity, part in zip(*columns, strict=True):
        if source_of(part) != source:
            yield f"documents: part {part!r} of {path} (expected {source}/ and a name)."
        elif identity != (expected := document_id(source, path)):
            yield f"documents: document_id {identity} of {source} {path} (expected {expected})."


def _orphans(tables: Frames) -> Iterable[str]:
    """Yield which rows belong to no document; topic sidecars and their findings need none."""
    documents = tables["documents"]["document_id"]
    for name, table in tables.items():
        key = table[TABLES[name].key[0]]
        orphans = key.filter(pc.invert(pc.is_in(key, value_set=documents)))
        if len(orphans) and name not in ("sidecars", "findings"):
            yield (
                f"{name}: {len(orphans)} rows of no document (such as"
                f" {TABLES[name].key[0]} {orphans[0]}). Load their documents too."
            )


def split_by_part(tables: Frames) -> dict[str, Frames]:
    """Return the rows of each part, documents in path order and each document's rows together."""
    documents = tables["documents"].sort_by([("part", "ascending"), ("path", "ascending")])
    identities, names = documents["document_id"].to_pylist(), documents["part"].to_pylist()
    part_of = dict(zip(identities, names, strict=True))
    order = pa.array(part_of, pa.string())
    sources = {source_of(part) for part in part_of.values()}
    for name in ("sidecars", "findings"):
        sources |= set(tables[name]["source"].to_pylist())
    loaded: dict[str, Frames] = {
        part: {} for part in sorted({*part_of.values(), *map(rest_of, sources)})
    }
    for name, table in tables.items():
        key = TABLES[name].key[0]
        table = table.take(pc.sort_indices(pc.index_in(table[key], value_set=order)))
        owners = [part_of.get(identity) for identity in table[key].to_pylist()]
        if None in owners:
            rest = map(rest_of, table["source"].to_pylist())
            owners = [owner or part for owner, part in zip(owners, rest, strict=True)]
        parts_of_rows = pa.array(owners, pa.string())
        for part in dict.fromkeys(owners):
            loaded[str(part)][name] = table.filter(pc.equal(parts_of_rows, part)).combine_chunks()
    return loaded


def _plan(context: Context, loaded: Mapping[str, Frames]) -> Plan:
    """Return the plan of a run that builds every part of the sources that are loaded."""
    paths: dict[str, set[str]] = {source_of(part): set() for part in loaded}
    for part, frames in loaded.items():
        if "documents" in frames:
            paths[source_of(part)] |= set(frames["documents"]["path"].to_pylist())
    plans = []
    for name, listed in paths.items():
        entry, known = context.baseline.entries.get(name), read_known(context.baseline, name)
        source = Folder(name, entry.path if entry else "")
        part_plan = PartPlan([], [], states_without(known, source, listed), [])
        plans.append(SourcePlan(source, Listing([], [], {}), known, None, part_plan))
    return Plan(tuple(plans), FINGERPRINT)


def _write(root: Path, part: str, frames: Frames) -> PartResult:
    """Write a part. The times of its files are not known: the next run reads them again."""
    states = [
        FileState(row["path"], row["size_bytes"] or 0, 0, 0, True, *(row[name] for name in STATE))
        for row in (frames["documents"].to_pylist() if "documents" in frames else ())
    ]
    read = [] if part == rest_of(source_of(part)) else states
    listing = listings.write(root, states)
    return PartResult(part, len(states), write_part(root, part, frames), listing, read)
