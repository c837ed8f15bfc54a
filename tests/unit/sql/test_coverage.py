"""The coverage reports: a tiny world gives exact rows, and generated rows give what pandas, NumPy,
SciPy or a plain loop give.
"""

import datetime as dt
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.views.relations import Relation, relations
from tests.support.rows import rows_of
from tests.support.world import World

EPOCH = dt.date(1970, 1, 1)
FAR = dt.date(2099, 1, 1)
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


# Below, the facts are tables of generated rows, and each report is asked without a run.


@dataclass
class Corpus:
    """Articles as (time or none, provider or none, topics); the reports' facts as tables of a
    connection.
    """

    articles: list[tuple[dt.datetime | None, str | None, frozenset[str]]]
    as_of: dt.datetime
    good_runs: list[dt.datetime] = field(default_factory=list)

    @property
    def days(self) -> list[dt.date | None]:
        return [time and time.date() for time, _, _ in self.articles]

    @property
    def last_day(self) -> dt.date | None:
        limit = self.as_of + dt.timedelta(days=1)
        return max(
            (time.date() for time, _, _ in self.articles if time and time <= limit), default=None
        )

    def rows(self, name: str) -> list[dict[str, object]]:
        ids = [f"{i:05}" for i in range(len(self.articles))]
        times, providers = (
            [time for time, _, _ in self.articles],
            [provider for _, provider, _ in self.articles],
        )
        months = [day and day.replace(day=1) for day in self.days]
        pairs = [
            (key, topic, 1 / len(topics))
            for key, (_, _, topics) in zip(ids, self.articles, strict=True)
            for topic in topics
        ]
        text, stamp = pa.string(), pa.timestamp("us", "UTC")
        names = sorted({provider for provider in providers if provider})
        tables = {
            "articles": {
                "article_id": pa.array(ids, text),
                "published_at": pa.array(times, stamp),
                "provider_id": pa.array(providers, text),
                "provider_name": pa.array(providers, text),
                "provider_domain": pa.array(providers, text),
            },
            "article_topics": {
                "article_id": pa.array([key for key, _, _ in pairs], text),
                "topic": pa.array([topic for _, topic, _ in pairs], text),
            },
            "article_facts": {
                "article_id": pa.array(ids, text),
                "published_at": pa.array(times, stamp),
                "day": pa.array(self.days, pa.date32()),
                "month": pa.array(months, pa.date32()),
                "provider_id": pa.array(providers, text),
                "provider": pa.array(providers, text),
                "is_published": pa.array([True] * len(ids), pa.bool_()),
            },
            "topic_facts": {
                "article_id": pa.array([key for key, _, _ in pairs], text),
                "topic": pa.array([topic for _, topic, _ in pairs], text),
                "weight": pa.array([weight for _, _, weight in pairs], pa.float64()),
            },
            "providers": {
                "provider_id": pa.array(names, text),
                "name": pa.array(names, text),
                "domain": pa.array(names, text),
            },
            "report_clock": {
                "as_of": pa.array([self.as_of], stamp),
                "last_day": pa.array([self.last_day], pa.date32()),
            },
            "findings": {column: pa.array([], text) for column in ("article_id", "rule", "field")},
            "runs": {
                "started_at": pa.array(self.good_runs, stamp),
                "outcome": pa.array(["unchanged"] * len(self.good_runs), text),
            },
        }
        for table, columns in tables.items():
            CONNECTION.register(table, pa.table(columns))
        CONNECTION.execute(f"create or replace temp view concentration_groups as {GROUPS.query}")
        result = CONNECTION.execute(REPORTS[name].query)
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def frame(self) -> pd.DataFrame:
        """One row per article and topic."""
        rows = [
            (i, day and day.replace(day=1), provider, topic)
            for i, ((_, provider, topics), day) in enumerate(
                zip(self.articles, self.days, strict=True)
            )
            for topic in sorted(topics)
        ]
        return pd.DataFrame(rows, columns=["article", "month", "provider", "topic"])


REPORTS: dict[str, Relation] = {relation.name: relation for relation in relations("reports")}
[GROUPS] = [fact for fact in relations("views") if fact.name == "concentration_groups"]
CONNECTION: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module", autouse=True)
def connection() -> Iterator[None]:
    global CONNECTION
    with duckdb.connect() as CONNECTION:
        CONNECTION.execute("set timezone = 'UTC'")
        yield


FEW = settings(max_examples=25, deadline=None)
START = dt.datetime(2024, 11, 1, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
OUTLIERS = [
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2014, 6, 1, tzinfo=dt.UTC),
    dt.datetime(2099, 1, 1, tzinfo=dt.UTC),
]


def times(days: int) -> st.SearchStrategy[dt.datetime | None]:
    usual = st.integers(0, days * 24 - 1).map(lambda hours: START + dt.timedelta(hours=hours))
    return st.one_of(usual, usual, usual, st.sampled_from([None, *OUTLIERS]))


def corpora(days: int = 20, most: int = 60, topics: str = "ABCD") -> st.SearchStrategy[Corpus]:
    """Corpora of any size up to `most` alike: by itself, hypothesis draws mostly short lists."""
    article = st.tuples(
        times(days),
        st.sampled_from([None, *"NNNSSWPQR"]),
        st.frozensets(st.sampled_from(topics), max_size=3),
    )
    articles = st.integers(0, most).flatmap(
        lambda size: st.lists(article, min_size=size, max_size=size)
    )
    return st.builds(Corpus, articles, st.just(AS_OF))


def usable(days: Iterable[dt.date | None], last_day: dt.date | None, back: int) -> set[dt.date]:
    return {day for day in days if day and last_day and 0 <= (last_day - day).days <= back}


def concentration(counts: np.ndarray) -> list[float | None]:
    """HHI, its points, effective number, Gini (by mean absolute difference), CR4 and top share;
    nothing of nothing.
    """
    if not len(counts):
        return [None] * 6
    shares = counts / counts.sum()
    hhi = (shares**2).sum()
    gini = np.abs(np.subtract.outer(counts, counts)).mean() / (2 * counts.mean())
    return [hhi, hhi * 10000, 1 / hhi, gini, np.sort(shares)[::-1][:4].sum(), shares.max()]


@FEW
@given(corpora(most=120), st.booleans())
def test_concentration_agrees_with_numpy(corpus: Corpus, by_topic: bool) -> None:
    frame = corpus.frame()
    keys = ["topic", "month"]
    if not by_topic:
        rows = [
            (day and day.replace(day=1), provider)
            for day, (_, provider, _) in zip(corpus.days, corpus.articles, strict=True)
        ]
        frame, keys = pd.DataFrame(rows, columns=["month", "provider"]), ["month"]
    expected = {}
    for key, group in frame.astype(object).groupby(keys, dropna=False):
        counts = group["provider"].value_counts().to_numpy(dtype=float)
        sizes = [len(group), int(group["provider"].isna().sum()), int(counts.sum()), len(counts)]
        expected[tuple(None if pd.isna(part) else part for part in key)] = sizes + concentration(
            counts
        )
    found = corpus.rows("provider_concentration" if by_topic else "provider_concentration_by_month")
    assert {tuple(row[key] for key in keys) for row in found} == set(expected) and len(
        found
    ) == len(expected)
    measures = (
        "articles without_provider of_articles providers hhi hhi_points effective_providers gini"
        " cr4 top_provider_share"
    )
    for row in found:
        assert [row[measure] for measure in measures.split()] == pytest.approx(
            expected[tuple(row[key] for key in keys)]
        )
        if row["hhi"] is not None:
            assert row["of_articles"] >= 30 or row["level"] is None
            assert 0.999999 / row["providers"] <= row["hhi"] <= 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ([29], None),
        ([30], "high"),
        ([9, 9, 9, 9], "high"),
        ([6] * 5, "high"),
        ([15, 10, 10, *[1, 2] * 5], "moderate"),
        ([6] * 6, "moderate"),
        ([3] * 10, "moderate"),
        ([3] * 11, "low"),
    ],
)
def test_levels_are_those_of_the_merger_guidelines(counts: list[int], level: str | None) -> None:
    articles = [
        (START, f"P{i}", frozenset("A")) for i, count in enumerate(counts) for _ in range(count)
    ]
    [row] = Corpus(articles, AS_OF).rows("provider_concentration")
    assert row["level"] == level


@FEW
@given(corpora(topics="ABC"))
def test_lift_agrees_with_numpy_and_scipy(corpus: Corpus) -> None:
    tags = sorted({topic for _, _, topics in corpus.articles for topic in topics})
    incidence = np.array(
        [[topic in topics for topic in tags] for _, _, topics in corpus.articles], dtype=int
    )
    incidence = incidence.reshape(len(corpus.articles), len(tags))
    together, n = incidence.T @ incidence, len(corpus.articles)
    expected = {}
    for a, b in itertools.combinations(range(len(tags)), 2):
        if (both := int(together[a, b])) >= 3:
            share_a, share_b = together[a, a] / n, together[b, b] / n
            interval = binomtest(both, n).proportion_ci(0.95, "wilson")
            expected[tags[a], tags[b]] = (
                *(
                    both,
                    both / n / (share_a * share_b),
                    interval.low / (share_a * share_b),
                    interval.high / (share_a * share_b),
                ),
                both / (incidence[:, a] | incidence[:, b]).sum(),
                *(both / together[a, a], both / together[b, b], n * share_a * share_b),
            )
    found = corpus.rows("topic_pairs")
    measures = "articles lift lift_low lift_high jaccard share_of_a share_of_b expected_articles"
    assert {(row["topic_a"], row["topic_b"]) for row in found} == set(expected) and len(
        found
    ) == len(expected)
    for row in found:
        assert [row[measure] for measure in measures.split()] == pytest.approx(
            list(expected[row["topic_a"], row["topic_b"]])
        )
    lows = [row["lift_low"] for row in found]
    assert lows == sorted(lows, reverse=True)  # type: ignore[type-var]


def test_three_articles_do_not_rank_before_a_hundred() -> None:
    articles = (
        [(START, None, frozenset("AB"))] * 100
        + [(START, None, frozenset("CD"))] * 3
        + [(START, None, frozenset())] * 200
    )
    found = [
        (row["topic_a"], row["lift"])
        for row in Corpus([*articles, (START, None, frozenset("C"))], AS_OF).rows("topic_pairs")
    ]
    assert found == [("C", pytest.approx(76.0)), ("A", pytest.approx(3.04))]
    rare = [(START, None, frozenset("CD"))] * 3 + [
        (START, None, frozenset("C")),
        (START, None, frozenset("D")),
    ] * 37
    found = [
        (row["topic_a"], row["lift"])
        for row in Corpus(articles[:100] + articles[103:] + rare, AS_OF).rows("topic_pairs")
    ]
    assert [topic for topic, _ in found] == ["A", "C"]


@FEW
@given(corpora())
def test_provider_topics_agree_with_a_cross_table(corpus: Corpus) -> None:
    frame = corpus.frame().fillna({"provider": "none"})
    found = corpus.rows("provider_topics")
    sizes = Counter(provider or "none" for _, provider, _ in corpus.articles)
    table = pd.crosstab(frame["provider"], frame["topic"])
    cells = {
        (provider, topic): int(table.loc[provider, topic])
        for provider in table.index
        for topic in table.columns
    }
    assert {(row["provider"] or "none", row["topic"]): row["articles"] for row in found} == {
        key: n for key, n in cells.items() if n
    }
    for row in found:
        provider, n = row["provider"] or "none", row["articles"]
        usual = table[row["topic"]].sum() / len(corpus.articles)
        interval = binomtest(n, sizes[provider]).proportion_ci(0.95, "wilson")  # type: ignore[arg-type]
        assert [
            row[name]
            for name in (
                "location_quotient",
                "location_quotient_low",
                "location_quotient_high",
                "share_of_topic",
            )
        ] == (
            pytest.approx(
                [
                    n / sizes[provider] / usual,
                    interval.low / usual,
                    interval.high / usual,
                    n / table[row["topic"]].sum(),
                ]
            )
        )
        few, over, under = sizes[provider] < 10, interval.low > usual, interval.high < usual
        assert row["representation"] == (
            None if few else "over" if over else "under" if under else "usual"
        )


@FEW
@given(corpora(days=40), st.sampled_from([40, 400]))
def test_the_calendar_agrees_with_reindex(corpus: Corpus, stretch: int) -> None:
    corpus.articles += [(START + dt.timedelta(days=stretch), None, frozenset("A"))]
    inside = usable(corpus.days, corpus.last_day, 365)
    index = pd.date_range(min(inside), max(inside), freq="D").date
    daily = pd.Series(Counter(day for day in corpus.days if day in inside)).reindex(
        index, fill_value=0
    )
    expected = {}
    for topic in sorted(
        {
            topic
            for (_, _, topics), day in zip(corpus.articles, corpus.days, strict=True)
            if day in inside
            for topic in topics
        }
    ):
        tagged = [
            (day, 1 / len(ts))
            for (_, _, ts), day in zip(corpus.articles, corpus.days, strict=True)
            if day in inside and topic in ts
        ]
        counts = pd.Series(Counter(day for day, _ in tagged)).reindex(index, fill_value=0)
        weights = (
            pd.DataFrame(tagged, columns=["day", "weight"])
            .groupby("day")["weight"]
            .sum()
            .reindex(index, fill_value=0.0)
        )
        week, of_week = (series.rolling(7, min_periods=1).sum() for series in (counts, daily))
        for day in index:
            n, of, total = int(counts[day]), int(daily[day]), int(of_week[day])
            share, fraction = (n / of, weights[day] / of) if of else (None, None)
            expected[topic, day] = [
                n,
                of,
                share,
                fraction,
                int(week[day]),
                total,
                week[day] / total if total else None,
            ]
    found = corpus.rows("attention_by_topic_day")
    assert [(row["topic"], row["day"]) for row in found] == list(expected)
    for row in found:
        assert list(row.values())[2:] == pytest.approx(expected[row["topic"], row["day"]])


def test_the_calendar_stays_bounded() -> None:
    days = [AS_OF - dt.timedelta(days=back) for back in range(0, 1000, 5)]
    articles = [
        (day, None, frozenset(f"T{i:03}" for i in range(k % 40 + 1)))
        for k, day in enumerate([*days, *OUTLIERS])
    ]
    found = Corpus(articles, AS_OF).rows("attention_by_topic_day")
    assert {row["topic"] for row in found} == {f"T{i:03}" for i in range(30)}
    assert len(found) == 30 * 366 and max(row["day"] for row in found) == AS_OF.date()  # type: ignore[type-var]


STRETCHES = st.lists(
    st.tuples(st.sampled_from(["A", "A", "AB", "other", "nothing"]), st.integers(1, 6)),
    min_size=5,
    max_size=25,
)


@FEW
@given(STRETCHES, st.lists(st.integers(0, 60), max_size=6), st.sampled_from([[], OUTLIERS]))
def test_gaps_agree_with_a_plain_loop(
    stretches: list[tuple[str, int]], runs_after: list[int], odd: list[dt.datetime]
) -> None:
    days = [what for what, length in stretches for _ in range(length)]
    articles = [
        (START + dt.timedelta(days=day), None, frozenset(what if what in ("A", "AB") else ""))
        for day, what in enumerate(["A", *days])
        if what != "nothing"
    ]
    articles += [(time, None, frozenset("A")) for time in odd]
    corpus = Corpus(articles, AS_OF, [START + dt.timedelta(days=day) for day in runs_after])
    last_day = corpus.last_day
    assert last_day
    inside = usable(corpus.days, last_day, 3653)
    found = {(row["topic"], row["first_day"]): row for row in corpus.rows("coverage_gaps")}
    expected = {}
    for topic in "AB":
        days = sorted(
            {
                day
                for (_, _, topics), day in zip(corpus.articles, corpus.days, strict=True)
                if topic in topics and day in inside
            }
        )
        if len(days) < 10:
            continue
        usual = float(np.median([(b - a).days for a, b in itertools.pairwise(days)]))
        missing: list[dt.date] = []
        for offset in range((last_day - days[0]).days + 1):
            day = days[0] + dt.timedelta(days=offset)
            if day not in days:
                missing.append(day)
            if missing and (day in days or day == last_day):
                if len(missing) >= 3 * usual and (last_day - missing[-1]).days <= 365:
                    others = [other for other in corpus.days if other in missing]
                    runs = sum(run.date() in missing for run in corpus.good_runs)
                    why = "no news" if others else "no articles" if runs else "no run"
                    expected[topic, missing[0]] = (
                        *(
                            topic,
                            missing[0],
                            missing[-1],
                            len(missing),
                            day not in days,
                            usual,
                            len(days),
                        ),
                        *(len(set(others)), len(others), runs, why),
                    )
                missing = []
    assert {key: tuple(row.values()) for key, row in found.items()} == expected


def test_a_gap_must_reach_into_the_last_year_and_be_unusual() -> None:
    every_week = [
        (AS_OF - dt.timedelta(days=7 * week), None, frozenset("A")) for week in range(3, 15)
    ]
    other = (AS_OF, None, frozenset("B"))
    [row] = Corpus([*every_week, other], AS_OF).rows("coverage_gaps")
    assert (row["days"], row["is_open"], row["usual_interval_days"]) == (21, True, 7.0)
    a_day_later = [(time + dt.timedelta(days=1), None, topics) for time, _, topics in every_week]
    assert Corpus([*a_day_later, other], AS_OF).rows("coverage_gaps") == []
    for end, listed in ((365, [80, 364]), (366, [365]), (400, [399])):
        early = [
            (AS_OF - dt.timedelta(days=back), None, frozenset("A"))
            for back in [*range(end + 80, end + 90), end - 1]
        ]
        found = Corpus([*early, other], AS_OF).rows("coverage_gaps")
        assert sorted(row["days"] for row in found) == listed  # type: ignore[type-var]


def test_gaps_are_listed_from_ten_days_on() -> None:
    days = [(AS_OF - dt.timedelta(days=back), None, frozenset("A")) for back in range(20, 30)]
    other = (AS_OF, None, frozenset[str]())
    assert [row["topic_days"] for row in Corpus([*days, other], AS_OF).rows("coverage_gaps")] == [
        10
    ]
    assert Corpus([*days[1:], *days[1:], other], AS_OF).rows("coverage_gaps") == []


def test_representation_is_told_from_ten_articles_on() -> None:
    articles = [
        (START, name, frozenset("A"))
        for name, size in (("few", 9), ("enough", 10))
        for _ in range(size)
    ]
    others = [(START, "other", frozenset("B")) for _ in range(100)]
    found = {
        row["provider"]: row["representation"]
        for row in Corpus([*articles, *others], AS_OF).rows("provider_topics")
    }
    assert found == {"few": None, "enough": "over", "other": "over"}


def test_a_provider_is_new_silent_active_or_occasional() -> None:
    back = {
        "active": [0, 3, 6, 9, 12, 40],
        "weekend": [7, 8, 9, 10, 11, 40],
        "silent": [8, 9, 10, 11, 12, 40],
        "slow": [60, 80, 100, 120, 140],
        "slow and silent": [61, 81, 101, 121, 141],
        "new": [*range(0, 29, 5), 29],
        "a day too old": [30],
        "occasional": [100, 101, 102, 103],
    }
    articles = [
        (AS_OF - dt.timedelta(days=day), name, frozenset[str]())
        for name, days in back.items()
        for day in days
    ]
    found = {
        row["provider"]: row["state"] for row in Corpus(articles, AS_OF).rows("provider_activity")
    }
    assert found == {
        "active": "active",
        "weekend": "active",
        "silent": "silent",
        "slow": "active",
        "slow and silent": "silent",
        "new": "new",
        "a day too old": "occasional",
        "occasional": "occasional",
    }
    young = Corpus([(AS_OF, "first", frozenset())], AS_OF)
    assert [row["state"] for row in young.rows("provider_activity")] == ["occasional"], (
        "in a young corpus nobody is new"
    )


@FEW
@given(corpora(days=90))
def test_activity_agrees_with_a_plain_loop(corpus: Corpus) -> None:
    last_day = corpus.last_day
    found = {row["provider"]: row for row in corpus.rows("provider_activity")}
    assert set(found) == {provider for _, provider, _ in corpus.articles if provider}
    for name, row in found.items():
        mine = [
            day
            for day, (_, provider, _) in zip(corpus.days, corpus.articles, strict=True)
            if provider == name
        ]
        dated = sorted(day for day in mine if day and last_day and day <= last_day)
        steps = [(b - a).days for a, b in itertools.pairwise(sorted(set(dated)))]
        ages = [(last_day - day).days for day in dated if last_day]
        assert list(row.values())[2:12] == [
            *(
                len(mine),
                len(mine) - len(dated),
                min(dated, default=None),
                max(dated, default=None),
                len(set(dated)),
            ),
            *(float(np.median(steps)) if steps else None, min(ages, default=None), last_day),
            *(sum(age < 30 for age in ages), sum(30 <= age < 60 for age in ages)),
        ]


@FEW
@given(corpora())
def test_the_rhythm_agrees_with_a_counter(corpus: Corpus) -> None:
    last_day = corpus.last_day
    timed = [
        time for time, _, _ in corpus.articles if time and last_day and time.date() <= last_day
    ]
    expected = Counter((time.isoweekday(), time.hour) for time in timed)
    found = corpus.rows("publishing_rhythm")
    assert len(found) == (168 if corpus.articles else 0)
    for row in found:
        n = expected[row["weekday"], row["hour"]]  # type: ignore[index]
        assert (row["articles"], row["of_articles"], row["without_time"]) == (
            n,
            len(timed),
            len(corpus.articles) - len(timed),
        )
        assert row["share"] == (n / len(timed) if timed else None)


@FEW
@given(st.one_of(corpora(), corpora(days=400)))
def test_the_summary_agrees_with_the_calendar(corpus: Corpus) -> None:
    [summary] = corpus.rows("coverage_summary")
    calendar = {row["day"]: row["of_articles"] for row in corpus.rows("attention_by_topic_day")}
    assert summary["with_topic"] == sum(bool(topics) for _, _, topics in corpus.articles)
    assert (
        summary["articles"]
        == summary["with_topic"] + summary["without_topic"]
        == len(corpus.articles)
    )  # type: ignore[operator]
    assert (
        summary["calendar_days"] == summary["days_with_articles"] + summary["days_without_articles"]
    )  # type: ignore[operator]
    if calendar:
        assert summary["calendar_days"] == len(calendar)
        assert summary["days_without_articles"] == sum(n == 0 for n in calendar.values())
        recent = [n for day, n in sorted(calendar.items())]  # type: ignore[type-var]
        assert summary["last_7_days"] == sum(recent[-7:])  # type: ignore[arg-type]
        assert summary["previous_7_days"] == sum(recent[-14:-7])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(corpus=corpora())
def test_rows_and_types_depend_on_the_data_alone(name: str, corpus: Corpus) -> None:
    empty = Corpus([], AS_OF)
    first = corpus.rows(name)
    types = CONNECTION.execute(f"describe {REPORTS[name].query}").fetchall()
    assert Corpus(corpus.articles[::-1], AS_OF).rows(name) == first, (
        "the order of the files does not count"
    )
    assert all(
        math.isfinite(value) for row in first for value in row.values() if isinstance(value, float)
    )
    empty.rows(name)
    assert CONNECTION.execute(f"describe {REPORTS[name].query}").fetchall() == types
