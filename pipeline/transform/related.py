"""Related items, and which of them are articles of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.schema.documents import Article, Document, SourceFile
from pipeline.transform import scalars
from pipeline.transform.articles import Row, choose_url, seconds
from pipeline.transform.queries import query

if TYPE_CHECKING:
    import duckdb


def rows(file: SourceFile, document: Document, article: Article) -> list[Row]:
    """Return rows of `related`."""
    items = []
    for at, item in enumerate(article.related or ()):
        name, domain = (item.provider.name, item.provider.domain) if item.provider else (None, None)
        items.append(
            (
                file.document_id,
                at + 1,
                item.category,
                item.type,
                item.title,
                item.excerpt,
                item.published_at,
                choose_url(item, ("related", at), document),
                item.original_url,
                item.web_url,
                item.amp_web_url,
                item.cdn_amp_web_url,
                scalars.provider_id(name, domain),
                name,
                domain,
                item.quality,
                item.heat,
                seconds(item.length),
                item.topics,
                len(item.images or ()),
            )
        )
    return items


def derive_matches(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return `related_matches` over all articles: equal canonical URLs."""
    return connection.sql(query("related_matches")).to_arrow_table()
