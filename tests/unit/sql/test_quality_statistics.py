"""Quality reports on generated rows give what NumPy and SciPy give."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.views.relations import relations

RELATIONS = {relation.name: relation for relation in relations("views", "reports")}


def day(number: int, month: int = 1) -> dt.date:
    return dt.date(2024, month, number)


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 1")
        connection.execute("create table article_topics (article_id varchar, topic varchar)")
        connection.execute(
            "create table providers as select 'p' as provider_id, 'p.example' as domain"
        )
        yield connection


def rows(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str
) -> list[tuple[object, ...]]:
    return connection.execute(f"select {columns} from ({RELATIONS[name].query})").fetchall()


GROUPED = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 200)), max_size=40)


def groups(
    connection: duckdb.DuckDBPyConnection, articles: list[tuple[str, int | None]]
) -> dict[str, tuple[object, ...]]:
    """The rows of dimension provider, by provider."""
    connection.execute(
        """create or replace table articles as
        select provider_id || position as article_id, provider_id, quality, true as published,
               null::timestamptz as published_at
        from (select unnest($providers::varchar[]) as provider_id,
                     unnest($qualities::bigint[]) as quality,
                     unnest(range(len($providers::varchar[]))) as position)""",
        {
            "providers": [provider for provider, _ in articles],
            "qualities": [quality for _, quality in articles],
        },
    )
    columns = (
        "provider_id, scored, mean_quality, sd_quality, mean_low, mean_high, median_quality,"
        " p10_quality, p90_quality, shrunken_mean"
    )
    found = rows(connection, "quality_groups", f"{columns}, dimension")
    return {str(row[0]): row[1:-1] for row in found if row[-1] == "provider"}


@given(articles=GROUPED)
@settings(max_examples=60, deadline=None)
def test_means_intervals_and_quantiles_agree_with_numpy_and_scipy(
    memory: duckdb.DuckDBPyConnection, articles: list[tuple[str, int | None]]
) -> None:
    values = defaultdict(list)
    for provider, quality in articles:
        values[provider] += [quality] if quality is not None else []
    found = groups(memory, articles)
    assert found.keys() == values.keys()
    for provider, scores in values.items():
        scored, mean, sd, low, high, median, p10, p90, _ = found[provider]
        assert scored == len(scores)
        if not scores:
            assert {mean, sd, low, high, median, p10, p90} == {None}
            continue
        assert (mean, median) == pytest.approx((np.mean(scores), np.median(scores)))
        assert (p10, p90) == pytest.approx(tuple(np.quantile(scores, [0.1, 0.9])))
        if len(scores) < 2:
            assert (sd, low, high) == (None, None, None)
            continue
        error = np.std(scores, ddof=1) / math.sqrt(len(scores))
        assert sd == pytest.approx(np.std(scores, ddof=1))
        half = scipy.stats.t.ppf(0.975, len(scores) - 1) * error
        assert (high - mean, mean - low) == pytest.approx((half, half), rel=4e-4, abs=1e-9)


@given(articles=GROUPED)
@settings(max_examples=60, deadline=None)
def test_shrunken_means_follow_the_method_of_moments(
    memory: duckdb.DuckDBPyConnection, articles: list[tuple[str, int | None]]
) -> None:
    values = defaultdict(list)
    for provider, quality in articles:
        if quality is not None:
            values[provider].append(quality)
    everything = np.array([score for scores in values.values() for score in scores], dtype=float)
    expected: dict[str, float | None] = dict.fromkeys((provider for provider, _ in articles), None)
    total, count = len(everything), len(values)
    if total > count:
        overall, sizes = everything.mean(), np.array([len(scores) for scores in values.values()])
        means = np.array([np.mean(scores) for scores in values.values()])
        within = sum(
            ((np.array(scores) - np.mean(scores)) ** 2).sum() for scores in values.values()
        ) / (total - count)
        spread = (sizes * (means - overall) ** 2).sum() - (count - 1) * within
        between = spread / (total - (sizes**2).sum() / total) if count > 1 else 0
        if abs(between) < 1e-9:
            return  # on the edge, rounding decides between the own mean and the overall one
        for provider, size, mean in zip(values, sizes, means, strict=True):
            weight = size * between / (size * between + within) if between > 0 else 0
            expected[provider] = weight * mean + (1 - weight) * overall
    found = {provider: row[-1] for provider, row in groups(memory, articles).items()}
    assert found == pytest.approx(expected)


def facts(
    connection: duckdb.DuckDBPyConnection, qualities: list[int | None], published: list[bool]
) -> None:
    connection.execute(
        """create or replace table article_facts as
        select unnest($qualities::bigint[]) as quality,
               unnest($published::boolean[]) as is_published, null::date as day,
               unnest(range(len($qualities::bigint[])))::varchar as article_id,
               null::varchar as title, null::varchar as url,
               'p' as provider_id, 'P' as provider, null::timestamptz as published_at""",
        {"qualities": qualities, "published": published},
    )


@given(articles=st.lists(st.tuples(st.none() | st.integers(0, 60), st.booleans()), max_size=60))
@settings(max_examples=60, deadline=None)
def test_deciles_hold_a_tenth_and_rates_have_wilson_intervals(
    memory: duckdb.DuckDBPyConnection, articles: list[tuple[int | None, bool]]
) -> None:
    facts(memory, [quality for quality, _ in articles], [published for _, published in articles])
    scored = [(quality, published) for quality, published in articles if quality is not None]
    mean_ranks = scipy.stats.rankdata([quality for quality, _ in scored]) if scored else []
    members = defaultdict(list)
    for (quality, published), rank in zip(scored, mean_ranks, strict=True):
        members[int((20 * rank - 10) // (2 * len(scored))) + 1].append((quality, published))
    found = rows(
        memory,
        "published_rate_by_quality",
        "decile, low, high, articles, published, published_rate, rate_low, rate_high, scored",
    )
    assert [row[0] for row in found] == sorted(members)
    for decile, low, high, count, published, rate, rate_low, rate_high, denominator in found:
        inside = members[decile]
        assert (low, high, count, denominator) == (
            min(inside)[0],
            max(inside)[0],
            len(inside),
            len(scored),
        )
        assert published == sum(flag for _, flag in inside) and rate == published / count
        interval = scipy.stats.binomtest(published, count).proportion_ci(method="wilson")
        assert (rate_low, rate_high) == pytest.approx((interval.low, interval.high), abs=1e-6)


@given(qualities=st.lists(st.none() | st.integers(0, 30) | st.integers(0, 500), max_size=40))
@settings(max_examples=60, deadline=None)
def test_outliers_are_those_of_the_modified_z_score(
    memory: duckdb.DuckDBPyConnection, qualities: list[int | None]
) -> None:
    facts(memory, qualities, [True] * len(qualities))
    scores = np.array([quality for quality in qualities if quality is not None], dtype=float)
    expected = {}
    if len(scores) >= 10 and (mad := scipy.stats.median_abs_deviation(scores)) > 0:
        expected = {
            str(position): 0.6745 * (quality - np.median(scores)) / mad
            for position, quality in enumerate(qualities)
            if quality is not None and abs(0.6745 * (quality - np.median(scores)) / mad) > 3.5
        }
    found = rows(memory, "quality_outliers", "article_id, modified_z")
    assert dict(found) == pytest.approx(expected)


@given(qualities=st.lists(st.none() | st.integers(-30, 1500), max_size=30))
@settings(max_examples=60, deadline=None)
def test_histograms_and_summaries_agree_with_numpy(
    memory: duckdb.DuckDBPyConnection, qualities: list[int | None]
) -> None:
    facts(memory, qualities, [True] * len(qualities))
    scores = [quality for quality in qualities if quality is not None]
    counts = {
        low: 0
        for low in range(0, 1000, 10)
        if scores and min(scores) // 10 * 10 <= low <= max(scores)
    }
    for score in scores:
        counts[score // 10 * 10] = counts.get(score // 10 * 10, 0) + 1
    assert rows(memory, "quality_histogram", "low, articles") == sorted(counts.items())
    [summary] = rows(
        memory,
        "quality_summary",
        "articles, scored, mean_quality, sd_quality, median_quality, p10_quality, p90_quality",
    )
    expected = (
        [np.mean(scores), np.std(scores, ddof=1) if len(scores) > 1 else None, np.median(scores)]
        if scores
        else [None] * 3
    )
    quantiles = list(np.quantile(scores, [0.1, 0.9])) if scores else [None, None]
    assert summary == pytest.approx((len(qualities), len(scores), *expected, *quantiles))
