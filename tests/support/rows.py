"""Rows written as a table on its side: a line for each column, a value for each row."""

import datetime as dt
import json
import re
from typing import Any

_WORDS = {"null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?\d+|-?\d+\.\d+(e-?\d+)?|-?\d+e-?\d+")


def rows_of(text: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table whose lines are `column  value  value  …`, two spaces between
    cells.

    After an empty line the same columns go on with other rows.
    A value is an integer, a number with a point, true, false, null, a day, a time in UTC such as
    `2024-01-02T03:04:05Z`, a list or a text in quotes as JSON has them, or else a text as it
    stands.
    """
    rows: list[tuple[Any, ...]] = []
    names: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [re.split(r"\s{2,}", line.strip()) for line in block.splitlines()]
        head = [name for name, *_ in lines]
        assert len(set(head)) == len(head) and names in ([], head), head
        names = head
        rows += zip(*([_value(cell) for cell in cells] for _, *cells in lines), strict=True)
    return rows


def _value(cell: str) -> Any:
    if cell in _WORDS:
        return _WORDS[cell]
    if _NUMBER.fullmatch(cell):
        return float(cell) if re.search(r"[.e]", cell) else int(cell)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        return dt.date.fromisoformat(cell)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", cell):
        return dt.datetime.fromisoformat(cell)
    return json.loads(cell) if cell[0] in '["' else cell
