"""Locate values in YAML text by line and column, for messages that an editor can jump to."""

import itertools
import re
from typing import Any, NamedTuple

Step = str | int
KeyPath = tuple[Step, ...]
"""Keys and indexes from the top of the front matter to a value."""
Location = tuple[int | None, int | None]
UNKNOWN: Location = (None, None)


class Positions:
    """Positions of values in the text of one YAML mapping; regions that were found are kept."""

    def __init__(self, text: str) -> None:
        self._text = f"\n{text}"  # each line begins with a character, found fast by expressions
        self._regions: dict[KeyPath, _Region] = {(): _Region(0, 0, len(self._text), 0, False)}

    def locate(self, path: KeyPath) -> Location:
        """Return line and column (from 1) of the value at `path`; UNKNOWN if it is not found."""
        region = self._region(path)
        if region is None:
            return _any_style(self._text[1:], path)
        at = region.value + (
            self._text.startswith(" ", region.value)
            and not self._text.startswith(" \n", region.value)
        )
        return self._text.count("\n", 0, at), at - self._text.rfind("\n", 0, at)

    def _region(self, path: KeyPath) -> "_Region | None":
        """Return the region of a node in indented style: far faster than parsing any style."""
        if path not in self._regions:
            outer = self._region(path[:-1])
            if outer is None:
                return None
            step = path[-1]
            region = self._item(outer, step) if isinstance(step, int) else self._key(outer, step)
            if region is None:
                return None
            self._regions[path] = region
        return self._regions[path]

    def _key(self, outer: "_Region", key: str) -> "_Region | None":
        indent = outer.indent
        if outer.below_key:
            child = re.compile(r"\n( *)[^\s#]").search(self._text, outer.start, outer.end)
            if child is None:
                return None
            indent = len(child[1])
        pattern = re.compile(rf"\n[ -]{{{indent}}}(['\"]?){re.escape(key)}\1 *:")
        match = pattern.search(self._text, outer.start, outer.end)
        shallower_item = rf"| {{0,{indent - 1}}}-(?:[ \n]|$)" if indent else ""
        close = rf"\n(?: {{0,{indent}}}[^\s#-]{shallower_item})"
        if match is None:
            return None
        return self._closed(_Region(match.end(), match.end(), outer.end, indent, True), close)

    def _item(self, outer: "_Region", number: int) -> "_Region | None":
        if not outer.below_key:  # a list in a list
            return None
        first = re.compile(r"\n( *)-(?: +|(?=\n)|$)").search(self._text, outer.start, outer.end)
        if first is None:
            return None
        pattern = re.compile(rf"\n {{{len(first[1])}}}-(?: +|(?=\n)|$)")
        items = pattern.finditer(self._text, first.start(), outer.end)
        item = next(itertools.islice(items, number, None), None)
        if item is None:
            return None
        start, end = item.span()
        region = _Region(end, start, outer.end, end - start - 1, False)
        return self._closed(region, rf"\n {{0,{len(first[1])}}}-(?:[ \n]|$)")

    def _closed(self, region: "_Region", close: str) -> "_Region":
        last = re.compile(close).search(self._text, region.value, region.end)
        return region._replace(end=last.start()) if last else region


class _Region(NamedTuple):
    """Part of the text: where a value begins, where its children are, and their indentation."""

    value: int
    start: int
    end: int
    indent: int
    below_key: bool


def duplicate_key(text: str) -> tuple[str, Location]:
    """Return the first key that is repeated in a mapping, and where it is repeated."""
    import yaml  # only what is broken needs it

    try:
        waiting = [yaml.compose(text, Loader=yaml.CSafeLoader)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return "", UNKNOWN
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    return key.value, (key.start_mark.line + 1, key.start_mark.column + 1)
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else key)
                waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
    return "", UNKNOWN


def _any_style(text: str, path: KeyPath) -> Location:
    """Locate a value in any style of YAML by the marks of PyYAML's nodes."""
    import yaml

    try:
        node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
        for step in path:
            if isinstance(step, int):
                node = node.value[step]
            else:
                node = next(value for key, value in node.value if key.value == step)
    except (yaml.YAMLError, AttributeError, LookupError, StopIteration, TypeError, ValueError):
        return UNKNOWN
    except RecursionError:  # deeper than PyYAML reads
        return UNKNOWN
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node else UNKNOWN
