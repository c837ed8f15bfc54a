"""SQL against a snapshot: statements that read, their parameters, their answers as text."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import duckdb
from msgspec import Struct

from pipeline.errors import QueryError, UsageError
from pipeline.load.files import writing_to
from pipeline.load.retention import resolve
from pipeline.load.warehouse import Warehouse
from pipeline.query.diagnostics import explain
from pipeline.query.read_only import reading_statements, restrict
from pipeline.text import FORMATS, TABLE_ROWS, fits, printable, render
from pipeline.views.catalog import connect
from pipeline.views.quoting import quoted

STYLES = ("auto", *FORMATS)
"""Formats as text; `auto` is a table, or records where few rows are wider than the terminal."""
FEW_ROWS = 20
"""Rows up to which `auto` shows records rather than hide columns."""

Value = int | float | bool | str | dt.date | dt.datetime
Asked = TypeVar("Asked")
_CHUNK = 10_000


class Answer(Struct, frozen=True):
    """What one statement gave: names and rows, and how many rows there are beyond those."""

    statement: str
    names: list[str]
    rows: list[tuple[Any, ...]]
    more: int = 0


class Session:
    """A connection on a snapshot, by default the published one, that only reads. Raises WarehouseError, UsageError."""

    def __init__(self, warehouse: Warehouse, snapshot: str | None = None) -> None:
        self.connection = connect(
            warehouse, warehouse.manifest(resolve(warehouse, snapshot)) if snapshot else None
        )
        restrict(self.connection)

    def answers(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        *,
        limit: int | None = None,
        explain: bool = False,
    ) -> Iterator[Answer]:
        """The answer of each statement in turn, at most `limit` rows of it; with `explain`, its plan.

        Raises QueryError with DuckDB's message, UsageError for statements that do not read or parameters that do not fit.
        """
        given = parameters or {}
        with self._told(sql):
            statements = reading_statements(self.connection, sql)
        check_parameters(statements, given)
        start = 0
        for statement in statements:
            start = _offset(sql, statement.query, start)
            values = {name: given[name] for name in statement.named_parameters}
            if explain and statement.type.name != "EXPLAIN":
                with self._told(sql, start - len("explain ")):
                    answer = self._plan(statement, values)
            else:
                with self._told(sql):
                    answer = self._answer(statement, values, limit)
            yield answer
            start += len(statement.query.encode())

    def last(
        self, sql: str, parameters: Mapping[str, Value] | None = None, *, limit: int | None = None
    ) -> tuple[list[str], Iterator[list[tuple[Any, ...]]]]:
        """Names and rows of the last statement's answer, some thousand rows at a time; the ones before it are run too.

        Raises what `answers` raises, also in the middle of the rows.
        """
        given = parameters or {}
        with self._told(sql):
            statements = reading_statements(self.connection, sql)
        check_parameters(statements, given)
        for statement in statements[:-1]:
            with self._told(sql):
                self._answer(
                    statement, {name: given[name] for name in statement.named_parameters}, 0
                )
        values = {name: given[name] for name in statements[-1].named_parameters}
        with self._told(sql):
            found = self._waited(lambda: self.connection.execute(statements[-1], values or None))
        return [column[0] for column in found.description or ()], self._batches(sql, limit)

    def _batches(self, sql: str, limit: int | None) -> Iterator[list[tuple[Any, ...]]]:
        """What the connection has been asked for."""
        count = 0
        while size := _CHUNK if limit is None else min(_CHUNK, limit - count):
            with self._told(sql):
                rows = self._waited(partial(self.connection.fetchmany, size))
            if not rows:
                return
            yield rows
            count += len(rows)

    def _answer(
        self, statement: duckdb.Statement, values: dict[str, Value], limit: int | None
    ) -> Answer:
        return self._waited(lambda: self._ask(statement, values, limit))

    def _waited(self, ask: Callable[[], Asked]) -> Asked:
        """Asked in a thread, so that a signal ends it at once: DuckDB looks for one only between some of its steps.

        The thread is interrupted until it has ended: an interruption before DuckDB begins is lost, and two threads must not
        share the connection.
        """
        given_up, found = Event(), Future[Asked]()

        def answer() -> None:
            if not given_up.is_set():
                try:
                    found.set_result(ask())
                except BaseException as error:  # for the thread that waits
                    found.set_exception(error)

        thread = Thread(target=answer)
        try:
            thread.start()
            while thread.is_alive():
                thread.join(0.2)
        except BaseException as error:
            given_up.set()
            while thread.is_alive():
                with suppress(KeyboardInterrupt):
                    self.connection.interrupt()
                    thread.join(0.05)
            if isinstance(error, KeyboardInterrupt):
                raise RuntimeError("Query interrupted") from error
            raise
        return found.result()

    def _ask(
        self, statement: duckdb.Statement, values: dict[str, Value], limit: int | None
    ) -> Answer:
        found = self.connection.execute(statement, values or None)
        names = [column[0] for column in found.description or ()]
        if limit is None:
            return Answer(statement.query, names, found.fetchall())
        rows, more = found.fetchmany(limit), 0
        while rest := len(found.fetchmany(_CHUNK)):
            more += rest
        return Answer(statement.query, names, rows, more)

    def _plan(self, statement: duckdb.Statement, values: dict[str, Value]) -> Answer:
        found = self.connection.execute(f"explain {statement.query}", values or None)
        return Answer(statement.query, ["explain_key", "explain_value"], found.fetchall())

    def write_parquet(
        self, sql: str, path: Path, parameters: Mapping[str, Value] | None = None
    ) -> None:
        """Write the rows of one statement as Parquet. Raises QueryError, UsageError, WarehouseError."""
        given = parameters or {}
        with self._told(sql):
            statements = reading_statements(self.connection, sql)
        if len(statements) != 1:
            raise UsageError(
                f"query: {len(statements)} statements (expected one for a file of Parquet). Give a single one."
            )
        check_parameters(statements, given)
        text = statements[0].query.strip().rstrip(";")
        with (
            writing_to(path) as target,
            self._told(sql, _offset(sql, text, 0) - len("copy (\n")),
        ):
            self.connection.execute(
                f"copy (\n{text}\n) to {quoted(str(target))} (format parquet)",
                dict(given) or None,
            )

    @contextmanager
    def _told(self, sql: str, start: int = 0) -> Iterator[None]:
        """Raise errors of DuckDB as ours."""
        try:
            yield
        except (duckdb.Error, RuntimeError, UnicodeEncodeError) as error:
            if "interrupted" in str(error).lower():
                raise
            raise QueryError(f"query: {explain(error, sql, self.connection, start)}") from error


def answers(
    sql: str,
    warehouse: Warehouse,
    parameters: Mapping[str, Value] | None = None,
    *,
    snapshot: str | None = None,
    limit: int | None = None,
    explain: bool = False,
) -> list[Answer]:
    """The answers of all statements of a text on one snapshot. Raises QueryError, UsageError, WarehouseError."""
    return list(Session(warehouse, snapshot).answers(sql, parameters, limit=limit, explain=explain))


def plan_text(answer: Answer) -> str:
    """The plan that an `explain` gave."""
    return "".join(f"{row[-1].rstrip()}\n" for row in answer.rows)


def as_text(answer: Answer, style: str, *, width: int | None) -> str:
    """An answer in one of `STYLES`, for a terminal of so many columns. Raises UsageError for an unknown format."""
    if style not in STYLES:
        raise UsageError(
            f"--format {style}: unknown. Choose one of {', '.join((*STYLES, 'parquet'))}."
        )
    if answer.names == ["explain_key", "explain_value"] and style in ("auto", "table"):
        return plan_text(answer)
    notes, chosen = "", style
    if style == "auto":
        wide = width is not None and not fits(answer.names, answer.rows, width)
        chosen = "record" if wide and len(answer.rows) + answer.more <= FEW_ROWS else "table"
        if wide and chosen == "record":
            notes += f"... {len(answer.names)} columns do not fit; --format table cuts them\n"
        elif wide:
            notes += "... --format record shows all columns\n"
    if answer.more and chosen in ("table", "record", "md"):
        notes += f"... {answer.more:,} more rows; --limit 0 or --format csv prints all\n"
    return render(answer.names, answer.rows, chosen, width=width, limit=None) + notes


def heading(number: int, answer: Answer) -> str:
    """The line above an answer that is one of several."""
    words = printable(" ".join(answer.statement.split()))
    return f"-- {number}: {words if len(words) <= 80 else words[:79] + '…'}\n"


def row_limit(style: str, limit: int | None) -> int | None:
    """How many rows a format shows: as many as are asked for (0 = all), else all but for people, who see `TABLE_ROWS`."""
    if limit is not None:
        return limit or None
    return TABLE_ROWS if style in ("auto", "table", "record") else None


def parse_parameters(texts: Sequence[str]) -> dict[str, Value]:
    """Values by name from `name=value`: a number, true or false, a date or time in ISO 8601 (UTC), else text.

    What is only nearly a number, such as 007 or 1e5, is text. Raises UsageError.
    """
    found: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"\w+", name):
            raise UsageError(
                f"--param {printable(text)}: is no parameter (expected NAME=VALUE). Use it in SQL as $NAME."
            )
        if name in found:
            raise UsageError(f"--param {name}: is given twice. Give it once.")
        found[name] = typed(value)
    return found


def typed(text: str) -> Value:
    """The value that a text means."""
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
        return float(text)
    if text in ("true", "false"):
        return text == "true"
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return dt.date.fromisoformat(text)
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9:]+)?", text):
            time = dt.datetime.fromisoformat(text)
            return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except ValueError:
        pass
    return text


def check_parameters(statements: Sequence[duckdb.Statement], given: Mapping[str, Value]) -> None:
    """Raise UsageError for a parameter without value, or a value that no statement asks for."""
    asked = {name for statement in statements for name in statement.named_parameters}
    if missing := sorted(asked - given.keys()):
        raise UsageError(
            f"query: ${missing[0]} has no value. Give it with --param {missing[0]}=VALUE."
        )
    if left := sorted(given.keys() - asked):
        names = (
            f"It asks for {', '.join(f'${name}' for name in sorted(asked))}."
            if asked
            else "It asks for none."
        )
        raise UsageError(f"--param {left[0]}: the SQL has no ${left[0]}. {names}")


def _offset(sql: str, statement: str, start: int) -> int:
    """Where a statement begins, in bytes, at `start` or after."""
    return max(start, sql.encode().find(statement.encode(), start))
