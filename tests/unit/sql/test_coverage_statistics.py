"""Coverage reports on generated rows give what pandas, NumPy, SciPy or a plain loop give."""

import datetime as dt
import itertools
import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from tests.support.corpora import AS_OF, OUTLIERS, REPORTS, START, Corpus, corpora, memory

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


FEW = settings(max_examples=25, deadline=None)


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
    types = memory().execute(f"describe {REPORTS[name].query}").fetchall()
    assert Corpus(corpus.articles[::-1], AS_OF).rows(name) == first, (
        "the order of the files does not count"
    )
    assert all(
        math.isfinite(value) for row in first for value in row.values() if isinstance(value, float)
    )
    empty.rows(name)
    assert memory().execute(f"describe {REPORTS[name].query}").fetchall() == types
