"""Real corpora, where they exist: exact figures, and independent readings of the same files."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import frontmatter
import pytest
import yaml

from tests.support.world import World, corpus

Unpack = Callable[[str], Path]


def test_seed_article(world: World) -> None:
    world.write({"_news/seed-article.md": corpus("seed-article.md").read_bytes()})
    result = world.run()
    assert (result.record.files, result.record.articles, result.tables["images"]) == (1, 1, 1)
    [row] = world.rows(
        "select provider_name, provider_domain, published_at, quality, heat, published,"
        " secured_bytes, secured_iv_bytes, url from articles"
    )
    assert row == (
        "Washington Examiner",
        "washingtonexaminer.com",
        dt.datetime(2021, 6, 3, 21, 51, tzinfo=dt.UTC),
        33,
        -1,
        False,
        272,
        16,
        "https://www.washingtonexaminer.com/news/human-civil-rights-groups-call-ban-police-facial-recognition-technology",
    )
    assert world.rows("select position, topic from article_topics order by 1") == [
        (1, "Computer Vision"),
        (2, "AI"),
    ]
    assert world.rows("select quality, title from related order by position") == [
        (58, "Banning facial recognition technology: Baltimore’s bad idea | COMMENTARY"),
        (17, "Fish facial recognition? Researchers test technology on invasive Asian carp"),
    ]
    assert world.rows(
        "select owner, owner_position, width_px, height_px, is_cached from images"
    ) == [("related", 1, 1200, 802, True)]
    assert world.rows("select rule, field, value, line_number, column_number from findings") == [
        (
            "mojibake",
            "related[0].title",
            "Banning facial recognition technology: Baltimoreâ€™s bad idea | COMMENTARY",
            24,
            12,
        )
    ]


def test_diablo4(world: World, unpacked: Unpack) -> None:
    source = unpacked("diablo4.tar.gz")
    result = world.run(sources=(f"diablo4={source}",))
    record = result.record
    assert (record.files, record.articles, record.other, record.skipped, record.rejected) == (
        1995,
        1971,
        21,
        3,
        0,
    )
    assert result.findings["unquoted_colon"] == 4
    assert {
        name: result.tables[name]
        for name in ("related", "images", "article_topics", "providers", "documents")
    } == {
        "related": 5315,
        "images": 7090,
        "article_topics": 2436,
        "providers": 463,
        "documents": 1995,
    }
    assert dict(world.rows("select owner, count(*) from images group by all")) == {
        "article": 1758,
        "provider": 301,
        "related": 5031,
    }
    assert world.rows("select count(*) from article_topics where topic is null") == [(7,)]
    assert world.rows(
        "select count(*) filter (heat = -1), count(*) filter (heat is null), count(*) filter"
        " (quality is null) from articles"
    ) == [(668, 190, 471)]
    assert world.rows("select topic, parent, slug from topics order by topic") == [
        ("Barbarian", "Diablo 4", "barbarian"),
        ("Diablo 4", None, "diablo-4"),
        ("Druid", "Diablo 4", "druid"),
        ("Sorceress", "Diablo 4", "sorceress"),
    ]
    assert world.rows(
        "select logo_url from providers where domain = 'ign.com' and name = 'IGN'"
    ) == [("/assets/images/organizations/ign.com-400x400.jpg",)]


def test_diablo4_strict(world: World, unpacked: Unpack) -> None:
    record = world.run(sources=(f"diablo4={unpacked('diablo4.tar.gz')}",), strict=True).record
    assert (record.articles, record.other, record.skipped, record.rejected) == (1967, 21, 3, 4)
    rows = world.rows("select line_number, column_number, trim(line_text) from rejections")
    assert rows == [(13, 11, "name: DM: Diablo Immortal")] * 4


def test_versions(world: World, unpacked: Unpack) -> None:
    result = world.run(sources=(f"versions={unpacked('versions-20k.tar.xz')}",), workers=0)
    record = result.record
    assert (record.files, record.articles, record.other, record.skipped, record.rejected) == (
        20_000,
        19_989,
        11,
        0,
        0,
    )
    assert {
        name: result.tables[name] for name in ("related", "images", "article_topics", "providers")
    } == {
        "related": 17_530,
        "images": 36_970,
        "article_topics": 34_173,
        "providers": 425,
    }
    assert world.rows("select count(*) from article_topics where topic is null") == [(3,)]


NUMBERS = range(0, 1900, 190)


@pytest.fixture(scope="module")
def sampled(unpacked: Unpack, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A few articles of a real site by number, each in a file that is named so."""
    paths = sorted((unpacked("diablo4.tar.gz") / "_news").glob("*.md"))
    folder = tmp_path_factory.mktemp("sampled")
    chosen = {number: folder / f"{number}.md" for number in NUMBERS}
    for number, path in chosen.items():
        path.write_bytes(paths[number % 1611].read_bytes())
    return chosen


@pytest.fixture(scope="module")
def read(sampled: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("read"))
    world.write({path.name: path.read_bytes() for path in sampled.values()})
    world.run()
    return world


@pytest.mark.parametrize("number", NUMBERS)
def test_values_equal_an_independent_reading(
    read: World, sampled: dict[int, Path], number: int
) -> None:
    """PyYAML through python-frontmatter says the same as the fast path, field by field."""
    path = sampled[number]
    try:
        expected = frontmatter.load(str(path)).metadata
    except yaml.YAMLError:
        pytest.skip("PyYAML cannot read this file")
    [row] = read.rows(
        "select title, excerpt, quality, heat, published, original_url, provider_name,"
        f" topics_count, related_count from articles where path = '{path.name}'"
    )
    provider = expected.get("provider")
    assert row == (
        expected["title"],
        expected.get("excerpt") or None,
        expected.get("quality"),
        expected.get("heat"),
        expected.get("published"),
        expected.get("originalUrl"),
        provider["name"] if isinstance(provider, dict) else None,
        len(expected.get("topics") or []),
        len(expected.get("related") or []),
    )
    titles = [item["title"] for item in expected.get("related") or []]
    assert read.rows(
        "select related.title from related join articles using (article_id)"
        f" where path = '{path.name}' order by position"
    ) == [(title,) for title in titles]
