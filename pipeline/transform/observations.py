"""Observations: the scores of articles as runs saw them, a row whenever they changed or the file moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb


def derive(connection: duckdb.DuckDBPyConnection, revision: str, observed_at: dt.datetime, moves: Mapping[str, str]) -> pa.Table:
    """Rows to add: articles whose scores differ from their last row, or that were elsewhere before.

    `moves` gives the article_id that a moved article had before.
    """
    moved = pa.table({"article_id": pa.array(list(moves), pa.string()), "moved_from": pa.array(list(moves.values()), pa.string())})
    connection.register("moves", moved)
    return connection.sql(
        """
        with last as (
            select article_id, arg_max(row(quality, heat, published), (observed_at, revision)) as scores
            from observations group by article_id)
        select articles.article_id, $revision as revision, $observed_at::timestamptz as observed_at,
               case when moved_from is not null then 'moved' when last.scores is null then 'first' else 'scores' end as change,
               moved_from, articles.quality, articles.heat, articles.published, articles.related_count, documents.content_hash
        from articles
        join documents on documents.document_id = articles.article_id
        left join last using (article_id)
        left join moves using (article_id)
        where moved_from is not null or last.scores is null
           or last.scores is distinct from row(articles.quality, articles.heat, articles.published)
        order by articles.article_id
        """,
        params={"revision": revision, "observed_at": observed_at},
    ).to_arrow_table()
