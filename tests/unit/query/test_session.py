"""Sessions of queries: they never write; scripts, parameters, and what is said of mistakes."""

import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError, UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.query.read_only import split
from pipeline.query.session import (
    Answer,
    Session,
    as_text,
    parse_parameters,
    typed,
)
from tests.support.queries import answers, ask, asked_world
from tests.support.world import World, article


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    return asked_world(tmp_path_factory.mktemp("asked"))


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


def without_comments(text: str) -> str:
    """Leave out comments to the end of a line, and those in `/* */`, which may hold others."""
    kept, depth = "", 0
    while text:
        if text.startswith("--") and not depth:
            text = text.partition("\n")[2]
        elif text.startswith("/*") or (text.startswith("*/") and depth):
            depth += 1 if text[0] == "/" else -1
            text = text[2:]
        else:
            kept += "" if depth else text[0]
            text = text[1:]
    return kept


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
        assert not re.sub(r"[;\s]", "", without_comments(encoded[end : one.start].decode()))
        end = one.start + len(one.text.encode())


@pytest.mark.parametrize("end", ["-- the end", "/* the\nend */\n", "-- the;\n-- end;\n", ";;\n"])
def test_a_script_may_end_with_a_comment(asked: World, end: str) -> None:
    assert ask(asked, f"-- begin;\nselect 1 as a;\n{end}") == [(1,)]


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
