"""Turn a request for tables and views into one query per relation."""

import datetime as dt
from collections.abc import Collection

import duckdb
from msgspec import Struct

from pipeline.errors import QueryError, UsageError
from pipeline.schema.tables import RUNS, TABLES
from pipeline.text import closest, did_you_mean
from pipeline.views.catalog import column_comments
from pipeline.views.quoting import identifier, quoted
from pipeline.views.relations import relations

ALL_TABLES = {**TABLES, RUNS.name: RUNS}
DEFAULT_NAMES = tuple(name for name in ALL_TABLES if name != "secured")
"""The tables that a request without names exports."""


class Request(Struct, frozen=True):
    """The relations to export, and the rows and columns to choose from them."""

    names: tuple[str, ...] = ()
    """Tables and views; none = `DEFAULT_NAMES`."""
    columns: tuple[str, ...] = ()
    """Names of columns in the order of the output; none = all."""
    where: str | None = None
    """A condition in SQL."""
    order_by: str | None = None
    """What follows `order by` in SQL."""
    since: dt.date | None = None
    """First day on which the articles were published, UTC."""
    until: dt.date | None = None
    """Last day on which the articles were published, UTC."""
    sample: int | None = None
    """Number of rows to choose by a hash of the key: the same ones each time."""
    seed: int = 0
    """Another seed chooses other rows."""


class Field(Struct, frozen=True):
    """A column: its name, its type as DuckDB writes it, and its description."""

    name: str
    type: str
    description: str


class RelationQuery(Struct, frozen=True):
    """The query that reads the chosen rows and columns of a relation."""

    name: str
    description: str
    fields: tuple[Field, ...]
    sql: str


def relation_queries(
    connection: duckdb.DuckDBPyConnection, request: Request
) -> list[RelationQuery]:
    """Return a query for each relation of the request.

    Raises UsageError for unknown names and for filters that a relation does not have, QueryError
    for SQL that DuckDB refuses.
    """
    if request.since and request.until and request.since > request.until:
        raise UsageError(f"--since {request.since}: is after --until {request.until}. Swap them.")
    known = _descriptions(connection)
    names = request.names or DEFAULT_NAMES
    for name in names:
        if name not in known:
            raise UsageError(f"{name}: no such table or view. {_suggestion(name, list(known))}")
    if len(set(names)) < len(names):
        raise UsageError(
            f"export: a name is given twice (got {' '.join(names)}). Name each table once."
        )
    return [_relation_query(connection, request, name, *known[name]) for name in names]


def _descriptions(
    connection: duckdb.DuckDBPyConnection,
) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the description of every table and view, and of its columns by name."""
    known = {
        name: (
            f"One row per {table.grain}.",
            {column.name: column.comment for column in table.columns},
        )
        for name, table in ALL_TABLES.items()
    }
    columns = column_comments(connection)
    return known | {
        view.name: (view.comment, columns.get(view.name, {}))
        for view in relations("views", "reports")
    }


def _suggestion(name: str, names: list[str]) -> str:
    return did_you_mean(closest(name, names)) or f"There are {', '.join(names)}."


def _relation_query(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    name: str,
    description: str,
    columns_known: dict[str, str],
) -> RelationQuery:
    types = {row[0]: row[1] for row in connection.execute(f"describe {name}").fetchall()}
    columns = request.columns or tuple(types)
    for column in columns:
        if column not in types:
            raise UsageError(f"{name}: has no column {column}. {_suggestion(column, list(types))}")
    if len(set(columns)) < len(columns):
        raise UsageError(f"--columns {','.join(columns)}: a column is given twice. Name each once.")
    sql = _sql(request, name, columns, types)
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            raise UsageError(
                f"{name}: --where and --order-by do not form a single SELECT. Give a condition and"
                " column names."
            )
        connection.execute(f"describe {sql}").fetchall()
    except duckdb.Error as error:
        raise QueryError(f"{name}: {error}") from error
    fields = [Field(column, types[column], columns_known.get(column, "")) for column in columns]
    return RelationQuery(name, description, tuple(fields), sql)


def _sql(
    request: Request, name: str, columns: tuple[str, ...], all_columns: Collection[str]
) -> str:
    conditions = [f"(\n{request.where}\n)"] if request.where else []
    if request.since or request.until:
        conditions.append(_publication_condition(request, name, all_columns))
    where = f" where {' and '.join(conditions)}" if conditions else ""
    order, source = request.order_by, name + where
    if request.sample is not None:
        key = ALL_TABLES[name].key if name in ALL_TABLES else ()
        keys = ", ".join(key)
        sampled = (
            f"from {name}{where} order by {_hash(request.seed, name, key)} limit {request.sample}"
        )
        source = (
            f"{name} semi join (select {keys} {sampled}) using ({keys})"
            if key
            else f"({sampled}) as {name}"
        )
        order = order or keys
    select = f"select {', '.join(map(identifier, columns))} from {source}"
    return f"{select} order by\n{order}\n" if order else select


def _publication_condition(request: Request, name: str, columns: Collection[str]) -> str:
    """Return the condition for the days of publication.

    Rows that belong to an article follow it, so that the exported tables fit together.
    """
    limits = []
    if request.since:
        limits.append(f"published_at >= timestamptz '{request.since} 00:00:00+00'")
    if request.until:
        limits.append(f"published_at < timestamptz '{request.until} 00:00:00+00' + interval 1 day")
    condition = " and ".join(limits)
    if "article_id" in columns and name != "articles":
        return f"{name}.article_id in (select article_id from articles where {condition})"
    if "published_at" in columns:
        return f"({condition})"
    raise UsageError(
        f"{name}: has no time of publication, so --since and --until do not apply. Leave out {name}"
        " or use --where."
    )


def _hash(seed: int, name: str, key: tuple[str, ...]) -> str:
    """Return the hash that orders rows for a sample: the same each time, whatever they mean."""
    values = ", ".join(f"{column}::varchar" for column in key or (name,))
    return f"md5(concat_ws(chr(31), {quoted(str(seed))}, {values}))"
