"""Answer SQL on a snapshot: statements that read, their parameters, answers as text."""

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

from pipeline.errors import PipelineError, QueryError, UsageError
from pipeline.load.files import writing_to
from pipeline.load.warehouse import Warehouse
from pipeline.query.diagnostics import explain
from pipeline.query.frames import open_snapshot
from pipeline.query.read_only import parse_reading, restrict, split
from pipeline.text import FORMATS, TABLE_ROWS, fits, printable, render
from pipeline.views.quoting import quoted

STYLES = ("auto", *FORMATS)
"""Formats as text; `auto` is a table, or records if few rows are wider than the terminal."""
FEW_ROWS = 20
"""Rows up to which `auto` prints records rather than hide columns."""

Value = int | float | bool | str | dt.date | dt.datetime
Values = Mapping[str, Value] | None
"""Parameters by name."""
Rows = list[tuple[Any, ...]]
Result = TypeVar("Result")
_BATCH = 10_000


class Answer(Struct, frozen=True):
    """The names and rows that one statement returned; `more` counts the rows beyond a limit."""

    statement: str
    names: list[str]
    rows: Rows
    more: int = 0


class _Prepared(Struct, frozen=True):
    """A statement of `sql` from byte `start` on, as DuckDB parses it, and its parameters."""

    sql: str
    text: str
    start: int
    parsed: duckdb.Statement
    values: dict[str, Value]


class Session:
    """A connection on a snapshot, by default the published one, that only reads.

    Raises WarehouseError if nothing is published, UsageError if there is no such snapshot.
    """

    def __init__(self, warehouse: Warehouse, snapshot: str | None = None) -> None:
        self.connection = open_snapshot(warehouse, snapshot)
        restrict(self.connection)

    def answers(
        self,
        sql: str,
        parameters: Values = None,
        *,
        limit: int | None = None,
        explain: bool = False,
    ) -> Iterator[Answer]:
        """Yield the answer of each statement, at most `limit` rows; with `explain`, its plan.

        The statements before the first error are answered. Raises QueryError with DuckDB's message,
        UsageError for statements that do not only read and for parameters that do not fit.
        """
        for prepared in self._prepared(sql, parameters):
            names, batches = self._run(prepared, explain=explain)
            rows: Rows = []
            count = 0
            for batch in batches:
                rows += batch if limit is None else batch[: max(0, limit - count)]
                count += len(batch)
            yield Answer(prepared.text, names, rows, count - len(rows))

    def last(
        self,
        sql: str,
        parameters: Values = None,
        *,
        limit: int | None = None,
        explain: bool = False,
    ) -> tuple[list[str], Iterator[Rows]]:
        """Return names and batches of rows of the last statement; those before it are run too.

        Raises what `answers` raises, also while rows are read.
        """
        *others, prepared = self._prepared(sql, parameters)
        for other in others:
            for _ in self._run(other)[1]:
                pass
        return self._run(prepared, limit, explain=explain)

    def write_parquet(self, sql: str, path: Path, parameters: Values = None) -> None:
        """Write the rows of one statement as Parquet.

        Raises QueryError, UsageError, WarehouseError if the file cannot be written.
        """
        prepared = list(self._prepared(sql, parameters))
        if len(prepared) != 1:
            raise UsageError(
                f"query: {len(prepared)} statements (expected one, for a Parquet file)."
                " Give a single statement."
            )
        [statement] = prepared
        copy, text = "copy (\n", statement.text.rstrip("; ")
        with writing_to(path) as target, self._explaining(sql, statement.start - len(copy)):
            query = f"{copy}{text}\n) to {quoted(str(target))} (format parquet)"
            self.connection.execute(query, statement.values or None)

    def _prepared(self, sql: str, parameters: Values) -> Iterator[_Prepared]:
        """Yield the statements that can be run, with their parameters, then raise the error."""
        given = parameters or {}
        parsed, failure = [], None
        with self._explaining(sql):
            statements = split(sql)
        for statement in statements:
            try:
                with self._explaining(sql, statement.start):
                    parsed.append(parse_reading(self.connection, statement))
            except PipelineError as error:
                failure = error
                break
        names = {name for query in parsed for name in query.named_parameters}
        check_parameters(names, given, is_complete=failure is None)
        for statement, query in zip(statements, parsed, strict=False):
            values = {name: given[name] for name in query.named_parameters}
            yield _Prepared(sql, statement.text, statement.start, query, values)
        if failure:
            raise failure

    def _run(
        self, prepared: _Prepared, limit: int | None = None, *, explain: bool = False
    ) -> tuple[list[str], Iterator[Rows]]:
        """Run one statement; return the names of its columns and its rows in batches."""
        query: duckdb.Statement | str = prepared.parsed
        start = prepared.start
        if explain and prepared.parsed.type.name != "EXPLAIN":
            query = f"explain {prepared.text}"
            start -= len("explain ")
        with self._explaining(prepared.sql, start):
            result = self._interruptible(
                lambda: self.connection.execute(query, prepared.values or None)
            )
        batches = self._batches(prepared.sql, start, limit)
        return [column[0] for column in result.description or ()], batches

    def _batches(self, sql: str, start: int, limit: int | None) -> Iterator[Rows]:
        """Yield the rows of the statement that was executed last."""
        count = 0
        while size := _BATCH if limit is None else min(_BATCH, limit - count):
            with self._explaining(sql, start):
                rows = self._interruptible(partial(self.connection.fetchmany, size))
            if not rows:
                return
            yield rows
            count += len(rows)

    def _interruptible(self, call: Callable[[], Result]) -> Result:
        """Return what `call` returns; it runs in a thread, so that a signal ends it at once.

        In this thread, DuckDB would notice a signal only between some of its steps. The other one
        is interrupted until it has ended: an interruption before DuckDB begins is lost, and two
        threads must not share the connection.
        """
        cancelled, future = Event(), Future[Result]()

        def work() -> None:
            if not cancelled.is_set():
                try:
                    future.set_result(call())
                except BaseException as error:  # for the thread that waits
                    future.set_exception(error)

        thread = Thread(target=work)
        try:
            thread.start()
            while thread.is_alive():
                thread.join(0.2)
        except BaseException as error:
            cancelled.set()
            while thread.is_alive():
                with suppress(KeyboardInterrupt):
                    self.connection.interrupt()
                    thread.join(0.05)
            if isinstance(error, KeyboardInterrupt):
                raise RuntimeError("Query interrupted") from error
            raise
        return future.result()

    @contextmanager
    def _explaining(self, sql: str, start: int = 0) -> Iterator[None]:
        """Raise errors of DuckDB as QueryError; its text begins at byte `start` of `sql`."""
        try:
            yield
        except (duckdb.Error, RuntimeError, UnicodeEncodeError) as error:
            if "interrupted" in str(error).lower():
                raise
            raise QueryError(f"query: {explain(error, sql, self.connection, start)}") from error


def answer_texts(
    answers: Iterator[Answer], sql: str, style: str, *, width: int | None
) -> Iterator[str]:
    """Yield answers as text, each under a heading if the SQL has several statements."""
    has_headings = len(split(sql)) > 1
    for number, answer in enumerate(answers, 1):
        separator = "\n" if number > 1 else ""
        yield separator + (heading(number, answer) if has_headings else "")
        yield as_text(answer, style, width=width)


def as_text(answer: Answer, style: str, *, width: int | None) -> str:
    """Return an answer in one of `STYLES`, for a terminal of `width` characters."""
    if answer.names == ["explain_key", "explain_value"] and style in ("auto", "table"):
        return "".join(f"{row[-1].rstrip()}\n" for row in answer.rows)
    notes, chosen = "", style
    if style == "auto":
        is_wide = width is not None and not fits(answer.names, answer.rows, width)
        chosen = "record" if is_wide and len(answer.rows) + answer.more <= FEW_ROWS else "table"
        if is_wide and chosen == "record":
            notes += f"... {len(answer.names)} columns do not fit; --format table cuts them\n"
        elif is_wide:
            notes += "... --format record shows all columns\n"
    if answer.more and chosen in ("table", "record", "md"):
        notes += f"... {answer.more:,} more rows; --limit 0 or --format csv prints all\n"
    return render(answer.names, answer.rows, chosen, width=width, limit=None) + notes


def heading(number: int, answer: Answer) -> str:
    """Return the line above an answer that is one of several."""
    text = printable(" ".join(answer.statement.split()))
    return f"-- {number}: {text if len(text) <= 80 else text[:79] + '…'}\n"


def row_limit(style: str, limit: int | None) -> int | None:
    """Return how many rows to print; None = all.

    That is `limit` (0 = all) if it is given, else `TABLE_ROWS` in formats for people.
    """
    if limit is not None:
        return limit or None
    return TABLE_ROWS if style in ("auto", "table", "record") else None


def parse_parameters(texts: Sequence[str]) -> dict[str, Value]:
    """Return values by name from texts `name=value`.

    A value is a number, true or false, a date or time in ISO 8601 (UTC), else text; 007 and 1e5 are
    text. Raises UsageError.
    """
    parameters: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"\w+", name):
            raise UsageError(
                f"--param {printable(text)}: is not a parameter (expected NAME=VALUE)."
                " SQL uses it as $NAME."
            )
        if name in parameters:
            raise UsageError(f"--param {name}: is given twice (expected once). Remove one of them.")
        parameters[name] = typed(value)
    return parameters


def typed(text: str) -> Value:
    """Return the value that a text stands for."""
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


def check_parameters(names: set[str], given: Mapping[str, Value], *, is_complete: bool) -> None:
    """Raise UsageError for a parameter without value, or a value that no statement uses.

    `names` are the parameters of the statements; only if all of them are known, `is_complete`, can
    a value be one too many.
    """
    if missing := sorted(names - given.keys()):
        raise UsageError(
            f"query: ${missing[0]} has no value. Give it with --param {missing[0]}=VALUE."
        )
    if is_complete and (unused := sorted(given.keys() - names)):
        known = ", ".join(f"${name}" for name in sorted(names)) or "none"
        raise UsageError(
            f"--param {unused[0]}: the SQL has no parameter ${unused[0]} (it has {known})."
            " Check the name."
        )
