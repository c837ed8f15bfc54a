"""Rejections and findings of the published snapshot or a refused run, as lines that an editor can jump to."""

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.errors import UsageError
from pipeline.load.catalog import connect
from pipeline.load.snapshots import Warehouse
from pipeline.render import printable

Rows = list[dict[str, Any]]

_OF_THE_LOG = ("at", "run", "event", "root")


def rejections(warehouse: Warehouse) -> Rows:
    """All rejections by path, each with the file's place on disk as `file`."""
    return _rows("select * from rejections order by source, path", {}, warehouse)


def refused(warehouse: Warehouse, run: str) -> Rows:
    """Rejections of a run that published nothing, from its log, by path. `last` is the newest run that has any.

    Raises UsageError where no log of that run is there.
    """
    logs = sorted(warehouse.logs.glob("*.jsonl"))
    wanted = logs[::-1] if run == "last" else [path for path in logs if path.stem == run]
    if not wanted:
        raise UsageError(f"{run}: there is no log of such a run in {warehouse.logs}. Run ids: select run_id from runs.")
    for path in wanted:
        lines = (msgspec.json.decode(line) for line in path.read_bytes().splitlines() if b'"event":"rejection"' in line)
        if rows := [line | {"file": _near(os.path.join(line["root"], line["path"]))} for line in lines]:
            return [{name: value for name, value in row.items() if name not in _OF_THE_LOG} for row in rows]
    return []


def findings(warehouse: Warehouse, rule: str | None) -> Rows:
    """Findings by path, of one rule or all, each with the file's place on disk as `file`."""
    query = "select * from findings where $rule is null or rule = $rule order by source, path, position"
    return _rows(query, {"rule": rule}, warehouse)


def _rows(query: str, parameters: dict[str, Any], warehouse: Warehouse) -> Rows:
    manifest = warehouse.manifest()
    roots = {source.name: source.path for source in manifest.sources}
    found = connect(warehouse, manifest).execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in rows:
        row["file"] = _near(os.path.join(roots.get(row["source"], ""), row["path"]))
    return rows


def _near(path: str) -> str:
    """The path from the working directory where it lies below, else the whole path."""
    near = os.path.relpath(path)
    return path if near.startswith("..") else near


def rejection_lines(rows: Rows) -> Iterator[str]:
    """`path:line:column: message [code]`, and below it the line with a mark."""
    for row in rows:
        yield f"{_place(row)}: {printable(row['message'])} [{row['code']}]"
        if row["line_text"]:
            shown = printable(row["line_text"])[:120]
            yield f"    {shown}"
            if row["column_number"] and row["column_number"] <= len(shown):
                yield "    " + " " * (row["column_number"] - 1) + "^"


def finding_lines(rows: Rows) -> Iterator[str]:
    """`path:line:column: field: what was found, what was done [rule]`."""
    for row in rows:
        field = f"{printable(row['field'])}: " if row["field"] else ""
        value = "" if row["value"] is None else f"{printable(row['value'])[:120]!r} "
        yield f"{_place(row)}: {field}{value}{printable(row['action'])} [{row['rule']}]"


def _place(row: dict[str, Any]) -> str:
    return f"{printable(row['file'])}:{row['line_number'] or 1}:{row['column_number'] or 1}"
