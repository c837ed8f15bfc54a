"""Derive what depends on more than one document: tables over all parts, and totals of sources."""

import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import duckdb
import pyarrow as pa
from msgspec import Struct, structs

from pipeline.load import history, parts
from pipeline.load.history import revision_row
from pipeline.load.manifest import HISTORY, Counts, PartFiles, SourceEntry, Tallies
from pipeline.load.warehouse import Warehouse
from pipeline.runs.built import Built
from pipeline.runs.history_delta import HistoryDelta
from pipeline.runs.ledger import ledger_of
from pipeline.schema.changes import REVISION_CHANGES
from pipeline.schema.tables import TABLES
from pipeline.transform import observations, providers, related, topics
from pipeline.transform.documents import PART_TABLES
from pipeline.views import catalog

Derivation = Callable[[duckdb.DuckDBPyConnection], pa.Table]

ROWS_AT_ONCE = 100_000
"""Files from which on tables are derived in turn, each on a database of its own.

Half of the time of small tables DuckDB opens, binds and plans on one processor, so cursors derive
two at a time. Only when a database closes does DuckDB give all of its memory back.
"""
DERIVATIONS = {
    "providers": (providers.derive, ("articles", "related", "sidecars")),
    "topics": (topics.derive, ("article_topics", "articles", "related", "sidecars")),
    "related_matches": (related.derive_matches, ("articles", "related")),
}
"""What derives a table, and from which others."""


class Derived(Struct, frozen=True):
    """Everything that a snapshot shows."""

    tables: PartFiles
    """Part files of all tables."""
    counts: dict[str, Counts]
    """Files of each named source."""


def derive(
    warehouse: Warehouse, staged: catalog.Staged, built: Built, delta: HistoryDelta
) -> Derived:
    """Write the derived tables over all parts, and the history with what the run adds.

    Every table ends with a file, which `staged` shows.
    """
    root = warehouse.root
    past = {
        name: history.joined(
            root,
            name,
            [file for file in built.history.get(name, []) if file.rows],
            delta.files.get(name, []),
        )
        for name in HISTORY
    }
    tables = {
        name: files or [parts.write(root, name, TABLES[name].empty())]
        for name, files in {**{name: built.tables[name] for name in PART_TABLES}, **past}.items()
    }
    staged.show(tables)
    counts = {entry.name: counts_of(staged.connection, entry.name) for entry in built.entries}
    observe = observations.derive if past["observations"] else observations.begin
    derivations: dict[str, tuple[Derivation, tuple[str, ...]]] = {
        **DERIVATIONS,
        "observations": (
            partial(observe, seen=delta.seen),
            ("articles", "documents", "observations"),
        ),
    }
    at_once = 2 if sum(file.rows for file in tables["documents"]) < ROWS_AT_ONCE else 1
    threads = ThreadPoolExecutor(at_once)
    try:
        waiting = {}
        for name, (function, origins) in derivations.items():
            if at_once > 1:
                connect = partial(lambda cursor: cursor, catalog.cursor(staged.connection))
            else:
                connect = partial(_open, warehouse, {origin: tables[origin] for origin in origins})
            waiting[name] = threads.submit(_derived, connect, name, function)
        rows_of = {name: future.result() for name, future in waiting.items()}
    finally:  # without waiting: a run that is stopped does not wait for a query
        threads.shutdown(wait=False, cancel_futures=True)
    seen = rows_of.pop("observations")
    tables |= {name: [parts.write(root, name, rows)] for name, rows in rows_of.items()}
    last = history.last_revisions(root, past["revisions"])
    added = {
        "observations": seen,
        "content_changes": changes_table(delta, seen),
        "revisions": revisions_table(delta, counts, last),
    }
    for name, rows in added.items():
        if rows.num_rows:
            tables[name] = history.appended(root, name, past[name], rows)
    staged.show({name: tables[name] for name in (*DERIVATIONS, *HISTORY)})
    return Derived({name: tables[name] for name in TABLES}, counts)


def _open(warehouse: Warehouse, tables: PartFiles) -> duckdb.DuckDBPyConnection:
    connection = catalog.open_memory()
    views = (catalog.base_view(warehouse, name, files) for name, files in tables.items())
    connection.execute(";".join(views))
    return connection


def _derived(
    connect: Callable[[], duckdb.DuckDBPyConnection], name: str, derivation: Derivation
) -> pa.Table:
    with connect() as connection:
        rows = derivation(connection)
    return TABLES[name].enforce(rows)


def counts_of(connection: duckdb.DuckDBPyConnection, source: str) -> Counts:
    """Return the files of one source by status, and its findings."""
    statuses = "select status, count(*) from documents where source = $1 group by all"
    by_status: dict[str, int] = dict(connection.execute(statuses, [source]).fetchall())
    [(findings,)] = connection.execute(
        "select count(*) from findings where source = $1", [source]
    ).fetchall()
    articles, other, skipped, rejected = (
        by_status.get(status, 0) for status in ("article", "other", "skipped", "rejected")
    )
    return Counts(sum(by_status.values()), articles, other, skipped, rejected, findings)


def described(
    connection: duckdb.DuckDBPyConnection, entry: SourceEntry, counts: Counts, now: dt.datetime
) -> SourceEntry:
    """Return the entry of a source with its counts, tallies and newest times until `now`."""

    def tally(query: str) -> dict[str, int]:
        query = f"{query} order by 2 desc, 1"
        return dict(connection.execute(query, {"source": entry.name}).fetchall())

    [(newest_article_at, newest_file_at)] = connection.execute(
        """
        select (select max(published_at) from articles
                where source = $source and published_at <= $now),
               (select max(modified_at) from documents
                where source = $source and modified_at <= $now)
        """,
        {"source": entry.name, "now": now},
    ).fetchall()
    tallies = Tallies(
        tally("select rule, count(*) from findings where source = $source group by all"),
        tally("select code, count(*) from rejections where source = $source group by all"),
        tally("select field, articles from unknown_fields where source = $source"),
    )
    return structs.replace(
        entry,
        counts=counts,
        tallies=tallies,
        newest_article_at=newest_article_at,
        newest_file_at=newest_file_at,
    )


def changes_table(delta: HistoryDelta, observed: pa.Table) -> pa.Table:
    """Return the rows of `content_changes` of the articles that have a row in `observed`."""
    table = TABLES["content_changes"]
    if not delta.differences:
        return table.empty()
    articles = set(observed["article_id"].to_pylist())
    rows = [
        (article, delta.seen.revision, *difference)
        for article, differences in sorted(delta.differences.items())
        if article in articles
        for difference in sorted(differences)
    ]
    return table.enforce(table.from_rows(rows))


def revisions_table(
    delta: HistoryDelta, counts: Mapping[str, Counts], last: Mapping[str, int]
) -> pa.Table:
    """Return the rows of `revisions`: one for each source in which files changed.

    `last` is the last ordinal of each source.
    """
    counted = {**delta.counted}
    for name in delta.first_seen:
        counted[name] = structs.asdict(ledger_of(counts[name]))
    rows = [
        revision_row(
            source, delta.seen.revision, last.get(source, 0) + 1, delta.seen.observed_at, changes
        )
        for source, changes in sorted(counted.items())
        if any(changes.get(change) for change in REVISION_CHANGES)
    ]
    table = TABLES["revisions"]
    return table.enforce(table.from_rows(rows))
