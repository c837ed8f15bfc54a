"""What a view reads, by DuckDB's own parser (`json_serialize_sql`)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from pipeline.errors import SchemaError


def reads(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[str, ...]:
    """Return the relations that a query reads and does not define, in alphabetical order.

    Raises SchemaError if DuckDB cannot parse it.
    """
    [(text,)] = connection.execute("select json_serialize_sql(?)", [query]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        reason = tree["error_message"]
        raise SchemaError(f"sql: DuckDB cannot parse a view ({reason}). Write a single select.")
    return tuple(sorted(set(_reads(tree["statements"], frozenset()))))


def bases(name: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the tables that a view's rows come from in the end, in alphabetical order.

    `known` are the relations that each view reads; a name that it lacks is a table.
    """
    read = known[name]
    below = [bases(relation, known) if relation in known else (relation,) for relation in read]
    return tuple(sorted({table for tables in below for table in tables}))


def _reads(node: Any, defined: frozenset[str]) -> Iterator[str]:
    """Yield the relations that are read below a node of the syntax tree.

    `defined` are the names of common table expressions in scope. One is in scope in those after it
    and in the query, and within itself only if it is recursive.
    """
    if isinstance(node, list):
        for child in node:
            yield from _reads(child, defined)
    elif isinstance(node, dict):
        for expression in (node.get("cte_map") or {}).get("map", ()):
            name, definition = expression["key"], expression["value"]
            is_recursive = definition["query_node"]["type"] == "RECURSIVE_CTE_NODE"
            yield from _reads(definition, defined | {name} if is_recursive else defined)
            defined |= {name}
        if node.get("type") == "BASE_TABLE" and node["table_name"] not in defined:
            yield node["table_name"]
        yield from _reads([node[key] for key in node.keys() - {"cte_map"}], defined)
