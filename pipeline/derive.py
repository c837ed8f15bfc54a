"""What depends on more than one document: derived tables, and the tallies of a snapshot."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import duckdb

from pipeline.load import catalog, parts
from pipeline.load.snapshots import Warehouse
from pipeline.manifest import PartFile, Tallies
from pipeline.schema import TABLES
from pipeline.transform import PART_TABLES, observations, providers, related, topics

Tables = dict[str, list[PartFile]]

DERIVATIONS = {"providers": providers.derive, "topics": topics.derive, "related_matches": related.derive_matches}


def add_derived(
    warehouse: Warehouse,
    tables: Tables,
    published: list[PartFile],
    revision: str,
    observed_at: dt.datetime,
    moves: Mapping[str, str],
) -> None:
    """Write the derived tables over all parts and enter them in `tables`; every table ends with a file.

    `published` are the observations so far: they stay, and what changed is added.
    """
    tables["observations"] = [file for file in published if file.rows]
    _type_empty(warehouse, tables, (*PART_TABLES, "observations"))
    for name, derive in DERIVATIONS.items():
        with _tables_of(warehouse, tables) as connection:
            rows = derive(connection)
        tables[name] = [parts.write(warehouse.root, name, TABLES[name].enforce(rows))]
    with _tables_of(warehouse, tables) as connection:
        changed = observations.derive(connection, revision, observed_at, moves)
    if changed.num_rows:
        added = parts.write(warehouse.root, "observations", TABLES["observations"].enforce(changed))
        tables["observations"] = [file for file in tables["observations"] if file.rows] + [added]


@contextmanager
def _tables_of(warehouse: Warehouse, tables: Tables) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection over what is not derived; only when it closes does DuckDB give all of its memory back."""
    connection = catalog.open_memory()
    try:
        for name in (*PART_TABLES, "observations"):
            connection.execute(catalog.base_view(warehouse, name, tables[name]))
        yield connection
    finally:
        connection.close()


def _type_empty(warehouse: Warehouse, tables: Tables, names: Iterable[str]) -> None:
    """A table without rows has one typed empty file."""
    for name in names:
        if not tables[name]:
            tables[name] = [parts.write(warehouse.root, name, TABLES[name].empty())]


def tallies_of(connection: duckdb.DuckDBPyConnection, source: str) -> Tallies:
    """What a summary says of one source."""

    def tally(query: str) -> dict[str, int]:
        return dict(connection.execute(f"{query} order by 2 desc, 1", {"source": source}).fetchall())

    return Tallies(
        findings=tally("select rule, count(*) from findings where source = $source group by all"),
        rejections=tally("select code, count(*) from rejections where source = $source group by all"),
        unknown_fields=tally("select field, articles from unknown_fields where source = $source"),
    )
