"""Every SQL file: its header is complete, and a tiny world goes in and exact rows come out."""

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import SchemaError
from pipeline.views.checks import run_checks
from pipeline.views.relations import Relation, relations, sql_folder
from tests.support.rows import rows_of
from tests.support.world import World

DAY = dt.date(2024, 1, 2)
UNIT = Path(__file__).parents[1]


def story(title: str, topics: str, provider: str, scores: str = "", day: int = 2) -> str:
    return (
        f"---\ntitle: {title}\npublishedDateTime: 2024-01-{day:02}T23:30:00Z\ntopics: [{topics}]\n"
        f"provider: {{name: {provider}, domain: {provider.lower()}.example}}\n{scores}---\n"
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("small"))
    world.write(
        {
            "a.md": story(
                "A", "AI, AI, Chips", "North", "quality: 10\nheat: 30\npublished: true\nodd: 1\n"
            ),
            "b.md": story(
                "B", "AI", "North", "quality: 30\nheat: -1\npublished: false\nodd: 2\n", day=3
            ),
            "c.md": story("C", "AI, ~", "South"),
            "d.md": "---\ntitle: D\nheat: hot\n---\n",
        }
    )
    world.run()
    return world


EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "article_facts": (
        "select title, day, month, provider, quality, heat, heat_state, heat_excess,"
        " is_published from article_facts order by title",
        rows_of(
            """
            title         A           B           C           D
            day           2024-01-02  2024-01-03  2024-01-02  null
            month         2024-01-01  2024-01-01  2024-01-01  null
            provider      North       North       South       null
            quality       10          30          null        null
            heat          30          null        null        null
            heat_state    scored      suppressed  unscored    unscored
            heat_excess   20          null        null        null
            is_published  true        false       false       false
            """
        ),
    ),
    "topic_facts": (
        "select title, topic, weight from topic_facts join articles using (article_id) order"
        " by all",
        [("A", "AI", 0.5), ("A", "Chips", 0.5), ("B", "AI", 1.0), ("C", "AI", 1.0)],
    ),
    "report_clock": (
        "select as_of = timestamptz '2026-01-02 03:04:05+00' from report_clock",
        [(True,)],
    ),
    "finding_rules": (
        "select rule, findings, documents, of_documents, example from finding_rules order by rule",
        [("invalid_number", 1, 1, 4, "hot"), ("null_topic", 1, 1, 4, "null")],
    ),
    "unknown_fields": (
        "select source, field, articles, of_articles, example from unknown_fields",
        [("site", "odd", 2, 4, "1")],
    ),
    "quality_by_provider": (
        "select provider, domain, articles, scored, published, published_rate, mean_quality,"
        " median_quality, p10_quality, p90_quality,"
        " first_day, last_day from quality_by_provider",
        [
            (
                "North",
                "north.example",
                2,
                2,
                1,
                0.5,
                20.0,
                20.0,
                12.0,
                28.0,
                DAY,
                dt.date(2024, 1, 3),
            ),
            ("South", "south.example", 1, 0, 0, 0.0, None, None, None, None, DAY, DAY),
        ],
    ),
    "heat_by_topic": (
        "select topic, articles, scored, suppressed, unscored, suppressed_share, mean_heat,"
        " median_heat, max_heat, mean_excess from heat_by_topic",
        [
            ("AI", 3, 1, 1, 1, 0.5, 30.0, 30.0, 30, 20.0),
            ("Chips", 1, 1, 0, 0, 0.0, 30.0, 30.0, 30, 20.0),
        ],
    ),
    "coverage_by_topic": (
        "select topic, articles, of_articles, attention_share, fractional_share, published,"
        " providers, top_provider, top_provider_share,"
        " first_day, last_day from coverage_by_topic",
        [
            ("AI", 3, 4, 0.75, 0.625, 1, 2, "North", 2 / 3, DAY, dt.date(2024, 1, 3)),
            ("Chips", 1, 4, 0.25, 0.125, 1, 1, "North", 1.0, DAY, DAY),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(small: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert small.rows(query) == rows


def expected_rows() -> dict[str, list[int]]:
    """Number of rows that unit tests expect of each relation, by name, in dicts called EXPECTED."""
    found: dict[str, list[int]] = {}
    for path in UNIT.rglob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target).startswith("EXPECTED"):
                assert isinstance(node.value, ast.Dict)
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    assert isinstance(key, ast.Constant) and isinstance(value, ast.Tuple)
                    rows = value.elts[1]
                    if isinstance(rows, ast.Call):
                        count = len(rows_of(ast.literal_eval(rows.args[0])))
                    else:
                        assert isinstance(rows, ast.List), ast.unparse(key)
                        count = len(rows.elts)
                    found.setdefault(key.value, []).append(count)
    return found


EXPECTED_ROWS = expected_rows()


@pytest.mark.parametrize(
    "relation", relations("views", "reports"), ids=lambda relation: relation.name
)
def test_every_relation_has_a_test_with_rows(relation: Relation) -> None:
    assert relation.name in EXPECTED_ROWS
    assert any(EXPECTED_ROWS[relation.name])


@pytest.mark.parametrize("level", ["views", "reports"])
def test_no_relation_reads_another_of_its_level(level: str) -> None:
    names = {relation.name for relation in relations(level)}
    for relation in relations(level):
        words = set(re.findall(r"\b(?:from|join)\s+(\w+)", re.sub(r"--.*", "", relation.query)))
        own = set(re.findall(r"(\w+)\s+as (?:materialized )?\(", relation.query))
        assert not (words - own) & (names - {relation.name}), relation.name


@pytest.mark.parametrize(
    "relation", relations("views", "reports"), ids=lambda relation: relation.name
)
def test_views_depend_on_the_data_alone(relation: Relation) -> None:
    assert not re.search(
        r"\bcurrent_(?:date|timestamp)|\bnow\(|\btoday\(|\brandom\(|\busing key\b",
        re.sub(r"--.*", "", relation.query),
    )


@pytest.mark.parametrize(
    "relation", relations("views", "reports", "checks"), ids=lambda relation: relation.name
)
def test_every_file_keeps_the_form(relation: Relation) -> None:
    assert re.fullmatch(r"One row per .+\.|One row per .+", relation.comment)
    statement = re.sub(r"--.*", "", relation.query)
    assert (
        "select *" not in statement.replace("select * from documents", "")
        and "\t" not in relation.query
    )
    assert statement == statement.lower() or "'" in statement
    assert not relation.name[0].isdigit()


@pytest.fixture(scope="module")
def catalog(empty: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of a warehouse without rows."""
    with duckdb.connect(empty.warehouse / "warehouse.duckdb", read_only=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "relation", relations("views", "reports"), ids=lambda relation: relation.name
)
def test_every_column_of_a_view_is_described_and_every_line_is_of_one(
    catalog: duckdb.DuckDBPyConnection, relation: Relation
) -> None:
    columns = set(catalog.table(relation.name).columns)
    comments = dict(
        catalog.execute(
            "select column_name, comment from duckdb_columns() where table_name = ?",
            [relation.name],
        ).fetchall()
    )
    assert set(relation.columns) <= columns
    assert {name for name, comment in comments.items() if comment} == columns
    assert comments | relation.columns == comments


# check: the view that is damaged, and what it shows then
DAMAGE = {
    "articles_match_documents": (
        "documents",
        "select * replace ('other' as status) from documents_kept",
    ),
    "rejections_match_documents": (
        "documents",
        "select * replace ('rejected' as status) from documents_kept",
    ),
    "counts_match_rows": (
        "related",
        "select * from related_kept union all select * replace (99 as position) from related_kept",
    ),
    "rows_have_article": ("images", "select * replace ('nobody' as article_id) from images_kept"),
    "dimensions_are_complete": ("providers", "select * from providers_kept limit 0"),
    "files_rejected": (
        "rejections",
        "select * from rejections_kept union all select 'id', 's', 'p.md', 'parse',"
        " 'bad_yaml', 'm', 1, 1, 't'",
    ),
    "scores_out_of_range": ("articles", "select * replace (-7 as quality) from articles_kept"),
    "suppressed_but_published": (
        "articles",
        "select * replace (true as published, -1 as heat) from articles_kept",
    ),
    "published_in_the_future": (
        "articles",
        "select * replace (timestamptz '2999-01-01 00:00:00+00' as published_at) from"
        " articles_kept",
    ),
    "findings_match_articles": (
        "articles",
        "select * replace (2 as findings_count) from articles_kept",
    ),
    "articles_without_provider": (
        "articles",
        "select * replace (null as provider_id) from articles_kept",
    ),
    "articles_unscored": ("articles", "select * replace (null as quality) from articles_kept"),
    "sources_gone_quiet": (
        "articles",
        "select * replace (timestamptz '2026-01-01 03:04:04+00' as published_at) from"
        " articles_kept",
    ),
}
TIGHT = {
    "max_without_provider_percent": 0,
    "max_unscored_percent": 0,
    "max_days_without_article": 1,
}
"""Thresholds of the checks that by default nothing fails."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An article with a row in every table that a check looks at."""
    world = World(tmp_path_factory.mktemp("sound"))
    related = "provider: {name: N}\nrelated: [{title: R}]\nimages: [{url: /x}]"
    world.write({"a.md": f"---\ntitle: A\n{related}\n---\n"})
    world.run()
    return world


@pytest.mark.parametrize("relation", relations("checks"), ids=lambda relation: relation.name)
def test_every_check_can_fail_and_passes_on_a_sound_world(sound: World, relation: Relation) -> None:
    view, query = DAMAGE[relation.name]
    with sound.connect() as connection:
        assert {check.name: check.count for check in run_checks(connection)}[relation.name] == 0
        connection.execute(f"alter view {view} rename to {view}_kept")
        connection.execute(f"create view {view} as {query}")
        [result] = [check for check in run_checks(connection, TIGHT) if check.name == relation.name]
    assert result.count > 0 and result.rows
    assert result.failed == ("warn" not in relation.path.parts)


def test_a_file_without_grain_line_is_refused(tmp_path: object) -> None:
    path = sql_folder() / "views" / "article_facts.sql"
    broken = type(path)(str(tmp_path)) / "broken.sql"
    broken.write_text("select 1")
    with pytest.raises(SchemaError, match=r"broken\.sql: the first line is not a grain line"):
        Relation.load(broken)
