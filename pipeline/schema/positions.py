"""Where a value stands in YAML text: line and column, for messages that an editor can jump to."""

import itertools
import re
from typing import Any, NamedTuple

Step = str | int
Location = tuple[int | None, int | None]
UNKNOWN: Location = (None, None)


class Places:
    """Finds values in the text of one YAML mapping; remembers how far it came, for the next value of the same list."""

    def __init__(self, text: str) -> None:
        self._text = (
            "\n" + text
        )  # a line start is then always a character: regular expressions find it fast
        self._regions: dict[tuple[Step, ...], _Region] = {
            (): _Region(0, 0, len(self._text), 0, False)
        }

    def locate(self, path: tuple[Step, ...]) -> Location:
        """Line and column (both from 1) of the value at `path`; UNKNOWN where it cannot be told."""
        region = self._region(path)
        if region is None:
            return _any_style(self._text[1:], path)
        at = region.value + (
            self._text.startswith(" ", region.value)
            and not self._text.startswith(" \n", region.value)
        )
        return self._text.count("\n", 0, at), at - self._text.rfind("\n", 0, at)

    def _region(self, path: tuple[Step, ...]) -> "_Region | None":
        """Where a node stands in the indented style that sites write: far faster than parsing, the way for other styles."""
        if path not in self._regions:
            outer = self._region(path[:-1])
            region = outer and (
                self._item(outer, path[-1])
                if isinstance(path[-1], int)
                else self._key(outer, path[-1])
            )
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
        found = pattern.search(self._text, outer.start, outer.end)
        shallower_item = rf"| {{0,{indent - 1}}}-(?:[ \n]|$)" if indent else ""
        close = rf"\n(?: {{0,{indent}}}[^\s#-]{shallower_item})"
        return found and self._closed(
            _Region(found.end(), found.end(), outer.end, indent, True), close
        )

    def _item(self, outer: "_Region", number: int) -> "_Region | None":
        if not outer.below_key:  # a list in a list
            return None
        first = re.compile(r"\n( *)-(?: +|(?=\n)|$)").search(self._text, outer.start, outer.end)
        if first is None:
            return None
        items = re.compile(rf"\n {{{len(first[1])}}}-(?: +|(?=\n)|$)").finditer(
            self._text, first.start(), outer.end
        )
        found = next(itertools.islice(items, number, None), None)
        if found is None:
            return None
        region = _Region(
            found.end(), found.start(), outer.end, found.end() - found.start() - 1, False
        )
        return self._closed(region, rf"\n {{0,{len(first[1])}}}-(?:[ \n]|$)")

    def _closed(self, region: "_Region", close: str) -> "_Region":
        last = re.compile(close).search(self._text, region.value, region.end)
        return region._replace(end=last.start()) if last else region


class _Region(NamedTuple):
    """Part of the text: where the value begins, where its children are searched, and how far they are indented."""

    value: int
    start: int
    end: int
    indent: int
    below_key: bool


def duplicate_key(text: str) -> tuple[str, Location]:
    """The first key that stands twice in one YAML mapping, and where it stands the second time."""
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


def _any_style(text: str, path: tuple[Step, ...]) -> Location:
    """Any YAML, by PyYAML's node marks."""
    import yaml

    try:
        node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
        for step in path:
            inner = node.value
            node = (
                inner[step]
                if isinstance(step, int)
                else next(value for key, value in inner if key.value == step)
            )
    except (
        yaml.YAMLError,
        AttributeError,
        IndexError,
        StopIteration,
        TypeError,
        ValueError,
        RecursionError,
    ):
        return UNKNOWN
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node else UNKNOWN
