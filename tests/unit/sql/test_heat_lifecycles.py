"""Lifecycles, half-lives, survival, movers and the index of topics agree with SciPy, or with a walk
through the history.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import duckdb
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import Seen, scores, set_history, world

HOURS = st.integers(0, 400)
DELETED = "deleted"
Step = tuple[int, int | None, int | None]


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with world() as connection:
        yield connection


def one(memory: duckdb.DuckDBPyConnection, query: str) -> dict[str, object]:
    found = memory.execute(query)
    names = [column[0] for column in found.description or ()]
    [row] = found.fetchall()
    return dict(zip(names, row, strict=True))


def decaying(half_life: float, peak: int, hours: list[int]) -> list[Step]:
    """A curve of which the answer is known; quality is 1,000."""
    return [(hour, 1000 + round(peak * 0.5 ** (hour / half_life)), 1000) for hour in hours]


@pytest.mark.parametrize("half_life", [2.0, 24.0, 240.0])
def test_the_half_life_of_a_known_curve(
    memory: duckdb.DuckDBPyConnection, half_life: float
) -> None:
    hours = [round(half_life * step / 4) + step for step in range(12)]
    set_history(
        memory,
        scores(
            "a",
            [
                (0, 1000, 1000),
                *((hour + 9, *rest) for hour, *rest in decaying(half_life, 10**9, hours)),
            ],
        ),
        until=5000,
    )
    row = one(memory, "from heat_half_life")
    assert (
        row["n"] == 12
        and row["estimable"] is True
        and row["reason"] is None
        and row["peak_excess"] == 10**9
    )
    for name in ("half_life_hours", "low_hours", "high_hours"):
        assert row[name] == pytest.approx(half_life, rel=1e-5)
    assert row["r_squared"] == pytest.approx(1, abs=1e-9) and row["slope"] == pytest.approx(
        -math.log(2) / half_life, rel=1e-6
    )


CURVE = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.none() | st.integers(-3, 12) | st.integers(1, 12) | st.integers(1, 10**6),
    ),
    max_size=40,
)


@given(curve=CURVE)
@settings(max_examples=300, deadline=None)
def test_half_lives_agree_with_scipy(
    memory: duckdb.DuckDBPyConnection, curve: list[tuple[int, int | None]]
) -> None:
    hour, steps = 0, list[Step]()
    for gap, excess in curve:
        hour += gap
        steps.append((hour, None if excess is None else 50 + excess, 50))
    set_history(memory, scores("a", steps), until=hour + 5)
    known = [
        (at, heat - 50)
        for place, (at, heat, _) in enumerate(steps)
        if heat is not None and (not place or heat != steps[place - 1][1])
    ]
    above = [(at, excess) for at, excess in known if excess > 0]
    if not above:
        assert memory.execute("from heat_half_life").fetchall() == []
        return
    peak = max(excess for _, excess in above)
    peak_at = min(at for at, excess in above if excess == peak)
    back = min(
        (at for at, heat, _ in steps if at > peak_at and (heat is None or heat <= 50)),
        default=hour + 1,
    )
    x = [at - peak_at for at, _ in above if peak_at <= at < back]
    y = [math.log(excess) for at, excess in above if peak_at <= at < back]
    row = one(memory, "from heat_half_life")
    assert (row["n"], row["peak_excess"], row["hours_fitted"]) == (len(x), peak, x[-1])
    if len(x) < 4:
        assert (
            row["reason"]
            == "not estimable: fewer than 4 observations above quality from the peak on"
        )
        assert (
            row["estimable"] is False
            and row["half_life_hours"] is None
            and row["low_hours"] is None
        )
        return
    fit = scipy.stats.linregress(x, y)
    assert row["slope"] == pytest.approx(fit.slope, rel=1e-8, abs=1e-14)
    if max(y) > min(y):
        assert row["r_squared"] == pytest.approx(fit.rvalue**2, rel=1e-7, abs=1e-12)
    if row["slope"] == 0 or fit.slope >= 1e-15:
        assert (
            row["reason"] == "not estimable: heat does not fall after the peak"
            and row["half_life_hours"] is None
        )
        return
    margin = scipy.stats.t.ppf(0.975, len(x) - 2) * fit.stderr
    assert row["estimable"] is True and row["reason"] is None
    assert row["half_life_hours"] == pytest.approx(math.log(2) / -fit.slope, rel=1e-7)
    assert row["low_hours"] == pytest.approx(math.log(2) / -(fit.slope - margin), rel=1e-6)
    if abs(fit.slope + margin) > 1e-6 * margin:  # else a question of the last digit
        assert (row["high_hours"] is None) == (fit.slope + margin >= 0)
    if row["high_hours"] is not None and fit.slope + margin < -1e-3 * margin:
        assert row["high_hours"] == pytest.approx(math.log(2) / -(fit.slope + margin), rel=1e-3)


def test_the_quantile_of_student_agrees_with_scipy_at_every_size(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    """One article for each number of points; the interval gives the quantile back."""
    generator = np.random.default_rng(5)
    curves = {
        n: [
            (
                hour,
                10**6 + max(1, round(10**9 * math.exp(-hour / 50 + generator.normal(0, 0.05)))),
                10**6,
            )
            for hour in range(n)
        ]
        for n in range(4, 80)
    }
    for steps in curves.values():
        steps[0] = (0, 10**10, 10**6)
    set_history(
        memory, [seen for n, steps in curves.items() for seen in scores(f"a{n}", steps)], until=100
    )
    found = memory.execute(
        "select n, slope, low_hours from heat_half_life where estimable"
    ).fetchall()
    assert sorted(row[0] for row in found) == sorted(curves)
    for n, slope, low in found:
        steps = curves[n]
        fit = scipy.stats.linregress(
            [hour for hour, _, _ in steps], [math.log(heat - 10**6) for _, heat, _ in steps]
        )
        assert (-math.log(2) / low - slope) / -fit.stderr == pytest.approx(
            scipy.stats.t.ppf(0.975, n - 2), abs=2e-7
        ), n


def test_a_curve_that_rises_or_stands_has_no_half_life(memory: duckdb.DuckDBPyConnection) -> None:
    steps = [(0, 9, 1), (1, 2, 1), (2, 3, 1), (3, 9, 1), (4, 8, 1), (5, 9, 1)]
    set_history(memory, scores("a", steps), until=9)
    assert one(
        memory, "select reason, half_life_hours, slope > 0 as rises from heat_half_life"
    ) == {
        "reason": "not estimable: heat does not fall after the peak",
        "half_life_hours": None,
        "rises": True,
    }
    set_history(memory, scores("a", [(3, 9 - place, 1) for place in range(5)]), until=9)
    assert one(memory, "select reason, slope from heat_half_life") == {
        "reason": "not estimable: all of them at one moment",
        "slope": None,
    }


LIVES = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["returned", "still", DELETED, "suppressed", "unscored"]),
    ),
    max_size=30,
)


@given(lives=LIVES)
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_survival_agrees_with_scipy(
    memory: duckdb.DuckDBPyConnection, lives: list[tuple[int, str]]
) -> None:
    """Lives begin so that those still above at hour 60 have the duration wanted; a second spell
    above is no second case.
    """
    history: list[Seen] = []
    for number, (duration, how) in enumerate(lives):
        name, start = f"a{number}", 60 - duration if how == "still" else number
        history += [Seen(name, start - 1, "first", 5, 5), Seen(name, start, "scores", 9, 5)]
        if how == "returned":
            history += [
                Seen(name, start + duration, "scores", 5, 5),
                Seen(name, start + duration + 1, "scores", 7, 5),
            ]
        elif how == DELETED:
            history.append(Seen(name, start + duration, DELETED))
        elif how != "still":
            history.append(
                Seen(name, start + duration, "scores", -1 if how == "suppressed" else None, 5)
            )
    set_history(memory, history, until=60)
    found = memory.execute(
        "select hours, at_risk, events, censored, survival, std_error, survival_low,"
        " survival_high, lives, median_hours from heat_survival"
    ).fetchall()
    if not lives:
        assert found == []
        return
    durations = [float(duration) for duration, _ in lives]
    data = scipy.stats.CensoredData.right_censored(
        durations, [how != "returned" for _, how in lives]
    )
    curve = scipy.stats.ecdf(data).sf
    with np.errstate(all="ignore"):
        interval = curve.confidence_interval(0.95, method="log-log")
    places = {float(hour): place for place, hour in enumerate(curve.quantiles)}
    assert [row[0] for row in found] == sorted({0.0, *durations})
    for hour, at_risk, events, censored, survival, error, low, high, of, _ in found:
        assert at_risk == sum(duration >= hour for duration in durations) and of == len(lives)
        assert events == sum(how == "returned" and duration == hour for duration, how in lives)
        assert censored == sum(how != "returned" and duration == hour for duration, how in lives)
        place = places.get(hour)
        if place is None:
            assert (survival, error) == (1, 0)
            continue
        expected = curve.probabilities[place]
        assert survival == pytest.approx(expected, abs=1e-12)
        if 0 < expected < 1 - 1e-12:
            assert low == pytest.approx(interval.low.probabilities[place], abs=1e-9)
            assert high == pytest.approx(interval.high.probabilities[place], abs=1e-9)
        else:
            assert low is None and high is None
        terms = [(row[2], row[1]) for row in found if row[0] <= hour and row[2]]
        if survival > 0:
            assert error == pytest.approx(
                survival * math.sqrt(sum(d / (n * (n - d)) for d, n in terms)), abs=1e-12
            )
        else:
            assert error is None
    share, median = Fraction(1), None
    for hour, at_risk, events, *_ in found:
        share *= 1 - Fraction(events, at_risk)
        median = hour if median is None and share <= Fraction(1, 2) else median
    assert {row[-1] for row in found} == {median}


TEXTBOOK = [
    (6, 1),
    (6, 1),
    (6, 1),
    (6, 0),
    (7, 1),
    (9, 0),
    (10, 1),
    (10, 0),
    (11, 0),
    (13, 1),
    (16, 1),
    (17, 0),
    (19, 0),
    (20, 0),
    (22, 1),
    (23, 1),
    (25, 0),
    (32, 0),
    (32, 0),
    (34, 0),
    (35, 0),
]
"""Weeks of remission with 6-mercaptopurine (Freireich and others, Blood 21, 1963): the example of
textbooks; 1 = relapse.
"""


def test_survival_of_the_textbook(memory: duckdb.DuckDBPyConnection) -> None:
    history: list[Seen] = []
    for number, (weeks, relapse) in enumerate(TEXTBOOK):
        end = (
            Seen(f"a{number}", weeks, "scores", 1, 1)
            if relapse
            else Seen(f"a{number}", weeks, DELETED)
        )
        history += [Seen(f"a{number}", 0, "first", 2, 1), end]
    set_history(memory, history, until=99)
    assert memory.execute(
        "select hours, at_risk, events, round(survival, 4), round(std_error, 4), median_hours"
        " from heat_survival where events > 0"
    ).fetchall() == [
        (6.0, 21, 3, 0.8571, 0.0764, 23.0),
        (7.0, 17, 1, 0.8067, 0.0869, 23.0),
        (10.0, 15, 1, 0.7529, 0.0963, 23.0),
        (13.0, 12, 1, 0.6902, 0.1068, 23.0),
        (16.0, 11, 1, 0.6275, 0.1141, 23.0),
        (22.0, 7, 1, 0.5378, 0.1282, 23.0),
        (23.0, 6, 1, 0.4482, 0.1346, 23.0),
    ]


VALUES = st.none() | st.integers(-2, 4) | st.integers(0, 30)
TIMELINES = st.lists(
    st.lists(st.tuples(HOURS, VALUES, st.none() | st.integers(0, 4)), min_size=1, max_size=10),
    max_size=4,
)


def stretches(
    steps: list[Step], until: float
) -> list[tuple[float, float, int | None, str, int | None]]:
    """From, to, heat, state and quality of each stretch of equal scores."""
    told: list[tuple[float, int | None, str, int | None]] = []
    for hour, heat, quality in sorted(steps, key=lambda step: step[0]):
        state = "suppressed" if heat == -1 else "unscored" if heat is None or heat < 0 else "scored"
        row = (hour, heat if state == "scored" else None, state, quality)
        if not told or told[-1][1:] != row[1:]:
            told.append(row)
    ends = [row[0] for row in told[1:]] + [until]
    return [(row[0], end, *row[1:]) for row, end in zip(told, ends, strict=True)]


@given(timelines=TIMELINES)
@settings(max_examples=150, deadline=None)
def test_lifecycles_agree_with_a_walk(
    memory: duckdb.DuckDBPyConnection, timelines: list[list[Step]]
) -> None:
    timelines = [sorted(steps, key=lambda step: step[0]) for steps in timelines]
    set_history(
        memory,
        [seen for number, steps in enumerate(timelines) for seen in scores(f"a{number}", steps)],
        until=400,
    )
    found = memory.execute(
        "select article_id, peak_excess, hours_to_peak, hours_above_baseline,"
        " hours_suppressed, is_censored, score_changes, last_excess,"
        " observations, hours_known, of_lives from heat_lifecycle"
    ).fetchall()
    expected = {}
    for number, steps in enumerate(timelines):
        spells = stretches(steps, 400)
        excess = [
            heat - quality if heat is not None and quality is not None else None
            for _, _, heat, _, quality in spells
        ]
        above = [
            (value, -start)
            for (start, *_), value in zip(spells, excess, strict=True)
            if value is not None and value > 0
        ]
        first, peak = spells[0][0], max(above, default=None)
        expected[f"a{number}"] = (
            peak[0] if peak else None,
            -peak[1] - first if peak else None,
            sum(
                end - start
                for (start, end, *_), value in zip(spells, excess, strict=True)
                if value is not None and value > 0
            ),
            sum(end - start for start, end, _, state, _ in spells if state == "suppressed"),
            (excess[-1] or 0) > 0,
            len(spells) - 1,
            excess[-1],
            len(steps),
            400 - first,
            len(timelines),
        )
    assert {row[0]: row[1:] for row in found} == expected


def test_of_equal_peaks_the_first_counts(memory: duckdb.DuckDBPyConnection) -> None:
    set_history(
        memory, scores("a", [(0, 5, 5), (2, 9, 5), (3, 6, 5), (7, 9, 5), (8, 5, 5)]), until=9
    )
    assert one(
        memory, "select peak_excess, hours_to_peak, hours_above_baseline from heat_lifecycle"
    ) == {
        "peak_excess": 4,
        "hours_to_peak": 2.0,
        "hours_above_baseline": 6.0,
    }


def test_a_median_between_two_equal_halves_is_their_mean(memory: duckdb.DuckDBPyConnection) -> None:
    set_history(memory, scores("a", [(0, 10, 5), (10, 20, 5), (15, 21, 5), (20, 25, 5)]), until=20)
    assert one(
        memory,
        "select heat, median_heat, mad_heat, baseline_hours, round(robust_score, 6) as score"
        " from heat_movers",
    ) == {
        "heat": 25,
        "median_heat": 15.0,
        "mad_heat": 5.0,
        "baseline_hours": 20.0,
        "score": round(10 / (1.4826 * 5), 6),
    }


def weighted_median(weights: dict[float, float]) -> float | None:
    """The middle of a list in which each value stands as often as it weighs."""
    values = sorted(value for value, weight in weights.items() for _ in range(round(weight)))
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else None


@given(timelines=TIMELINES)
@settings(max_examples=150, deadline=None)
def test_movers_agree_with_a_walk(
    memory: duckdb.DuckDBPyConnection, timelines: list[list[Step]]
) -> None:
    """The end is hour 400 of a source that is watched since hour 0, so that the 28 days before it
    hold all, and 7 days do not.
    """
    timelines = [
        sorted(((2 * hour, *rest) for hour, *rest in steps), key=lambda step: step[0])
        for steps in timelines
    ]  # type: ignore[misc]
    set_history(
        memory,
        [seen for number, steps in enumerate(timelines) for seen in scores(f"a{number}", steps)],
        until=800,
    )
    found = memory.execute(
        "select article_id, heat, change_24h, change_7d, changes_24h, changes_7d, median_heat,"
        " mad_heat, baseline_hours, robust_score"
        " from heat_movers"
    ).fetchall()
    expected = {}
    for number, steps in enumerate(timelines):
        spells = stretches(steps, 800)
        moves = [new[0] for old, new in pairwise(spells) if old[2:4] != new[2:4]]
        if not any(hour > 800 - 168 for hour in moves):
            continue
        now, weights = spells[-1][2], dict[float, float]()
        changes = []
        for hours in (24, 168):
            then = next(
                (heat for start, end, heat, *_ in spells if start <= 800 - hours < end), None
            )
            then = spells[0][2] if spells[0][0] > 800 - hours else then
            changes.append(now - then if now is not None and then is not None else None)
        for start, end, heat, *_ in spells:
            if heat is not None and min(end, 800) > max(start, 800 - 672):
                weights[heat] = weights.get(heat, 0) + end - max(start, 800 - 672)
        median = weighted_median(weights)
        distances: dict[float, float] = {}
        for heat, weight in weights.items():
            distances[abs(heat - (median or 0))] = (
                distances.get(abs(heat - (median or 0)), 0) + weight
            )
        mad = weighted_median(distances)
        score = (
            (now - median) / (1.4826 * mad)
            if now is not None and median is not None and mad
            else None
        )
        counts = [sum(hour > 800 - hours for hour in moves) for hours in (24, 168)]
        expected[f"a{number}"] = (
            now,
            *changes,
            *counts,
            median,
            mad,
            sum(weights.values()),
            pytest.approx(score) if score is not None else None,
        )
    assert {row[0]: row[1:] for row in found} == expected


@given(
    timelines=TIMELINES,
    topics=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["AI", "Chips"])), max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_the_index_of_topics_agrees_with_a_sum_over_hours(
    memory: duckdb.DuckDBPyConnection, timelines: list[list[Step]], topics: list[tuple[int, str]]
) -> None:
    timelines = [sorted(steps, key=lambda step: step[0]) for steps in timelines]
    topics = [(number, topic) for number, topic in topics if number < len(timelines)]
    history = [
        seen for number, steps in enumerate(timelines) for seen in scores(f"a{number}", steps)
    ]
    set_history(
        memory, history, until=400, topics=[(f"a{number}", topic) for number, topic in topics]
    )
    found = memory.execute(
        "select topic, date_diff('day', date '2026-01-05', week) // 7, article_hours,"
        " mean_heat, mean_excess, heat_index, excess_index"
        " from topic_heat_index"
    ).fetchall()
    sums: dict[tuple[str | None, int], list[int]] = {}
    for number, steps in enumerate(timelines):
        for start, end, heat, _, quality in stretches(steps, 400):
            for hour in range(int(start), int(end)):
                for topic in {None, *(name for place, name in topics if place == number)}:
                    if heat is not None and quality is not None:
                        total = sums.setdefault((topic, hour // 168), [0, 0, 0])
                        total[:] = [total[0] + 1, total[1] + heat, total[2] + heat - quality]
    expected = {}
    for (topic, week), (n, heat, excess) in sums.items():
        every = sums[None, week]
        if topic is not None:
            expected[topic, week] = (
                n,
                pytest.approx(heat / n),
                pytest.approx(excess / n),
                pytest.approx(100 * heat / n / (every[1] / every[0])) if every[1] else None,
                pytest.approx(100 * excess / n / (every[2] / every[0])) if every[2] > 0 else None,
            )
    assert {row[:2]: row[2:] for row in found} == expected
