"""`pipeline query`: where SQL comes from, what is written where, limits, records and mistakes."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pexpect
import pyarrow.parquet as pq
import pytest

from pipeline.errors import QueryError, UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.query.session import (
    Answer,
    Session,
    heading,
    row_limit,
)
from pipeline.text import STREAMED, render
from tests.support.command import ENVIRONMENT, call
from tests.support.queries import answers, ask, asked_world
from tests.support.world import World


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    return asked_world(tmp_path_factory.mktemp("asked"))


def test_sql_from_argument_file_and_input(asked: World, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_bytes(b"\xef\xbb\xbfselect 1 as n")
    environment = ENVIRONMENT
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "query",
        "-w",
        str(asked.warehouse),
        "--format",
        "csv",
    ]
    for arguments in (["select 1 as n"], ["-f", str(tmp_path / "q.sql")], ["-"], ["-f", "-"]):
        done = subprocess.run(
            [*command, *arguments],
            input="select 1 as n",
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert done.stdout.split() == ["n", "1"], arguments
    assert "cannot be read" in call("query", "-f", tmp_path / "none.sql").stderr
    assert call("query", "select 1", "-f", tmp_path / "q.sql").returncode == 2
    (tmp_path / "latin.sql").write_bytes(b"select '\xe9'")
    assert "cannot be read" in call("query", "-f", tmp_path / "latin.sql").stderr


@pytest.mark.parametrize("comment", ["-- why?\n", "--why?\n", "--\n", "-- a = b\n"])
def test_sql_may_begin_with_a_comment(asked: World, comment: str) -> None:
    done = call("query", f"{comment}select 1 as n", "--format", "csv", "-w", asked.warehouse)
    assert (done.returncode, done.stdout, done.stderr) == (0, "n\n1\n", "")
    done = call("query", f"{comment}select nix", "-w", asked.warehouse)
    assert f"line {comment.count(chr(10)) + 1}, column 8: " in done.stderr


def test_options_stay_options(asked: World, tmp_path: Path) -> None:
    done = call("query", "select 1", "--fromat", "csv", "-w", asked.warehouse)
    assert done.returncode == 2 and "No such option: --fromat" in done.stderr
    done = call(
        "query",
        "select $a as a",
        "--param=a=-- x y",
        "--format",
        "csv",
        "-o",
        "-- odd name",
        "-w",
        asked.warehouse,
        folder=tmp_path,
    )
    assert (done.returncode, (tmp_path / "-- odd name").read_bytes()) == (0, b"a\r\n-- x y\r\n")


@pytest.mark.parametrize("style", STREAMED)
def test_rows_stream_without_being_gathered(asked: World, style: str, tmp_path: Path) -> None:
    sql = "select 1; select range as n, 'é' as t from range(25000)"
    session = Session(Warehouse(asked.warehouse))
    names, batches = session.last(sql)
    sizes = [len(rows) for rows in batches]
    assert (names, sizes) == (["n", "t"], [10_000, 10_000, 5_000])
    done = call("query", sql, "--format", style, "-o", tmp_path / "x", "-w", asked.warehouse)
    assert (done.returncode, done.stdout) == (0, "") and [
        path.name for path in tmp_path.iterdir()
    ] == ["x"]
    [_, answer] = answers(sql, Warehouse(asked.warehouse))
    text = render(answer.names, answer.rows, style, line_end="\r\n")
    assert (tmp_path / "x").read_bytes() == text.encode()
    for limit, count in ((0, 25_000), (10_000, 10_000), (12_345, 12_345)):
        _, batches = session.last(sql, limit=limit or None)
        assert sum(map(len, batches)) == count


def test_a_mistake_in_the_middle_of_the_rows(asked: World, tmp_path: Path) -> None:
    sql = "select if(range = 24000, error('here'), range) as n from range(25000)"
    (tmp_path / "x").write_text("old")
    done = call("query", sql, "--format", "csv", "-o", tmp_path / "x", "-w", asked.warehouse)
    assert (done.returncode, done.stdout) == (1, "") and done.stderr == "pipeline: query: here\n"
    assert (tmp_path / "x").read_text() == "old" and len(list(tmp_path.iterdir())) == 1
    assert call("query", sql, "--format", "json", "-w", asked.warehouse).returncode == 1
    assert (
        call("query", "select nix; select 1", "--format", "csv", "-w", asked.warehouse).stdout == ""
    )


def test_a_broken_pipe_is_silent(asked: World) -> None:
    command = (
        f"'{sys.executable}' -m pipeline query 'select range from range(200000)' --format csv -w"
        f" '{asked.warehouse}' | head -1"
    )
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.stdout == "range\n" and done.stderr == ""


def test_a_full_disk_is_an_error(asked: World, tmp_path: Path) -> None:
    done = call(
        "query",
        "select range from range(200000)",
        "-w",
        asked.warehouse,
        "-o",
        "/dev/full",
        "--format",
        "csv",
    )
    assert (
        done.returncode == 1 and "Traceback" not in done.stderr and "space" in done.stderr.lower()
    )
    done = call(
        "query",
        "select 1",
        "-w",
        asked.warehouse,
        "-o",
        "/dev/full/x.parquet",
        "--format",
        "parquet",
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "/dev/full/x.parquet: cannot be written" in done.stderr


def test_each_answer_of_a_script_is_printed_under_a_heading(asked: World) -> None:
    sql = "/* first */\nselect 1 as a;\n\nselect title from articles\norder by title; ;"
    done = call("query", sql, "-w", asked.warehouse)
    assert done.stdout == (
        "-- 1: select 1 as a;\na\n─\n1\n\n-- 2: select title from articles order by"
        " title;\ntitle\n─────\nAlpha\nBeta\n"
    )
    assert call("query", sql, "-w", asked.warehouse, "--format", "csv").stdout.split() == [
        "title",
        "Alpha",
        "Beta",
    ]
    assert len(heading(1, Answer("select " + "x" * 200, [], []))) < 90


@pytest.mark.parametrize(
    ("second", "status", "message"),
    [
        ("select nothing", 1, 'line 1, column 29: Referenced column "nothing" was not found'),
        ("selec ';'", 1, 'line 1, column 22: syntax error at or near "selec"'),
        ("select 'open", 1, "line 1, column 29: unterminated string literal"),
        ("select error('gone')", 1, "gone"),
        ("drop table articles", 2, "drop is not a statement that reads"),
    ],
)
def test_a_script_gives_the_answers_before_its_first_error(
    asked: World, second: str, status: int, message: str, tmp_path: Path
) -> None:
    sql = f"select 1 as ü; /*;*/ {second};\nselect 3"
    done = call("query", sql, "-w", asked.warehouse)
    assert (done.returncode, done.stdout) == (status, "-- 1: select 1 as ü;\nü\n─\n1\n")
    assert done.stderr.startswith("pipeline: query: ") and message in done.stderr
    done = call("query", sql, "-w", asked.warehouse, "-o", tmp_path / "answers.txt")
    assert (done.returncode, done.stdout) == (status, "") and not list(tmp_path.iterdir())
    done = call("query", sql, "-w", asked.warehouse, "--format", "csv")
    assert (done.returncode, done.stdout) == (status, "")


def test_parameters_are_values_never_sql(asked: World) -> None:
    assert ask(
        asked,
        "select title from articles where title = $t or heat < $h order by 1",
        t="x' or '1'='1",
        h=10,
    ) == [("Alpha",)]
    assert ask(asked, "select $1 + $2", **{"1": 5, "2": 6}) == [(11,)]
    assert ask(asked, "select ?", **{"1": "😀\n"}) == [("😀\n",)]
    done = call(
        "query",
        "select $a as a; select $b as b",
        "-p",
        "a=1",
        "--param",
        "b=x=y",
        "-w",
        asked.warehouse,
        "--format",
        "jsonl",
    )
    assert json.loads(done.stdout) == {"b": "x=y"}


def test_parquet_takes_parameters(asked: World, tmp_path: Path) -> None:
    call(
        "query",
        "select $n as n -- end",
        "-p",
        "n=3",
        "--format",
        "parquet",
        "-o",
        tmp_path / "n.parquet",
        "-w",
        asked.warehouse,
    )
    assert pq.read_table(tmp_path / "n.parquet").to_pylist() == [{"n": 3}]
    with pytest.raises(UsageError, match="2 statements"):
        Session(Warehouse(asked.warehouse)).write_parquet(
            "select 1; select 2", tmp_path / "two.parquet"
        )
    with pytest.raises(QueryError, match=r"line 2, column 1: Referenced column"):
        Session(Warehouse(asked.warehouse)).write_parquet(
            "select\nnothing", tmp_path / "none.parquet"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["n.parquet"]


def test_what_is_not_finite_is_null_in_json(asked: World) -> None:
    sql = (
        "select 'nan'::double n, ['inf'::double, 1] a, {'x': ['-inf'::double]} s, map {'k':"
        " 'nan'::double} m"
    )
    wanted = {"n": None, "a": [None, 1.0], "s": {"x": [None]}, "m": {"k": None}}
    for style in ("json", "jsonl"):
        text = call("query", sql, "--format", style, "-w", asked.warehouse).stdout
        assert "NaN" not in text and "Infinity" not in text
        assert json.loads(text) in (wanted, [wanted])
    assert (
        call("query", sql, "--format", "csv", "-w", asked.warehouse)
        .stdout.splitlines()[1]
        .startswith('nan,"[null, 1.0]"')
    )


def test_limits_say_what_they_leave_out(asked: World) -> None:
    def shown(*arguments: str) -> list[str]:
        return call(
            "query", "select range from range(1500)", "-w", asked.warehouse, *arguments
        ).stdout.splitlines()

    assert (
        len(shown()) == 1_003
        and shown()[-1] == "... 500 more rows; --limit 0 or --format csv prints all"
    )
    assert shown("--limit", "2")[2:] == [
        "    0",
        "    1",
        "... 1,498 more rows; --limit 0 or --format csv prints all",
    ]
    assert len(shown("--limit", "0")) == 1_502
    assert (
        len(shown("--format", "csv")) == 1_501
        and len(shown("--format", "csv", "--limit", "3")) == 4
    )
    assert (row_limit("json", None), row_limit("table", 5), row_limit("record", None)) == (
        None,
        5,
        1_000,
    )


def test_a_terminal_gets_records(asked: World) -> None:
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "query",
        "select * from articles limit 1",
        "-w",
        str(asked.warehouse),
    ]
    output, status = pexpect.run(
        " ".join(f"'{word}'" for word in command),
        withexitstatus=True,
        env={**ENVIRONMENT, "COLUMNS": "80"},
        encoding="utf-8",
    )
    assert status == 0 and output.startswith("── 1 ──") and "columns do not fit" in output


def test_explain_prints_the_plan(asked: World) -> None:
    done = call(
        "query",
        "select title from articles where heat > $h",
        "-p",
        "h=5",
        "--explain",
        "-w",
        asked.warehouse,
    )
    assert "Read Parquet" in done.stdout and "Alpha" not in done.stdout
    assert call("query", "explain select 1", "-w", asked.warehouse).stdout.startswith("╭─")
    found = json.loads(
        call("query", "select 1", "--explain", "--format", "json", "-w", asked.warehouse).stdout
    )
    assert list(found[0]) == ["explain_key", "explain_value"]


def test_a_mistake_is_one_message(asked: World) -> None:
    done = call("query", "select * from artcles", "-w", asked.warehouse)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr.startswith("pipeline: query: line 1, column 15: ")
        and "Traceback" not in done.stderr
    )


def test_ctrl_c_before_a_query_begins_ends_it_too(asked: World) -> None:
    """An interruption that DuckDB does not see yet comes again; the connection then answers, as
    nobody else asks it any more.
    """
    session = Session(Warehouse(asked.warehouse), None)
    begun, finished = threading.Event(), []

    def late() -> None:
        begun.set()
        subprocess.run(["sleep", "0.3"], check=True)
        session.connection.execute(
            "select sum(a.range * b.range) from range(1000000) as a, range(20000) as b"
        ).fetchall()
        finished.append(True)

    def press() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        with pytest.raises(RuntimeError, match="Query interrupted"):
            session._interruptible(late)
    finally:
        signal.signal(signal.SIGINT, before)
        pressing.join()
    assert not finished and session.connection.execute("select 42").fetchall() == [(42,)]
