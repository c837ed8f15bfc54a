"""SQL that reads: which statements may run, and a connection that refuses to change anything.

DuckDB has no switch for "reading anywhere, writing nowhere". The types of statements tell most, but not all: since 2.0 a
common table expression may be a COPY or an INSERT, EXPLAIN ANALYZE runs what it explains, and a function runs statements given as
JSON. So the parsed tree is looked at too.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from pipeline.errors import UsageError

READING = {"SELECT", "EXPLAIN", "MULTI"}
"""DuckDB's types of statements that can change nothing; MULTI is a pivot whose columns come from the data."""

_SAFE = """
set autoinstall_known_extensions = false; set autoload_known_extensions = false; set allow_persistent_secrets = false;
set python_enable_replacements = false; set errors_as_json = true; set lock_configuration = true
"""
_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Kinds of query nodes that read; others are named after what they write, such as COPY_QUERY_NODE."""
_EXECUTING = {"json_execute_serialized_sql"}
"""Functions that run what the tree does not show."""
_WRITING_WORDS = re.compile(
    r"(?i)\b(copy|insert|update|delete|truncate|merge|json_execute_serialized_sql|query)\b"
)
_EXPLAIN = re.compile(
    r"(?is)(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*explain\b(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:analyze\b|\([^()]*\))?"
)


def restrict(connection: duckdb.DuckDBPyConnection) -> None:
    """Forbid, for good, to change settings, to install or load extensions, to store secrets; errors become JSON objects.

    Settings matter: logs and profiles would be written where a setting says so.
    """
    connection.execute(_SAFE)


def reading_statements(connection: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    """The statements of a text, all of which read.

    Raises UsageError for none or one that writes, duckdb.Error or UnicodeEncodeError for bad SQL.
    """
    sql.encode()
    statements = connection.extract_statements(sql)
    if not statements:
        raise UsageError("query: 0 statements (expected one or more). Give a SQL statement.")
    for statement in statements:
        _refuse_writing(connection, statement)
    return statements


def _refuse_writing(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    kind, text = statement.type.name, statement.query
    if kind not in READING:
        raise UsageError(
            f"query: {kind.lower()} is no statement that reads (expected select). Use `pipeline.connect()` for more."
        )
    if kind == "MULTI":
        if found := _WRITING_WORDS.search(text):
            raise UsageError(
                f"query: a pivot may not hold the word {found[1]}, as that might write. Name the columns: on ... in (...)."
            )
        return
    if kind == "EXPLAIN":
        if not (start := _EXPLAIN.match(text)):
            raise UsageError(
                "query: this explain cannot be read. Begin the statement with the word explain."
            )
        text = text[start.end() :]
    if reason := _writes(connection, text):
        raise UsageError(
            f"query: {reason} (expected a statement that reads). Use `pipeline.connect()` for more."
        )


def _writes(connection: duckdb.DuckDBPyConnection, text: str) -> str | None:
    """What a select writes or might write; None where it only reads."""
    [(answer,)] = connection.execute("select json_serialize_sql($1)", [text]).fetchall()
    tree = json.loads(answer)
    if tree["error"]:
        return "explain of what is no select"
    for node in _nodes(tree):
        kind = node.get("type")
        if (
            isinstance(kind, str)
            and kind.endswith("_NODE")
            and kind not in _NODES
            and "modifiers" in node
        ):
            return f"{kind.split('_')[0].lower()} writes, also inside of a select"
        name = str(node.get("function_name", "")).lower()
        if name in _EXECUTING:
            return f"{name} runs what cannot be seen"
        if name == "query" and (reason := _writes_inside(connection, node)):
            return reason
    return None


def _writes_inside(connection: duckdb.DuckDBPyConnection, call: dict[str, Any]) -> str | None:
    """What the text given to `query()` writes; only a literal can be seen."""
    texts = [
        argument.get("expression", {}).get("literal", {}).get("text")
        for argument in call.get("arguments", [])
    ]
    if len(texts) != 1 or not isinstance(texts[0], str):
        return "query() runs what cannot be seen, unless its text is a literal"
    return _writes(connection, texts[0])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
