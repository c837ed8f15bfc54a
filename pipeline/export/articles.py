"""Articles as their front matter says them: the rows of several tables put together again, part by part.

A part's tables hold the rows of its own documents alone, so that no more than a part is in memory at a time.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
from msgspec import Struct

from pipeline.export.expressions import ZONED, failed, iso_time
from pipeline.export.request import Extract, Field
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.schema.columns import TIME
from pipeline.schema.documents import KNOWN, NESTED, Article
from pipeline.schema.tables import TABLES
from pipeline.views.catalog import base_query
from pipeline.views.quoting import identifier, quoted

BATCH = 5_000
"""Articles at a time where an order is asked for; else a part's."""
Values = dict[str, Any]
_CHILDREN = ("article_topics", "related", "images", "bodies", "secured")
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?\.")
_SHARED = {
    "title": "title",
    "excerpt": "excerpt",
    "publishedDateTime": "published_at",
    "updatedDateTime": "updated_at",
    "originalUrl": "original_url",
    "webUrl": "web_url",
    "ampWebUrl": "amp_url",
    "cdnAmpWebUrl": "cdn_amp_url",
    "type": "type",
    "quality": "quality",
    "heat": "heat",
    "published": "published",
}
"""Keys of the front matter, in the order in which sites write them, and the columns that hold them."""


class Whole(Struct, frozen=True):
    """An article whole: where it lies, its front matter by the keys of the files, its body."""

    article_id: str
    source: str
    path: str
    front_matter: Values
    body: str | None


class Rows(Struct, frozen=True):
    """The rows of one article in each table, as records by column; children in the order of their positions."""

    article: Values
    topics: list[Values] = []
    related: list[Values] = []
    images: list[Values] = []
    body: str | None = None
    secured: str | None = None


def wholes(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    manifest: Manifest,
    extract: Extract,
    *,
    ordered: bool,
    secured: bool = False,
) -> Iterator[Whole]:
    """The articles whose article_id `extract` chooses, in its order where `ordered`, else in the order of paths.

    `secured` adds the ciphertext, where the warehouse has it. Raises QueryError and WarehouseError where the choice fails.
    """
    try:
        connection.execute(
            f"""
            create or replace temp table chosen as
            select wanted.article_id, documents.part, wanted.place
            from (select article_id, row_number() over () as place from (\n{extract.query}\n)) as wanted
            join documents on documents.document_id = wanted.article_id
            """
        )
    except duckdb.Error as error:
        raise failed(extract.name, error) from error
    names = ("articles", *(name for name in _CHILDREN if secured or name != "secured"))
    if ordered:
        [(count,)] = connection.execute("select count(*) from chosen").fetchall()
        everywhere = {name: name for name in names}
        for first in range(1, count + 1, BATCH):
            yield from _batch(
                connection, everywhere, f"place between {first} and {first + BATCH - 1}", "place"
            )
        return
    files = {name: {file.part: file for file in manifest.tables[name]} for name in names}
    parts = connection.execute(
        "select part from chosen join articles using (article_id) group by source, part order by source, min(path)"
    ).fetchall()
    for (part,) in parts:
        here = {
            name: f"({base_query(warehouse, name, [found])})"
            if (found := files[name].get(part))
            else f"(from {name} limit 0)"
            for name in names
        }
        yield from _batch(connection, here, f"part = {quoted(part)}", "path")


def _batch(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str], where: str, order: str
) -> Iterator[Whole]:
    """The chosen articles for which `where` holds; `tables` says where each table's rows are to be found."""
    chosen = f"(select article_id, place from chosen where {where})"
    children: dict[str, dict[str, list[Values]]] = {}
    for name in tables.keys() - {"articles"}:
        children[name] = defaultdict(list)
        for row in _records(
            connection, name, f"from {tables[name]} semi join {chosen} using (article_id)"
        ):
            children[name][row["article_id"]].append(row)
    for article in _records(
        connection,
        "articles",
        f"from {tables['articles']} join {chosen} using (article_id) order by {order}",
    ):
        key = article["article_id"]
        found = {name: sorted(rows.get(key, ()), key=_place) for name, rows in children.items()}
        body, secured = found["bodies"], found.get("secured")
        yield whole(
            Rows(
                article,
                found["article_topics"],
                found["related"],
                found["images"],
                body[0]["body"] if body else None,
                secured[0]["secured"] if secured else None,
            )
        )


def _place(row: Values) -> tuple[int, int]:
    return row.get("owner_position", 0), row.get("position", 0)


def _records(connection: duckdb.DuckDBPyConnection, name: str, source: str) -> list[Values]:
    columns = TABLES[name].columns
    values = [
        iso_time(Field(column.name, ZONED, "")) if column.type == TIME else identifier(column.name)
        for column in columns
    ]
    names = [column.name for column in columns]
    return [
        dict(zip(names, row, strict=True))
        for row in connection.execute(f"select {', '.join(values)} {source}").fetchall()
    ]


def whole(rows: Rows) -> Whole:
    """An article put together again; keys without a value are left out, but for the title."""
    article = rows.article
    pictures: dict[tuple[str, int], list[Values]] = defaultdict(list)
    for image in rows.images:
        pictures[image["owner"], image["owner_position"]].append(_image(image))
    found = {"category": article["category"], "title": article["title"]} | _shared(article)
    found["length"] = _duration(article["duration_seconds"])
    found["provider"] = _provider(article, pictures["provider", 0])
    found["author"] = _author(article)
    found["topics"] = [row["topic"] for row in rows.topics] or None
    found["related"] = [
        _related(
            item,
            pictures["related", item["position"]],
            pictures["related_provider", item["position"]],
        )
        for item in rows.related
    ] or None
    found["images"] = pictures["article", 0] or None
    filled = _filled(found) | ({"title": None} if article["title"] is None else {})
    if article["extra"] is not None:
        for path, value in json.loads(article["extra"]).items():
            _put(filled, path, value)
    if rows.secured is not None:
        filled["secured"] = rows.secured
    return Whole(article["article_id"], article["source"], article["path"], filled, rows.body)


def _filled(values: Values) -> Values:
    return {key: value for key, value in values.items() if value is not None}


def _shared(row: Values) -> Values:
    return {key: row.get(column) for key, column in _SHARED.items()}


def _related(row: Values, images: list[Values], logos: list[Values]) -> Values:
    found = {"category": row["category"]} | _shared(row)
    found["length"] = _duration(row["duration_seconds"])
    found["provider"] = _provider(row, logos)
    found["topics"] = row["topics"]
    found["images"] = images or None
    return _filled(found)


def _provider(row: Values, images: list[Values]) -> Values | None:
    return (
        _filled(
            {
                "name": row["provider_name"],
                "domain": row["provider_domain"],
                "images": images or None,
            }
        )
        or None
    )


def _author(article: Values) -> Values | str | None:
    if article["author_url"] is None:
        name: str | None = article["author_name"]
        return name
    return _filled({"name": article["author_name"], "url": article["author_url"]})


def _image(row: Values) -> Values:
    return _filled(
        {
            "url": row["url"],
            "width": row["width_px"],
            "height": row["height_px"],
            "isCached": row["is_cached"],
            "title": row["title"],
            "attribution": row["attribution"],
        }
    )


def _duration(seconds: int | None) -> str | None:
    """An ISO 8601 duration of hours, minutes and seconds."""
    if seconds is None:
        return None
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{rest}S" * bool(rest)
    return f"{'-' * (seconds < 0)}PT{parts or '0S'}"


def _put(front_matter: Values, path: str, value: Any) -> None:
    """Put a field that the contract does not know where its dotted path says, or, where there is no such place, under that name."""
    record: Values = front_matter
    kind: Any = Article
    rest = path
    while (step := _STEP.match(rest)) and (inner := dict(NESTED[kind]).get(step[1])):
        key, number = step[1], step[2]
        if number is None:
            if key == "author" and isinstance(record.get(key), str):
                record[key] = {"name": record[key]}
            place = record.setdefault(key, {}) if key in ("provider", "author") else None
        else:
            items = record.get(key) or []
            place = items[int(number)] if int(number) < len(items) else None
        if not isinstance(place, dict):
            break
        record, kind, rest = place, inner, rest[step.end() :]
    if record is front_matter or rest in KNOWN[kind]:
        front_matter[path] = value
    else:
        record[rest] = value
