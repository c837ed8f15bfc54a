"""The data dictionary: tables, views and columns as rows, from `schema.py` and the headers of `sql/`."""

from typing import Any

from pipeline.errors import UsageError
from pipeline.relations import relations
from pipeline.schema import RUNS, TABLES

Listing = tuple[list[str], list[tuple[Any, ...]]]


def tables() -> Listing:
    """Name, grain, key and number of columns of each table."""
    rows = [(table.name, table.grain, ", ".join(table.key), len(table.columns)) for table in (*TABLES.values(), RUNS)]
    return ["table", "one row per", "key", "columns"], rows


def columns_of(name: str) -> Listing:
    """The columns of one table, or those that a view describes. Raises UsageError for an unknown name."""
    known = {**TABLES, RUNS.name: RUNS}
    views = {relation.name: relation for relation in relations("views", "reports")}
    if name in views:
        return ["column", "description"], list(views[name].columns.items())
    if name not in known:
        raise UsageError(f"{name}: there is no such table or view. There are {', '.join([*known, *views])}.")
    rows = [
        (column.name, str(column.type), "" if column.nullable else "not null", column.unit, column.origin, column.description)
        for column in known[name].columns
    ]
    return ["column", "type", "nulls", "unit", "front matter", "description"], rows
