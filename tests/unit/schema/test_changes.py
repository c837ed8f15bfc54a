"""Kinds of change: files and articles, in Python and in SQL, in the words that tables publish."""

import itertools

import duckdb
import pytest

from pipeline.runs.ledger import Ledger
from pipeline.schema.changes import (
    FILE_CHANGES,
    REVISION_CHANGES,
    Change,
    Version,
    classify_article,
    classify_file,
)
from pipeline.schema.tables import RUNS, TABLES
from pipeline.transform.observations import CHANGE

ARTICLE = Version("article", "content", "scores", "bytes")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, ARTICLE, "new"),
        (ARTICLE, ARTICLE, "unchanged"),
        (ARTICLE, Version("article", "other", "scores", "b"), "content"),
        (ARTICLE, Version("article", "other", "other", "b"), "content"),
        (ARTICLE, Version("article", "content", "other", "b"), "score_only"),
        (ARTICLE, Version("article", "content", "scores", "b"), "secured_only"),
        (ARTICLE, Version("rejected", raw_hash="b"), "rejected"),
        (None, Version("skipped", raw_hash="b"), "skipped"),
        (Version("rejected", raw_hash="b"), ARTICLE, "content"),
        (Version("skipped", raw_hash="bytes"), ARTICLE, "content"),
        (
            Version("article", "content", "scores"),
            Version("article", "content", "scores"),
            "secured_only",
        ),
    ],
)
def test_how_a_file_changed(before: Version | None, after: Version, change: str) -> None:
    assert classify_file(before, after) == change


def test_a_file_that_moved_and_cannot_be_read_is_rejected() -> None:
    assert classify_file(None, ARTICLE, is_moved=True) == "moved"
    assert classify_file(None, Version("rejected"), is_moved=True) == "rejected"


def test_python_and_sql_classify_articles_alike() -> None:
    names = ("is_moved", "is_known", "is_over", "scores_differ", "content_differs")
    cases = list(itertools.product((False, True), repeat=len(names)))
    query = f"""
        select {CHANGE}
        from (select *, case when is_moved then 'a.md' end as moved_from
              from (values {", ".join(map(str, cases))}) as cases({", ".join(names)}))
    """
    found = [change for (change,) in duckdb.sql(query).fetchall()]
    expected = [classify_article(**dict(zip(names, case, strict=True))) for case in cases]
    assert found == expected
    assert set(found) == {
        "moved",
        "first",
        "revived",
        "content_and_scores",
        "scores",
        "content",
        None,
    }


def test_the_words_are_those_of_the_tables() -> None:
    assert tuple(FILE_CHANGES) == Ledger.__struct_fields__
    assert set(FILE_CHANGES) <= set(RUNS.names)
    others = {"source", "revision", "sequence", "observed_at"}
    assert [name for name in TABLES["revisions"].names if name not in others] == list(
        REVISION_CHANGES
    )
    assert [str(change) for change in Change] == [
        *("new", "content", "score_only", "secured_only", "moved", "deleted", "unchanged"),
        *("rejected", "skipped", "first", "revived", "scores", "content_and_scores", "moved_away"),
    ]
