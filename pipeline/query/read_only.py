"""Decide which SQL may run: statements that read, on a connection that changes nothing.

DuckDB has no switch for "read anywhere, write nowhere". The type of a statement is not enough:
since 2.0 a common table expression may be a COPY or an INSERT, EXPLAIN ANALYZE runs what it
explains, and a function runs statements given as JSON. So the parsed tree is searched too.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
from msgspec import Struct

from pipeline.errors import UsageError

READING = {"SELECT", "EXPLAIN", "MULTI"}
"""Types of statements that change nothing; MULTI is a pivot whose columns come from the data."""

_SAFE = """
set autoinstall_known_extensions = false; set autoload_known_extensions = false;
set allow_persistent_secrets = false;
set python_enable_replacements = false; set errors_as_json = true; set lock_configuration = true
"""
_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Nodes of a query that read; others are named after what they write, as COPY_QUERY_NODE is."""
_EXECUTING = {"json_execute_serialized_sql"}
"""Functions that run what the tree does not show."""
_WRITING_WORDS = re.compile(
    r"(?i)\b(copy|insert|update|delete|truncate|merge|json_execute_serialized_sql|query)\b"
)
_EXPLAIN = re.compile(r"(?is)explain\b(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:analyze\b|\([^()]*\))?")


def restrict(connection: duckdb.DuckDBPyConnection) -> None:
    """Forbid to change settings, load extensions and store secrets; report errors as JSON.

    Settings matter: one of them could have logs and profiles written.
    """
    connection.execute(_SAFE)


class Statement(Struct, frozen=True):
    """One statement of a text of SQL; it begins at byte `start` of the text in UTF-8."""

    text: str
    start: int


def split(sql: str) -> list[Statement]:
    """Return the statements of a text, without comments before them.

    Raises UsageError if there is none, UnicodeEncodeError for a text that is not Unicode.
    """
    encoded = sql.encode()
    statements, start = [], None
    for position, kind in [*duckdb.tokenize(sql), (len(encoded), None)]:
        is_end = kind is None or encoded[position : position + 1] == b";"
        if is_end and kind in (None, duckdb.token_type.operator):
            if start is not None:
                text = encoded[start : position + 1].decode()
                statements.append(Statement(text, start))
            start = None
        elif start is None and kind != duckdb.token_type.comment:
            start = position
    if not statements:
        raise UsageError("query: 0 statements (expected one or more). Give a SQL statement.")
    return statements


def parse_reading(connection: duckdb.DuckDBPyConnection, statement: Statement) -> duckdb.Statement:
    """Return a statement as DuckDB parses it.

    Raises UsageError if it might write, duckdb.Error if it is not SQL.
    """
    [parsed] = connection.extract_statements(statement.text)
    kind, text = parsed.type.name, statement.text
    if kind not in READING:
        raise UsageError(
            f"query: {kind.lower()} is not a statement that reads (expected select)."
            " Use `pipeline.connect()` for more."
        )
    if kind == "MULTI":
        if word := _WRITING_WORDS.search(text):
            raise UsageError(
                f"query: a pivot may not contain the word {word[1]}, which might write."
                " Name the columns: on ... in (...)."
            )
        return parsed
    if kind == "EXPLAIN":
        if not (start := _EXPLAIN.match(text)):
            raise UsageError(
                "query: cannot read this explain. Begin the statement with the word explain."
            )
        text = text[start.end() :]
    if reason := _writes(connection, text):
        raise UsageError(
            f"query: {reason} (expected a statement that reads). Use `pipeline.connect()` for more."
        )
    return parsed


def _writes(connection: duckdb.DuckDBPyConnection, text: str) -> str | None:
    """Return why a select might write; None if it only reads."""
    [(answer,)] = connection.execute("select json_serialize_sql($1)", [text]).fetchall()
    tree = json.loads(answer)
    if tree["error"]:
        return "this explain is not of a select"
    for node in _nodes(tree):
        kind = node.get("type")
        if (
            isinstance(kind, str)
            and kind.endswith("_NODE")
            and kind not in _NODES
            and "modifiers" in node
        ):
            return f"{kind.split('_')[0].lower()} writes, also within a select"
        name = str(node.get("function_name", "")).lower()
        if name in _EXECUTING:
            return f"{name} runs SQL that cannot be checked"
        if name == "query" and (reason := _writes_inside(connection, node)):
            return reason
    return None


def _writes_inside(connection: duckdb.DuckDBPyConnection, call: dict[str, Any]) -> str | None:
    """Return why the text given to `query()` might write; only a literal can be checked."""
    texts = [
        argument.get("expression", {}).get("literal", {}).get("text")
        for argument in call.get("arguments", [])
    ]
    if len(texts) != 1 or not isinstance(texts[0], str):
        return "query() runs SQL that cannot be checked, unless its text is a literal"
    return _writes(connection, texts[0])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON tree."""
    pending = [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
