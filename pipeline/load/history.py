"""The tables of history: add what a run saw, and take out what another reading replaces."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.load import parts
from pipeline.load.manifest import PartFile, PartFiles
from pipeline.schema.changes import REVISION_CHANGES
from pipeline.schema.tables import TABLES

MANY = 100_000
"""Rows of new files from which on they stay as they are."""


def revision_row(
    source: str, revision: str, sequence: int, observed_at: dt.datetime, counts: Mapping[str, int]
) -> tuple[object, ...]:
    """Return one row of `revisions`; `counts` are files by change."""
    values: dict[str, object] = {change: counts.get(change, 0) for change in REVISION_CHANGES}
    values |= {"source": source, "revision": revision}
    values |= {"sequence": sequence, "observed_at": observed_at}
    return tuple(values[name] for name in TABLES["revisions"].names)


def last_revisions(root: Path, files: list[PartFile]) -> dict[str, int]:
    """Return the last ordinal of each source."""
    last: Counter[str] = Counter()
    for file in files:
        rows = parts.read(root, "revisions", file.file).select(["source", "sequence"])
        for row in rows.to_pylist():
            last[row["source"]] = max(last[row["source"]], row["sequence"])
    return last


def joined(root: Path, name: str, files: list[PartFile], added: list[PartFile]) -> list[PartFile]:
    """Return files with others behind them; small ones become one."""
    if sum(file.rows for file in added) > MANY:
        return [*files, *added]
    tables = [parts.read(root, name, file.file) for file in added]
    return appended(root, name, files, pa.concat_tables(tables)) if tables else files


def appended(root: Path, name: str, files: list[PartFile], added: pa.Table) -> list[PartFile]:
    """Return files with one of the rows `added` behind them.

    Small files at the end are joined to it, so that n runs leave log n files.
    """
    if not added.num_rows:
        return files
    files = list(files)
    while files and files[-1].rows <= 2 * added.num_rows:
        before = parts.read(root, name, files.pop().file)
        added = pa.concat_tables([before.cast(added.schema), added])
    return [*files, parts.write(root, name, added.combine_chunks())]


def without(
    root: Path, history: PartFiles, source: str, since: dt.datetime | None = None
) -> PartFiles:
    """Return the history but for that of a source, all of it or from a moment on."""
    articles: set[str] = set()
    revisions: set[str] = set()

    def of_source(rows: pa.Table) -> pa.Array:
        mine, times = pc.equal(rows["source"], source), rows["observed_at"]
        if since is None:
            return mine
        return pc.and_(mine, pc.greater_equal(times, pa.scalar(since, times.type)))

    def of_observations(rows: pa.Table) -> pa.Array:
        mine = of_source(rows)
        articles.update(rows["article_id"].filter(mine).to_pylist())
        revisions.update(rows["revision"].filter(mine).to_pylist())
        return mine

    def of_changes(rows: pa.Table) -> pa.Array:
        mine = pc.is_in(rows["article_id"], value_set=pa.array(articles, pa.string()))
        return pc.and_(mine, pc.is_in(rows["revision"], value_set=pa.array(revisions, pa.string())))

    kept: PartFiles = {"observations": [], "content_changes": [], "revisions": []}
    for name, dropped in zip(kept, (of_observations, of_changes, of_source), strict=True):
        for file in history.get(name, []):
            rows = parts.read(root, name, file.file)
            left = rows.filter(pc.invert(dropped(rows)))
            if left.num_rows == rows.num_rows:
                kept[name].append(file)
            elif left.num_rows:
                kept[name].append(parts.write(root, name, left))
    return kept
