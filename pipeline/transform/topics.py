"""Topics of articles, and the dimension over articles, related items and sidecars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.schema.documents import Article, SourceFile
from pipeline.transform import scalars
from pipeline.transform.articles import Row
from pipeline.transform.queries import query

if TYPE_CHECKING:
    import duckdb


def rows(file: SourceFile, article: Article) -> list[Row]:
    """Return rows of `article_topics`; a null topic stays null."""
    return [
        (file.document_id, position, scalars.topic_id(topic), topic)
        for position, topic in enumerate(article.topics or (), 1)
    ]


def derive(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `topics` over all articles, related items and sidecars.

    An item that lists a topic twice counts once.
    """
    mentioned = connection.sql(query("topics")).to_arrow_table()
    sidecars = connection.execute(
        "select name, key, parent from sidecars where kind = 'topic' order by source, path"
    ).fetchall()
    parents = {
        scalars.slug(label): parent
        for name, key, parent in reversed(sidecars)
        for label in (key, name)
        if label
    }
    described = [name or key for name, key, _ in sidecars if name or key]
    known = set(mentioned["topic"].to_pylist())
    rest = sorted(set(described) - known)
    topics = mentioned["topic"].to_pylist() + rest
    slugs = [scalars.slug(topic) for topic in topics]
    zero = [0] * len(rest)
    moments = pa.timestamp("us", "UTC")

    def seen(name: str) -> pa.ChunkedArray:  # Python's times would load its time zones
        return pa.chunked_array([*mentioned[name].chunks, pa.nulls(len(rest), moments)], moments)

    return pa.table(
        {
            "topic_id": [scalars.topic_id(topic) for topic in topics],
            "topic": topics,
            "slug": slugs,
            "parent": pa.array([parents.get(slug) for slug in slugs], pa.string()),
            "first_seen_at": seen("first_seen_at"),
            "last_seen_at": seen("last_seen_at"),
            "articles_count": pa.array(mentioned["articles_count"].to_pylist() + zero, pa.int64()),
            "related_items_count": pa.array(
                mentioned["related_items_count"].to_pylist() + zero, pa.int64()
            ),
        }
    )
