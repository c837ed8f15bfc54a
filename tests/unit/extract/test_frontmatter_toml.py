"""TOML front matter: what TOML 1.0 allows is read, and all else is refused at its line."""

import datetime as dt

import pytest

from pipeline.extract.frontmatter import read
from pipeline.schema.documents import Document, Rejection


def document(front_matter: str) -> Document:
    document = read(f"+++\n{front_matter}\n+++\nBody\n".encode())
    assert isinstance(document, Document) and document.body == "Body"
    return document


def rejection(front_matter: str) -> Rejection:
    rejection = read(f"+++\n{front_matter}\n+++\n".encode())
    assert isinstance(rejection, Rejection)
    return rejection


def test_an_array_may_hold_values_of_several_types() -> None:
    assert document('title = "Lakes"\nmix = [1, "two", 3.0, [true]]').extra == {
        "mix": [1, "two", 3.0, [True]]
    }


def test_a_text_of_several_lines_may_stand_in_an_array() -> None:
    article = document('title = "Lakes"\ntopics = ["Sea", """Inland\nwaters"""]').article
    assert article is not None and article.topics == ["Sea", "Inland\nwaters"]


def test_dotted_and_quoted_keys_are_tables() -> None:
    found = document(
        'title = "Lakes"\nprovider.name = "Ferry"\nprovider."domain" = "f.example"\n"a b".c = 1'
    )
    assert found.article is not None and found.article.provider is not None
    assert (found.article.provider.name, found.article.provider.domain) == ("Ferry", "f.example")
    assert found.extra == {"a b": {"c": 1}}


def test_every_kind_of_time_is_read() -> None:
    found = document(
        "name = 'Lakes'\noffset = 1979-05-27T00:32:00.5-07:00\nspace = 1979-05-27 07:32:00Z\n"
        "local = 1979-05-27T07:32:00\nday = 1979-05-27\nclock = 07:32:00"
    )
    assert found.metadata == {
        "name": "Lakes",
        "offset": dt.datetime(1979, 5, 27, 7, 32, 0, 500_000, tzinfo=dt.UTC),
        "space": dt.datetime(1979, 5, 27, 7, 32, tzinfo=dt.UTC),
        "local": dt.datetime(1979, 5, 27, 7, 32),
        "day": dt.date(1979, 5, 27),
        "clock": dt.time(7, 32),
    }


def test_related_items_are_an_array_of_tables() -> None:
    article = document(
        'title = "Lakes"\n[[related]]\ntitle = "One"\n[related.provider]\nname = "Ferry"\n'
        '[[related]]\ntitle = "Two"'
    ).article
    assert article is not None and article.related is not None
    assert [item.title for item in article.related] == ["One", "Two"]
    assert article.related[0].provider is not None
    assert article.related[0].provider.name == "Ferry"


@pytest.mark.parametrize(
    ("front_matter", "message", "position", "line_text"),
    [
        ("title = ", "Invalid value", (2, 9), "title = "),
        ('a = 1\ntitle = "Lakes', "Illegal character '\\n'", (3, 15), 'title = "Lakes'),
        ("a = 1\nb = 2\na = 3", "Cannot overwrite a value", (4, 6), "a = 3"),
        ("[x]\n[x]", "Cannot declare ('x',) twice", (3, 3), "[x]"),
        ("day = 2024-02-30", "Invalid date or datetime", (2, 7), "day = 2024-02-30"),
        ('a = 1\nb = """x\ny', "Unterminated string", (4, 2), "y"),
        ('a = 1\nsecured = "s3cret" x', "Expected newline or end of document after a statement",
         (3, 20), "secured = ..."),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_refused_where_it_stands(
    front_matter: str, message: str, position: tuple[int, int], line_text: str
) -> None:
    expected = f"TOML cannot be read: {message}. Correct the line."
    assert rejection(front_matter) == Rejection("parse", "bad_toml", expected, *position, line_text)


def test_arrays_without_end_are_a_nesting_bomb() -> None:
    found = rejection(f"a = {'[' * 9_999}")
    assert (found.stage, found.code, found.line) == ("parse", "nesting_bomb", None)
