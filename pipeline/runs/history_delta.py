"""What a run adds to the tables of history: what it saw itself, and what commits it read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from pipeline.load import parts
from pipeline.load.history import last_revisions, revision_row
from pipeline.load.manifest import PartFiles
from pipeline.runs.backlog import HistoryRead
from pipeline.runs.baseline import source_of
from pipeline.runs.built import Built
from pipeline.runs.context import Context
from pipeline.runs.ledger import Reckoning
from pipeline.runs.plan import Plan
from pipeline.schema.documents import Difference
from pipeline.schema.tables import TABLES
from pipeline.transform.observations import Seen


class HistoryDelta(Struct, frozen=True):
    """What a run adds to the history."""

    seen: Seen
    """What it saw of articles beside their rows."""
    differences: Mapping[str, list[Difference]] = {}
    """Fields that changed, by article_id."""
    counted: Mapping[str, Mapping[str, int]] = {}
    """Files by change, per source."""
    first_seen: tuple[str, ...] = ()
    """Sources that no snapshot had before: all of their files are new."""
    files: PartFiles = {}
    """Part files of what was read in repositories."""


def empty_delta(context: Context, named: Iterable[str] = ()) -> HistoryDelta:
    """Return the delta of a run that saw no change in the sources that it names.

    Articles of sources with a git history are left to that.
    """
    left_out = set(named)
    elsewhere = [
        name
        for name, entry in context.baseline.entries.items()
        if entry.observed_commit and name not in left_out
    ]
    recorder = context.recorder
    return HistoryDelta(Seen(recorder.run_id, recorder.started_at, elsewhere=elsewhere))


def history_delta(
    context: Context,
    plan: Plan,
    built: Built,
    reckonings: Mapping[str, Reckoning],
) -> HistoryDelta:
    """Return what a run adds to the history, by what became of the files of each source."""
    named = {source.source.name: source.source for source in plan.sources}
    observed = {name for name, backlog in plan.backlogs.items() if backlog.is_observed}
    seen = empty_delta(context, named).seen
    moves: dict[str, str] = {}
    edited: list[str] = []
    ended: list[str] = []
    differences: dict[str, list[Difference]] = {}
    own = {name: found for name, found in reckonings.items() if name not in observed}
    for name, found in own.items():
        identity = named[name].document_id
        moves |= {identity(new): identity(old) for old, new in found.moves.items()}
        edited += map(identity, found.edited)
        ended += map(identity, found.ended)
    for result in built.parts:
        if source_of(result.part) in own:
            differences |= result.differences
    files: PartFiles = {}
    for name in plan.backlogs:
        for table, added in _files_read(context, name, built).items():
            files.setdefault(table, []).extend(added)
    return HistoryDelta(
        msgspec.structs.replace(
            seen, moves=moves, edited=edited, ended=ended, elsewhere={*seen.elsewhere, *observed}
        ),
        differences,
        {name: found.changes for name, found in own.items()},
        tuple(name for name in built.first_seen if name not in observed),
        files,
    )


def _files_read(context: Context, source: str, built: Built) -> PartFiles:
    """Return part files of the tables of history of one repository, in the order of its commits."""
    read: HistoryRead = built.histories[source]
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
