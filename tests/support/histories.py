"""Histories by hand: a database with every view, whose base tables hold a few observations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import duckdb
from msgspec import Struct

from pipeline.schema.changes import REVISION_CHANGES
from pipeline.schema.tables import TABLES
from pipeline.views import template

_TABLES = ("observations", "revisions", "articles", "article_topics")


class Seen(Struct, frozen=True):
    """An observation; its place among those of its article is its place in the list."""

    article: str
    hour: float
    change: str
    heat: int | None = None
    quality: int | None = None
    published: bool | None = True
    moved_from: str | None = None
    revision: str | None = None


def moved(old: str, new: str, hour: float, heat: int | None, quality: int | None) -> list[Seen]:
    """The two observations of a move."""
    return [Seen(old, hour, "moved_away"), Seen(new, hour, "moved", heat, quality, moved_from=old)]


def scores(article: str, steps: Iterable[tuple[float, int | None, int | None]]) -> list[Seen]:
    """Observations of an article that stays where it is: hour, heat and quality."""
    return [
        Seen(article, hour, "scores" if at else "first", heat, quality)
        for at, (hour, heat, quality) in enumerate(steps)
    ]


def world() -> duckdb.DuckDBPyConnection:
    """Every view of the catalog, on base tables without rows."""
    connection = duckdb.connect()
    connection.execute("set global timezone = 'UTC'; set threads = 1")
    connection.execute(template.statements())
    for name in _TABLES:
        connection.execute(
            f"create table made as from {name}; drop view {name}; alter table made rename to {name}"
        )
    return connection


def set_history(
    connection: duckdb.DuckDBPyConnection,
    history: Sequence[Seen],
    *,
    until: float = 0,
    topics: Sequence[tuple[str, str]] = (),
    revisions: Mapping[float, Mapping[str, int]] | None = None,
) -> None:
    """Fill the base tables with a history of source `site` that is known up to hour `until`.

    Hour 0 is Monday, 2026-01-05 00:00 UTC. `revisions` has by hour how many files changed in which
    way; a last one, at `until`, changes `secured` of one file. Articles are those whose last
    observation does not end them; their titles are their ids in upper case.
    """
    for name in _TABLES:
        connection.execute(f"delete from {name}")
    counted, last, rows = Counter[str](), dict[str, Seen](), list[tuple[object, ...]]()
    for seen in history:
        counted[seen.article] += 1
        last[seen.article] = seen
        rows.append(
            (
                seen.article,
                counted[seen.article],
                f"{seen.article}.md",
                seen.revision or f"r{seen.hour:g}",
                seen.hour,
                seen.change,
                seen.moved_from,
                seen.quality,
                seen.heat,
                seen.published,
            )
        )
    columns = list(zip(*rows, strict=True)) or [()] * 10
    time = (
        "timestamptz '2026-01-05 00:00:00+00' + to_microseconds(round(hour * 3600000000)::bigint)"
    )
    names = [
        "article_id",
        "sequence",
        "path",
        "revision",
        "hour",
        "change",
        "moved_from",
        "quality",
        "heat",
        "published",
    ]
    types = [
        "varchar",
        "bigint",
        "varchar",
        "varchar",
        "double",
        "varchar",
        "varchar",
        "bigint",
        "bigint",
        "boolean",
    ]
    listed = ", ".join(
        f"unnest(${name}::{kind}[]) as {name}" for name, kind in zip(names, types, strict=True)
    )
    connection.execute(
        f"insert into observations by name select * exclude (hour), {time} as observed_at,"
        f" 'site' as source from (select {listed})",
        {name: list(values) for name, values in zip(names, columns, strict=True)},
    )
    for sequence, (hour, counts) in enumerate(
        [*(revisions or {}).items(), (until, {"secured_only": 1})], 1
    ):
        kinds = ", ".join(f"{counts.get(word, 0)} as {word}" for word in REVISION_CHANGES)
        connection.execute(
            f"insert into revisions by name select 'site' as source, 'r{hour:g}' as revision,"
            f" {sequence} as sequence, {time} as observed_at,"
            f" {kinds} from (select {hour}::double as hour)"
        )
    there = [name for name, seen in last.items() if seen.change not in ("deleted", "moved_away")]
    connection.execute(
        "insert into articles by name select article_id, source, path, upper(article_id) as"
        " title, 'https://x.example/' || article_id as url,"
        " quality, heat, published from observations where list_contains($there, article_id)"
        " qualify row_number() over (partition by article_id order by sequence desc) = 1",
        {"there": there},
    )
    for position, (article, topic) in enumerate(topics, 1):
        connection.execute(
            "insert into article_topics by name select $1 as article_id, $2::bigint as"
            " position, $3 as topic_id, $3 as topic",
            [article, position, topic],
        )


assert set(_TABLES) < TABLES.keys()
