"""Read front matter that does not fit the contract, value by value.

Text that YAML took for a number, a date or a boolean keeps the characters of the file. A value that
can be repaired is repaired, one that cannot be used becomes None; both leave a finding with the
value in the file.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import ValidationError
from msgspec.structs import fields

from pipeline.extract.times import at_the_edge_of_time, parse_moment, reaches_the_edge_of_time
from pipeline.schema.documents import (
    INT64_MAX,
    INT64_MIN,
    KNOWN,
    NESTED,
    Article,
    Author,
    Finding,
    Moment,
    Number,
    Related,
    Text,
    dotted,
)
from pipeline.schema.positions import KeyPath, Location, Step

MOJIBAKE_BYTES = re.compile(
    rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c]"
    rb"|\xe2(?:\x80[\x93-\xba]|\x82\xac|\x84\xa2))"
)
"""What `MOJIBAKE` looks for, in UTF-8: faster on a whole file."""
MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]"
)
"""A lead and a continuation byte of UTF-8 read as Windows-1252: the cheap test before ftfy."""

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_VALUE_LIMIT = 2_000
T = TypeVar("T")
_WHOLE_NUMBER = re.compile(r"\s*([+-]?\d{1,19})(?:\.0+)?\s*", re.ASCII)


class ExactReader:
    """Reads the values of one document; `findings` grows meanwhile.

    `where` locates a value, `exact_text` loads the front matter with every scalar as text,
    `suspicious` says that some text may be mojibake.
    """

    def __init__(
        self,
        where: Callable[[KeyPath], Location],
        exact_text: Callable[[], Any],
        *,
        strict: bool,
        suspicious: bool = True,
    ) -> None:
        self.findings: list[Finding] = []
        self._where, self._load_text = where, exact_text
        self._strict, self._suspicious = strict, suspicious
        self._text_tree: Any = None

    def article(self, data: Mapping[Any, Any]) -> Article:
        """Return the article; every value that does not fit is None or repaired."""
        return Article(**self._values(Article, data, ()))

    def article_but_for_empty(self, data: Mapping[Any, Any]) -> Article | None:
        """Return the article if only empty strings do not fit (they become None); else None.

        Findings are added only for an article.
        """
        empty: list[KeyPath] = []
        filled = _without_empty(Article, data, (), empty)
        try:
            article = msgspec.convert(filled, Article) if empty else None
        except ValidationError:
            return None
        if article is None or reaches_the_edge_of_time(article):
            return None
        for path in empty:
            self._unusable("empty_string", "", path)
        return article

    def _values(self, kind: Any, data: Mapping[Any, Any], path: KeyPath) -> dict[str, Any]:
        return {
            name: self._value(declared, value, (*path, key))
            for key, name, declared in _plan(kind)
            if (value := data.get(key)) is not None
        }

    def _value(self, kind: Any, value: Any, path: KeyPath) -> Any:
        if get_origin(kind) is list:
            return self._list(get_args(kind)[0], value, path)
        if kind is Text or (kind is Author and not isinstance(value, dict)):
            return self._text(value, path)
        if value == "" and kind in (Number, bool, Moment, dt.timedelta):
            return self._unusable("empty_string", value, path)
        if kind is Number:
            return self._number(value, path)
        if kind is bool:
            return self._boolean(value, path)
        if kind is Moment:
            return self._moment(value, path)
        if kind is dt.timedelta:
            return self._duration(value, path)
        if isinstance(value, dict):
            return self._record(kind, value, path)
        return self._unusable("wrong_type", value, path)

    def _record(self, kind: Any, value: Mapping[Any, Any], path: KeyPath) -> Any:
        if not self._suspicious:
            try:
                record = msgspec.convert(value, kind)
            except ValidationError:
                pass
            else:
                if kind is not Related or not at_the_edge_of_time(record.published_at):
                    return record
        return kind(**self._values(kind, value, path))

    def _list(self, kind: Any, value: Any, path: KeyPath) -> list[Any] | None:
        repaired = None
        if not isinstance(value, list):
            if isinstance(value, dict) == (kind is not Text):
                repaired = "single_item" if kind is not Text else "scalar_list"
            if repaired is None or self._strict:
                return self._unusable(repaired or "wrong_type", value, path)
            items = [self._value(kind, value, path)]
            self._note(repaired, path, value, "read as a list of one")
            return [item for item in items if item is not None]
        items = [
            None if item is None else self._value(kind, item, (*path, at))
            for at, item in enumerate(value)
        ]
        if kind is Text:
            return items
        for at, item in enumerate(value):
            if item is None:
                self._note("null_item", (*path, at), None, "left out")
        return [item for item in items if item is not None]

    def _text(self, value: Any, path: KeyPath) -> str | None:
        if isinstance(value, (dict, list, tuple, frozenset, set)):
            return self._unusable("wrong_type", value, path)
        if not isinstance(value, str):
            return self._exact(value, path)
        if not value:
            if self._strict:
                self._note("empty_string", path, value, "kept as found")
                return value
            return self._unusable("empty_string", value, path)
        if value.isascii() or _is_address(path[-1]) or not MOJIBAKE.search(value):
            return value
        import ftfy

        mended = ftfy.fix_encoding(value)
        if mended == value:
            return value
        self._note("mojibake", path, value, "kept as found" if self._strict else "decoded again")
        return value if self._strict else mended

    def _number(self, value: Any, path: KeyPath) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            if INT64_MIN <= value <= INT64_MAX:
                return value
            return self._unusable("invalid_number", self._exact(value, path), path)
        number, rule = None, ""
        if isinstance(value, float) and value.is_integer():
            number, rule = int(value), "decimal_number"
        elif isinstance(value, str) and (match := _WHOLE_NUMBER.fullmatch(value)):
            number, rule = int(match[1]), "number_as_text"
        if number is None or not INT64_MIN <= number <= INT64_MAX:
            return self._unusable(rule or "invalid_number", self._exact(value, path), path)
        return self._repaired(rule, self._exact(value, path), path, f"read as {number}", number)

    def _boolean(self, value: Any, path: KeyPath) -> bool | None:
        if isinstance(value, bool):
            return value
        word, text = str(value).strip().lower(), self._exact(value, path)
        if word not in _TRUE | _FALSE:
            return self._unusable("invalid_boolean", text, path)
        action = f"read as {str(word in _TRUE).lower()}"
        return self._repaired("boolean_as_text", text, path, action, word in _TRUE)

    def _moment(self, value: Any, path: KeyPath) -> dt.datetime | None:
        is_date = isinstance(value, (dt.date, dt.datetime))
        text = value.isoformat() if is_date else self._exact(value, path)
        moment = parse_moment(text)
        if moment is None:
            return self._unusable("invalid_date", text, path)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
        rule, action = "date_without_zone", "read as UTC"
        if len(text.strip()) <= 10:
            rule, action = "date_without_time", "read as midnight UTC"
        return self._repaired(rule, text, path, action, moment.replace(tzinfo=dt.UTC))

    def _duration(self, value: Any, path: KeyPath) -> dt.timedelta | None:
        with suppress(ValidationError):
            if isinstance(value, str):
                return msgspec.convert(value, dt.timedelta)
        return self._unusable("invalid_duration", value, path)

    def _exact(self, value: Any, path: KeyPath) -> str:
        """Return the scalar at `path` as the file writes it."""
        if isinstance(value, str):
            return value
        if self._text_tree is None:
            self._text_tree = self._load_text() or {}
        node = self._text_tree
        for step in path:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                break
        if isinstance(node, str):
            return node
        return text_of(value).lower() if isinstance(value, bool) else text_of(value)

    def _repaired(self, rule: str, text: str, path: KeyPath, action: str, value: T) -> T | None:
        if self._strict:
            return self._unusable(rule, text, path)
        self._note(rule, path, text, action)
        return value

    def _unusable(self, rule: str, value: Any, path: KeyPath) -> None:
        self._note(rule, path, value, "set to null")

    def _note(self, rule: str, path: KeyPath, value: Any, action: str) -> None:
        text = None if value is None or "secured" in path else text_of(value)[:_VALUE_LIMIT]
        self.findings.append(Finding(rule, dotted(path), text, action, *self._where(path)))


def _without_empty(
    kind: Any, data: Mapping[Any, Any], path: KeyPath, empty: list[KeyPath]
) -> dict[Any, Any]:
    """Return a record without empty scalars, at any depth; add their paths to `empty`."""
    filled = dict(data)
    for key, inner in _CONTENTS[kind]:
        value = data.get(key)
        if value == "":
            if key not in _NO_SCALARS:
                del filled[key]
                empty.append((*path, key))
        elif inner is not None and isinstance(value, dict):
            filled[key] = _without_empty(inner, value, (*path, key), empty)
        elif inner is not None and isinstance(value, list):
            filled[key] = [
                _without_empty(inner, item, (*path, key, at), empty)
                if isinstance(item, dict)
                else item
                for at, item in enumerate(value)
            ]
    return filled


def text_of(value: Any) -> str:
    """Return `str(value)`, also if an integer in it has more digits than Python converts."""
    try:
        return str(value)
    except ValueError:
        return f"{type(value).__name__} with an integer of thousands of digits"


def _is_address(key: Step) -> bool:
    return isinstance(key, str) and (key.lower().endswith("url") or key in ("domain", "secured"))


@cache
def _plan(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """Return key in the file, name and type without None of each field of a Struct."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (item.encode_name, item.name, _without_none(hints[item.name])) for item in fields(kind)
    )


def _without_none(kind: Any) -> Any:
    """Return `list[Text]` for `list[Text | None] | None`; of a record or text, the record."""
    if isinstance(kind, UnionType) or str(get_origin(kind)) == "typing.Union":
        kind = next(option for option in get_args(kind) if option is not type(None))
    if get_origin(kind) is list:
        return list[_without_none(get_args(kind)[0])]  # type: ignore[misc]
    return kind


_CONTENTS = {
    kind: tuple(
        (item.encode_name, dict(NESTED[kind]).get(item.encode_name)) for item in fields(kind)
    )
    for kind in NESTED
}
"""The fields of a record in order, and which record they hold."""
_NO_SCALARS = {"provider", "related", "images", "topics"}
"""Fields in which an empty string is of the wrong type."""


def unknown_fields(
    data: Mapping[Any, Any], kind: Any = Article, path: KeyPath = ()
) -> dict[str, Any]:
    """Return fields that the contract does not know, at any depth, by dotted path."""
    known = KNOWN[kind]
    unknown = {
        dotted((*path, text_of(key))): value for key, value in data.items() if key not in known
    }
    for key, inner in NESTED[kind]:
        value = data.get(key)
        for at, item in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(item, dict):
                here = (*path, key) if at is None else (*path, key, at)
                unknown |= unknown_fields(item, inner, here)
    return unknown
