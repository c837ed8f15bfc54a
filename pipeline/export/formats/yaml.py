"""Write front matter as YAML in the layout of the sites.

Indents are two spaces, scalars stand on one line, and blank lines surround blocks. A text is plain
if no reader of YAML 1.1 or 1.2 could read it as anything else; other texts are in double quotes,
since JSON's escapes are YAML's. Titles and addresses are always quoted, as sites do. What looks
like mojibake is escaped, because a run would repair it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.extract.coerce import MOJIBAKE

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _./&'-]*[A-Za-z0-9])?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}
"""Words that some reader of YAML reads as a boolean, null or a number."""
_HIDDEN = re.compile(r"[\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]")
"""Characters that YAML forbids or takes for line ends, or that nobody would see."""
_NOT_ASCII = re.compile(r"[^\x00-\x7e]")
_QUOTED = ("title", "excerpt")
_TIMES = ("publishedDateTime", "updatedDateTime")
_LONG_KEY = 1_000
"""YAML limits simple keys to 1,024 characters; longer ones are written after a question mark."""


def front_matter_text(values: Mapping[str, Any]) -> str:
    """Return the lines between the fences; ends with a line end."""
    lines: list[str] = []
    was_block = False
    for key, value in values.items():
        is_block = (isinstance(value, (dict, list)) and bool(value)) or key == "secured"
        if lines and (is_block or was_block):
            lines.append("")
        lines += _entry(key, value, "")
        was_block = is_block
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a key and its value."""
    name = _scalar("", key)
    head = f"{indent}{name}:" if len(name) < _LONG_KEY else f"{indent}? {name}\n{indent}:"
    if isinstance(value, (dict, list)) and value:
        yield head
        yield from _block(value, indent + "  ")
    else:
        yield f"{head} {_scalar(key, value)}".rstrip()


def _block(value: dict[str, Any] | list[Any], indent: str) -> Iterator[str]:
    """Yield the lines of a mapping's entries or a list's items."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(key, item, indent)
        return
    for item in value:
        if isinstance(item, dict) and item:
            first, *rest = _block(item, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest
        elif isinstance(item, list) and item:
            yield f"{indent}-"
            yield from _block(item, indent + "  ")
        else:
            yield f"{indent}- {_scalar('', item)}"


def _scalar(key: str, value: Any) -> str:
    """Return a value that fits on a line; null after a key is empty."""
    if value is None:
        return "" if key else "null"
    if not isinstance(value, str):
        return json.dumps(value)
    if key in _TIMES and _TIME.fullmatch(value):
        return value
    is_quoted = key in _QUOTED or key.lower().endswith("url")
    if not is_quoted and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return (_NOT_ASCII if MOJIBAKE.search(value) else _HIDDEN).sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    """Return YAML's escape of a character: unlike JSON's, eight digits beyond U+FFFF."""
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
