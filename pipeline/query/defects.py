"""List rejections and findings, of what is published or of a refused run, for editors."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from pipeline.errors import UsageError
from pipeline.extract.sources import shown
from pipeline.load.warehouse import Warehouse
from pipeline.text import counted, printable
from pipeline.text import table as as_table
from pipeline.views.catalog import connect

Records = list[dict[str, Any]]

LISTED = 20
"""Findings that the text lists unless all are wanted."""
RUNS = 5
"""Runs that an error lists."""
_OF_THE_LOG = ("at", "run", "event", "root")


def rejections(warehouse: Warehouse) -> Records:
    """Return all rejections by path, each with the file's path on disk as `file`."""
    return _records(warehouse, "select * from rejections order by source, path")


def refused(warehouse: Warehouse, run: str) -> tuple[str, Records]:
    """Return the id of a run that published nothing, and its rejections by path, from its log.

    `run` is an id, or `last`: the newest run that rejected files. Raises UsageError if there is no
    log of that run, or no log with rejections.
    """
    logs = {path.stem: path for path in sorted(warehouse.logs.glob("*.jsonl"), reverse=True)}
    if run != "last" and run not in logs:
        raise UsageError(
            f"{printable(run)}: no log of this run in {warehouse.logs}"
            f" (newest: {', '.join(list(logs)[:RUNS]) or 'none'}). Choose another run."
        )
    for name, path in logs.items() if run == "last" else [(run, logs[run])]:
        lines = path.read_bytes().splitlines()
        records = [record for line in lines if (record := _rejection(line)) is not None]
        if records or run != "last":
            return name, records
    raise UsageError(
        f"{warehouse.logs}: no run was refused for rejected files."
        " For those of the published snapshot: pipeline rejects."
    )


def _rejection(line: bytes) -> dict[str, Any] | None:
    """Return the rejection in a line of a log; None for other lines and damaged ones."""
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    if event.get("event") != "rejection" or "root" not in event or "path" not in event:
        return None
    event["file"] = shown(event["root"], event["path"])
    return {name: value for name, value in event.items() if name not in _OF_THE_LOG}


def rules(warehouse: Warehouse) -> list[str]:
    """Return the rules that have findings."""
    query = "select distinct rule from findings order by rule"
    with connect(warehouse) as connection:
        return [rule for (rule,) in connection.execute(query).fetchall()]


def findings(warehouse: Warehouse, rule: str | None) -> Records:
    """Return findings by path, of one rule or all, each with the path on disk as `file`."""
    query = "from findings where $rule is null or rule = $rule order by source, path, position"
    return _records(warehouse, query, rule=rule)


def _records(warehouse: Warehouse, query: str, **parameters: str | None) -> Records:
    manifest = warehouse.manifest()
    roots = {source.name: source.path for source in manifest.sources}
    result = connect(warehouse, manifest).execute(query, parameters)
    names = [column[0] for column in result.description or ()]
    records = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    for record in records:
        record["file"] = shown(roots.get(record["source"], ""), record["path"])
    return records


def rejection_lines(records: Records) -> Iterator[str]:
    """Yield `path:line:column: message [code]`, and below it the line with a mark."""
    for record in records:
        yield f"{_position(record)}: {printable(record['message'])} [{record['code']}]"
        if record["line_text"]:
            text = printable(record["line_text"])[:120]
            yield f"    {text}"
            if record["column_number"] and record["column_number"] <= len(text):
                yield "    " + " " * (record["column_number"] - 1) + "^"


def finding_lines(records: Records, limit: int | None = LISTED) -> Iterator[str]:
    """Yield a summary by rule and field, then `path:line:column: field: value action [rule]`.

    At most `limit` findings are listed, None = all.
    """
    if not records:
        return
    files = len({record["file"] for record in records})
    yield f"{counted(len(records), 'finding')} in {counted(files, 'file')}\n"
    groups = Counter(
        (record["rule"], re.sub(r"\[\d+\]", "[]", record["field"] or "")) for record in records
    )
    rows = [(rule, field, count) for (rule, field), count in groups.most_common()]
    yield as_table(["rule", "field", "findings"], rows, None, limit=None)
    for record in islice(records, limit):
        field = f"{printable(record['field'])}: " if record["field"] else ""
        value = "" if record["value"] is None else f"{printable(record['value'])[:120]!r} "
        action = printable(record["action"])
        yield f"{_position(record)}: {field}{value}{action} [{record['rule']}]"
    if limit is not None and len(records) > limit:
        yield f"... {len(records) - limit:,} more findings; --all prints them"


def _position(record: dict[str, Any]) -> str:
    line, column = record["line_number"] or 1, record["column_number"] or 1
    return f"{printable(record['file'])}:{line}:{column}"
