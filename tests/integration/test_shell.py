"""`pipeline shell`: the built-in one in a real terminal and as a script, and the DuckDB CLI where it is found."""

import io
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.query.session import Session
from pipeline.query.shell import (
    Shell,
    duckdb_command,
    history_file,
    is_complete,
    proposals,
    statements_in,
)
from tests.support.command import ENVIRONMENT
from tests.support.world import World, article

NAMES = {"articles": ["article_id", "heat", "title"], "topics": ["topic", "slug"]}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("asked"))
    world.write({f"_news/{name}.md": article(title=name) for name in ("alpha", "beta")})
    world.run()
    return world


@pytest.fixture
def terminal(asked: World, tmp_path: Path) -> Iterator[pexpect.spawn]:
    """The built-in shell in a terminal, at its first prompt."""
    environment = {
        **ENVIRONMENT,
        "TERM": "xterm",
        "XDG_STATE_HOME": str(tmp_path),
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "COLUMNS": "100",
    }
    arguments = ["-m", "pipeline", "shell", "--built-in", "-w", str(asked.warehouse)]
    with pexpect.spawn(
        sys.executable,
        arguments,
        env=environment,
        encoding="utf-8",
        dimensions=(30, 100),
        timeout=60,
    ) as child:
        child.expect("news>")
        yield child


def piped(text: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "shell", *arguments]
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **environment},
        check=False,
    )


# In a terminal


def test_statements_of_several_lines_and_history(terminal: pexpect.spawn, tmp_path: Path) -> None:
    terminal.send("select 40 + 2 as n\r")
    terminal.expect("->")
    terminal.send("where true;\r")
    terminal.expect("42\r\n")
    terminal.expect("news>")
    terminal.send("\x1b[A\r")  # the arrow up brings it back
    terminal.expect("42\r\n")
    terminal.expect("news>")
    terminal.send("\x04")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    history = tmp_path / "frontmatter-warehouse" / "history"
    assert (
        "+select 40 + 2 as n\n+where true;" in history.read_text()
        and stat.S_IMODE(history.stat().st_mode) == 0o600
    )


def test_tab_completes_columns_of_a_table(terminal: pexpect.spawn) -> None:
    terminal.send("select max(title) as last, count(articles.dura\t")
    terminal.expect("tion_seconds")
    terminal.send(") as n from articles;\r")
    terminal.expect("beta +0\r\n")
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)


def test_ctrl_c_clears_the_line_and_interrupts_a_query(terminal: pexpect.spawn) -> None:
    terminal.send("select broken")
    terminal.send("\x03")
    terminal.expect("news>")
    endless = (
        "select 'it', sum(a.range * b.range) from range(100000000) as a, range(1000000) as b;\r"
    )
    terminal.send(endless)
    terminal.expect("as b;.*\r\n")
    for _ in range(20):
        terminal.sendintr()
        found = terminal.expect(["interrupted", "news>", pexpect.TIMEOUT], timeout=2)
        if found == 0:
            break
        if found == 1:  # it came before the query began, and cleared the line
            terminal.send(endless)
            terminal.expect("as b;.*\r\n")
    assert found == 0
    terminal.expect("news>")
    terminal.send("select 6 * 7 as n;\r")
    terminal.expect("42\r\n")
    terminal.send("\x04")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_the_middle_of_a_query(
    terminal: pexpect.spawn, number: signal.Signals
) -> None:
    terminal.send(
        "select 'it', sum(a.range * b.range) from range(100000000) as a, range(1000000) as b;\r"
    )
    terminal.expect("as b;.*\r\n")
    terminal.kill(number)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 128 + number


def test_mistakes_do_not_end_it(terminal: pexpect.spawn) -> None:
    terminal.send("select * from artcles;\r")
    terminal.expect("Table with name artcles does not exist!")
    terminal.expect("nearest tables and views are articles")
    terminal.expect("news>")
    terminal.send("with x as (copy (select 1) to 'x') from x;\r")
    terminal.expect("copy writes")
    terminal.expect("news>")
    terminal.send(".nothing\r")
    terminal.expect("is no command")
    terminal.expect("news>")
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_wide_rows_are_records_in_a_terminal(terminal: pexpect.spawn) -> None:
    terminal.send("from articles limit 1;\r")
    terminal.expect("── 1 ──")
    terminal.expect("columns do not fit")


# As a script


def test_a_script_is_read_from_standard_input(asked: World) -> None:
    done = piped(
        "select 1 as a;\nselect ';' as\nb;\n.tables article_t\n.quit\nselect 3;",
        "--built-in",
        "-w",
        str(asked.warehouse),
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "a\n─\n1\nb\n─\n;\narticle_topics\n",
        "",
    )


@pytest.mark.parametrize("end", ["-- the end", "/* the\nend */\n", "-- the;\n-- end;\n", ";;\n"])
def test_a_script_may_end_with_a_comment(asked: World, end: str) -> None:
    done = piped(f"-- begin;\nselect 1 as a;\n{end}", "--built-in", "-w", str(asked.warehouse))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\n─\n1\n", "")


def test_a_script_ends_at_the_first_mistake(asked: World) -> None:
    done = piped("select nothing;\nselect 3 as c;", "--built-in", "-w", str(asked.warehouse))
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith(
        "pipeline: query: line 1, column 8: "
    )


def test_empty_input_is_no_mistake(asked: World) -> None:
    assert piped("", "--built-in", "-w", str(asked.warehouse)).returncode == 0
    assert piped("\n ;\n;;\n", "--built-in", "-w", str(asked.warehouse)).stderr == ""


def test_without_a_warehouse(tmp_path: Path) -> None:
    done = piped("select 1;", "-w", str(tmp_path))
    assert done.returncode == 1 and "nothing is published here" in done.stderr


# Commands


def taken(world: World, *texts: str) -> str:
    sink = io.StringIO()
    shell = Shell(Session(Warehouse(world.warehouse)), sink)
    for text in texts:
        shell.take(text)
    return sink.getvalue()


def test_commands(asked: World) -> None:
    assert taken(asked, ".help").splitlines()[1].startswith(".tables [WORD]")
    assert "articles\n" in taken(asked, ".tables") and taken(asked, ".tables nothing") == ""
    assert "heat" in taken(asked, ".columns articles") and "Heat score" in taken(
        asked, ".columns article_facts"
    )
    assert taken(asked, ".format jsonl", "select 1 as a;") == '{"a": 1}\n'
    with pytest.raises(UsageError, match="nothing: there is no such table or view"):
        taken(asked, ".columns nothing")
    for wrong in (".format yaml", ".help me", ".", ".tables a b", ".\x1b[2J"):
        with pytest.raises(UsageError, match="is no command"):
            taken(asked, wrong)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        (".help", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1; -- done", True),
        ("select 1 -- done;", False),
        ("select ';", False),
        ("select ';\n';", True),
        ("select 1 /* ; */", False),
        ("select 'é';", True),
        ('select "a;', False),
        ("select $$ ;", False),
        ("selec 1;", True),
    ],
)
def test_what_is_complete(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@given(
    st.lists(
        st.sampled_from(
            ["select 1", ";", "'", "\n", " ", "--", "/*", "*/", ".help", "é", "$$", '"']
        )
    )
)
def test_a_script_loses_no_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = "".join(statements_in(io.StringIO(text)))
    assert re.sub(r"\s", "", found) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("before", "word", "found"),
    [
        ("select ti", "ti", ["title"]),
        ("select articles.", "", ["article_id", "heat", "title"]),
        ("select ARTICLES.h", "h", ["heat"]),
        ("from art", "art", ["articles", "article_id"]),
        ("select * from topics where s", "s", ["slug", "select", "sum", "summarize"]),
        (".ta", ".ta", [".tables"]),
        ("", "", []),
    ],
)
def test_proposals(before: str, word: str, found: list[str]) -> None:
    assert proposals(before, NAMES) == (word, found)


def test_history_lies_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert history_file() == tmp_path / "state" / "frontmatter-warehouse" / "history"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert history_file() is None


# The DuckDB CLI


def program(folder: Path, says: str) -> Path:
    """A program called duckdb that says its version, or what it was given."""
    folder.mkdir()
    path = folder / "duckdb"
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = -version ]; then echo "{says}"; else printf "%s|" "$@"; cat; fi\n'
    )
    path.chmod(0o755)
    return path


def test_the_duckdb_cli_is_preferred(
    asked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path / "new", "v1.4.0 (Name) abc")
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    database = str(asked.warehouse / "warehouse.duckdb")
    assert duckdb_command(Warehouse(asked.warehouse)) == [
        str(path),
        "-readonly",
        "-cmd",
        "set timezone = 'UTC'",
        database,
    ]
    done = piped(
        "select 1;", "-w", str(asked.warehouse), PATH=f"{path.parent}:{os.environ['PATH']}"
    )
    assert done.stdout == f"-readonly|-cmd|set timezone = 'UTC'|{database}|select 1;"
    built_in = piped(
        "select 1 as a;",
        "--built-in",
        "-w",
        str(asked.warehouse),
        PATH=f"{path.parent}:{os.environ['PATH']}",
    )
    assert built_in.stdout == "a\n─\n1\n"


@pytest.mark.parametrize("says", ["v1.1.3 (Name) abc", "v0.10.0", "nonsense", ""])
def test_an_old_cli_is_left_alone(
    asked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    path = program(tmp_path / "old", says)
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    assert duckdb_command(Warehouse(asked.warehouse)) is None


def test_a_warehouse_that_moved_gets_the_built_in_shell(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The views of `warehouse.duckdb` name files where they were."""
    world.write({"a.md": article()})
    world.run()
    path = program(tmp_path / "new", "v2.0.1")
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    moved = world.warehouse.rename(tmp_path / "moved")
    assert duckdb_command(Warehouse(moved)) is None
    done = piped("select count(*) as n from articles;", "-w", str(moved), PATH=os.environ["PATH"])
    assert done.stdout == "n\n─\n1\n"
