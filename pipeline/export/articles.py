"""Assemble whole articles from the rows of several tables, with the keys of their front matter.

A part's tables hold the rows of its own documents only, so one part is in memory at a time.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
from msgspec import Struct
from msgspec.structs import fields

from pipeline.export.expressions import ZONED, export_error, iso_time
from pipeline.export.request import Field, RelationQuery, Snapshot
from pipeline.schema.columns import TIME
from pipeline.schema.documents import KNOWN, NESTED, Article, Image
from pipeline.schema.tables import TABLES
from pipeline.views.catalog import base_query
from pipeline.views.quoting import identifier, quoted

BATCH = 5_000
"""Articles in memory at a time if an order is requested."""
Record = dict[str, Any]
_CHILDREN = ("article_topics", "related", "images", "bodies", "secured")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?\.")
_SCALARS = {
    field.encode_name: column
    for field in fields(Article)
    if (column := field.name.replace("amp_web", "amp")) in TABLES["articles"].names
    and column != "category"
}
"""The column of each key with a single value, in the order in which sites write them."""
_IMAGE_COLUMNS = {
    field.encode_name: {"width": "width_px", "height": "height_px"}.get(field.name, field.name)
    for field in fields(Image)
}


class WholeArticle(Struct, frozen=True):
    """An article with its front matter and body, and the file that it came from."""

    article_id: str
    source: str
    path: str
    front_matter: Record
    body: str | None


def whole_articles(
    snapshot: Snapshot, query: RelationQuery, *, ordered: bool, secured: bool = False
) -> Iterator[WholeArticle]:
    """Yield the articles that `query` selects, in its order if `ordered`, else by path.

    `secured` adds the ciphertext if the warehouse has it. Raises QueryError and WarehouseError if
    the query fails.
    """
    connection = snapshot.connection
    try:
        connection.execute(
            f"""
            create or replace temp table chosen as
            select wanted.article_id, documents.part, wanted.ordinal
            from (
                select article_id, row_number() over () as ordinal from (\n{query.sql}\n)
            ) as wanted
            join documents on documents.document_id = wanted.article_id
            """
        )
    except duckdb.Error as error:
        raise export_error(query.name, error) from error
    names = ("articles", *(name for name in _CHILDREN if secured or name != "secured"))
    if ordered:
        [(count,)] = connection.execute("select count(*) from chosen").fetchall()
        for first in range(1, count + 1, BATCH):
            condition = f"ordinal between {first} and {first + BATCH - 1}"
            yield from _batch(connection, {name: name for name in names}, condition, "ordinal")
        return
    files = {name: {file.part: file for file in snapshot.manifest.tables[name]} for name in names}
    parts = connection.execute(
        "select part from chosen join articles using (article_id)"
        " group by source, part order by source, min(path)"
    ).fetchall()
    for (part,) in parts:
        tables = {
            name: f"({base_query(snapshot.warehouse, name, [file])})"
            if (file := files[name].get(part))
            else f"(from {name} limit 0)"
            for name in names
        }
        yield from _batch(connection, tables, f"part = {quoted(part)}", "path")


def _batch(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str], condition: str, order: str
) -> Iterator[WholeArticle]:
    """Yield the chosen articles of a condition; `tables` has the SQL that reads each table."""
    chosen = f"(select article_id, ordinal from chosen where {condition})"
    children: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for name, table in tables.items():
        if name != "articles":
            source = f"from {table} semi join {chosen} using (article_id)"
            for row in _records(connection, name, source):
                children[row["article_id"]][name].append(row)
    source = f"from {tables['articles']} join {chosen} using (article_id) order by {order}"
    for article in _records(connection, "articles", source):
        yield assemble(article, children[article["article_id"]])


def _records(connection: duckdb.DuckDBPyConnection, name: str, source: str) -> list[Record]:
    """Return the rows of a table by column, times as text."""
    expressions = {
        column.name: iso_time(Field(column.name, ZONED, ""))
        if column.type == TIME
        else identifier(column.name)
        for column in TABLES[name].columns
    }
    rows = connection.execute(f"select {', '.join(expressions.values())} {source}").fetchall()
    return [dict(zip(expressions, row, strict=True)) for row in rows]


def assemble(article: Record, children: Mapping[str, list[Record]]) -> WholeArticle:
    """Return an article of its row and those of other tables that belong to it.

    Keys without a value are left out, except the title.
    """
    rows = {
        name: sorted(
            children.get(name, ()),
            key=lambda row: (row.get("owner_position", 0), row.get("position", 0)),
        )
        for name in _CHILDREN
    }
    images: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for row in rows["images"]:
        images[row["owner"], row["owner_position"]].append(_renamed(row, _IMAGE_COLUMNS))
    related = []
    for row in rows["related"]:
        position = row["position"]
        logos, pictures = images["related_provider", position], images["related", position]
        related.append(_item(row, logos, topics=row["topics"], images=pictures or None))
    front_matter = _item(
        article,
        images["provider", 0],
        author=_author(article),
        topics=[row["topic"] for row in rows["article_topics"]] or None,
        related=related or None,
        images=images["article", 0] or None,
    )
    front_matter.setdefault("title", None)
    for path, value in json.loads(article["extra"] or "{}").items():
        _put(front_matter, path, value)
    if rows["secured"]:
        front_matter["secured"] = rows["secured"][0]["secured"]
    body = next((row["body"] for row in rows["bodies"]), None)
    return WholeArticle(
        article["article_id"], article["source"], article["path"], front_matter, body
    )


def _item(row: Record, logos: list[Record], **rest: Any) -> Record:
    """Return the front matter of an article or a related item, in the order of sites."""
    provider = {"name": row["provider_name"], "domain": row["provider_domain"]}
    return _filled(
        {
            "category": row["category"],
            **_renamed(row, _SCALARS),
            "length": _duration(row["duration_seconds"]),
            "provider": _filled({**provider, "images": logos or None}) or None,
            **rest,
        }
    )


def _filled(record: Record) -> Record:
    return {key: value for key, value in record.items() if value is not None}


def _renamed(row: Record, columns: Mapping[str, str]) -> Record:
    return _filled({key: row.get(column) for key, column in columns.items()})


def _author(article: Record) -> Record | str | None:
    name: str | None = article["author_name"]
    if article["author_url"] is None:
        return name
    return _filled({"name": name, "url": article["author_url"]})


def _duration(seconds: int | None) -> str | None:
    """Return an ISO 8601 duration of hours, minutes and seconds."""
    if seconds is None:
        return None
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{rest}S" * bool(rest)
    return f"{'-' * (seconds < 0)}PT{parts or '0S'}"


def _put(front_matter: Record, path: str, value: Any) -> None:
    """Put an unknown field at its dotted path, or under that name if no record is there."""
    record: Record = front_matter
    kind: Any = Article
    rest = path
    while (step := _STEP.match(rest)) and (inner := dict(NESTED[kind]).get(step[1])):
        target = _inner_record(record, step[1], step[2])
        if target is None:
            break
        record, kind, rest = target, inner, rest[step.end() :]
    if record is front_matter or rest in KNOWN[kind]:
        front_matter[path] = value
    else:
        record[rest] = value


def _inner_record(record: Record, key: str, number: str | None) -> Record | None:
    """Return the record at a key, or at a position of its list; None if there is none."""
    if number is not None:
        items = record.get(key) or []
        target = items[int(number)] if int(number) < len(items) else None
    else:
        if key == "author" and isinstance(record.get(key), str):
            record[key] = {"name": record[key]}
        target = record.setdefault(key, {}) if key in ("provider", "author") else None
    return target if isinstance(target, dict) else None
