"""What DuckDB says of a mistake in SQL, for a person: the message, the line with a caret, the nearest names."""

import difflib
import json
from typing import Any

import duckdb

from pipeline.text import printable

NEAREST = 5
"""Names that a message proposes at most."""
SHOWN = 100
"""Characters of a line that are shown, around the mistake."""


def told(error: Exception, sql: str, connection: duckdb.DuckDBPyConnection, start: int = 0) -> str:
    """The message of an error in `sql`, for the end of a sentence `query: ...`.

    `start` is where what was run begins in `sql`, in bytes of UTF-8: DuckDB counts from the start of the text that it was given.
    A connection that was restricted tells position and names.
    """
    facts = _facts(error)
    if facts is None:
        return str(error)
    message = "\n".join(_own_lines(facts["exception_message"]))
    position = facts.get("position")
    if position is not None:
        line, column, shown = _place(sql, max(0, start + int(position)))
        message = f"line {line}, column {column}: {message}\n{shown}"
    if near := _near(facts, connection):
        message += f"\n{near}"
    return message


def _facts(error: Exception) -> dict[str, Any] | None:
    """What DuckDB tells of the error where it tells it as JSON."""
    _, _, text = str(error).partition(": ")
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return (
        found
        if isinstance(found, dict) and isinstance(found.get("exception_message"), str)
        else None
    )


def _own_lines(message: str) -> list[str]:
    """The message without proposals, which follow at its end, and without empty lines."""
    lines = [line for line in message.splitlines() if line.strip()]
    return [
        printable(line)
        for line in lines
        if not line.startswith(("Did you mean", "Candidate bindings"))
    ]


def _place(sql: str, position: int) -> tuple[int, int, str]:
    """Line and column from 1, and the line with a caret below, cut around it where it is long."""
    from rich.cells import cell_len

    before = sql.encode()[:position].decode(errors="ignore")
    number, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    line = (sql.split("\n")[number - 1]).rstrip("\r")
    first = max(0, column - SHOWN // 2) if len(line) > SHOWN else 0
    head, rest = printable(line[first:column]), printable(line[column : first + SHOWN])
    dots = "..." if first else ""
    shown = f"    {dots}{head}{rest}{'...' if first + SHOWN < len(line) else ''}\n    {' ' * cell_len(dots + head)}^"
    return number, column + 1, shown


def _near(facts: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> str:
    """The sentence that names what might have been meant; empty where nothing is near."""
    kind, wanted = facts.get("error_subtype"), str(facts.get("name", ""))
    proposed = [name for name in str(facts.get("candidates", "")).split(",") if name]
    if kind == "MISSING_ENTRY" and facts.get("type") == "Table":
        tables = [
            row[0]
            for row in connection.execute(
                "select view_name from duckdb_views() where not internal"
            ).fetchall()
        ]
        return _sentence([*proposed, *_closest(wanted, tables)], "The nearest tables and views are")
    if kind == "MISSING_ENTRY":
        return _sentence(proposed, "The nearest names are")
    if kind == "COLUMN_NOT_FOUND":
        lines = [_sentence(proposed, "The nearest columns are"), _elsewhere(wanted, connection)]
        return "\n".join(line for line in lines if line)
    return ""


def _elsewhere(wanted: str, connection: duckdb.DuckDBPyConnection) -> str:
    """The sentence that says which tables and views have a column of that name, or of the one nearest to it."""
    rows = connection.execute(
        "select column_name, table_name from duckdb_columns() where not internal order by all"
    ).fetchall()
    for name in _closest(wanted, [row[0] for row in rows])[:1]:
        holders = [table for column, table in rows if column == name]
        more = f" and {len(holders) - NEAREST} more" if len(holders) > NEAREST else ""
        return f"{printable(name)} is a column of {', '.join(holders[:NEAREST])}{more}."
    return ""


def _closest(wanted: str, names: list[str]) -> list[str]:
    lowered = {name.lower(): name for name in names}
    return [
        lowered[name] for name in difflib.get_close_matches(wanted.lower(), lowered, NEAREST, 0.6)
    ]


def _sentence(names: list[str], words: str) -> str:
    distinct = list(dict.fromkeys(names))[:NEAREST]
    return f"{words} {', '.join(map(printable, distinct))}." if distinct else ""
