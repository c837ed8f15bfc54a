"""Generated articles, and reports on coverage asked of them without a run."""

import datetime as dt
from dataclasses import dataclass, field
from functools import cache

import duckdb
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from pipeline.views.relations import Relation, relations

REPORTS: dict[str, Relation] = {relation.name: relation for relation in relations("reports")}

[GROUPS] = [fact for fact in relations("views") if fact.name == "concentration_groups"]

START = dt.datetime(2024, 11, 1, tzinfo=dt.UTC)

AS_OF = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

OUTLIERS = [
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2014, 6, 1, tzinfo=dt.UTC),
    dt.datetime(2099, 1, 1, tzinfo=dt.UTC),
]


@cache
def memory() -> duckdb.DuckDBPyConnection:
    """Return the database that holds the corpus last asked."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection


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
        connection = memory()
        for table, columns in tables.items():
            connection.register(table, pa.table(columns))
        connection.execute(f"create or replace temp view concentration_groups as {GROUPS.query}")
        result = connection.execute(REPORTS[name].query)
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
