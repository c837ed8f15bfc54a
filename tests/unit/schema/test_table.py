"""The gate, and that every table and column is described."""

import datetime as dt

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SchemaError
from pipeline.extract import frontmatter
from pipeline.schema.columns import COLUMNS
from pipeline.schema.documents import Document, Rejection, SourceFile
from pipeline.schema.table import Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.transform.documents import document_rows
from tests.support.world import World, article

TOPICS = TABLES["article_topics"]
ROW = ("a", 1, "t", "AI")


def test_rows_become_a_typed_table() -> None:
    table = TOPICS.enforce(TOPICS.from_rows([ROW, ("a", 2, "t", None)]))
    assert table.schema == TOPICS.arrow
    assert [tuple(row.values()) for row in table.to_pylist()] == [ROW, ("a", 2, "t", None)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(*ROW, 1)], r"article_topics: a row has 5 values \(expected 4\)"),
        ([("a",)], r"article_topics: a row has 1 values \(expected 4\)"),
        ([("a", "one", "t", 7)], r"article_topics: position: .*; topic: .*expected string"),
        ([("a", 2**63, "t", "AI")], "article_topics: position: .*int64"),
    ],
)
def test_rows_that_do_not_fit(rows: list[tuple[object, ...]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        TOPICS.from_rows(rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(None, None, "t", "AI")], "article_topics: article_id: 1 nulls .*; position: 1 nulls"),
        ([ROW, ROW], r"article_topics: 1 rows repeat a key \(article_id, position"),
    ],
)
def test_the_gate_lists_all_failures(rows: list[tuple[object, ...]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        TOPICS.enforce(TOPICS.from_rows(rows))


EVERYTHING = """---
title: T-title
excerpt: T-excerpt
publishedDateTime: 2024-01-01T00:00:00Z
updatedDateTime: 2024-01-02T00:00:00Z
originalUrl: https://x.example/original
webUrl: https://x.example/web
ampWebUrl: https://x.example/amp
cdnAmpWebUrl: https://x.example/cdn
type: T-type
category: T-category
quality: 1
heat: 2
published: true
length: PT3S
provider: {name: P-name, domain: p.example, images: [{url: /p}]}
author: {name: A-name, url: A-url}
topics: [AI]
images:
- {url: /i, width: 4, height: 5, isCached: false, title: I-title, attribution: I-attribution}
secured: QUJD;QQ==
more: M
related:
- {title: R-title, excerpt: R-excerpt, publishedDateTime: 2024-01-03T00:00:00Z,
   originalUrl: "https://r.example/original", webUrl: "https://r.example/web",
   ampWebUrl: "https://r.example/amp", cdnAmpWebUrl: "https://r.example/cdn",
   type: R-type, category: R-category, provider: {name: Q-name, domain: q.example},
   quality: 6, heat: 7, length: PT8S, topics: [R-topic], images: [{url: /r}]}
---
The body
"""


def rows_of(file: SourceFile, document: Document | Rejection) -> dict[str, list[dict[str, object]]]:
    found = document_rows(file, document, keep_bodies=True, keep_secured=True)
    return {
        name: [dict(zip(TABLES[name].names, row, strict=True)) for row in rows]
        for name, rows in found
    }


def test_rows_are_in_the_order_of_their_tables() -> None:
    def at(day: int) -> dt.datetime:
        return dt.datetime(2024, 1, day, tzinfo=dt.UTC)

    file = SourceFile("S", "_news/p.md", "D", "S/0", "organization", 9, 10_000_000, "H")
    document = frontmatter.read(EVERYTHING.encode())
    assert isinstance(document, Document)
    found = rows_of(file, document)
    [article] = found["articles"]
    assert article | {"provider_id": 0, "secured_digest": 0} == {
        "article_id": "D",
        "source": "S",
        "path": "_news/p.md",
        "collection": "news",
        "category": "T-category",
        "type": "T-type",
        "title": "T-title",
        "excerpt": "T-excerpt",
        "published_at": at(1),
        "updated_at": at(2),
        "url": "https://x.example/original",
        "original_url": "https://x.example/original",
        "web_url": "https://x.example/web",
        "amp_url": "https://x.example/amp",
        "cdn_amp_url": "https://x.example/cdn",
        "provider_id": 0,
        "provider_name": "P-name",
        "provider_domain": "p.example",
        "author_name": "A-name",
        "author_url": "A-url",
        "quality": 1,
        "heat": 2,
        "published": True,
        "duration_seconds": 3,
        "topics_count": 1,
        "related_count": 1,
        "images_count": 1,
        "findings_count": len(found["findings"]),
        "secured_bytes": 3,
        "secured_iv_bytes": 1,
        "secured_digest": 0,
        "body_chars": 8,
        "extra": '{"more":"M"}',
    }
    [related] = found["related"]
    assert related | {"provider_id": 0} == {
        "article_id": "D",
        "position": 1,
        "category": "R-category",
        "type": "R-type",
        "title": "R-title",
        "excerpt": "R-excerpt",
        "published_at": at(3),
        "url": "https://r.example/original",
        "original_url": "https://r.example/original",
        "web_url": "https://r.example/web",
        "amp_url": "https://r.example/amp",
        "cdn_amp_url": "https://r.example/cdn",
        "provider_id": 0,
        "provider_name": "Q-name",
        "provider_domain": "q.example",
        "quality": 6,
        "heat": 7,
        "duration_seconds": 8,
        "topics": ["R-topic"],
        "images_count": 1,
    }
    assert found["images"][0] == {
        "article_id": "D",
        "owner": "article",
        "owner_position": 0,
        "position": 1,
        "url": "/i",
        "width_px": 4,
        "height_px": 5,
        "is_cached": False,
        "title": "I-title",
        "attribution": "I-attribution",
    }
    assert [row["owner"] for row in found["images"]] == ["article", "provider", "related"]
    assert found["documents"] == [
        {
            "document_id": "D",
            "source": "S",
            "path": "_news/p.md",
            "collection": "news",
            "format": "yaml",
            "size_bytes": 9,
            "modified_at": 10_000_000,
            "raw_hash": "H",
            "content_hash": document.content_hash,
            "score_hash": document.score_hash,
            "status": "article",
            "part": "S/0",
        }
    ]
    assert found["article_topics"][0] | {"topic_id": 0} == {
        "article_id": "D",
        "position": 1,
        "topic_id": 0,
        "topic": "AI",
    }
    assert found["bodies"] == [{"article_id": "D", "format": "markdown", "body": "The body"}]
    assert found["secured"] == [{"article_id": "D", "secured": "QUJD;QQ=="}]
    assert found["findings"][0] == {
        "document_id": "D",
        "position": 1,
        "article_id": "D",
        "source": "S",
        "path": "_news/p.md",
        "rule": "url_disagreement",
        "field": "webUrl",
        "value": "https://x.example/web",
        "action": "canonical is https://x.example/original",
        "line_number": 7,
        "column_number": 9,
    }


def test_rows_of_other_documents_and_rejections_are_in_order_too() -> None:
    file = SourceFile("S", "_data/organizations/p.md", "D", "S/0", "organization")
    text = (
        "---\n_id: k.example\nname: N\nparent: P\ndomain: d.example\ntype: K\nimages:"
        " [/logo]\n---\n"
    )
    document = frontmatter.read(text.encode())
    found = rows_of(file, document)
    place = {"document_id": "D", "source": "S", "path": "_data/organizations/p.md"}
    assert found["sidecars"] == [
        place
        | {
            "kind": "organization",
            "key": "k.example",
            "name": "N",
            "parent": "P",
            "domain": "d.example",
            "logo_url": "/logo",
        }
    ]
    [other] = found["other_documents"]
    assert other | {"front_matter": 0} == place | {
        "collection": "data",
        "kind": "K",
        "name": "N",
        "front_matter": 0,
    }
    rejection = Rejection("parse", "C", "M", 1, 2, "L")
    found = rows_of(file, rejection)
    assert found["rejections"] == [
        place
        | {
            "stage": "parse",
            "code": "C",
            "message": "M",
            "line_number": 1,
            "column_number": 2,
            "line_text": "L",
        }
    ]


def test_the_gate_casts_only_what_is_safe() -> None:
    loose = pa.table(
        {name: [value] for name, value in zip(TOPICS.names, ROW, strict=True)}
    ).set_column(1, "position", pa.array([1], pa.int8()))
    assert TOPICS.enforce(loose).schema == TOPICS.arrow
    with pytest.raises(SchemaError, match="position"):
        TOPICS.enforce(loose.set_column(1, "position", pa.array([1.5])))


@pytest.mark.parametrize("table", [*TABLES.values(), RUNS], ids=lambda table: table.name)
def test_every_column_is_described(table: Table) -> None:
    assert table.grain and set(table.key) <= set(table.names)
    for column in table.columns:
        assert len(column.description) > 5 and not column.description.endswith("."), column.name
    assert all(not column.nullable for column in table.columns if column.name in table.key)


def test_no_column_is_declared_for_nothing() -> None:
    tables = [*TABLES.values(), RUNS]
    assert set(COLUMNS) == {column.name for table in tables for column in table.columns}


def test_descriptions_travel_with_files_and_views(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    [path] = (world.warehouse / "current" / "articles").glob("*.parquet")
    schema = pq.read_schema(path)
    assert schema.metadata[b"grain"] == b"One row per document with a title."
    assert schema.field("quality").metadata[b"unit"] == b"score"
    assert not schema.field("article_id").nullable
    with duckdb.connect(world.warehouse / "warehouse.duckdb", read_only=True) as connection:
        without = connection.execute(
            "select table_name, column_name from duckdb_columns() where comment is null and"
            " table_name in"
            f" ({', '.join(repr(name) for name in [*TABLES, 'runs'])})"
        ).fetchall()
        [(comment,)] = connection.execute(
            "select comment from duckdb_views() where view_name = 'related'"
        ).fetchall()
    assert without == []
    assert comment == "One row per article and position in its related items."
