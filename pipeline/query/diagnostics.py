"""Explain DuckDB's errors in SQL: the message, the line with a caret, similar names."""

import json
from typing import Any

import duckdb

from pipeline.text import closest, did_you_mean, printable

NAMES = 5
"""Names that a message lists at most."""
WINDOW = 100
"""Characters of a line that are printed, around the error."""


def explain(
    error: Exception, sql: str, connection: duckdb.DuckDBPyConnection, start: int = 0
) -> str:
    """Return the message for an error in `sql`, to follow `query: `.

    DuckDB counts positions from the start of the text that it was given, in bytes of UTF-8; that
    text begins at `start` in `sql`. Only a restricted connection reports positions and names.
    """
    details = _details(error)
    if details is None:
        return str(error)
    lines = [
        printable(line)
        for line in details["exception_message"].splitlines()
        if line.strip() and not line.startswith(("Did you mean", "Candidate bindings"))
    ]
    if (position := details.get("position")) is not None:
        line, column, excerpt = _locate(sql, max(0, start + int(position)))
        lines = [f"line {line}, column {column}: " + "\n".join(lines), excerpt]
    return "\n".join([*lines, *_hints(details, connection)])


def _details(error: Exception) -> dict[str, Any] | None:
    """Return what DuckDB reports of an error as JSON; None if it reported plain text."""
    _, _, text = str(error).partition(": ")
    try:
        details = json.loads(text)
    except ValueError:
        return None
    is_report = isinstance(details, dict) and isinstance(details.get("exception_message"), str)
    return details if is_report else None


def _locate(sql: str, position: int) -> tuple[int, int, str]:
    """Return line and column from 1, and an excerpt of the line with a caret below."""
    from rich.cells import cell_len

    before = sql.encode()[:position].decode(errors="ignore")
    number, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    line = sql.split("\n")[number - 1].rstrip("\r")
    first = max(0, column - WINDOW // 2) if len(line) > WINDOW else 0
    head = ("..." if first else "") + printable(line[first:column])
    rest = printable(line[column : first + WINDOW])
    dots = "..." if first + WINDOW < len(line) else ""
    return number, column + 1, f"    {head}{rest}{dots}\n    {' ' * cell_len(head)}^"


def _hints(details: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return sentences that propose names: those of DuckDB, and our tables and columns."""
    kind, word = details.get("error_subtype"), str(details.get("name", ""))
    if kind not in ("MISSING_ENTRY", "COLUMN_NOT_FOUND"):
        return []
    names = [name for name in str(details.get("candidates", "")).split(",") if name]
    hints = []
    if kind == "COLUMN_NOT_FOUND":
        hints = _relations_with(word, connection)
    elif details.get("type") == "Table":
        query = "select view_name from duckdb_views() where not internal"
        names += closest(word, [row[0] for row in connection.execute(query).fetchall()], NAMES)
    question = did_you_mean(list(dict.fromkeys(names))[:NAMES])
    return [question, *hints] if question else hints


def _relations_with(word: str, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return a sentence on the relations that have this column, or the one closest to it."""
    rows = connection.execute(
        "select column_name, table_name from duckdb_columns() where not internal order by all"
    ).fetchall()
    for name in closest(word, [row[0] for row in rows], 1):
        relations = [relation for column, relation in rows if column == name]
        more = f" and {len(relations) - NAMES} more" if len(relations) > NAMES else ""
        return [f"{printable(name)} is a column of {', '.join(relations[:NAMES])}{more}."]
    return []
