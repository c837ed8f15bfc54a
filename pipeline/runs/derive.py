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
from pipeline.views import catalog

Derivation = Callable[[duckdb.DuckDBPyConnection], pa.Table]

ROWS_AT_ONCE = 100_000
"""Files from which on tables are derived in turn, each on a database of its own.

Half of the time of small tables DuckDB opens, binds and plans on one processor, so cursors derive
two at a time. Only when a database closes does DuckDB give all of its memory back.
"""
DERIVATIONS: dict[str, tuple[Derivation, tuple[str, ...]]] = {
    "providers": (providers.derive, ("articles", "related", "sidecars")),
    "topics": (topics.derive, ("article_topics", "articles", "related", "sidecars")),
    "related_matches": (related.derive_matches, ("articles", "related")),
}
"""What derives a table, and from which others."""


class Derived(Struct, frozen=True):
    """Everything that a snapshot shows."""

    tables: PartFiles
    """Part files of all tables."""
    entries: list[SourceEntry]
    """The named sources with what they hold."""


def derive(
    warehouse: Warehouse, staged: catalog.Staged, built: Built, delta: HistoryDelta
) -> Derived:
    """Write the derived tables over all parts, and the history with what the run adds.

    Every table ends with a file, which `staged` shows.
    """
    root, past = warehouse.root, {}
    for name in HISTORY:
        kept = [file for file in built.history.get(name, []) if file.rows]
        past[name] = history.joined(root, name, kept, delta.files.get(name, []))
    tables = {
        name: files or [parts.write(root, name, TABLES[name].empty())]
        for name, files in (built.tables | past).items()
    }
    staged.show(tables)
    now = delta.seen.observed_at
    entries = [_described(staged.connection, entry, now) for entry in built.entries]
    observe = observations.derive if past["observations"] else observations.begin
    compared = ("articles", "documents", "observations")
    derivations = DERIVATIONS | {"observations": (partial(observe, seen=delta.seen), compared)}
    at_once = 2 if sum(file.rows for file in tables["documents"]) < ROWS_AT_ONCE else 1
    threads = ThreadPoolExecutor(at_once)
    try:
        waiting = {}
        for name, (function, origins) in derivations.items():
            if at_once > 1:
                derived_on = partial(_derived_on, catalog.cursor(staged.connection))
            else:
                files = {origin: tables[origin] for origin in origins}
                derived_on = partial(_derived_apart, warehouse, files)
            waiting[name] = threads.submit(derived_on, name, function)
        rows_of = {name: future.result() for name, future in waiting.items()}
    finally:  # without waiting: a run that is stopped does not wait for a query
        threads.shutdown(wait=False, cancel_futures=True)
    seen = rows_of.pop("observations")
    tables |= {name: [parts.write(root, name, rows)] for name, rows in rows_of.items()}
    last = history.last_revisions(root, past["revisions"])
    counted = delta.counted | {
        entry.name: structs.asdict(ledger_of(entry.counts))
        for entry in entries
        if entry.name in built.first_seen and entry.name not in delta.seen.elsewhere
    }
    added = {
        "observations": seen,
        "content_changes": _changes_table(delta, seen),
        "revisions": _revisions_table(delta.seen, counted, last),
    }
    for name, rows in added.items():
        if rows.num_rows:
            tables[name] = history.appended(root, name, past[name], rows)
    staged.show({name: tables[name] for name in (*DERIVATIONS, *HISTORY)})
    return Derived({name: tables[name] for name in TABLES}, entries)


def _derived_apart(
    warehouse: Warehouse, origins: PartFiles, name: str, derivation: Derivation
) -> pa.Table:
    connection = catalog.open_memory()
    views = (catalog.base_view(warehouse, origin, files) for origin, files in origins.items())
    connection.execute(";".join(views))
    return _derived_on(connection, name, derivation)


def _derived_on(
    connection: duckdb.DuckDBPyConnection, name: str, derivation: Derivation
) -> pa.Table:
    with connection:
        return TABLES[name].enforce(derivation(connection))


def _described(
    connection: duckdb.DuckDBPyConnection, entry: SourceEntry, now: dt.datetime
) -> SourceEntry:
    """Return the entry of a source with its counts, tallies and newest times until `now`."""

    def tally(query: str) -> dict[str, int]:
        query = f"{query} order by 2 desc, 1"
        return dict(connection.execute(query, {"source": entry.name}).fetchall())

    by_status = tally("select status, count(*) from documents where source = $source group by all")
    findings = tally("select rule, count(*) from findings where source = $source group by all")
    rejections = tally("select code, count(*) from rejections where source = $source group by all")
    unknown_fields = tally("select field, articles from unknown_fields where source = $source")
    articles, other, skipped, rejected = (
        by_status.get(status, 0) for status in ("article", "other", "skipped", "rejected")
    )
    [(newest_article_at, newest_file_at)] = connection.execute(
        """
        select (select max(published_at) from articles
                where source = $source and published_at <= $now),
               (select max(modified_at) from documents
                where source = $source and modified_at <= $now)
        """,
        {"source": entry.name, "now": now},
    ).fetchall()
    return structs.replace(
        entry,
        counts=Counts(
            sum(by_status.values()), articles, other, skipped, rejected, sum(findings.values())
        ),
        tallies=Tallies(findings, rejections, unknown_fields),
        newest_article_at=newest_article_at,
        newest_file_at=newest_file_at,
    )


def _changes_table(delta: HistoryDelta, observed: pa.Table) -> pa.Table:
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


def _revisions_table(
    seen: observations.Seen, counted: Mapping[str, Mapping[str, int]], last: Mapping[str, int]
) -> pa.Table:
    """Return the rows of `revisions`: one for each source in which files changed.

    `counted` are files by change and `last` is the last ordinal, of each source.
    """
    rows = [
        revision_row(source, seen.revision, last.get(source, 0) + 1, seen.observed_at, changes)
        for source, changes in sorted(counted.items())
        if any(changes.get(change) for change in REVISION_CHANGES)
    ]
    table = TABLES["revisions"]
    return table.enforce(table.from_rows(rows))
