"""What is exported: a request becomes one query per relation."""

import datetime as dt

import duckdb
from msgspec import Struct

from pipeline.errors import QueryError, UsageError
from pipeline.schema.table import Table
from pipeline.schema.tables import RUNS, TABLES
from pipeline.text import closest, did_you_mean
from pipeline.views.quoting import identifier, quoted
from pipeline.views.relations import relations

UNASKED = tuple(name for name in (*TABLES, RUNS.name) if name != "secured")
"""Tables that leave without being named."""


class Request(Struct, frozen=True):
    """Which relations, and which of their rows and columns."""

    names: tuple[str, ...] = ()
    """Tables and views; none = all tables but `secured`."""
    columns: tuple[str, ...] = ()
    """Names in the order wanted; none = all."""
    where: str | None = None
    """A condition in SQL."""
    order_by: str | None = None
    """What stands after `order by` in SQL."""
    since: dt.date | None = None
    """First day of the articles' publication, UTC."""
    until: dt.date | None = None
    """Last day of the articles' publication, UTC."""
    sample: int | None = None
    """So many rows, chosen by a hash of the key: the same ones each time."""
    seed: int = 0
    """Another seed chooses other rows."""


class Field(Struct, frozen=True):
    """A column: its name, its type in DuckDB's words, what it means."""

    name: str
    type: str
    about: str


class Extract(Struct, frozen=True):
    """The rows that leave one relation."""

    name: str
    about: str
    fields: tuple[Field, ...]
    query: str


def extracts(connection: duckdb.DuckDBPyConnection, request: Request) -> list[Extract]:
    """One extract per relation asked for.

    Raises UsageError for unknown names and for filters that a relation does not know, QueryError for SQL that DuckDB refuses.
    """
    if request.since and request.until and request.since > request.until:
        raise UsageError(f"--since {request.since}: is after --until {request.until}. Swap them.")
    about = _known()
    names = request.names or UNASKED
    for name in names:
        if name not in about:
            hint = did_you_mean(closest(name, about)) or "`pipeline schema` lists all."
            raise UsageError(f"{name}: there is no such table or view. {hint}")
    if len(set(names)) < len(names):
        raise UsageError(
            f"export: a name is given twice (got {' '.join(names)}). Name each table once."
        )
    return [_extract(connection, request, name, *about[name]) for name in names]


def _known() -> dict[str, tuple[str, dict[str, str]]]:
    """What a row and each column of every table and view is."""
    known = {
        table.name: (
            f"One row per {table.grain}.",
            {column.name: column.comment for column in table.columns},
        )
        for table in (*TABLES.values(), RUNS)
    }
    passed_on = known["topics"][1] | known["articles"][1]  # what views of facts take over as it is
    return known | {
        view.name: (view.comment, passed_on | view.columns)
        for view in relations("views", "reports")
    }


def _extract(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    name: str,
    about: str,
    described: dict[str, str],
) -> Extract:
    types = {row[0]: row[1] for row in connection.execute(f"describe {name}").fetchall()}
    for column in request.columns:
        if column not in types:
            hint = did_you_mean(closest(column, types)) or f"It has {', '.join(types)}."
            raise UsageError(f"{name}: has no column {column}. {hint}")
    columns = request.columns or tuple(types)
    if len(set(columns)) < len(columns):
        raise UsageError(f"--columns {','.join(columns)}: a column is given twice. Name each once.")
    query = _query(request, name, columns, list(types))
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            raise UsageError(
                f"{name}: --where and --order-by are no parts of one SELECT. Give a condition and columns."
            )
        connection.execute(f"describe {query}").fetchall()
    except duckdb.Error as error:
        raise QueryError(f"{name}: {error}") from error
    return Extract(
        name,
        about,
        tuple(Field(column, types[column], described.get(column, "")) for column in columns),
        query,
    )


def _query(request: Request, name: str, columns: tuple[str, ...], all_columns: list[str]) -> str:
    conditions = [f"(\n{request.where}\n)"] if request.where else []
    if request.since or request.until:
        conditions.append(_published(request, name, all_columns))
    where = f" where {' and '.join(conditions)}" if conditions else ""
    table = {**TABLES, RUNS.name: RUNS}.get(name)
    order, source = request.order_by, name + where
    if request.sample is not None:
        shuffled = f"from {name}{where} order by {_shuffle(request.seed, name, table)} limit {request.sample}"
        key = ", ".join(table.key) if table else None
        source = (
            f"{name} semi join (select {key} {shuffled}) using ({key})"
            if key
            else f"({shuffled}) as {name}"
        )
        order = order or key
    select = f"select {', '.join(map(identifier, columns))} from {source}"
    return f"{select} order by\n{order}\n" if order else select


def _published(request: Request, name: str, columns: list[str]) -> str:
    """The articles of the days asked for; a relation of several article's rows follows its article, so that tables fit together."""
    limits = [f"published_at >= timestamptz '{request.since} 00:00:00+00'"] if request.since else []
    if request.until:
        limits.append(f"published_at < timestamptz '{request.until} 00:00:00+00' + interval 1 day")
    span = " and ".join(limits)
    if "article_id" in columns and name != "articles":
        return f"{name}.article_id in (select article_id from articles where {span})"
    if "published_at" in columns:
        return f"({span})"
    raise UsageError(
        f"{name}: has no time of publication, so --since and --until mean nothing. Leave {name} out, or use --where."
    )


def _shuffle(seed: int, name: str, table: Table | None) -> str:
    """An order that has nothing to do with the rows' meaning and is the same each time."""
    rows = ", ".join(f"{column}::varchar" for column in table.key) if table else f"{name}::varchar"
    return f"md5(concat_ws(chr(31), {quoted(str(seed))}, {rows}))"
