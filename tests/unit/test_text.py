"""Names that are proposed, and rows as text."""

import pytest

from pipeline.text import closest, did_you_mean


@pytest.mark.parametrize(
    ("word", "matches"),
    [
        ("artcles", ["articles", "article_topics"]),
        ("ARTICLES", ["articles", "article_topics"]),
        ("topic heat", ["heat_by_topic"]),
        ("t", []),
        ("urls", ["url"]),
        ("", []),
        ("weather", []),
        ("\udcff", []),
    ],
)
def test_the_closest_names_come_first(word: str, matches: list[str]) -> None:
    names = ["heat_by_topic", "articles", "url", "article_topics", "articles"]
    assert closest(word, names) == matches


def test_at_most_so_many_names_are_proposed() -> None:
    names = [f"view_{letter}" for letter in "abcdef"]
    assert closest("view_x", names, 2) == ["view_a", "view_b"]


@pytest.mark.parametrize(
    ("names", "question"),
    [
        ([], ""),
        (["a"], "Did you mean a?"),
        (["a", "b", "\x1b[2J"], r"Did you mean a, b or \x1b[2J?"),
    ],
)
def test_a_question_proposes_names(names: list[str], question: str) -> None:
    assert did_you_mean(names) == question
