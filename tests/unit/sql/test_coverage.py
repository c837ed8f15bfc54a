"""The coverage reports: a tiny world gives exact rows, and generated rows give what pandas, NumPy,
SciPy or a plain loop give.
"""

import datetime as dt

import pytest

from tests.support.rows import rows_of
from tests.support.world import World

EPOCH = dt.date(1970, 1, 1)

NAMES = [
    "attention_by_topic_day",
    "coverage_by_topic",
    "coverage_gaps",
    "coverage_summary",
    "provider_activity",
    "provider_concentration",
    "provider_concentration_by_month",
    "provider_topics",
    "publishing_rhythm",
    "topic_pairs",
]


def december(day: int) -> dt.date:
    return dt.date(2025, 12, day)


NEW_YEAR = dt.date(2026, 1, 1)


def story(title: str, time: str, topics: str = "", provider: str = "") -> str:
    outlet = (
        f"provider: {{name: {provider}, domain: {provider.lower()}.example}}\n" if provider else ""
    )
    when = f"publishedDateTime: {time}\n" if time else ""
    return f"---\ntitle: {title}\n{when}topics: [{topics}]\n{outlet}---\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two articles on a Monday, none on Tuesday, two on Wednesday (one without a time), one on
    Thursday, three with odd dates.
    """
    world = World(tmp_path_factory.mktemp("small"))
    world.write(
        {
            "a.md": story("A", "2025-12-29T10:15:00Z", "AI, Chips", "North"),
            "b.md": story("B", "2025-12-29T10:45:00Z", "AI, Chips", "North"),
            "c.md": story("C", "2025-12-31T23:30:00Z", "AI, Chips", "South"),
            "d.md": story("D", "2025-12-31", "AI"),
            "e.md": story("E", "2026-01-01T08:00:00Z", "Rail", "South"),
            "f.md": story("F", "", "AI", "North"),
            "g.md": story("G", "2099-01-01T00:00:00Z", "Rail", "Far"),
            "h.md": story("H", "1970-01-01T00:00:00Z", "", "North"),
        }
    )
    world.run()
    return world


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Topic A on twelve days of December, with a gap for each reason; a run on the 16th; topic B on
    too few days.
    """
    world = World(tmp_path_factory.mktemp("gappy"))
    days = dict.fromkeys([*range(1, 10), 14, 19, 23], "A") | {11: "B", 26: "B"}
    world.write(
        {
            f"{day}.md": story(str(day), f"2025-12-{day:02}T12:00:00Z", topic)
            for day, topic in days.items()
        }
    )
    world.run(now=dt.datetime(2025, 12, 16, 8, tzinfo=dt.UTC))
    world.run()
    return world


EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "attention_by_topic_day": (
        "select * from attention_by_topic_day",
        [
            ("AI", december(29), 2, 2, 1.0, 0.5, 2, 2, 1.0),
            ("AI", december(30), 0, 0, None, None, 2, 2, 1.0),
            ("AI", december(31), 2, 2, 1.0, 0.75, 4, 4, 1.0),
            ("AI", NEW_YEAR, 0, 1, 0.0, 0.0, 4, 5, 0.8),
            ("Chips", december(29), 2, 2, 1.0, 0.5, 2, 2, 1.0),
            ("Chips", december(30), 0, 0, None, None, 2, 2, 1.0),
            ("Chips", december(31), 1, 2, 0.5, 0.25, 3, 4, 0.75),
            ("Chips", NEW_YEAR, 0, 1, 0.0, 0.0, 3, 5, 0.6),
            ("Rail", december(29), 0, 2, 0.0, 0.0, 0, 2, 0.0),
            ("Rail", december(30), 0, 0, None, None, 0, 2, 0.0),
            ("Rail", december(31), 0, 2, 0.0, 0.0, 0, 4, 0.0),
            ("Rail", NEW_YEAR, 1, 1, 1.0, 1.0, 1, 5, 0.2),
        ],
    ),
    "coverage_by_topic": (
        "select topic, articles, of_articles, providers, top_provider, without_provider,"
        " effective_providers from coverage_by_topic",
        [
            ("AI", 5, 8, 2, "North", 1, 1.6),
            ("Chips", 3, 8, 2, "North", 0, 1.8),
            ("Rail", 2, 8, 2, "South", 0, 2.0),
        ],
    ),
    "coverage_gaps": (
        "select * from coverage_gaps",
        [
            ("A", december(10), december(13), 4, False, 1.0, 12, 1, 1, 0, "no news"),
            ("A", december(15), december(18), 4, False, 1.0, 12, 0, 0, 1, "no articles"),
            ("A", december(20), december(22), 3, False, 1.0, 12, 0, 0, 0, "no run"),
            ("A", december(24), december(26), 3, True, 1.0, 12, 1, 1, 0, "no news"),
        ],
    ),
    "coverage_summary": (
        "select * replace (newest_article_at::varchar as newest_article_at, as_of::varchar as"
        " as_of) from coverage_summary",
        [
            (
                8,
                7,
                1,
                1,
                3,
                3,
                EPOCH,
                NEW_YEAR,
                "2026-01-01 08:00:00+00",
                1,
                1,
                4,
                3,
                1,
                5,
                0,
                "2026-01-02 03:04:05+00",
            ),
        ],
    ),
    "provider_activity": (
        "select * from provider_activity",
        rows_of(
            """
            provider             North          South          Far
            domain               north.example  south.example  far.example
            articles             4              2              1
            undated              1              0              1
            first_day            1970-01-01     2025-12-31     null
            last_day             2025-12-29     2026-01-01     null
            active_days          2              2              0
            usual_interval_days  20451          1.0            null
            days_since_last      3              0              null
            up_to_day            2026-01-01     2026-01-01     2026-01-01
            last_30_days         2              2              0
            previous_30_days     0              0              0
            state                occasional     new            undated
            """
        ),
    ),
    "provider_concentration": (
        "select * from provider_concentration",
        rows_of(
            """
            topic                AI                   AI       Chips                Rail
            month                2025-12-01           null     2025-12-01           2026-01-01
            articles             4                    1        3                    1
            without_provider     1                    0        0                    0
            of_articles          3                    1        3                    1
            providers            2                    1        2                    1
            hhi                  0.5555555555555556   1.0      0.5555555555555556   1.0
            hhi_points           5555.555555555556    10000.0  5555.555555555556    10000.0
            level                null                 null     null                 null
            effective_providers  1.8                  1.0      1.8                  1.0
            gini                 0.16666666666666666  0.0      0.16666666666666666  0.0
            cr4                  1.0                  1.0      1.0                  1.0
            top_provider         North                North    North                South
            top_provider_share   0.6666666666666666   1.0      0.6666666666666666   1.0

            topic                Rail
            month                2099-01-01
            articles             1
            without_provider     0
            of_articles          1
            providers            1
            hhi                  1.0
            hhi_points           10000.0
            level                null
            effective_providers  1.0
            gini                 0.0
            cr4                  1.0
            top_provider         Far
            top_provider_share   1.0
            """
        ),
    ),
    "provider_concentration_by_month": (
        "select * from provider_concentration_by_month",
        rows_of(
            """
            month                1970-01-01  2025-12-01           2026-01-01  2099-01-01  null
            articles             1           4                    1           1           1
            without_provider     0           1                    0           0           0
            of_articles          1           3                    1           1           1
            providers            1           2                    1           1           1
            hhi                  1.0         0.5555555555555556   1.0         1.0         1.0
            hhi_points           10000.0     5555.555555555556    10000.0     10000.0     10000.0
            level                null        null                 null        null        null
            effective_providers  1.0         1.8                  1.0         1.0         1.0
            gini                 0.0         0.16666666666666666  0.0         0.0         0.0
            cr4                  1.0         1.0                  1.0         1.0         1.0
            top_provider         North       North                South       Far         North
            top_provider_share   1.0         0.6666666666666666   1.0         1.0         1.0
            """
        ),
    ),
    "concentration_groups": (
        "select dimension, topic, month, articles, without_provider, of_articles, providers,"
        " round(hhi, 6), level,"
        " effective_providers, gini, cr4, top_provider, top_provider_share from"
        " concentration_groups"
        " where topic = 'AI' or month = date '2025-12-01' and topic is null order by all",
        rows_of(
            """
            dimension            month                topic_month          topic_month
            topic                null                 AI                   AI
            month                2025-12-01           2025-12-01           null
            articles             4                    4                    1
            without_provider     1                    1                    0
            of_articles          3                    3                    1
            providers            2                    2                    1
            hhi                  0.555556             0.555556             1.0
            level                null                 null                 null
            effective_providers  1.8                  1.8                  1.0
            gini                 0.16666666666666666  0.16666666666666666  0.0
            cr4                  1.0                  1.0                  1.0
            top_provider         North                North                North
            top_provider_share   0.6666666666666666   0.6666666666666666   1.0
            """
        ),
    ),
    "provider_topics": (
        "select provider, domain, topic, articles, of_provider, of_topic, of_articles,"
        " share_of_provider, share_of_topic, location_quotient,"
        " round(location_quotient_low, 4), round(location_quotient_high, 4), representation,"
        " first_day, last_day from provider_topics",
        rows_of(
            """
            provider                North          North               South
            domain                  north.example  north.example       south.example
            topic                   AI             Chips               AI
            articles                3              2                   1
            of_provider             4              4                   2
            of_topic                5              3                   5
            of_articles             8              8                   8
            share_of_provider       0.75           0.5                 0.5
            share_of_topic          0.6            0.6666666666666666  0.2
            location_quotient       1.2            1.3333333333333333  0.8
            location_quotient_low   0.481          0.4001              0.1512
            location_quotient_high  1.5271         2.2666              1.4488
            representation          null           null                null
            first_day               2025-12-29     2025-12-29          2025-12-31
            last_day                2025-12-29     2025-12-29          2025-12-31

            provider                South               South          Far          null
            domain                  south.example       south.example  far.example  null
            topic                   Chips               Rail           Rail         AI
            articles                1                   1              1            1
            of_provider             2                   2              1            1
            of_topic                3                   2              2            5
            of_articles             8                   8              8            8
            share_of_provider       0.5                 0.5            1.0          1.0
            share_of_topic          0.3333333333333333  0.5            0.5          0.2
            location_quotient       1.3333333333333333  2.0            4.0          1.6
            location_quotient_low   0.2521              0.3781         0.8262       0.3305
            location_quotient_high  2.4146              3.6219         4.0          1.6
            representation          null                null           null         null
            first_day               2025-12-31          2026-01-01     2099-01-01   2025-12-31
            last_day                2025-12-31          2026-01-01     2099-01-01   2025-12-31
            """
        ),
    ),
    "publishing_rhythm": (
        "select * from publishing_rhythm where articles > 0",
        [
            (1, 10, 2, 5, 0.4, 3, EPOCH, NEW_YEAR),
            (3, 23, 1, 5, 0.2, 3, EPOCH, NEW_YEAR),
            (4, 0, 1, 5, 0.2, 3, EPOCH, NEW_YEAR),
            (4, 8, 1, 5, 0.2, 3, EPOCH, NEW_YEAR),
        ],
    ),
    "topic_pairs": (
        "select * replace (round(lift_low, 4) as lift_low, round(lift_high, 4) as lift_high)"
        " from topic_pairs",
        [
            (
                "AI",
                "Chips",
                3,
                5,
                3,
                8,
                1.875,
                1.6,
                0.5839,
                2.9622,
                0.6,
                0.6,
                1.0,
                december(29),
                december(31),
            )
        ],
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_world_gives_exact_rows(request: pytest.FixtureRequest, name: str) -> None:
    world: World = request.getfixturevalue("gappy" if name == "coverage_gaps" else "small")
    query, rows = EXPECTED[name]
    found = world.rows(query)
    assert len(found) == len(rows)
    for row, expected in zip(found, rows, strict=True):
        assert row == tuple(
            pytest.approx(value) if isinstance(value, float) else value for value in expected
        )


def test_the_clock_ignores_days_after_tomorrow(world: World) -> None:
    world.write(
        {
            f"{time}.md": story(time, time)
            for time in ("2026-01-03T03:04:05Z", "2026-01-03T03:04:06Z", "2026-01-04T00:00:00Z")
        }
    )
    world.run()
    assert world.rows("select last_day from report_clock") == [(dt.date(2026, 1, 3),)]
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    assert world.rows("select last_day from report_clock") == [(dt.date(2026, 1, 4),)]


def test_the_rhythm_has_all_hours_of_the_week(small: World) -> None:
    hours = small.rows("select weekday, hour from publishing_rhythm")
    assert hours == [(weekday, hour) for weekday in range(1, 8) for hour in range(24)]


def test_an_empty_corpus_gives_no_rows_or_zero_counts(empty: World) -> None:
    for name in NAMES:
        if name != "coverage_summary":
            assert empty.rows(f"from {name}") == [], name
    [row] = empty.rows("from coverage_summary")
    assert {*row[:6], *row[9:16]} == {0} and row[6:9] == (None, None, None)
