"""Rejections and findings of the published snapshot or a refused run, as lines that an editor can jump to."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.errors import UsageError
from pipeline.extract.sources import shown
from pipeline.load.warehouse import Warehouse
from pipeline.text import printable
from pipeline.views.catalog import connect

Rows = list[dict[str, Any]]

LISTED = 5
_OF_THE_LOG = ("at", "run", "event", "root")


def rejections(warehouse: Warehouse) -> Rows:
    """All rejections by path, each with the file's place on disk as `file`."""
    return _rows("select * from rejections order by source, path", {}, warehouse)


def refused(warehouse: Warehouse, run: str) -> tuple[str, Rows]:
    """The id of a run that published nothing and its rejections, from its log, by path; `last`: the newest run that has any.

    Raises UsageError where no log of that run is there, or no log has any.
    """
    logs = {path.stem: path for path in sorted(warehouse.logs.glob("*.jsonl"), reverse=True)}
    if run != "last" and run not in logs:
        there = ", ".join(list(logs)[:LISTED]) or "none"
        raise UsageError(
            f"{printable(run)}: there is no log of such a run in {warehouse.logs} (newest: {there})."
        )
    for name, path in logs.items() if run == "last" else [(run, logs[run])]:
        rows = [
            row for line in path.read_bytes().splitlines() if (row := _rejection(line)) is not None
        ]
        if rows or run != "last":
            return name, rows
    raise UsageError(
        f"{warehouse.logs}: no run was refused that rejected files. For what is published: pipeline rejects."
    )


def _rejection(line: bytes) -> dict[str, Any] | None:
    """The rejection in a line of a log; None where there is none, or none that can be read."""
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    if event.get("event") != "rejection" or "root" not in event or "path" not in event:
        return None
    event["file"] = shown(event["root"], event["path"])
    return {name: value for name, value in event.items() if name not in _OF_THE_LOG}


def rules(warehouse: Warehouse) -> list[str]:
    """Rules of which there are findings."""
    return [
        row["rule"]
        for row in _rows(
            "select distinct rule, source, '' as path from findings order by rule", {}, warehouse
        )
    ]


def findings(warehouse: Warehouse, rule: str | None) -> Rows:
    """Findings by path, of one rule or all, each with the file's place on disk as `file`."""
    query = (
        "select * from findings where $rule is null or rule = $rule order by source, path, position"
    )
    return _rows(query, {"rule": rule}, warehouse)


def _rows(query: str, parameters: dict[str, Any], warehouse: Warehouse) -> Rows:
    manifest = warehouse.manifest()
    roots = {source.name: source.path for source in manifest.sources}
    found = connect(warehouse, manifest).execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in rows:
        row["file"] = shown(roots.get(row["source"], ""), row["path"])
    return rows


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
