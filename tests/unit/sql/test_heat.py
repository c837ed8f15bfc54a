"""The heat reports: tiny worlds give exact rows, suppressed is never averaged, and Spearman agrees
with SciPy.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

import duckdb
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.views.relations import relations
from tests.support.rows import rows_of
from tests.support.world import NOW, World

RELATIONS = {relation.name: relation for relation in relations("views", "reports")}
HEAT = [relation.name for relation in relations("reports") if relation.path.parent.name == "heat"]
LAST, FIRST, THIRD = dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 1, 3)


def story(
    title: str,
    quality: int | None,
    heat: int | None,
    *lines: str,
    provider: str = "",
    time: str = "",
    published: bool = False,
) -> str:
    """An article at https://x.example/<title>; `lines` follow as they are."""
    fields = [
        f"title: {title}",
        f"originalUrl: https://x.example/{title}",
        f"published: {str(published).lower()}",
        *lines,
    ]
    fields += [f"quality: {quality}"] if quality is not None else []
    fields += [f"heat: {heat}"] if heat is not None else []
    fields += (
        [f"provider: {{name: {provider}, domain: {provider.lower()}.example}}"] if provider else []
    )
    fields += [f"publishedDateTime: {time}"] if time else []
    return "\n".join(["---", *fields, "---", ""])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A is hotter than it is good, B suppressed, C as hot as good and of tomorrow, G unscored, T
    without time, U without heat.
    """
    world = World(tmp_path_factory.mktemp("small"))
    world.write(
        {
            "_news/a.md": story(
                "A",
                10,
                30,
                "topics: [AI, Chips]",
                provider="North",
                time="2026-01-01T03:04:05Z",
                published=True,
            ),
            "_news/b.md": story(
                "B", 30, -1, "topics: [AI]", provider="North", time="2026-01-01T12:00:00Z"
            ),
            "_news/c.md": story(
                "C",
                20,
                20,
                "topics: [AI, AI]",
                provider="South",
                time="2026-01-03T03:04:05Z",
                published=True,
            ),
            "_games/g.md": story(
                "G", None, 50, "topics: [AI]", provider="South", time="2025-12-31T00:00:00Z"
            ),
            "t.md": story("T", 40, 35, "topics: [Chips, ~]", published=True),
            "_news/u.md": story(
                "U", 5, None, "topics: [Chips]", provider="North", time="2026-01-01T23:30:00Z"
            ),
        }
    )
    world.run()
    return world


EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "heat_summary": (
        "select articles, scored, suppressed, unscored, suppressed_share, mean_heat,"
        " median_heat, round(p90_heat, 6), min_heat, max_heat,"
        " with_both, equal_to_quality, equal_share, mean_excess, first_day, last_day from"
        " heat_summary",
        [(6, 4, 1, 1, 0.2, 33.75, 32.5, 45.5, 20, 50, 3, 1, 1 / 3, 5.0, LAST, THIRD)],
    ),
    "heat_now": (
        "select article_id = (select article_id from articles where articles.title ="
        " heat_now.title), title, url, provider,"
        " published_at::date, age_hours, is_published, quality, heat, heat_excess from heat_now",
        [
            (True, "A", "https://x.example/A", "North", FIRST, 24.0, True, 10, 30, 20),
            (True, "C", "https://x.example/C", "South", THIRD, -24.0, True, 20, 20, 0),
            (True, "T", "https://x.example/T", None, None, None, True, 40, 35, -5),
        ],
    ),
    "heat_by_topic": (
        "select topic, articles, scored, suppressed, unscored, suppressed_share, mean_heat,"
        " with_both, mean_excess from heat_by_topic",
        [("AI", 4, 3, 1, 0, 0.25, 100 / 3, 2, 10.0), ("Chips", 3, 2, 0, 1, 0.0, 32.5, 2, 7.5)],
    ),
    "heat_by_topic_day": (
        "select day, topic, articles, scored, suppressed, unscored, suppressed_share,"
        " mean_heat, max_heat, with_both, mean_excess"
        " from heat_by_topic_day",
        [
            (LAST, "AI", 1, 1, 0, 0, 0.0, 50.0, 50, 0, None),
            (FIRST, "AI", 2, 1, 1, 0, 0.5, 30.0, 30, 1, 20.0),
            (FIRST, "Chips", 2, 1, 0, 1, 0.0, 30.0, 30, 1, 20.0),
            (THIRD, "AI", 1, 1, 0, 0, 0.0, 20.0, 20, 1, 0.0),
            (None, "Chips", 1, 1, 0, 0, 0.0, 35.0, 35, 1, -5.0),
        ],
    ),
    "heat_by_provider": (
        "select provider, domain, articles, of_articles, scored, suppressed, unscored,"
        " suppressed_share, mean_heat, median_heat, max_heat,"
        " with_both, equal_to_quality, mean_excess, first_day, last_day from heat_by_provider",
        [
            ("South", "south.example", 2, 6, 2, 0, 0, 0.0, 35.0, 35.0, 50, 1, 1, 0.0, LAST, THIRD),
            (
                "North",
                "north.example",
                3,
                6,
                1,
                1,
                1,
                0.5,
                30.0,
                30.0,
                30,
                1,
                0,
                20.0,
                FIRST,
                FIRST,
            ),
        ],
    ),
    "suppressed_by_month": (
        "select month, articles, unscored, with_heat, suppressed, suppressed_share,"
        " round(share_low, 6), round(share_high, 6), first_day,"
        " last_day from suppressed_by_month",
        [
            (dt.date(2025, 12, 1), 1, 0, 1, 0, 0.0, 0.0, 0.793451, LAST, LAST),
            (FIRST, 4, 1, 3, 1, 1 / 3, 0.061492, 0.792340, FIRST, THIRD),
            (None, 1, 0, 1, 0, 0.0, 0.0, 0.793451, None, None),
        ],
    ),
    "heat_groups": (
        "select dimension, coalesce(name, topic, month::varchar), day, articles, scored,"
        " suppressed, unscored, suppressed_share, mean_heat,"
        " median_heat, round(p90_heat, 6), min_heat, max_heat, with_both, equal_to_quality,"
        " mean_excess, first_day, last_day"
        " from heat_groups left join providers using (provider_id) where dimension <>"
        " 'topic_day' or topic = 'Chips' order by all",
        rows_of(
            """
            dimension         all         month         month               month  provider
            coalesce          null        "2025-12-01"  "2026-01-01"        null   North
            day               null        null          null                null   null
            articles          6           1             4                   1      3
            scored            4           1             2                   1      1
            suppressed        1           0             1                   0      1
            unscored          1           0             1                   0      1
            suppressed_share  0.2         0.0           0.3333333333333333  0.0    0.5
            mean_heat         33.75       50.0          25.0                35.0   30.0
            median_heat       32.5        50.0          25.0                35.0   30.0
            _heat             45.5        50.0          29.0                35.0   30.0
            min_heat          20          50            20                  35     30
            max_heat          50          50            30                  35     30
            with_both         3           0             2                   1      1
            equal_to_quality  1           0             1                   0      0
            mean_excess       5.0         null          10.0                -5.0   20.0
            first_day         2025-12-31  2025-12-31    2026-01-01          null   2026-01-01
            last_day          2026-01-03  2025-12-31    2026-01-03          null   2026-01-01

            dimension         provider    topic               topic       topic_day   topic_day
            coalesce          South       AI                  Chips       Chips       Chips
            day               null        null                null        2026-01-01  null
            articles          2           4                   3           2           1
            scored            2           3                   2           1           1
            suppressed        0           1                   0           0           0
            unscored          0           0                   1           1           0
            suppressed_share  0.0         0.25                0.0         0.0         0.0
            mean_heat         35.0        33.333333333333336  32.5        30.0        35.0
            median_heat       35.0        30.0                32.5        30.0        35.0
            _heat             47.0        46.0                34.5        30.0        35.0
            min_heat          20          20                  30          30          35
            max_heat          50          50                  35          30          35
            with_both         1           2                   2           1           1
            equal_to_quality  1           1                   0           0           0
            mean_excess       0.0         10.0                7.5         20.0        -5.0
            first_day         2025-12-31  2025-12-31          2026-01-01  2026-01-01  null
            last_day          2026-01-03  2026-01-03          2026-01-01  2026-01-01  null
            """
        ),
    ),
    "heat_against_quality": (
        "select scope, articles, with_both, equal_to_quality, hotter, cooler, equal_share,"
        " round(spearman, 6), first_day, last_day"
        " from heat_against_quality",
        [
            ("(all)", 6, 3, 1, 1, 1, 1 / 3, 0.5, FIRST, THIRD),
            ("news", 4, 2, 1, 1, 0, 0.5, -1.0, FIRST, THIRD),
            ("(none)", 1, 1, 0, 0, 1, 0.0, None, None, None),
            ("games", 1, 0, 0, 0, 0, None, None, None, None),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(small: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert small.rows(query) == rows


def test_reports_on_an_empty_corpus_are_empty(empty: World) -> None:
    with empty.connect() as connection:
        found = {name: connection.execute(f"from {name}").fetchall() for name in HEAT}
    assert found == {name: [] for name in HEAT} | {
        "heat_summary": [(0, 0, 0, 0, *[None] * 6, 0, 0, *[None] * 4)]
    }


def test_a_month_without_any_heat_has_no_share(world: World) -> None:
    world.write(
        {
            "a.md": story("A", 1, None, time="2026-01-01T00:00:00Z"),
            "b.md": story("B", 1, -2, time="2026-01-01T00:00:00Z"),
        }
    )
    world.run()
    assert world.rows(
        "select unscored, with_heat, suppressed_share, share_low, share_high from"
        " suppressed_by_month"
    ) == [(2, 0, None, None, None)]


def test_scores_at_the_ends_of_what_a_number_can_hold_break_no_report(world: World) -> None:
    ends = [2**63 - 1, 0, -(2**63), -1]
    for revision in range(2):
        for number in range(16):
            world.write(
                {
                    f"{number}.md": story(
                        f"T{number}",
                        ends[number // 4],
                        ends[(number + revision) % 4],
                        "topics: [AI]",
                        provider="North",
                    )
                }
            )
        world.run(now=NOW + dt.timedelta(hours=revision))
    with world.connect() as connection:
        for name in HEAT:
            assert connection.execute(f"from {name}").fetchall(), name
    assert world.rows("select min(change_24h), count(*) from heat_movers") == [(1 - 2**63, 16)]


def test_movers_follow_a_file_that_moves(world: World) -> None:
    def run(hours: int) -> None:
        world.run(now=NOW + dt.timedelta(hours=hours))

    world.write(
        {
            "a.md": story("A", 10, 10),
            "b.md": story("B", 10, 10),
            "c.md": story("C", 20, None),
            "d.md": story("D", 10, 10),
            "m.md": story("M", 10, 10, provider="North"),
            "x.md": story("X", 10, 1),
            "y.md": story("Y", 10, 7),
        }
    )
    run(0)
    world.write({"a.md": story("A", 10, 30), "b.md": story("B", 10, -1)})
    (world.site / "m.md").rename(world.site / "n.md")
    (world.site / "x.md").unlink()
    run(2)
    world.write(
        {
            "a.md": story("A", 10, 30, published=True),
            "b.md": story("B", 10, 40),
            "c.md": story("C", 25, None),
        }
    )
    world.write({"n.md": story("M", 10, 15, provider="North")})
    (world.site / "y.md").rename(
        world.site / "x.md"
    )  # Y comes to the path where X was, whose heat is none of its own
    run(5)
    (world.site / "n.md").rename(world.site / "o.md")
    run(10)
    assert world.rows(
        "select title, provider, is_published, heat_state, previous_heat_state, heat,"
        " previous_heat, change_24h, quality, changes_24h,"
        " observations, of_articles from heat_movers"
    ) == [
        ("B", None, False, "scored", "suppressed", 40, None, 30, 10, 2, 3, 6),
        ("A", None, True, "scored", "scored", 30, 10, 20, 10, 1, 3, 6),
        ("M", "North", False, "scored", "scored", 15, 10, 5, 10, 1, 4, 6),
    ]
    seen = (
        "title, life, ended, epoch(valid_from - timestamptz '2026-01-02 03:04:05+00') / 3600,"
        " heat_excess"
    )
    assert world.rows(
        f"select {seen} from heat_history where coalesce(title, '-') in ('X', 'Y', '-') order"
        " by all"
    ) == [
        ("Y", 2, None, 0.0, -3),
        (None, 1, "deleted", 0.0, -9),
    ]
    assert world.rows("select kind, kinds, files from revision_kinds") == [
        ("new", 1, 7),
        ("moved", 3, 4),
        ("moved", 2, 5),
        ("moved", 1, 1),
    ]


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 1")
        yield connection


def rows(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str
) -> list[tuple[object, ...]]:
    return connection.execute(f"select {columns} from ({RELATIONS[name].query})").fetchall()


SCORES = st.none() | st.integers(-1, 8) | st.integers(0, 200)


@given(
    articles=st.lists(
        st.tuples(st.sampled_from(["news", "games", None]), SCORES, st.none() | st.integers(0, 8)),
        max_size=40,
    )
)
@settings(max_examples=100, deadline=None)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_the_correlation_agrees_with_scipy(
    memory: duckdb.DuckDBPyConnection, articles: list[tuple[str | None, int | None, int | None]]
) -> None:
    memory.execute(
        """create or replace table article_facts as
        select collection, quality, case when heat >= 0 then heat end as heat,
               case when heat >= 0 then heat - quality end as heat_excess, null::date as day
        from (select unnest($collections::varchar[]) as collection,
                     unnest($heats::bigint[]) as heat, unnest($qualities::bigint[]) as quality)""",
        {
            key: [row[place] for row in articles]
            for place, key in enumerate(("collections", "heats", "qualities"))
        },
    )
    pairs, counts = defaultdict(list), defaultdict(int)
    for collection, heat, quality in articles:
        for scope in ("(all)", collection or "(none)"):
            counts[scope] += 1
            pairs[scope] += (
                [(heat, quality)] if heat is not None and heat >= 0 and quality is not None else []
            )
    found = rows(
        memory, "heat_against_quality", "scope, articles, with_both, equal_to_quality, spearman"
    )
    assert {row[0]: row[1] for row in found} == counts
    for scope, _, both, equal, correlation in found:
        heats, qualities = (
            [heat for heat, _ in pairs[scope]],
            [quality for _, quality in pairs[scope]],
        )
        assert (both, equal) == (len(heats), sum(heat == quality for heat, quality in pairs[scope]))
        if len(set(heats)) < 2 or len(set(qualities)) < 2:
            assert correlation is None
        else:
            assert correlation == pytest.approx(
                scipy.stats.spearmanr(heats, qualities).statistic, abs=1e-12
            )
            assert -1 <= correlation <= 1


@given(heats=st.lists(st.none() | st.integers(-2, 60), max_size=50))
@settings(max_examples=60, deadline=None)
def test_shares_of_the_suppressed_have_wilson_intervals(
    memory: duckdb.DuckDBPyConnection, heats: list[int | None]
) -> None:
    memory.execute(
        """create or replace table articles as
        select heat, null::bigint as quality, 'id' || row_number() over () as article_id,
               null::varchar as provider_id, null::timestamptz as published_at
        from (select unnest($heats::bigint[]) as heat)""",
        {"heats": heats},
    )
    memory.execute(
        f"""create or replace table article_topics (article_id varchar, topic varchar);
        create or replace temp view heat_groups as {RELATIONS["heat_groups"].query}"""
    )
    count, of = heats.count(-1), sum(heat is not None and heat >= -1 for heat in heats)
    found = rows(
        memory, "suppressed_by_month", "articles, with_heat, suppressed, share_low, share_high"
    )
    if not heats:
        assert found == []
        return
    interval = scipy.stats.binomtest(count, of).proportion_ci(method="wilson") if of else None
    expected = (interval.low, interval.high) if interval else (None, None)
    assert found == [pytest.approx((len(heats), of, count, *expected), abs=1e-6)]
