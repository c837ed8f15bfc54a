"""Observations: a row whenever a run saw the scores, content or path of an article change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from msgspec import Struct

from pipeline.schema.changes import ENDS, Change

if TYPE_CHECKING:
    import duckdb


CHANGE = f"""
    case when moved_from is not null then '{Change.MOVED}'
         when not is_known then '{Change.FIRST}'
         when is_over then '{Change.REVIVED}'
         when scores_differ and content_differs then '{Change.CONTENT_AND_SCORES}'
         when scores_differ then '{Change.SCORES}'
         when content_differs then '{Change.CONTENT}' end
"""
"""What an observation of an article is, in SQL: as `schema.changes.classify_article`."""
_ENDS = ", ".join(f"'{change}'" for change in ENDS)


class Seen(Struct, frozen=True):
    """What a run saw beside the articles themselves.

    All but `revision` and `elsewhere` are article_ids.
    """

    revision: str
    observed_at: dt.datetime
    moves: Mapping[str, str] = {}
    """Where an article was before, by where it is now."""
    edited: Iterable[str] = ()
    """Those whose content changed."""
    ended: Iterable[str] = ()
    """Those that are gone, or are not articles any more."""
    elsewhere: Iterable[str] = ()
    """Sources whose observations come from a history of their own."""


def begin(connection: duckdb.DuckDBPyConnection, seen: Seen) -> pa.Table:
    """Return the first observations of a warehouse: the first sight of every article."""
    connection.register("elsewhere", _pairs(source=list(seen.elsewhere)))
    return connection.sql(
        f"""
        select articles.article_id, 1::bigint as sequence, articles.source, articles.path,
               $revision as revision, $observed_at::timestamptz as observed_at,
               '{Change.FIRST}' as change, null::varchar as moved_from, articles.quality,
               articles.heat, articles.published, articles.related_count, documents.content_hash,
               null::varchar as blob
        from articles
        join documents on documents.document_id = articles.article_id
        where articles.source not in (from elsewhere)
        order by articles.article_id
        """,
        params={"revision": seen.revision, "observed_at": seen.observed_at},
    ).to_arrow_table()


def derive(connection: duckdb.DuckDBPyConnection, seen: Seen) -> pa.Table:
    """Return rows to add: articles that changed, came back or moved, and the ends of others.

    A file that cannot be read ends nothing: what was seen last stands until it can be read, or is
    gone.
    """
    moves = {"moved_to": list(seen.moves), "moved_from": list(seen.moves.values())}
    connection.register("moves", _pairs(**moves))
    connection.register("edited", _pairs(article_id=list(seen.edited)))
    connection.register("ended", _pairs(article_id=list(seen.ended)))
    connection.register("elsewhere", _pairs(source=list(seen.elsewhere)))
    return connection.sql(
        f"""
        with last as (
            select article_id, max(sequence) as sequence, max_by(source, sequence) as source,
                   max_by(path, sequence) as path,
                   max_by(change, sequence) in ({_ENDS}) as is_over,
                   arg_max(row(quality, heat, published), sequence) as scores,
                   arg_max(row(content_hash), sequence) as content
            from observations group by article_id),
        compared as (
            select articles.article_id, articles.source, articles.path, moved_from,
                   articles.quality, articles.heat, articles.published, articles.related_count,
                   documents.content_hash,
                   last.scores is distinct from
                   row(articles.quality, articles.heat, articles.published) as scores_differ,
                   edited.article_id is not null
                   and last.content is distinct from row(documents.content_hash) as content_differs,
                   last.article_id is not null as is_known,
                   {CHANGE} as change
            from articles
            join documents on documents.document_id = articles.article_id
            left join last using (article_id)
            left join moves on moved_to = articles.article_id
            left join edited using (article_id)
            where articles.source not in (from elsewhere)),
        added as (
            select article_id, 1 as ordinal, source, path, change, moved_from, quality, heat,
                   published, related_count, content_hash
            from compared
            where change is not null
            union all
            select article_id, 0, source, path,
                   case when left_to.moved_to is not null then '{Change.MOVED_AWAY}'
                        else '{Change.DELETED}' end,
                   null, null, null, null, null, null
            from last
            left join moves as left_to on left_to.moved_from = last.article_id
            where not is_over
            and (left_to.moved_to is not null or article_id in (from ended)))
        select article_id,
               coalesce(last.sequence, 0)
               + row_number() over (partition by article_id order by ordinal) as sequence,
               added.source, added.path, $revision as revision,
               $observed_at::timestamptz as observed_at, change, moved_from, quality, heat,
               published, related_count, content_hash, null::varchar as blob
        from added
        left join last using (article_id)
        order by article_id, sequence
        """,
        params={"revision": seen.revision, "observed_at": seen.observed_at},
    ).to_arrow_table()


def _pairs(**columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
