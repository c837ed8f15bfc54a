"""A shell on a snapshot: the DuckDB CLI where it is installed, else a prompt with history and completion of names.

Input that does not come from a terminal is read as a script.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import duckdb

from pipeline.errors import PipelineError, UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.process import signals
from pipeline.query.session import STYLES, Session, as_text, row_limit
from pipeline.text import printable, render

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.document import Document

OLDEST_CLI = (1, 2)
"""Oldest version of the DuckDB CLI that opens `warehouse.duckdb`."""
COMMANDS = {
    ".help": "this text",
    ".tables [WORD]": "tables and views, those with WORD in the name",
    ".columns NAME": "columns of a table or view, with their types",
    ".format FORMAT": f"how rows are shown: {', '.join(STYLES)}",
    ".quit": "leave; so does Ctrl-D",
}
_WORDS = (
    "all and any as asc avg between by case cast count cross date desc describe distinct else end except exists explain "
    "false filter first from full group having ilike in inner intersect interval is join last left like limit list max "
    "median min not null offset on or order outer over partition pivot qualify right select sum summarize then true union "
    "unnest unpivot using values when where window with"
)
_NAMES = "select table_name, column_name from duckdb_columns() where not internal order by all"


def duckdb_command(warehouse: Warehouse) -> list[str] | None:
    """How the DuckDB CLI opens the warehouse, read-only and in UTC; None where it cannot.

    It is not installed or too old then, or `warehouse.duckdb` belongs to another place, since its views name files by whole paths.
    """
    beside = str(Path(sys.executable).with_name("duckdb"))
    program = shutil.which("duckdb") or shutil.which(beside)
    if program is None or not _is_recent(program) or not _is_at_home(warehouse):
        return None
    return [program, "-readonly", "-cmd", "set timezone = 'UTC'", str(warehouse.database)]


def _is_recent(program: str) -> bool:
    try:
        said = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_CLI


def _is_at_home(warehouse: Warehouse) -> bool:
    if not warehouse.database.is_file():
        return False
    try:
        with duckdb.connect(str(warehouse.database), read_only=True) as connection:
            rows = connection.execute(
                "select sql from duckdb_views() where view_name = 'articles'"
            ).fetchall()
    except duckdb.Error:
        return False
    return any(str(warehouse.root).replace("'", "''") in row[0] for row in rows)


def replace_process(command: list[str]) -> None:
    """Become another program."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    os.execv(command[0], command)


def run_shell(warehouse: Warehouse, snapshot: str | None = None) -> None:
    """Answer what standard input asks, until it ends. Raises QueryError at the first mistake where that is no terminal."""
    shell = Shell(Session(warehouse, snapshot), sys.stdout)
    if sys.stdin.isatty() and sys.stdout.isatty():
        shell.converse(_prompt(shell))
    else:
        for text in statements_in(sys.stdin):
            if shell.take(text):
                break


class Shell:
    """What is asked and answered; `take` is one turn."""

    def __init__(self, session: Session, sink: TextIO) -> None:
        self.session, self._sink, self._style = session, sink, "auto"

    def take(self, text: str) -> bool:
        """Answer a statement or a command; true where it was to leave. Raises PipelineError."""
        text = text.strip()
        if text.startswith("."):
            return self._command(*text.rstrip(";").split())
        if text.strip("; \n") and not _is_comment(text):
            for answer in self.session.answers(text, limit=row_limit(self._style, None)):
                self._print(as_text(answer, self._style, width=self._width()))
        return False

    def converse(self, ask: Callable[[], str]) -> None:
        """Ask and answer until the end of input; mistakes and Ctrl-C end a turn, not the shell."""
        self._print("Statements end with ; and .help tells the rest.\n")
        with _interruptible():
            while True:
                try:
                    if self.take(ask()):
                        return
                except EOFError:
                    return
                except PipelineError as error:
                    self._print(f"{error}\n")
                except KeyboardInterrupt:
                    continue
                except (
                    RuntimeError
                ) as error:  # what DuckDB makes of Ctrl-C, and of a terminal that is gone
                    if (status := signals.exit_status()) is not None:
                        raise SystemExit(status) from error
                    if "interrupted" not in str(error).lower():
                        raise
                    self._print("interrupted\n")

    def names(self) -> dict[str, list[str]]:
        """Columns of each table and view."""
        found: dict[str, list[str]] = {}
        for table, column in self.session.connection.execute(_NAMES).fetchall():
            found.setdefault(table, []).append(column)
        return found

    def _command(self, name: str, *words: str) -> bool:
        if name in (".quit", ".exit") and not words:
            return True
        if name == ".help" and not words:
            self._print("".join(f"{command:<16} {about}\n" for command, about in COMMANDS.items()))
        elif name == ".tables" and len(words) <= 1:
            self._print(
                "".join(
                    f"{table}\n" for table in self.names() if not words or words[0].lower() in table
                )
            )
        elif name == ".columns" and len(words) == 1:
            self._columns(words[0])
        elif name == ".format" and len(words) == 1 and words[0] in STYLES:
            self._style = words[0]
        else:
            raise UsageError(
                f"{printable(' '.join((name, *words)))}: is no command. There are {', '.join(COMMANDS)}."
            )
        return False

    def _columns(self, table: str) -> None:
        query = (
            "select column_name, data_type, comment from duckdb_columns()"
            " where not internal and table_name = $1 order by column_index"
        )
        rows = self.session.connection.execute(query, [table.lower()]).fetchall()
        if not rows:
            raise UsageError(f"{printable(table)}: there is no such table or view. See .tables.")
        self._print(render(["column", "type", "about"], rows, "table", width=self._width()))

    def _width(self) -> int | None:
        return shutil.get_terminal_size().columns if self._sink.isatty() else None

    def _print(self, text: str) -> None:
        self._sink.write(text)
        self._sink.flush()


def is_complete(text: str) -> bool:
    """Whether a text is to be run: a command, or SQL whose last word is a semicolon outside of strings and comments."""
    if not text.strip() or text.lstrip().startswith("."):
        return True
    if ";" not in text:
        return False
    try:
        tokens = duckdb.tokenize(text)
    except duckdb.Error:
        return True  # let DuckDB say what is wrong
    words = [start for start, kind in tokens if kind != duckdb.token_type.comment]
    if not words or text.encode()[words[-1] :].decode(errors="ignore").lstrip()[:1] != ";":
        return False
    try:
        duckdb.extract_statements(text)
    except duckdb.Error as error:
        return "unterminated" not in str(error)
    return True


def _is_comment(text: str) -> bool:
    """Whether a text is nothing but comments, as the end of a script may be."""
    try:
        return all(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(text))
    except (duckdb.Error, UnicodeEncodeError):
        return False


def statements_in(lines: Iterable[str]) -> Iterator[str]:
    """Statements and commands of a script; what is left at its end is one too."""
    waiting = ""
    for line in lines:
        if waiting or line.strip():
            waiting += line
        if waiting and is_complete(waiting):
            yield waiting
            waiting = ""
    if waiting.strip():
        yield waiting


def history_file() -> Path | None:
    """Where questions are remembered, in the user's state folder; None where it cannot be written."""
    folder = (
        Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"))
        / "frontmatter-warehouse"
    )
    path = folder / "history"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError:
        return None
    return path if os.access(path, os.R_OK | os.W_OK) else None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C interrupts what is running."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _prompt(shell: Shell) -> Callable[[], str]:
    """A prompt whose Enter key ends complete statements and else begins a line."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    path = history_file()
    session: PromptSession[str] = PromptSession(
        "news> ",
        multiline=True,
        prompt_continuation="   -> ",
        key_bindings=keys,
        history=FileHistory(str(path)) if path else InMemoryHistory(),
        completer=_completer(shell.names()),
        complete_while_typing=False,
    )
    return session.prompt


def proposals(before: str, names: dict[str, list[str]]) -> tuple[str, list[str]]:
    """The word being typed at the end of a text, and what it may become.

    After `table.` these are its columns; else commands, tables, columns of tables that the text names, other columns, words of SQL.
    """
    if found := re.fullmatch(r"\s*(\.\w*)", before):
        return found[1], [
            command.split()[0] for command in COMMANDS if command.startswith(found[1])
        ]
    if (found := re.search(r"(\w+)\.(\w*)$", before)) and (owner := found[1].lower()) in names:
        return found[2], [name for name in names[owner] if name.startswith(found[2].lower())]
    typed = re.search(r"\w*$", before)
    word = typed[0] if typed else ""
    named = [
        column for table in names if re.search(rf"\b{table}\b", before) for column in names[table]
    ]
    every = dict.fromkeys(
        [
            *named,
            *names,
            *(column for columns in names.values() for column in columns),
            *_WORDS.split(),
        ]
    )
    return word, [name for name in every if word and name.startswith(word.lower())]


def _completer(names: dict[str, list[str]]) -> "Completer":
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion

    class Names(Completer):
        def get_completions(self, document: "Document", _: CompleteEvent) -> Iterator[Completion]:
            word, found = proposals(document.text_before_cursor, names)
            yield from (Completion(name, start_position=-len(word)) for name in found)

    return Names()
