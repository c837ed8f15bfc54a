"""Observations: a row whenever a run saw the scores, content or path of an article change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from msgspec import Struct

from pipeline.schema.changes import ENDS, Change
from pipeline.transform.queries import query

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
        query("first_observations", **Change.__members__),
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
        query("observations", change=CHANGE, ends=_ENDS, **Change.__members__),
        params={"revision": seen.revision, "observed_at": seen.observed_at},
    ).to_arrow_table()


def _pairs(**columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
