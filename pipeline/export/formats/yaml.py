"""Front matter as YAML in the layout of the sites: two spaces, scalars on one line, blank lines around blocks.

A text is plain where no reader of YAML 1.1 or 1.2 could take it for anything else, and in double quotes elsewhere: JSON's escapes
are YAML's. Titles and addresses are always quoted, as sites do. What looks like mojibake is escaped: a run would mend it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.extract.coerce import MOJIBAKE

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _./&'-]*[A-Za-z0-9])?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}
"""What some reader of YAML takes for a boolean, null or a number."""
_HIDDEN = re.compile(r"[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]")
"""Characters that YAML forbids, takes for line ends, or that nobody would see."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")
_QUOTED = ("title", "excerpt")
_TIMES = ("publishedDateTime", "updatedDateTime")
_LONG_KEY = 1_000
"""YAML's limit for keys is 1,024 characters; longer ones are written behind a question mark."""


def front_matter_text(values: Mapping[str, Any]) -> str:
    """The lines between the fences; ends with a line end."""
    lines: list[str] = []
    was_block = False
    for key, value in values.items():
        block = (isinstance(value, (dict, list)) and bool(value)) or key == "secured"
        if lines and (block or was_block):
            lines.append("")
        lines += _entry(key, value, "")
        was_block = block
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    """The lines of a key and its value."""
    name = _scalar("", key)
    head = f"{indent}{name}:" if len(name) < _LONG_KEY else f"{indent}? {name}\n{indent}:"
    if isinstance(value, dict) and value:
        yield head
        for inner, item in value.items():
            yield from _entry(inner, item, indent + "  ")
    elif isinstance(value, list) and value:
        yield head
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{head} {_scalar(key, value)}".rstrip()


def _item(value: Any, indent: str) -> Iterator[str]:
    """The lines of a list's item."""
    if isinstance(value, dict) and value:
        lines = [line for key, item in value.items() for line in _entry(key, item, indent + "  ")]
        yield f"{indent}- {lines[0][len(indent) + 2 :]}"
        yield from lines[1:]
    elif isinstance(value, list) and value:
        yield f"{indent}-"
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{indent}- {_scalar('', value)}"


def _scalar(key: str, value: Any) -> str:
    """A value that fits on a line; null of a key is nothing."""
    if value is None:
        return "null" if not key else ""
    if not isinstance(value, str):
        return json.dumps(value)
    if key in _TIMES and _TIME.fullmatch(value):
        return value
    if (
        key not in _QUOTED
        and not key.lower().endswith("url")
        and _PLAIN.fullmatch(value)
        and value.lower() not in _WORDS
    ):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return (_BEYOND_ASCII if MOJIBAKE.search(value) else _HIDDEN).sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """YAML's escape of a character: unlike JSON, it has eight digits for those beyond U+FFFF."""
    number = ord(found[0])
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
