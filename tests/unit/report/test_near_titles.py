"""Pages that several articles have, titles that several URLs share, and titles that are nearly the
same.
"""

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from pipeline.report.near_titles import create_near_titles
from pipeline.views.catalog import column_comments
from pipeline.views.relations import relations
from tests.support.world import World, article

[NEAR_TITLES] = relations("computed")
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
A, B, C, D = (f"https://{letter}.example/1" for letter in "abcd")


def at(hour: float) -> dt.datetime:
    return START + dt.timedelta(hours=hour)


def page(title: str, url: str, hour: int | None, provider: str = "", **more: str) -> str:
    fields = {"title": f'"{title}"', "published": "false", **more}
    fields |= {"webUrl": url} if url else {}
    fields |= {"publishedDateTime": f"{at(hour):%Y-%m-%dT%H:%M:%SZ}"} if hour is not None else {}
    return article(**fields, **({"provider": f"{{name: {provider}}}"} if provider else {}))


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A is there three times, two of which readers see; the dam's title is on three URLs and on one
    article without any.
    """
    world = World(tmp_path_factory.mktemp("copies"))
    world.write(
        {
            "_news/a1.md": page(
                "Dam breaks", A, 5, "North", published="true", excerpt="Water.", type="article"
            ),
            "_news/a2.md": page("Dam breaks: what we know", A, 30, "North", published="true"),
            "_games/a3.md": page("Dam breaks", A, None, "North"),
            "b.md": page("DAM  breaks!", B, 2, "South", excerpt="Water.", type="article"),
            "c.md": page(
                "«Dam» bréaks…", C, 50, "South", published="true", excerpt="WATER.", type="video"
            ),
            "d.md": page("Dam-breaks", "", 60),
            "e.md": page("🔥", D, 1),
            "f.md": page("!!!", "https://f.example/1", 1),
            "g.md": page("Dam breaks today", "https://g.example/1", 70, "North"),
        }
    )
    world.run()
    return world


EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "title_keys": (
        "select path, member_id = coalesce(url, article_id), title_key from title_keys join"
        " articles using (article_id) order by path",
        [
            ("_games/a3.md", True, "dam breaks"),
            ("_news/a1.md", True, "dam breaks"),
            ("_news/a2.md", True, "dam breaks what we know"),
            ("b.md", True, "dam breaks"),
            ("c.md", True, "dam breaks"),
            ("d.md", True, "dam breaks"),
            ("g.md", True, "dam breaks today"),
        ],
    ),
    "duplicate_urls": (
        "select url, articles, shown, of_articles, titles, title, other_titles, collections,"
        " paths, first_published_at,"
        " last_published_at from duplicate_urls",
        [
            (
                A,
                3,
                2,
                8,
                2,
                "Dam breaks",
                ["Dam breaks: what we know"],
                ["games", "news"],
                ["_games/a3.md", "_news/a1.md", "_news/a2.md"],
                at(5),
                at(30),
            )
        ],
    ),
    "duplicate_titles": (
        "select title_key, title, urls, articles, of_articles, providers, provider_names,"
        " without_provider, excerpts, with_excerpt,"
        " types, shown, first_provider, first_url, url_list, first_published_at,"
        " last_published_at, span_hours from duplicate_titles",
        [
            (
                "dam breaks",
                "DAM  breaks!",
                4,
                5,
                7,
                2,
                ["North", "South"],
                1,
                1,
                3,
                ["article", "video"],
                2,
                "South",
                B,
                [A, B, C],
                at(2),
                at(60),
                58.0,
            )
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(copies: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert copies.rows(query) == rows


@pytest.mark.parametrize("name", EXPECTED)
def test_an_empty_corpus_has_no_duplicates(empty: World, name: str) -> None:
    assert empty.rows(f"from {name}") == []
    with empty.connect() as connection:
        assert near_titles(connection).num_rows == 0


def test_long_lists_are_cut_and_the_count_says_so(world: World) -> None:
    world.write({f"p{number:02}.md": page(f"Title {number}", A, number) for number in range(12)})
    world.run()
    [(articles, titles, others, paths)] = world.rows(
        "select articles, titles, len(other_titles), paths from duplicate_urls"
    )
    assert (articles, titles, others) == (12, 12, 10)
    assert paths == [f"p{number:02}.md" for number in range(10)]


def test_versions_of_one_page_share_no_title(world: World) -> None:
    world.write({"a.md": page("Dam", A, 1), "b.md": page("Dam", A, 2)})
    world.run()
    assert world.rows("from duplicate_titles") == []


TITLE_KEYS = {
    "Blizzard’s “Diablo IV”": "blizzard s diablo iv",
    "Cafe\u0301 — CAFÉ": "cafe cafe",
    "Über 50% der Straße": "uber 50 der straße",
    "Где мой ёж?": "где мой ёж",
    "हिन्दी समाचार": "हिन्दी समाचार",
    "東京、ガラス": "東京 ガラス",
    "Άλφα, βήτα": "αλφα βητα",
    "ไทยรัฐ Café": "ไทยรัฐ café",
}


@pytest.fixture(scope="module")
def titled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An article for each title, in a file that is named by its number."""
    world = World(tmp_path_factory.mktemp("titled"))
    world.write({f"{at}.md": page(title, A, 1) for at, title in enumerate(TITLE_KEYS)})
    world.run()
    return world


@pytest.mark.parametrize("title", TITLE_KEYS)
def test_titles_are_compared_without_case_accents_and_punctuation(
    titled: World, title: str
) -> None:
    path = f"{list(TITLE_KEYS).index(title)}.md"
    assert titled.rows(
        f"select title_key from title_keys join articles using (article_id) where path = '{path}'"
    ) == [(TITLE_KEYS[title],)]


def near_titles(connection: duckdb.DuckDBPyConnection, **options: Any) -> pa.Table:
    create_near_titles(connection, **options)
    return connection.table("near_titles").to_arrow_table()


Known = tuple[str, str, float | None]  # URL, title, hour of publication


def pairs(known: list[Known], **options: Any) -> list[dict[str, object]]:
    """near_titles on these articles; the provider is the URL's first letter."""
    facts = [
        {
            "article_id": f"id{number:03}",
            "title": title,
            "provider_id": url[:1] or None,
            "provider": url[:1].upper() or None,
            "url": url or None,
            "published_at": None if hour is None else at(hour),
        }
        for number, (url, title, hour) in enumerate(known)
    ]
    keys = [
        {
            "article_id": fact["article_id"],
            "member_id": fact["url"] or fact["article_id"],
            "title_key": fact["title"],
        }
        for fact in facts
    ]
    types = pa.schema(
        {name: pa.string() for name in ("article_id", "title", "provider_id", "provider", "url")}
    )
    types = types.append(pa.field("published_at", pa.timestamp("us", tz="UTC")))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("article_facts", pa.Table.from_pylist(facts, types))
        connection.register(
            "title_keys",
            pa.Table.from_pylist(
                keys,
                pa.schema({name: pa.string() for name in ("article_id", "member_id", "title_key")}),
            ),
        )
        table = near_titles(connection, workers=1, **options)
    assert table.column_names == list(NEAR_TITLES.columns)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def shown(rows: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(row["title"], row["other_title"]) for row in rows]


def test_a_pair_says_who_was_first_and_how_alike_the_titles_are() -> None:
    [pair] = pairs(
        [
            ("south", "the dam breaks in the north", 30),
            ("north", "dam breaks in the north", 6),
            ("south", "goats", 6),
        ]
    )
    assert pair == {
        "score": 92.0,
        "hours_apart": 24.0,
        "same_provider": False,
        "title": "dam breaks in the north",
        "other_title": "the dam breaks in the north",
        "provider": "N",
        "other_provider": "S",
        "published_at": at(6),
        "other_published_at": at(30),
        "url": "north",
        "other_url": "south",
        "article_id": "id001",
        "other_article_id": "id000",
    }


def test_a_connection_to_a_warehouse_will_do(copies: World) -> None:
    with copies.connect() as connection:
        found = near_titles(connection, score=70).to_pylist()
    assert ("DAM  breaks!", "Dam breaks today") in shown(found)
    assert all(row["url"] != row["other_url"] for row in found)


def test_what_is_no_near_title() -> None:
    assert pairs([("a", "dam breaks", 1), ("b", "dam breaks", 1)]) == [], (
        "equal ones are another report"
    )
    assert pairs([("a", "dam breaks", 1), ("a", "dam breaks!", 1)]) == [], "versions of one page"
    assert pairs([("a", "dam breaks", None), ("b", "dam breaks!", 1)]) == [], "no time"
    assert pairs([("a", "dam breaks", 0), ("b", "dam breaks!", 7 * 24 + 0.1)]) == [], (
        "too far in time"
    )
    assert pairs([("a", "play dam part 1", 1), ("b", "play dam part 2", 1)]) == [], "a series"
    assert pairs([("a", "dam breaks", 1), ("b", "breaks", 1)]) == [], "too short"


def test_what_is_one() -> None:
    assert len(pairs([("a", "dam breaks", 1), ("b", "breaks dam", 1)])) == 1, "other order of words"
    assert len(pairs([("a", "dam breaks", 0), ("b", "dam breaks!", 7 * 24)])) == 1, "just in time"
    assert (
        len(pairs([("a", "play the new dam part 1", 1), ("b", "play the new dam part", 1)])) == 1
    ), "a number in one of them only"
    assert [
        row["same_provider"] for row in pairs([("", "dam breaks", 1), ("", "dam breaks!", 1)])
    ] == [None], "without URL"


def test_two_urls_with_many_versions_are_one_pair_and_the_best_one_counts() -> None:
    known: list[Known] = [
        ("a", "the dam breaks again", 1),
        ("a", "the dam breaks", 2),
        ("b", "the dam breaks!", 3),
        ("b", "dam breaks the", 4),
    ]
    assert [
        (*titles, row["score"])
        for titles, row in zip(shown(pairs(known)), pairs(known), strict=True)
    ] == [("the dam breaks", "dam breaks the", 100.0)]


def test_only_the_most_alike_are_kept_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[Known] = [
        (f"u{number}", "the dam breaks " + "x" * number, number / 10) for number in range(20)
    ]
    every = pairs(known, score=50)
    monkeypatch.setattr("pipeline.report.near_titles._BLOCK", 3)
    monkeypatch.setattr("pipeline.report.near_titles._KEPT", 5)
    assert len(every) > 100
    assert [row["score"] for row in every] == sorted((row["score"] for row in every), reverse=True)
    assert pairs(known, score=50, most=7) == every[:7]


WORDS = st.sampled_from(["dam", "dams", "breaks", "broke", "north", "the", "a", "1", "2"])
KNOWN = st.tuples(
    st.sampled_from(["", "a", "b", "c", "d", "e"]),
    st.lists(WORDS, min_size=1, max_size=5).map(" ".join),
    st.sampled_from([None, 0, 1, 23.5, 24, 24.5, 47, 48, 49, 100]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(KNOWN, max_size=20), st.sampled_from([50, 75, 90, 100]))
def test_no_pair_is_missed_and_none_is_too_many(known: list[Known], score: int) -> None:
    """Against every pair, one by one, by RapidFuzz's own token_sort_ratio."""
    best: dict[frozenset[str], float] = {}
    names = [url or f"id{number:03}" for number, (url, _, _) in enumerate(known)]
    first: dict[tuple[str, str], float] = {}
    for name, (_, title, hour) in zip(names, known, strict=True):
        if hour is not None:
            first[name, title] = min(hour, first.get((name, title), hour))
    for (name, title), hour in first.items():
        for (other, other_title), later in first.items():
            numbers, others = (
                {word for word in text.split() if word.isdigit()} for text in (title, other_title)
            )
            series = bool(numbers - others) and bool(others - numbers)
            alike = fuzz.token_sort_ratio(title, other_title)
            if (
                name != other
                and title != other_title
                and alike >= score
                and abs(hour - later) <= 24
                and not series
            ):
                ends = frozenset((name, other))
                best[ends] = max(alike, best.get(ends, 0))
    found = {
        frozenset(
            (row["url"] or row["article_id"], row["other_url"] or row["other_article_id"])
        ): row["score"]
        for row in pairs(known, days=1, score=score)
    }
    assert found == {ends: pytest.approx(alike, abs=0.051) for ends, alike in best.items()}


def test_every_column_of_the_pairs_is_described_in_the_connection(empty: World) -> None:
    with empty.connect() as connection:
        columns = near_titles(connection).column_names
        assert column_comments(connection)["near_titles"] == NEAR_TITLES.columns
    assert columns == list(NEAR_TITLES.columns)
