"""What a run adds to the tables of history: what it saw itself, and what commits it read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from pipeline.load import parts
from pipeline.load.history import last_revisions, revision_row
from pipeline.load.manifest import PartFiles
from pipeline.runs.baseline import source_of
from pipeline.runs.built import Built, reckon_sources
from pipeline.runs.context import Context
from pipeline.runs.ledger import Ledger, total
from pipeline.runs.plan import Plan
from pipeline.schema.documents import Difference
from pipeline.schema.tables import TABLES
from pipeline.transform.observations import Seen


class HistoryDelta(Struct, frozen=True):
    """What became of the files, and what a run adds to the history by that."""

    seen: Seen
    """What it saw of articles beside their rows."""
    ledger: Ledger
    """Files by change, of sources that a snapshot had before."""
    differences: Mapping[str, list[Difference]] = {}
    """Fields that changed, by article_id."""
    counted: dict[str, Mapping[str, int]] = {}
    """Files by change, per source that has no history of its own."""
    files: PartFiles = {}
    """Part files of what was read in repositories."""


def history_delta(context: Context, plan: Plan, built: Built) -> HistoryDelta:
    """Return what a run adds to the history, by what became of the files of each source."""
    reckonings = reckon_sources(plan, built.parts)
    observed = {name for name, backlog in plan.backlogs.items() if backlog.is_observed}
    own = {name: one for name, one in reckonings.items() if name not in observed}
    moves: dict[str, str] = {}
    edited: list[str] = []
    ended: list[str] = []
    for source in plan.sources:
        if reckoning := own.get(source.name):
            identity = source.source.document_id
            moves |= {identity(new): identity(old) for old, new in reckoning.moves.items()}
            edited += map(identity, reckoning.edited)
            ended += map(identity, reckoning.ended)
    differences: dict[str, list[Difference]] = {}
    for result in built.parts:
        if source_of(result.part) in own:
            differences |= result.differences
    files: PartFiles = {}
    for name in plan.backlogs:
        for table, added in _files_read(context, name, built).items():
            files.setdefault(table, []).extend(added)
    seen = nothing_seen(context, plan.names)
    elsewhere = {*seen.elsewhere, *observed}
    return HistoryDelta(
        replace(seen, moves=moves, edited=edited, ended=ended, elsewhere=elsewhere),
        total(reckoning.ledger for reckoning in reckonings.values()),
        differences,
        {name: reckoning.changes for name, reckoning in own.items()},
        files,
    )


def nothing_seen(context: Context, named: Iterable[str] = ()) -> Seen:
    """Return what a run saw that found no change in the sources that it names.

    Articles of other sources are left to their git history, if they have one.
    """
    entries = context.baseline.entries
    elsewhere = {name for name, entry in entries.items() if entry.observed_commit} - set(named)
    return Seen(context.recorder.record.run_id, context.started_at, elsewhere=elsewhere)


def _files_read(context: Context, source: str, built: Built) -> PartFiles:
    """Return part files of the tables of history of one repository, in the order of its commits."""
    read = built.histories[source]
    files: PartFiles = {}
    for result in sorted(read.results, key=lambda result: result.number):
        for name, file in result.tables.items():
            files.setdefault(name, []).append(file)
    if read.counts:
        root, table = context.root, TABLES["revisions"]
        last = last_revisions(root, built.history.get("revisions", []))
        rows = [
            revision_row(source, commit, number, dt.datetime.fromtimestamp(seconds, dt.UTC), counts)
            for number, (commit, seconds, counts) in enumerate(read.counts, last.get(source, 0) + 1)
        ]
        files["revisions"] = [parts.write(root, table.name, table.enforce(table.from_rows(rows)))]
    return files
