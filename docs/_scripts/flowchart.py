"""Draw flow charts in Mermaid's language as SVG.

Only what `diagrams.py` writes is understood.
"""

import html
import re
from dataclasses import dataclass

_EDGE = re.compile(r"(\w+)(.*?) --> (\w+)$")
_BOX = re.compile(r'(\w+)(\[\(|\[/|\[)"?(.*?)"?(?:\)\]|/\]|\])$')
CHARACTER, LINE, PADDING, GAP, LAYER = 6.7, 16, 8, 14, 90
"""Pixels: width of a character, height of a line, inside a box, between boxes, between columns."""


def _plain(line: str) -> str:
    """Return a line of a label without its tags."""
    return re.sub("<.*?>", "", line)


@dataclass
class Box:
    """A node: its lines of text, whether it is a table, its column and its position in pixels."""

    lines: list[str]
    is_table: bool = False
    column: int = 0
    x: float = 0
    y: float = 0

    @property
    def width(self) -> float:
        """Return the width in pixels."""
        return max(len(_plain(line)) for line in self.lines) * CHARACTER + 2 * PADDING

    @property
    def height(self) -> float:
        """Return the height in pixels."""
        return len(self.lines) * LINE + 2 * PADDING


def parse(text: str) -> tuple[dict[str, Box], list[tuple[str, str]]]:
    """Return the boxes by name and the arrows. Raises ValueError for a line that is neither."""
    boxes: dict[str, Box] = {}
    arrows: list[tuple[str, str]] = []

    def add(name: str, shape: str = "", label: str = "") -> None:
        if shape or name not in boxes:
            boxes[name] = Box((label or name).split("<br/>"), shape == "[(")

    for line in text.strip().splitlines()[1:]:
        line = line.strip()
        if edge := _EDGE.match(line):
            source = _BOX.match(edge[1] + edge[2])
            add(*(source.groups() if source else (edge[1],)))
            add(edge[3])
            arrows.append((edge[1], edge[3]))
        elif box := _BOX.match(line):
            add(*box.groups())
        else:
            raise ValueError(f"not a box or an arrow: {line}")
    return boxes, arrows


def draw(text: str) -> str:
    """Return a chart as an SVG element, with each box right of all that it reads."""
    boxes, arrows = parse(text)
    for _ in boxes:
        for source, target in arrows:
            boxes[target].column = max(boxes[target].column, boxes[source].column + 1)
    columns = [
        [name for name in boxes if boxes[name].column == column]
        for column in range(max(box.column for box in boxes.values()) + 1)
    ]
    heights = [sum(boxes[name].height + GAP for name in names) - GAP for names in columns]
    x = 1.0
    for names, height in zip(columns, heights, strict=True):
        y = (max(heights) - height) / 2 + 1
        for name in sorted(names, key=lambda name: _middle_of_sources(name, boxes, arrows)):
            boxes[name].x, boxes[name].y = x, y
            y += boxes[name].height + GAP
        x += max(boxes[name].width for name in names) + LAYER
    size = f"{x - LAYER + 2:.0f} {max(heights) + 2:.0f}"
    shapes = [_arrow(boxes[source], boxes[target]) for source, target in arrows]
    shapes += [_box(box) for box in boxes.values()]
    title = "Flow chart: " + "; ".join(f"{source} to {target}" for source, target in arrows)
    return (
        f'<svg class="flowchart" viewBox="0 0 {size}" width="{size.split()[0]}" role="img">'
        f"<title>{html.escape(title)}</title>{''.join(shapes)}</svg>"
    )


def _middle_of_sources(name: str, boxes: dict[str, Box], arrows: list[tuple[str, str]]) -> float:
    """Return the mean height of what a box reads, so that few arrows cross."""
    sources = [boxes[source] for source, target in arrows if target == name]
    return sum(box.y + box.height / 2 for box in sources) / len(sources) if sources else 0


def _arrow(source: Box, target: Box) -> str:
    x1, y1 = source.x + source.width, source.y + source.height / 2
    x2, y2 = target.x, target.y + target.height / 2
    bend = (x2 - x1) / 2
    curve = (
        f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    )
    return f'<path d="{curve}"/><path d="M{x2 - 6:.0f} {y2 - 3:.0f}l6 3l-6 3"/>'


def _box(box: Box) -> str:
    corner = 10 if box.is_table else 2
    text = ""
    for at, line in enumerate(box.lines):
        style = ' class="name"' if "<b>" in line else ""
        x, y = box.x + PADDING, box.y + PADDING + LINE * (at + 0.75)
        text += f'<text x="{x:.0f}" y="{y:.0f}"{style}>{html.escape(_plain(line))}</text>'
    return (
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}"'
        f' rx="{corner}"/>{text}'
    )
