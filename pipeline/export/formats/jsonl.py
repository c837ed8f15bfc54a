"""Write JSON lines: one object per row, or one per article with everything that belongs to it."""

import json
from collections.abc import Iterable

from pipeline.export.articles import WholeArticle
from pipeline.export.expressions import copy, is_time, iso_time, write_error
from pipeline.export.request import Field, RelationQuery, Snapshot
from pipeline.views.quoting import identifier


def write(snapshot: Snapshot, query: RelationQuery, path: str) -> None:
    """Write one object per row, with the names of the columns as keys.

    Times are ISO 8601, lists are lists, NaN and infinities are null.
    """
    expressions = [f"{_value(field)} as {identifier(field.name)}" for field in query.fields]
    copy(snapshot, query, expressions, path, "format json")


def write_nested(articles: Iterable[WholeArticle], path: str) -> None:
    """Write the front matter of each article with _article_id, _source, _path and _body."""
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            for article in articles:
                record = article.front_matter | {
                    "_article_id": article.article_id,
                    "_source": article.source,
                    "_path": article.path,
                }
                if article.body:
                    record["_body"] = article.body
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        raise write_error("articles", str(error.strerror)) from error


def _value(field: Field) -> str:
    if is_time(field):
        return iso_time(field)
    name = identifier(field.name)
    is_float = field.type in ("DOUBLE", "FLOAT")
    return f"if(isfinite({name}), {name}, null)" if is_float else name
