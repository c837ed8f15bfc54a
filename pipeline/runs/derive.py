"""What depends on more than one document: derived tables, and the tallies of a snapshot."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import duckdb
import pyarrow as pa

from pipeline.load import history, parts
from pipeline.load.history import WORDS, revision_row
from pipeline.load.manifest import HISTORY, Counts, PartFile, Tallies
from pipeline.load.warehouse import Warehouse
from pipeline.runs.history_delta import News
from pipeline.schema.tables import TABLES
from pipeline.transform import observations, providers, related, topics
from pipeline.transform.documents import PART_TABLES
from pipeline.views import catalog

Tables = dict[str, list[PartFile]]
Observe = Callable[[duckdb.DuckDBPyConnection, observations.Seen], pa.Table]
Connect = Callable[[], duckdb.DuckDBPyConnection]

ROWS_AT_ONCE = 100_000
"""Files from which on tables are derived in turn, each on a database of its own."""
DERIVATIONS = {
    "providers": (providers.derive, ("articles", "related", "sidecars")),
    "topics": (topics.derive, ("article_topics", "articles", "related", "sidecars")),
    "related_matches": (related.derive_matches, ("articles", "related")),
}
"""What derives a table, and from which others."""


def add_derived(
    warehouse: Warehouse,
    staged: catalog.Staged,
    tables: Tables,
    published: history.Files,
    news: News,
) -> None:
    """Write the derived tables over all parts and enter them in `tables`; every table ends with a file, which `staged` shows.

    `published` is the history so far: it stays, and what is new is added.
    """
    for name in HISTORY:
        files = [file for file in published.get(name, []) if file.rows]
        tables[name] = history.joined(warehouse.root, name, files, news.files.get(name, []))
    _type_empty(warehouse, tables, (*PART_TABLES, *HISTORY))
    opener = _Opener(warehouse, staged, tables)
    for source in news.first_seen:
        found = counts_of(staged.connection, source)
        news.counted[source] = {
            "new": found.articles + found.other,
            "skipped": found.skipped,
            "rejected": found.rejected,
        }
    threads = ThreadPoolExecutor(opener.at_once)
    try:
        derived = {
            name: threads.submit(_derived, opener.views_of(origins), name)
            for name, (_, origins) in DERIVATIONS.items()
        }
        origins = ("articles", "documents", "observations")
        is_first = not any(file.rows for file in tables["observations"])
        observe = observations.begin if is_first else observations.derive
        observed = threads.submit(_observed, opener.views_of(origins), observe, news.seen).result()
        made = {name: rows.result() for name, rows in derived.items()}
    finally:
        threads.shutdown(
            wait=False, cancel_futures=True
        )  # who stops a run does not wait for a query
    for name, rows in made.items():
        tables[name] = [parts.write(warehouse.root, name, rows)]
    added = {"observations": observed, "content_changes": changes_table(news, observed)}
    added["revisions"] = revisions_table(
        news,
        history.last_revisions(warehouse.root, [file for file in tables["revisions"] if file.rows]),
    )
    for name, rows in added.items():
        if rows.num_rows:
            tables[name] = history.appended(
                warehouse.root, name, [file for file in tables[name] if file.rows], rows
            )
    staged.show({name: tables[name] for name in (*DERIVATIONS, *HISTORY)})


class _Opener:
    """Opens connections to tables: cursors of the staged catalog, and two at a time, where the tables are small.

    Half of the time of small tables DuckDB opens, binds and plans on one processor. Only when a database closes does DuckDB
    give all of its memory back, so large tables have one each, in turn.
    """

    def __init__(self, warehouse: Warehouse, staged: catalog.Staged, tables: Tables) -> None:
        self._warehouse, self._staged, self._tables = warehouse, staged, tables
        self.at_once = 2 if sum(file.rows for file in tables["documents"]) < ROWS_AT_ONCE else 1
        staged.show({name: tables[name] for name in (*PART_TABLES, *HISTORY)})

    def views_of(self, names: Iterable[str]) -> Connect:
        """What gives a thread a connection that has these tables."""
        if self.at_once > 1:
            cursor = catalog.cursor(self._staged.connection)
            return lambda: cursor
        return partial(self._open, tuple(names))

    def _open(self, names: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
        connection = catalog.open_memory()
        connection.execute(
            ";".join(catalog.base_view(self._warehouse, name, self._tables[name]) for name in names)
        )
        return connection


def _derived(connect: Connect, name: str) -> pa.Table:
    derive, _ = DERIVATIONS[name]
    with connect() as connection:
        rows = derive(connection)
    return TABLES[name].enforce(rows)


def _observed(connect: Connect, observe: Observe, seen: observations.Seen) -> pa.Table:
    with connect() as connection:
        rows = observe(connection, seen)
    return TABLES["observations"].enforce(rows)


def _type_empty(warehouse: Warehouse, tables: Tables, names: Iterable[str]) -> None:
    """A table without rows has one typed empty file."""
    for name in names:
        if not tables[name]:
            tables[name] = [parts.write(warehouse.root, name, TABLES[name].empty())]


def counts_of(connection: duckdb.DuckDBPyConnection, source: str) -> Counts:
    """Files of one source by what became of them, and its findings."""
    rows = connection.execute(
        "select status, count(*) from documents where source = $1 group by all", [source]
    ).fetchall()
    by: dict[str, int] = dict(rows)
    [(findings,)] = connection.execute(
        "select count(*) from findings where source = $1", [source]
    ).fetchall()
    articles, other, skipped, rejected = (
        by.get(status, 0) for status in ("article", "other", "skipped", "rejected")
    )
    return Counts(sum(by.values()), articles, other, skipped, rejected, findings)


def tallies_of(connection: duckdb.DuckDBPyConnection, source: str) -> Tallies:
    """What a summary says of one source."""

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
    """Latest publish time of an article and latest modification time of a file, of one source and not after `now`."""
    [found] = connection.execute(
        """
        select (select max(published_at) from articles where source = $source and published_at <= $now),
               (select max(modified_at) from documents where source = $source and modified_at <= $now)
        """,
        {"source": source, "now": now},
    ).fetchall()
    return found


def changes_table(news: News, observed: pa.Table) -> pa.Table:
    """Rows of `content_changes` of the articles that have a row in `observed`."""
    if not news.differences:
        return TABLES["content_changes"].empty()
    there = set(observed["article_id"].to_pylist())
    rows = [
        (article, news.seen.revision, *difference)
        for article, found in sorted(news.differences.items())
        if article in there
        for difference in sorted(found)
    ]
    return TABLES["content_changes"].enforce(TABLES["content_changes"].from_rows(rows))


def revisions_table(news: News, last: Mapping[str, int]) -> pa.Table:
    """Rows of `revisions`: one for each source in which files changed; `last` is the last ordinal of each source."""
    seen = news.seen
    rows = [
        revision_row(source, seen.revision, last.get(source, 0) + 1, seen.observed_at, counts)
        for source, counts in sorted(news.counted.items())
        if any(counts.get(word) for word in WORDS)
    ]
    return TABLES["revisions"].enforce(TABLES["revisions"].from_rows(rows))
