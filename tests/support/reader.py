"""A reader in a process of its own: asks the warehouse again and again, and checks what it sees.

Every article of a consistent snapshot has the same heat, and its child tables belong to it. Usage:
reader.py loop|hold WAREHOUSE STOP; ends when the file STOP appears, prints how many times it asked
and how many snapshots it saw as JSON.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

import pipeline

ACROSS_TABLES = """
select (select count(*) from articles),
       (select min(heat) from articles), (select max(heat) from articles),
       (select count(*) from documents where status = 'article'),
       (select count(*) from article_topics join articles using (article_id)),
       (select count(*) from article_topics),
       (select count(distinct article_id) from observations
        where article_id in (select article_id from articles)),
       (select articles from coverage_by_topic where topic = 'Sea')
"""


def look(connection: duckdb.DuckDBPyConnection) -> int:
    """Ask over several tables; returns the heat that tells the snapshot. Raises AssertionError
    where they do not fit.
    """
    [row] = connection.execute(ACROSS_TABLES).fetchall()
    count, low, high, documents, joined, topics, observed, covered = row
    assert low == high, row
    assert count == documents == observed == covered and joined == topics == 2 * count, row
    return int(low)


def ask(warehouse: Path) -> list[int]:
    """Open, ask and close, in three ways; the heats seen."""
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
        seen = [look(connection)]
    with pipeline.connect(warehouse) as connection:
        seen.append(look(connection))
    folder = (
        warehouse / "current"
    ).resolve()  # else `current` may lead elsewhere between listing and opening
    query = f"select min(heat), max(heat), count(*) from '{folder}/articles/*.parquet'"
    topics = f"select count(*) from '{folder}/article_topics/*.parquet'"
    [(low, high, count)], [(of_topics,)] = (
        duckdb.sql(query).fetchall(),
        duckdb.sql(topics).fetchall(),
    )
    assert low == high and of_topics == 2 * count, (low, high, count, of_topics)
    return [*seen, low]


def main(kind: str, place: str, stop: str) -> None:
    """Ask until told to stop."""
    warehouse, asked, seen = Path(place), 0, set()
    if kind == "hold":
        with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
            while not Path(stop).exists():
                asked, seen = asked + 1, seen | {look(connection)}
                time.sleep(0.2)  # the runs need the processor too
    else:
        while not Path(stop).exists():
            begun = time.monotonic()
            asked, seen = asked + 1, seen | set(ask(warehouse))
            time.sleep(time.monotonic() - begun)
    print(json.dumps({"asked": asked, "seen": len(seen)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
