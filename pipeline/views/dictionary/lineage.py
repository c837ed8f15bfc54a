"""What a view reads, by DuckDB's own parser (`json_serialize_sql`)."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from pipeline.errors import SchemaError


def reads(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    """Return the relations that a query reads and does not define, in alphabetical order.

    Raises SchemaError if DuckDB cannot parse it.
    """
    [(text,)] = connection.execute("select json_serialize_sql(?)", [query]).fetchall()
    parsed = json.loads(text)
    if parsed["error"]:
        raise SchemaError(
            f"sql: DuckDB cannot parse a view ({parsed['error_message']}). Write a single select."
        )
    found: set[str] = set()
    _walk(parsed["statements"], frozenset(), found)
    return tuple(sorted(found))


def bases(name: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the tables that a view's rows come from in the end, in alphabetical order.

    `known` are the relations that each view reads; a name that it lacks is a table.
    """
    found, open_names, seen = set(), [name], {name}
    while open_names:
        for read in known[open_names.pop()]:
            if read not in known:
                found.add(read)
            elif read not in seen:
                seen.add(read)
                open_names.append(read)
    return tuple(sorted(found))


def _walk(node: Any, defined: frozenset[str], found: set[str]) -> None:
    """Add the relations below a node of the syntax tree to `found`.

    `defined` are the names of common table expressions in scope. One is in scope in those after it
    and in the query, and within itself only if it is recursive.
    """
    if isinstance(node, list):
        for child in node:
            _walk(child, defined, found)
    elif isinstance(node, dict):
        for expression in (node.get("cte_map") or {}).get("map", ()):
            name, definition = expression["key"], expression["value"]
            is_recursive = definition["query_node"]["type"] == "RECURSIVE_CTE_NODE"
            _walk(definition, defined | {name} if is_recursive else defined, found)
            defined |= {name}
        if node.get("type") == "BASE_TABLE" and node["table_name"] not in defined:
            found.add(node["table_name"])
        for key, child in node.items():
            if key != "cte_map":
                _walk(child, defined, found)
