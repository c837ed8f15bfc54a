"""Content changes: which fields differ between two versions of an article, from what to what."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.schema.documents import Difference
from pipeline.schema.tables import TABLES
from pipeline.transform.articles import Row

LONGEST = 1_000
"""Characters of a value that are kept."""
_KEYS = {"article_id", "source", "path", "collection", "provider_id", "topic_id"}
_COUNTED = {
    name
    for name in TABLES["articles"].names
    if name.endswith(("_count", "_chars", "_bytes", "_digest"))
}
_LEFT_OUT = _KEYS | _COUNTED | {"quality", "heat", "published"}
_NOT_OF_ITEMS = _KEYS | {"position", "images_count"}
_FIELDS = [(at, name) for at, name in enumerate(TABLES["articles"].names) if name not in _LEFT_OUT]
_LISTS = {"topics": "article_topics", "related": "related", "images": "images"}
VALUED = ("articles", *_LISTS.values(), "bodies")
"""Tables whose rows make up what an article says."""

Values = dict[str, Any]
"""Values of one version by field: texts and numbers, or lists of what one item says."""


def values_of(rows: Mapping[str, Iterable[Row]]) -> Values:
    """Return what the rows of one article (by table) say by field.

    Scores, keys and secured are left out.
    """
    [article] = rows["articles"]
    values: Values = {name: article[at] for at, name in _FIELDS}
    for field, table in _LISTS.items():
        values[field] = [_item(table, row) for row in rows.get(table, ())]
    values["body"] = next((row[-1] for row in rows.get("bodies", ())), None)
    return values


def differences(before: Values, after: Values) -> list[Difference]:
    """Return the fields that differ; of lists the items that went and came.

    If only the order of a list differs, all of its items stand on both sides.
    """
    changed: list[Difference] = []
    for field, new in after.items():
        old = before[field]
        if old == new:
            continue
        if field in _LISTS:
            went = [item for item in old if item not in new]
            came = [item for item in new if item not in old]
            old, new = (went, came) if went or came else (old, new)
        changed.append((field, _text(old), _text(new)))
    return changed


def _item(table: str, row: Row) -> object:
    """Return an item without keys and position: its one value, or all of them by name."""
    items = {
        name: value
        for name, value in zip(TABLES[table].names, row, strict=True)
        if name not in _NOT_OF_ITEMS and value is not None and value != []
    }
    return next(iter(items.values()), None) if table == "article_topics" else items


def _text(value: object) -> str | None:
    if value is None or value == []:
        return None
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=_as_text)
    text = _as_text(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _as_text(value: object) -> str:
    return (
        value.isoformat().replace("+00:00", "Z") if isinstance(value, dt.datetime) else str(value)
    )
