"""What differs between two snapshots: articles added, removed, changed and moved, and in which fields.

Part files are immutable and named by their content. An article has one row of `articles` per snapshot; where that row lies in
a file that both snapshots name, it is the same row in both and neither has another one elsewhere. So the files that only one
of them names hold every row that differs, even if it went from one part to another; the others are not read.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from msgspec import Struct

from pipeline.errors import WarehouseError
from pipeline.load.manifest import Manifest, PartFile
from pipeline.load.retention import available, resolve
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import TABLES
from pipeline.views.catalog import base_view, open_memory

KINDS = ("added", "removed", "changed", "moved")
FIELDS = tuple(
    name for name in TABLES["articles"].names if name not in ("article_id", "source", "path")
)
CHILDREN = {
    "topics": ("article_topics", "count(*)"),
    "related": ("related", "count(*)"),
    "images": ("images", "count(*)"),
    "body": ("bodies", "sum(length(body))"),
}
"""Child tables as fields of the article, and what is told of their rows: how many they are, or how many characters."""

Values = dict[str, dict[str, list[Any]]]
"""Old and new value by field by article_id."""


class Place(Struct, frozen=True):
    """Where an article lies in one snapshot, and its title."""

    source: str
    path: str
    title: str | None


class Change(Struct, frozen=True):
    """One article that differs; `values` holds [old, new] by field, for child tables rows (for `body` characters)."""

    change: str
    article_id: str
    source: str
    path: str
    title: str | None
    fields: list[str]
    values: dict[str, list[Any]]
    moved_from: str | None = None


class Diff(Struct, frozen=True):
    """Two snapshots compared: `counts` by kind of change; `changes` in the order of `KINDS`, then by source and path."""

    before: str
    after: str
    articles_before: int
    articles_after: int
    counts: dict[str, int]
    changes: list[Change]


def diff(warehouse: Warehouse, before: str, after: str) -> Diff:
    """Compare two snapshots, each named by its id or the start of it.

    Raises UsageError where that fits none or several, WarehouseError where part files are gone.
    """
    old, new = (warehouse.manifest(resolve(warehouse, text)) for text in (before, after))
    connection = open_memory()
    try:
        changes = _changes(connection, warehouse, old, new)
    except duckdb.Error as error:
        reason = str(error).split("\n", 1)[0]
        raise WarehouseError(
            f"{warehouse.root}: part files of snapshot {old.id} or {new.id} cannot be read ({reason}). {available(warehouse)}"
        ) from error
    finally:
        connection.close()
    changes.sort(key=lambda change: (KINDS.index(change.change), change.source, change.path))
    counts = {kind: sum(change.change == kind for change in changes) for kind in KINDS}
    return Diff(old.id, new.id, old.rows("articles"), new.rows("articles"), counts, changes)


def diff_rows(found: Diff) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and a row per article that differs, for `render`."""
    names = ["change", "path", "title", "fields", "moved_from", "source"]
    rows = [
        (c.change, c.path, c.title, ", ".join(c.fields), c.moved_from, c.source)
        for c in found.changes
    ]
    return names, rows


def diff_object(found: Diff) -> dict[str, Any]:
    """The comparison as one JSON object; times are ISO 8601 in UTC."""
    named: dict[str, Any] = msgspec.to_builtins(found)
    return named


def diff_text(found: Diff) -> str:
    """The comparison in one line."""
    articles = f"{found.articles_before:,} article{'s' * (found.articles_before != 1)} before, {found.articles_after:,} after"
    if not found.changes:
        return f"No article differs ({articles})."
    return (
        ", ".join(f"{number:,} {kind}" for kind, number in found.counts.items()) + f" ({articles})"
    )


def _changes(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, old: Manifest, new: Manifest
) -> list[Change]:
    shown = _show(connection, warehouse, old, new)
    gone, fresh = _lone(connection, shown)
    moves = _moves(connection, shown, gone, fresh)
    _pair(connection, shown, gone, fresh, moves)
    values = _article_values(connection) if "articles" in shown else {}
    for field, (table, measure) in CHILDREN.items():
        if table in shown:
            for identity, *numbers in _child_values(connection, table, measure):
                values.setdefault(identity, {})[field] = numbers
    changed = [identity for identity in values if identity not in moves]
    places = fresh | _places(connection, warehouse, new, shown, changed)

    def told(kind: str, identity: str, place: Place, moved_from: str | None = None) -> Change:
        found = values.get(identity, {})
        return Change(
            kind, identity, place.source, place.path, place.title, list(found), found, moved_from
        )

    left = set(moves.values())
    return [
        *(
            told("added", identity, place)
            for identity, place in fresh.items()
            if identity not in moves
        ),
        *(
            told("removed", identity, place)
            for identity, place in gone.items()
            if identity not in left
        ),
        *(told("changed", identity, places[identity]) for identity in changed),
        *(
            told("moved", identity, fresh[identity], gone[origin].path)
            for identity, origin in moves.items()
        ),
    ]


def _show(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, old: Manifest, new: Manifest
) -> set[str]:
    """Views `before.<table>` and `after.<table>` over the files that only one snapshot names; returns tables that have any."""
    connection.execute("create schema before; create schema after")
    shown = set()
    for table in (
        "articles",
        "documents",
        "observations",
        *(table for table, _ in CHILDREN.values()),
    ):
        old_files, new_files = old.tables.get(table, []), new.tables.get(table, [])
        mine, theirs = _without(old_files, new_files), _without(new_files, old_files)
        if not mine and not theirs:
            continue
        _refuse_incomplete(warehouse, old, table, mine)
        _refuse_incomplete(warehouse, new, table, theirs)
        for schema, files in (("before", mine), ("after", theirs)):
            view = base_view(warehouse, table, files or mine or theirs)
            connection.execute(
                f"use memory.{schema}; {view}{'' if files else ' where false'}; use memory.main"
            )
        shown.add(table)
    return shown


def _without(files: list[PartFile], others: list[PartFile]) -> list[PartFile]:
    names = {file.file for file in others}
    return [file for file in files if file.file not in names]


def _refuse_incomplete(
    warehouse: Warehouse, manifest: Manifest, table: str, files: list[PartFile]
) -> None:
    for path in warehouse.part_paths(table, files):
        if not Path(path).is_file():
            raise WarehouseError(
                f"{path}: this part of snapshot {manifest.id} is gone. {available(warehouse, without=manifest.id)}"
            )


def _lone(
    connection: duckdb.DuckDBPyConnection, shown: set[str]
) -> tuple[dict[str, Place], dict[str, Place]]:
    """Articles that only the snapshot before has, and that only the one after has."""
    if "articles" not in shown:
        return {}, {}
    query = "select article_id, source, path, title from {}.articles anti join {}.articles using (article_id)"
    gone, fresh = (
        {
            identity: Place(*place)
            for identity, *place in connection.execute(query.format(*sides)).fetchall()
        }
        for sides in (("before", "after"), ("after", "before"))
    )
    return gone, fresh


def _moves(
    connection: duckdb.DuckDBPyConnection,
    shown: set[str],
    gone: dict[str, Place],
    fresh: dict[str, Place],
) -> dict[str, str]:
    """Old article_id by new one: as runs saw it, then by equal bytes in one source, in the order of paths as runs do."""
    if not gone or not fresh:
        return {}
    moves = _traced(connection, gone, fresh) if "observations" in shown else {}
    waiting: dict[tuple[str, str], list[str]] = {}
    for identity, *content in _bytes(connection, "before", gone.keys() - moves.values()):
        waiting.setdefault((content[0], content[1]), []).append(identity)
    for identity, *content in _bytes(connection, "after", fresh.keys() - moves.keys()):
        if origins := waiting.get((content[0], content[1])):
            moves[identity] = origins.pop(0)
    return moves


def _traced(
    connection: duckdb.DuckDBPyConnection, gone: dict[str, Place], fresh: dict[str, Place]
) -> dict[str, str]:
    """Follow articles through the moves that runs saw: back to where the snapshots part, then on to the one after.

    Without a rollback one of the two ways is empty. Files of observations may be joined, so rows of both do not count.
    """
    query = (
        "select {}, {} from {}.observations anti join {}.observations using (article_id, revision)"
        " where moved_from is not null order by observed_at {}"
    )
    origins = {identity: identity for identity in gone}
    for way in (
        ("article_id", "moved_from", "before", "after", "desc"),
        ("moved_from", "article_id", "after", "before", "asc"),
    ):
        for start, end in connection.execute(query.format(*way)).fetchall():
            if start in origins:
                origins[end] = origins.pop(start)
    return {identity: origin for identity, origin in origins.items() if identity in fresh}


def _bytes(
    connection: duckdb.DuckDBPyConnection, side: str, identities: Iterable[str]
) -> list[tuple[str, str, str]]:
    """article_id, source and digest of the file, in path order."""
    query = f"select document_id, source, raw_hash from {side}.documents where document_id in (select unnest($ids)) order by path"
    return connection.execute(query, {"ids": sorted(identities)}).fetchall()


def _pair(
    connection: duckdb.DuckDBPyConnection,
    shown: set[str],
    gone: dict[str, Place],
    fresh: dict[str, Place],
    moves: dict[str, str],
) -> None:
    """Views `old_<table>`: what was before, by the article_id after; `lone` lists articles that have nothing to compare with."""
    lone = sorted((gone.keys() - moves.values()) | (fresh.keys() - moves.keys()))
    connection.execute(
        "create table lone as select unnest($ids::varchar[]) as article_id", {"ids": lone}
    )
    connection.execute(
        "create table moves as select unnest($old::varchar[]) as former_id, unnest($new::varchar[]) as later_id",
        {"old": list(moves.values()), "new": list(moves)},
    )
    for table in shown & {"articles", *(table for table, _ in CHILDREN.values())}:
        connection.execute(
            f"create view old_{table} as select * exclude (former_id, later_id)"
            " replace (coalesce(later_id, article_id) as article_id)"
            f" from before.{table} left join moves on article_id = former_id"
        )


def _article_values(connection: duckdb.DuckDBPyConnection) -> Values:
    """Columns of `articles` that differ."""
    tests = {name: f'old."{name}" is distinct from new."{name}"' for name in FIELDS}
    cells = ", ".join(
        f'case when {test} then {{old: old."{name}", new: new."{name}"}} end'
        for name, test in tests.items()
    )
    query = f"select article_id, {cells} from old_articles as old join after.articles as new using (article_id)"
    found: Values = {}
    for identity, *pairs in _fetched(
        connection.execute(f"{query} where {' or '.join(tests.values())}")
    ):
        cells_of = zip(FIELDS, pairs, strict=True)
        found[identity] = {
            name: [pair["old"], pair["new"]] for name, pair in cells_of if pair is not None
        }
    return found


def _fetched(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """Rows a few at a time: most of their cells are null."""
    while rows := connection.fetchmany(10_000):
        yield from rows


def _child_values(
    connection: duckdb.DuckDBPyConnection, table: str, measure: str
) -> list[tuple[str, int, int]]:
    """Articles whose rows of a child table differ, with the measure of the rows before and after."""
    columns = ", ".join(f'"{name}"' for name in TABLES[table].names)
    return connection.execute(
        f"""
        with old as (select {columns} from old_{table}), new as (select {columns} from after.{table}),
            differing as (
                select article_id from (from old except from new)
                union select article_id from (from new except from old))
        select article_id,
            coalesce((select {measure} from old where old.article_id = differing.article_id), 0)::bigint,
            coalesce((select {measure} from new where new.article_id = differing.article_id), 0)::bigint
        from differing anti join lone using (article_id)
        """
    ).fetchall()


def _places(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    manifest: Manifest,
    shown: set[str],
    identities: list[str],
) -> dict[str, Place]:
    """Places of articles; where only child rows differ, the article itself may lie in a file that both snapshots name."""
    query = "select article_id, source, path, title from {}.articles where article_id in (select unnest($ids))"

    def found(schema: str, wanted: list[str]) -> dict[str, Place]:
        rows = (
            connection.execute(query.format(schema), {"ids": wanted}).fetchall() if wanted else []
        )
        return {identity: Place(*place) for identity, *place in rows}

    places = found("after", identities) if "articles" in shown else {}
    if missing := [identity for identity in identities if identity not in places]:
        _refuse_incomplete(warehouse, manifest, "articles", manifest.tables["articles"])
        connection.execute(base_view(warehouse, "articles", manifest.tables["articles"]))
        places |= found("main", missing)
    return places
