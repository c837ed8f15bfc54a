"""Turn a request for tables and views into one query per relation."""

import datetime as dt

import duckdb
from msgspec import Struct

from pipeline.errors import QueryError, UsageError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import RUNS, TABLES
from pipeline.text import closest, did_you_mean
from pipeline.views.catalog import column_comments
from pipeline.views.quoting import identifier, quoted
from pipeline.views.relations import relations

ALL_TABLES = {**TABLES, RUNS.name: RUNS}
DEFAULT_NAMES = tuple(name for name in ALL_TABLES if name != "secured")
"""The tables that a request without names exports."""
FORMATS = ("csv", "parquet", "jsonl", "xlsx", "frontmatter")


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


class Style(Struct, frozen=True):
    """A format and its options."""

    name: str = "csv"
    raw: bool = False
    """CSV: escape no formulas."""
    excel: bool = False
    """CSV: begin with a byte order mark."""
    nested: bool = False
    """JSON lines: an object per article, with its topics, related items and images."""

    def check(self) -> None:
        """Raise UsageError for an unknown format, or an option of another format."""
        if self.name not in FORMATS:
            raise UsageError(f"--format {self.name}: unknown. Choose one of {', '.join(FORMATS)}.")
        for option, style in (("raw", "csv"), ("excel", "csv"), ("nested", "jsonl")):
            if getattr(self, option) and self.name != style:
                raise UsageError(
                    f"--{option}: belongs to --format {style} (got {self.name}). Leave it out."
                )


class Snapshot(Struct, frozen=True):
    """The published snapshot, a connection to it, and a folder for temporary files."""

    warehouse: Warehouse
    manifest: Manifest
    connection: duckdb.DuckDBPyConnection
    scratch: str


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
    known = {name: f"One row per {table.grain}." for name, table in ALL_TABLES.items()} | {
        view.name: view.comment for view in relations("views", "reports")
    }
    names = request.names or DEFAULT_NAMES
    for name in names:
        if name not in known:
            raise UsageError(f"{name}: no such table or view. {_suggestion(name, list(known))}")
    if len(set(names)) < len(names):
        raise UsageError(
            f"export: a name is given twice (got {' '.join(names)}). Name each table once."
        )
    comments = column_comments(connection) | {
        name: {column.name: column.comment for column in table.columns}
        for name, table in ALL_TABLES.items()
    }
    queries = []
    for name in names:
        types = {row[0]: row[1] for row in connection.execute(f"describe {name}").fetchall()}
        columns = request.columns or tuple(types)
        for column in columns:
            if column not in types:
                hint = _suggestion(column, list(types))
                raise UsageError(f"{name}: has no column {column}. {hint}")
        if len(set(columns)) < len(columns):
            given = ",".join(columns)
            raise UsageError(f"--columns {given}: a column is given twice. Name each once.")
        descriptions = comments.get(name, {})
        fields = [Field(column, types[column], descriptions.get(column, "")) for column in columns]
        query = RelationQuery(name, known[name], tuple(fields), _sql(request, name, columns, types))
        _check_sql(connection, query)
        queries.append(query)
    return queries


def _suggestion(name: str, names: list[str]) -> str:
    return did_you_mean(closest(name, names)) or f"There are {', '.join(names)}."


def _check_sql(connection: duckdb.DuckDBPyConnection, query: RelationQuery) -> None:
    try:
        statements = connection.extract_statements(query.sql)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            raise UsageError(
                f"{query.name}: --where and --order-by do not form a single SELECT. Give a"
                " condition and column names."
            )
        connection.execute(f"describe {query.sql}").fetchall()
    except duckdb.Error as error:
        raise QueryError(f"{query.name}: {error}") from error


def _sql(request: Request, name: str, columns: tuple[str, ...], types: dict[str, str]) -> str:
    conditions = [f"(\n{request.where}\n)"] if request.where else []
    if request.since or request.until:
        conditions.append(_publication_condition(request, name, types))
    order, source = request.order_by, name
    if conditions:
        source += f" where {' and '.join(conditions)}"
    if request.sample is not None:
        key = ALL_TABLES[name].key if name in ALL_TABLES else ()
        keys, seed = ", ".join(key), quoted(str(request.seed))
        # The same order each time, whatever the rows mean.
        texts = ", ".join(f"{column}::varchar" for column in key or (name,))
        hashed = f"md5(concat_ws(chr(31), {seed}, {texts}))"
        sampled = f"from {source} order by {hashed} limit {request.sample}"
        source = f"({sampled}) as {name}"
        if key:
            source = f"{name} semi join (select {keys} {sampled}) using ({keys})"
        order = order or keys
    select = f"select {', '.join(map(identifier, columns))} from {source}"
    return f"{select} order by\n{order}\n" if order else select


def _publication_condition(request: Request, name: str, types: dict[str, str]) -> str:
    """Return the condition for the days of publication.

    Rows that belong to an article follow it, so that the exported tables fit together.
    """
    limits = []
    if request.since:
        limits.append(f"published_at >= timestamptz '{request.since} 00:00:00+00'")
    if request.until:
        limits.append(f"published_at < timestamptz '{request.until} 00:00:00+00' + interval 1 day")
    condition = " and ".join(limits)
    if "article_id" in types and name != "articles":
        return f"{name}.article_id in (select article_id from articles where {condition})"
    if "published_at" in types:
        return f"({condition})"
    raise UsageError(
        f"{name}: has no time of publication, so --since and --until do not apply. Leave out {name}"
        " or use --where."
    )
