"""Derive what depends on more than one document: tables over all parts, and totals of sources."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import duckdb
import pyarrow as pa
from msgspec import Struct, structs

from pipeline.load import history, parts
from pipeline.load.history import revision_row
from pipeline.load.manifest import HISTORY, Counts, PartFiles, Tallies
from pipeline.load.warehouse import Warehouse
from pipeline.runs.built import Built
from pipeline.runs.history_delta import HistoryDelta
from pipeline.runs.ledger import ledger_of
from pipeline.schema.changes import REVISION_CHANGES
from pipeline.schema.tables import TABLES
from pipeline.transform import observations, providers, related, topics
from pipeline.transform.documents import PART_TABLES
from pipeline.views import catalog

Connect = Callable[[], duckdb.DuckDBPyConnection]

ROWS_AT_ONCE = 100_000
"""Files from which on tables are derived in turn, each on a database of its own."""
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
    tables: PartFiles = {name: list(built.tables.get(name, ())) for name in PART_TABLES}
    past = {
        name: history.joined(
            warehouse.root,
            name,
            [file for file in built.history.get(name, []) if file.rows],
            delta.files.get(name, []),
        )
        for name in HISTORY
    }
    tables |= past
    _write_empty(warehouse, tables)
    staged.show(tables)
    opener = _Opener(warehouse, staged, tables)
    counts = {entry.name: counts_of(staged.connection, entry.name) for entry in built.entries}
    threads = ThreadPoolExecutor(opener.at_once)
    try:
        derived = {
            name: threads.submit(_derived, opener.views_of(origins), name)
            for name, (_, origins) in DERIVATIONS.items()
        }
        origins = ("articles", "documents", "observations")
        observe = observations.derive if past["observations"] else observations.begin
        seen = threads.submit(_observed, opener.views_of(origins), observe, delta.seen).result()
        rows_of = {name: future.result() for name, future in derived.items()}
    finally:  # without waiting: a run that is stopped does not wait for a query
        threads.shutdown(wait=False, cancel_futures=True)
    for name, rows in rows_of.items():
        tables[name] = [parts.write(warehouse.root, name, rows)]
    last = history.last_revisions(warehouse.root, past["revisions"])
    added = {
        "observations": seen,
        "content_changes": changes_table(delta, seen),
        "revisions": revisions_table(delta, counts, last),
    }
    for name, rows in added.items():
        if rows.num_rows:
            tables[name] = history.appended(warehouse.root, name, past[name], rows)
    staged.show({name: tables[name] for name in (*DERIVATIONS, *HISTORY)})
    return Derived({name: tables[name] for name in TABLES}, counts)


class _Opener(Struct, frozen=True):
    """Opens connections to tables: cursors of the staged catalog, or databases of their own.

    Half of the time of small tables DuckDB opens, binds and plans on one processor, so two are
    derived at a time. Only when a database closes does DuckDB give all of its memory back, so
    large tables have one each, in turn.
    """

    warehouse: Warehouse
    staged: catalog.Staged
    tables: PartFiles

    @property
    def at_once(self) -> int:
        """Threads that derive."""
        return 2 if sum(file.rows for file in self.tables["documents"]) < ROWS_AT_ONCE else 1

    def views_of(self, names: Iterable[str]) -> Connect:
        """Return what gives a thread a connection that has these tables."""
        if self.at_once > 1:
            cursor = catalog.cursor(self.staged.connection)
            return lambda: cursor
        return partial(self._open, tuple(names))

    def _open(self, names: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
        views = (catalog.base_view(self.warehouse, name, self.tables[name]) for name in names)
        connection = catalog.open_memory()
        connection.execute(";".join(views))
        return connection


def _derived(connect: Connect, name: str) -> pa.Table:
    derive, _ = DERIVATIONS[name]
    with connect() as connection:
        rows = derive(connection)
    return TABLES[name].enforce(rows)


def _observed(
    connect: Connect,
    observe: Callable[[duckdb.DuckDBPyConnection, observations.Seen], pa.Table],
    seen: observations.Seen,
) -> pa.Table:
    with connect() as connection:
        rows = observe(connection, seen)
    return TABLES["observations"].enforce(rows)


def _write_empty(warehouse: Warehouse, tables: PartFiles) -> None:
    """Give each table without rows one typed empty file."""
    for name, files in tables.items():
        if not files:
            tables[name] = [parts.write(warehouse.root, name, TABLES[name].empty())]


def counts_of(connection: duckdb.DuckDBPyConnection, source: str) -> Counts:
    """Return the files of one source by status, and its findings."""
    rows = connection.execute(
        "select status, count(*) from documents where source = $1 group by all", [source]
    ).fetchall()
    by_status: dict[str, int] = dict(rows)
    [(findings,)] = connection.execute(
        "select count(*) from findings where source = $1", [source]
    ).fetchall()
    articles, other, skipped, rejected = (
        by_status.get(status, 0) for status in ("article", "other", "skipped", "rejected")
    )
    return Counts(sum(by_status.values()), articles, other, skipped, rejected, findings)


def tallies_of(connection: duckdb.DuckDBPyConnection, source: str) -> Tallies:
    """Return findings, rejections and unknown fields of one source, most frequent first."""

    def tally(query: str) -> dict[str, int]:
        return dict(
            connection.execute(f"{query} order by 2 desc, 1", {"source": source}).fetchall()
        )

    return Tallies(
        findings=tally("select rule, count(*) from findings where source = $source group by all"),
        rejections=tally(
            "select code, count(*) from rejections where source = $source group by all"
        ),
        unknown_fields=tally("select field, articles from unknown_fields where source = $source"),
    )


def newest_of(
    connection: duckdb.DuckDBPyConnection, source: str, now: dt.datetime
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the latest publish time and the latest file time of one source, not after `now`."""
    [row] = connection.execute(
        """
        select (select max(published_at) from articles
                where source = $source and published_at <= $now),
               (select max(modified_at) from documents
                where source = $source and modified_at <= $now)
        """,
        {"source": source, "now": now},
    ).fetchall()
    return row


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
