"""Names that are proposed, and rows as text."""

import pytest

from pipeline.text import closest, counted, did_you_mean, render


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
        (["a", "no, b"], 'Did you mean a or "no, b"?'),
        (["a", "b", "\x1b[2J"], r"Did you mean a, b or \x1b[2J?"),
    ],
)
def test_a_question_proposes_names(names: list[str], question: str) -> None:
    assert did_you_mean(names) == question


def test_people_see_a_null_and_an_empty_text_apart() -> None:
    rows = [(None, ""), ("x", "y")]
    assert render(["a", "b"], rows, "table") == "a   b\n─────\n∅\nx   y\n"
    assert render(["a", "b"], rows, "md").splitlines()[2] == "| ∅ |  |"
    assert render(["a", "b"], rows, "record").splitlines()[1:3] == ["a   ∅", "b"]
    assert render(["a", "b"], rows, "csv") == "a,b\n,\nx,y\n"
    assert render(["a", "b"], rows, "jsonl").splitlines()[0] == '{"a": null, "b": ""}'


def test_csv_ends_lines_as_its_reader_expects() -> None:
    rows = [("two\r\nlines",)]
    assert render(["a"], rows, "csv") == 'a\n"two\r\nlines"\n'
    assert render(["a"], rows, "csv", line_end="\r\n") == 'a\r\n"two\r\nlines"\r\n'


def test_a_number_agrees_with_its_noun() -> None:
    assert [counted(number, "file") for number in (0, 1, 2_000)] == [
        "0 files",
        "1 file",
        "2,000 files",
    ]
