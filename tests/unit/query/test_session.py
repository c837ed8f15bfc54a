"""`pipeline query`: it never writes, scripts, parameters, limits, records, plans, and what is said
of mistakes.
"""

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pexpect
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError, UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.query.read_only import split
from pipeline.query.session import (
    Answer,
    Session,
    Value,
    as_text,
    heading,
    parse_parameters,
    row_limit,
    typed,
)
from pipeline.text import STREAMED, render
from tests.support.command import ENVIRONMENT, call
from tests.support.world import World, article


def answers(
    sql: str,
    warehouse: Warehouse,
    parameters: Mapping[str, Value] | None = None,
    snapshot: str | None = None,
) -> list[Answer]:
    return list(Session(warehouse, snapshot).answers(sql, parameters))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("asked"))
    world.write(
        {
            "_news/a.md": article(title="Alpha", heat="7", topics="[AI]"),
            "_news/b.md": article(title="Beta", heat="40"),
        }
    )
    world.run()
    return world


def ask(world: World, sql: str, **parameters: object) -> list[tuple[object, ...]]:
    [answer] = answers(sql, Warehouse(world.warehouse), parameters)  # type: ignore[arg-type]
    return answer.rows


# Nothing is written


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{}'",
        "COPY articles TO '{}' (format parquet)",
        "explain analyze copy (select 1) to '{}'",
        "/* explain */ explain /* x */ (analyze) copy (select 1) to '{}'",
        "explain (analyze, format json) copy (select 1) to '{}'",
        "-- explain\nexplain analyze with x as (copy (select 1) to '{}') from x",
        "with x as (copy (select 1) to '{}') from x",
        "with y as (select 1), x as (copy (from y) to '{}') select 1",
        "from (with x as (copy (select 1) to '{}') from x)",
        "with x as (copy (select 1) to '{}') pivot x on Count",
        "explain analyze with x as (copy (select 1) to '{}') pivot x on Count",
        "from json_execute_serialized_sql(json_serialize_sql('with x as (copy (select 1) to"
        " ''{}'') from x'))",
        "from system.main.JSON_EXECUTE_SERIALIZED_SQL(json_serialize_sql('with x as (copy"
        " (select 1) to ''{}'') from x'))",
        "from query('from json_execute_serialized_sql(json_serialize_sql(''with x as (copy"
        " (select 1) to ''''{}'''') from x''))')",
        "from query('from json_execute_' || 'serialized_sql(''[]'')') as \"{}\"",
        "select * from query('with x as (copy (select 1) to ''{}'') from x')",
        "pragma json_execute_serialized_sql('{}')",
        "select 1; copy (select 1) to '{}'",
        "attach '{}' as other",
        "export database '{}'",
        "import database '{}'",
        "install fts from '{}'",
        "load '{}'",
        "set logging_sink = '{}'",
        "set temp_directory = '{}'",
        "pragma enable_profiling",
        "pragma profiling_output = '{}'",
        "call enable_logging(storage = 'file', storage_path = '{}')",
        "from enable_logging(storage = 'file', storage_path = '{}')",
        "from enable_profiling(format = 'json', save_location = '{}')",
        "from query('from enable_logging(storage = ''file'', storage_path = ''{}'')')",
        "create persistent secret s (type http, bearer_token '{}')",
        'create table "{}" as select 1',
        "prepare p as copy (select 1) to '{}'",
        "execute p('{}')",
        "begin; copy (select 1) to '{}'; commit",
        "vacuum articles",
        "checkpoint",
        "detach memory",
        "use memory",
        "reset lock_configuration",
    ],
)
def test_nothing_that_writes_is_run(
    asked: World, tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / "cache"))
    before = sorted(asked.warehouse.rglob("*"))
    with pytest.raises((UsageError, QueryError)):
        answers(sql.replace("{}", str(tmp_path / "out")), Warehouse(asked.warehouse))
    assert list(tmp_path.rglob("*")) == [] and sorted(asked.warehouse.rglob("*")) == before


def test_the_tricks_would_write_on_a_connection_that_is_not_guarded(
    asked: World, tmp_path: Path
) -> None:
    """Else the test above could not fail: DuckDB runs these."""
    for number, sql in enumerate(
        [
            "explain analyze copy (select 1) to '{}'",
            "with x as (copy (select 1) to '{}') from x",
            "with x as (copy (select 1) to '{}') pivot x on Count",
            "from json_execute_serialized_sql(json_serialize_sql('with x as (copy (select 1)"
            " to ''{}'') from x'))",
        ]
    ):
        with asked.connect() as connection:
            connection.execute(sql.replace("{}", str(tmp_path / str(number)))).fetchall()
        assert (tmp_path / str(number)).exists(), sql


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from articles",
        "from articles select count(*)",
        "with copy as (select 2 as update) select update from copy",
        "select 'copy (select 1) to x; insert' as delete",
        "with recursive t(n) as (select 1 union all select n + 1 from t where n < 2) select"
        " max(n) from t",
        "select count(*) from query('select 1 union select 2')",
        "describe articles",
        "summarize select heat from articles",
        "show tables",
        "pivot (select 'a' as k, 2 as v) on k using sum(v)",
        "from (pivot (select 'a' as k, 2 as v) on k in ('a') using sum(v))",
        "unpivot (select 1 as a, 2 as b) on a, b",
        "explain select 1",
        "-- why?\nexplain analyze select count(*) from articles",
        "explain pivot (select 'a' as k, 2 as v) on k using sum(v)",
        "values (2)",
        "table articles",
        "(select 1) union all (select 2)",
        "select * from read_text('/etc/passwd')",
    ],
)
def test_what_reads_is_run(asked: World, sql: str) -> None:
    assert ask(asked, sql)


def test_a_query_does_not_see_the_variables_of_this_program(asked: World) -> None:
    with pytest.raises(QueryError, match="Table with name names does not exist"):
        ask(asked, "select * from names")


def test_time_zone_is_utc(asked: World) -> None:
    assert ask(asked, "select '2024-01-01T00:00:00+02:00'::timestamptz::varchar") == [
        ("2023-12-31 22:00:00+00",)
    ]


# Where SQL comes from


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


def test_an_older_snapshot_can_be_asked(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    world.write({"b.md": article()})
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    place = Warehouse(world.warehouse)
    assert [
        answers("select count(*) from articles", place, snapshot=name)[0].rows
        for name in (None, "previous")
    ] == [
        [(2,)],
        [(1,)],
    ]
    with pytest.raises(UsageError, match="there is no snapshot 1999"):
        answers("select 1", place, snapshot="1999")


# Scripts


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


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("select 1", [("select 1", 0)]),
        (" select 'é;'; -- a; b\nselect 2 ;;", [("select 'é;';", 1), ("select 2 ;", 23)]),
        ('select $$a;b$$;\n/* c; */ select "d;', [("select $$a;b$$;", 0), ('select "d;', 25)]),
    ],
)
def test_a_script_is_split_at_its_semicolons(sql: str, statements: list[tuple[str, int]]) -> None:
    assert [(one.text, one.start) for one in split(sql)] == statements


@given(
    st.lists(st.sampled_from(["select 1", ";", "'", "\n", " ", "--", "/*", "*/", "é", "$$", '"']))
)
def test_a_script_loses_no_text(pieces: list[str]) -> None:
    sql = "".join(pieces)
    try:
        statements = split(sql)
    except UsageError:
        statements = []
    end, encoded = 0, sql.encode()
    for one in statements:
        assert encoded[one.start :].startswith(one.text.encode())
        between = encoded[end : one.start].decode()
        assert not re.sub(r"--[^\n]*(\n|$)|/\*.*?(\*/|$)|[;\s]", "", between, flags=re.DOTALL)
        end = one.start + len(one.text.encode())


@pytest.mark.parametrize("end", ["-- the end", "/* the\nend */\n", "-- the;\n-- end;\n", ";;\n"])
def test_a_script_may_end_with_a_comment(asked: World, end: str) -> None:
    assert ask(asked, f"-- begin;\nselect 1 as a;\n{end}") == [(1,)]


# Parameters


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-1", -1),
        ("0", 0),
        ("1.50", 1.5),
        ("007", "007"),
        ("1e5", "1e5"),
        ("12345678901234567890", "12345678901234567890"),
        ("true", True),
        ("True", "True"),
        ("2024-01-31", dt.date(2024, 1, 31)),
        ("2024-02-31", "2024-02-31"),
        ("2024-01-31T10:00", dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC)),
        ("2024-01-31T10:00:00+02:00", dt.datetime(2024, 1, 31, 8, tzinfo=dt.UTC)),
        ("", ""),
        ("null", "null"),
        ("a=b '; drop", "a=b '; drop"),
    ],
)
def test_values_are_typed(text: str, value: object) -> None:
    found = typed(text)
    assert found == value and type(found) is type(value)


@given(st.text())
def test_every_text_is_a_value(text: str) -> None:
    found = typed(text)
    assert not isinstance(found, str) or found == text


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


@pytest.mark.parametrize(
    ("sql", "texts", "words"),
    [
        ("select $a", [], r"query: \$a has no value\. Give it with --param a=VALUE\."),
        ("select $a", ["a=1", "b=2"], r"--param b: the SQL has no parameter \$b \(it has \$a\)\."),
        ("select 1", ["b=2"], r"--param b: the SQL has no parameter \$b \(it has none\)\."),
        ("select $a", ["a=1", "a=2"], r"--param a: is given twice"),
        ("select $a", ["a"], r"--param a: is not a parameter \(expected NAME=VALUE\)"),
        ("select $a", ["=1"], r"is not a parameter"),
    ],
)
def test_parameters_that_do_not_fit(asked: World, sql: str, texts: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        answers(sql, Warehouse(asked.warehouse), parse_parameters(texts))


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


# How much is shown


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


def test_few_wide_rows_are_shown_as_records() -> None:
    answer = Answer(
        "", ["a", "long_name", "日本"], [("x" * 40, "one two\n" * 12, 5), (None, "", 1.5)]
    )
    lines = as_text(answer, "auto", width=60).splitlines()
    assert lines[:3] == [
        "── 1 ───────",
        f"a           {'x' * 40}",
        "long_name   one two\\none two\\none two\\none two\\none two\\none",
    ]
    assert lines[3].startswith("             two\\none two") and lines[-5:-1] == [
        "── 2 ───────",
        "a           ∅",
        "long_name",
        "日本        1.5",
    ]
    text = as_text(answer, "record", width=None)
    assert (
        text.splitlines()[0] == "── 1 ───────"
        and "日本        5" in text
        and text.splitlines()[5:7] == ["a           ∅", "long_name"]
    )
    assert as_text(answer, "auto", width=60).endswith(
        "... 3 columns do not fit; --format table cuts them\n"
    )
    assert all(len(line) <= 60 for line in as_text(answer, "auto", width=60).splitlines())
    many = Answer("", answer.names, answer.rows * 20)
    assert (
        as_text(many, "auto", width=60).splitlines()[-1] == "... --format record shows all columns"
    )
    assert as_text(answer, "auto", width=None) == as_text(answer, "table", width=None)
    assert as_text(Answer("", ["a"], []), "record", width=60) == "no rows\n"


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


# Mistakes


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "select * from artcles",
            "query: line 1, column 15: Table with name artcles does not exist!\n    select *"
            " from artcles\n                  ^\n"
            "Did you mean articles, article_facts",
        ),
        (
            "select '日本',\n\ttitel from articles",
            'query: line 2, column 2: Referenced column "titel" not found in FROM clause!\n'
            "    \\ttitel from articles\n      ^\n"
            "Did you mean title",
        ),
        ("select heat from providers", "heat is a column of article_facts, articles"),
        (
            "select nosuchfunction(1)",
            "Scalar Function with name nosuchfunction does not exist!\n    select"
            " nosuchfunction(1)\n           ^",
        ),
        ("selec 1", 'query: line 1, column 1: syntax error at or near "selec"\n    selec 1\n    ^'),
        (
            "select 1;\n\nselect 1 +",
            'query: line 3, column 10: syntax error at or near "+"\n    select 1 +\n             ^',
        ),
        (
            "select 'é';\nselect nix",
            'query: line 2, column 8: Referenced column "nix" was not found',
        ),
        ("select 'abc", "query: line 1, column 8: unterminated string literal"),
        ("select error('gone\x1b[2J')", "query: gone\\x1b[2J"),
        ('select "\x1b[2J"', "\\x1b[2J"),
        (
            "select * from 'none.parquet'",
            'query: No files found that match the pattern "none.parquet"',
        ),
        ("select '\ud800'", "query: "),
        ("select " + "1, " * 300 + "nix", "query: line 1, column 908: "),
    ],
)
def test_mistakes_are_told_with_place_and_names(asked: World, sql: str, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        ask(asked, sql)
    assert words in str(caught.value) and "\x1b" not in str(caught.value)
    assert all(len(line) < 200 for line in str(caught.value).splitlines())


def test_a_mistake_is_one_message(asked: World) -> None:
    done = call("query", "select * from artcles", "-w", asked.warehouse)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr.startswith("pipeline: query: line 1, column 15: ")
        and "Traceback" not in done.stderr
    )


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_answered_or_refused(text: str) -> None:
    from pipeline.query.diagnostics import explain
    from pipeline.query.read_only import parse_reading, restrict

    with duckdb.connect() as connection:
        restrict(connection)
        try:
            for statement in split(text):
                parse_reading(connection, statement)
        except UsageError:
            pass
        except duckdb.Error as error:
            assert explain(error, text, connection)


def test_a_run_meanwhile_changes_no_answer(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    session = Session(Warehouse(world.warehouse))
    world.write({"b.md": article()})
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    [answer] = session.answers("select count(*) from articles")
    assert answer.rows == [(1,)]


def test_an_empty_warehouse_answers(world: World) -> None:
    world.run(allow_empty=True)
    assert ask(world, "select title from articles") == []
    assert not any(world.site.iterdir())


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
