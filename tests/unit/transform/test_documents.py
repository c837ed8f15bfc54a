"""Every value of a document is in the column of its name, as no two of its values are the same."""

import datetime as dt
from typing import Any

import pytest

from pipeline.extract.frontmatter import read
from pipeline.schema.documents import Document, Extracted, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform.documents import PART_TABLES, transform

FILE = SourceFile(
    source="site",
    path="_news/a.html",
    document_id="00000000000000aa",
    part="site/0007",
    sidecar="organization",
    size=1_001,
    mtime_us=1_700_000_000_000_000,
    raw_hash="00000000000000bb",
)
ARTICLE = """---
title: The title
excerpt: The excerpt
publishedDateTime: 2024-01-01T01:00:00Z
updatedDateTime: 2024-01-02T02:00:00Z
originalUrl: https://original.example/a
webUrl: https://web.example/a
ampWebUrl: https://original.example/amp/a
cdnAmpWebUrl: https://original-example.cdn.ampproject.org/c/s/original.example/a
type: the type
category: the category
quality: 11
heat: 12
published: true
length: PT1M3S
provider: {name: The provider, domain: provider.example, images: [{url: /provider.png}]}
author: {name: The author, url: https://author.example/}
topics: [First topic, Second topic]
secured: "QUJD;REVGRw=="
layout: wide
images:
  - {url: /a.png, width: 21, height: 22, isCached: true, title: Caption, attribution: Credit}
related:
  - title: Its title
    excerpt: Its excerpt
    publishedDateTime: 2024-01-03T03:00:00Z
    originalUrl: https://its.example/b
    webUrl: https://its.example/b?utm_source=x
    ampWebUrl: https://its.example/amp/b
    cdnAmpWebUrl: https://its-example.cdn.ampproject.org/c/s/its.example/b
    type: its type
    category: its category
    provider: {name: Its provider, domain: its.example, images: [{url: /its-provider.png}]}
    quality: 31
    heat: 32
    length: PT2M
    topics: [Its topic]
    images: [{url: /b.png, width: 41}, {url: /c.png}, {url: /d.png}]
---
The body
"""


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc]


ROWS: dict[str, list[dict[str, Any]]] = {
    "documents": [
        {
            "document_id": "00000000000000aa",
            "source": "site",
            "path": "_news/a.html",
            "collection": "news",
            "format": "yaml",
            "size_bytes": 1_001,
            "modified_at": utc(2023, 11, 14, 22, 13, 20),
            "raw_hash": "00000000000000bb",
            "status": "article",
            "part": "site/0007",
        }
    ],
    "articles": [
        {
            "article_id": "00000000000000aa",
            "source": "site",
            "path": "_news/a.html",
            "collection": "news",
            "category": "the category",
            "type": "the type",
            "title": "The title",
            "excerpt": "The excerpt",
            "published_at": utc(2024, 1, 1, 1),
            "updated_at": utc(2024, 1, 2, 2),
            "url": "https://original.example/a",
            "original_url": "https://original.example/a",
            "web_url": "https://web.example/a",
            "amp_url": "https://original.example/amp/a",
            "cdn_amp_url": "https://original-example.cdn.ampproject.org/c/s/original.example/a",
            "provider_name": "The provider",
            "provider_domain": "provider.example",
            "author_name": "The author",
            "author_url": "https://author.example/",
            "quality": 11,
            "heat": 12,
            "published": True,
            "duration_seconds": 63,
            "topics_count": 2,
            "related_count": 1,
            "images_count": 1,
            "findings_count": 1,
            "secured_bytes": 3,
            "secured_iv_bytes": 4,
            "body_chars": 8,
            "extra": '{"layout":"wide"}',
        }
    ],
    "bodies": [{"article_id": "00000000000000aa", "format": "html", "body": "The body"}],
    "secured": [{"article_id": "00000000000000aa", "secured": "QUJD;REVGRw=="}],
    "article_topics": [
        {
            "article_id": "00000000000000aa",
            "position": position,
            "topic": topic,
        }
        for position, topic in enumerate(("First topic", "Second topic"), 1)
    ],
    "related": [
        {
            "article_id": "00000000000000aa",
            "position": 1,
            "category": "its category",
            "type": "its type",
            "title": "Its title",
            "excerpt": "Its excerpt",
            "published_at": utc(2024, 1, 3, 3),
            "url": "https://its.example/b",
            "original_url": "https://its.example/b",
            "web_url": "https://its.example/b?utm_source=x",
            "amp_url": "https://its.example/amp/b",
            "cdn_amp_url": "https://its-example.cdn.ampproject.org/c/s/its.example/b",
            "provider_name": "Its provider",
            "provider_domain": "its.example",
            "quality": 31,
            "heat": 32,
            "duration_seconds": 120,
            "topics": ["Its topic"],
            "images_count": 3,
        }
    ],
    "findings": [
        {
            "document_id": "00000000000000aa",
            "position": 1,
            "article_id": "00000000000000aa",
            "source": "site",
            "path": "_news/a.html",
            "rule": "url_disagreement",
            "field": "webUrl",
            "value": "https://web.example/a",
            "action": "canonical is https://original.example/a",
            "line_number": 7,
            "column_number": 9,
        }
    ],
    "other_documents": [],
    "sidecars": [],
    "rejections": [],
}
DIGESTS = ("content_hash", "score_hash", "provider_id", "topic_id", "secured_digest")


def transformed(
    document: Document | Rejection, **settings: bool
) -> dict[str, list[dict[str, Any]]]:
    tables = transform([Extracted(FILE, document)], **settings)
    return {name: rows.to_pylist() for name, rows in tables.items()}


def without_digests(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in DIGESTS}


@pytest.mark.parametrize("table", ROWS)
def test_each_value_of_an_article_is_in_the_column_of_its_name(table: str) -> None:
    rows = transformed(read(ARTICLE.encode()), keep_secured=True)[table]
    digests = [row[name] for row in rows for name in DIGESTS if name in row]
    assert len(set(digests)) == len(digests) and all(len(digest) == 16 for digest in digests)
    assert [without_digests(row) for row in rows] == ROWS[table]
    assert all(tuple(row) == TABLES[table].names for row in rows)


def test_each_value_of_an_image_is_in_the_column_of_its_name() -> None:
    rows = transformed(read(ARTICLE.encode()))["images"]
    names = TABLES["images"].names[1:]
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("article", 0, 1, "/a.png", 21, 22, True, "Caption", "Credit"),
        ("provider", 0, 1, "/provider.png", None, None, None, None, None),
        ("related", 1, 1, "/b.png", 41, None, None, None, None),
        ("related", 1, 2, "/c.png", None, None, None, None, None),
        ("related", 1, 3, "/d.png", None, None, None, None, None),
        ("related_provider", 1, 1, "/its-provider.png", None, None, None, None, None),
    ]
    assert {row["article_id"] for row in rows} == {"00000000000000aa"}


def test_each_value_of_a_sidecar_is_in_the_column_of_its_name() -> None:
    content = (
        b"---\ntaxonomy: organization\n_id: the-key\nname: The name\nparent: The parent\n"
        b"domain: domain.example\n"
        b"images: [{url: /small.png, width: 1}, {url: /wide.png, width: 2}]\n---\n"
    )
    rows = transformed(read(content))
    [sidecar], [other] = rows["sidecars"], rows["other_documents"]
    assert sidecar == {
        "document_id": "00000000000000aa",
        "source": "site",
        "path": "_news/a.html",
        "kind": "organization",
        "key": "the-key",
        "name": "The name",
        "parent": "The parent",
        "domain": "domain.example",
        "logo_url": "/wide.png",
    }
    assert {name: other[name] for name in ("document_id", "source", "path", "collection")} == {
        "document_id": "00000000000000aa",
        "source": "site",
        "path": "_news/a.html",
        "collection": "news",
    }
    assert (other["kind"], other["name"]) == ("organization", "The name")
    assert other["front_matter"].startswith('{"taxonomy":"organization","_id":"the-key",')


def test_each_value_of_a_rejection_is_in_the_column_of_its_name() -> None:
    rejection = Rejection("decode", "the_code", "The message.", 51, 52, "the line")
    rows = transformed(rejection)
    assert rows["rejections"] == [
        {
            "document_id": "00000000000000aa",
            "source": "site",
            "path": "_news/a.html",
            "stage": "decode",
            "code": "the_code",
            "message": "The message.",
            "line_number": 51,
            "column_number": 52,
            "line_text": "the line",
        }
    ]
    [document] = rows["documents"]
    assert (document["status"], document["format"]) == ("rejected", None)


def test_every_table_of_a_part_is_compared() -> None:
    assert set(PART_TABLES) == {*ROWS, "images"}
