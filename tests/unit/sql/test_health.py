"""The data health reports: tiny worlds in, exact rows out; figures against pandas."""

import datetime as dt
import os
from pathlib import Path

import pytest

from pipeline.views.relations import relations
from tests.support.rows import rows_of
from tests.support.world import World

WRITTEN = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)

FILES: dict[str, str | bytes] = {
    "_news/a.md": """---
title: A
excerpt: Text
publishedDateTime: 2026-01-01T12:30:00Z
originalUrl: https://www.north.com/a
webUrl: https://site.org/a
ampWebUrl: https://amp.north.com/a
provider: {name: North, domain: www.north.com, images: [{url: /logo.png, width: 50, height: 50}]}
topics: [AI]
images: [{url: https://north.com/a.jpg, width: 1200, height: 630, isCached: true, title: T}]
quality: 10
---
""",
    "_news/b.md": """---
title: B
excerpt: ""
publishedDateTime: 2025-12-30
originalUrl: http://south.com/b?id=1&utm_source=x
provider: {name: North, domain: www.north.com}
topics: [""]
quality: "7"
heat: hot
images:
  - {url: "http://x.com/i.jpg", width: 50, height: 400, isCached: false}
  - {url: /rel.png, width: 0, height: 400}
  - {url: "https://x.com/w.jpg", width: 301, height: 100, isCached: true}
  - {url: /kept.png, width: 300, height: 100, isCached: true}
related:
  - title: R1
    webUrl: ""
    ampWebUrl: https://amp.other.com/r
    provider: {name: South, domain: south.com}
    images: [{width: 100, height: 100}]
  - {title: R2, publishedDateTime: soon, webUrl: "https://south.com/r2", quality: "5",
     provider: none}
---
""",
    "c.md": """---
title: C
publishedDateTime: 2026-01-05T00:00:00Z
updatedDateTime: 2026-01-04T00:00:00Z
webUrl: /c
provider: {images: [{url: "https://x.com/l.png", width: 31, height: 200}]}
---
""",
    "d.md": (
        "---\ntitle: D\npublishedDateTime: 1970-01-01T00:00:00Z\nupdatedDateTime:"
        " 1994-05-05T10:00:00Z\n---\n"
    ),
    "e.md": (
        "---\ntitle: E\npublishedDateTime: yesterday\noriginalUrl:"
        " https://www.google.com/amp/s/x.com/e\n---\n"
    ),
    "f.md": "---\ntitle: F\n---\n",
    "person.md": "---\nname: P\n---\n",
    "README.md": "# hello\n",
    "bad.md": "---\n",
    "worse.md": "---\n",
    "worst.md": "---\ntitle: [\n---\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("health"))
    for path in FILES:
        os.utime(
            world.write({path: FILES[path]}) / path, (WRITTEN.timestamp(), WRITTEN.timestamp())
        )
    world.run()
    return world


NORTH, SITE = "https://www.north.com/a", "https://www.google.com/amp/s/x.com/e"

EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "finding_rules": (
        "select rule, findings, documents, of_documents, example from finding_rules limit 3",
        [
            ("empty_string", 3, 1, 7, ""),
            ("invalid_date", 2, 2, 7, "soon"),
            ("number_as_text", 2, 1, 7, "5"),
        ],
    ),
    "rejection_codes": (
        "select stage, code, files, of_files, share, example_source, example_path,"
        " example_line, example_message from rejection_codes",
        [
            (
                *("fence", "unclosed_fence", 2, 11, 2 / 11, "site", "bad.md", 1),
                "the front matter opens on line 1 and never closes. Add a line `---` after the"
                " last field.",
            ),
            (
                "parse",
                "bad_yaml",
                1,
                11,
                1 / 11,
                "site",
                "worst.md",
                2,
                "unclosed bracket '['. Correct the line.",
            ),
        ],
    ),
    "health_summary": (
        "select as_of::varchar, files, articles, other, skipped, rejected, rejected_share,"
        " findings, articles_with_findings,"
        " articles_with_findings_share, complete_articles, complete_share, first_day, last_day"
        " from health_summary",
        [
            (
                *("2026-01-02 03:04:05+00", 11, 6, 1, 1, 3, 3 / 11, 13, 4, 4 / 6, 1, 1 / 6),
                *(dt.date(1970, 1, 1), dt.date(2026, 1, 5)),
            )
        ],
    ),
    "freshness_by_source": (
        "select source, collection, files, articles, as_of::varchar,"
        " newest_article_at::varchar, round(article_age_hours, 3),"
        " newest_file_at::varchar, round(file_age_hours, 3), articles_24h, articles_7d,"
        " articles_ahead, articles_undated"
        " from freshness_by_source",
        [
            (
                *(
                    "site",
                    None,
                    9,
                    4,
                    "2026-01-02 03:04:05+00",
                    "1970-01-01 00:00:00+00",
                    490923.068,
                ),
                *("2026-01-02 00:00:00+00", 3.068, 0, 0, 1, 2),
            ),
            (
                *("site", "news", 2, 2, "2026-01-02 03:04:05+00", "2026-01-01 12:30:00+00", 14.568),
                *("2026-01-02 00:00:00+00", 3.068, 1, 2, 0, 0),
            ),
        ],
    ),
    "field_completeness": (
        "select level, field, month, items, present, missing, present_share, empty, invalid,"
        " repaired from field_completeness"
        " where empty + invalid + repaired > 0 or field = 'images'",
        [
            ("article", "excerpt", dt.date(2025, 12, 1), 1, 0, 1, 0.0, 1, 0, 0),
            ("article", "heat", dt.date(2025, 12, 1), 1, 0, 1, 0.0, 0, 1, 0),
            ("article", "images", None, 2, 0, 2, 0.0, 0, 0, 0),
            ("article", "images", dt.date(1970, 1, 1), 1, 0, 1, 0.0, 0, 0, 0),
            ("article", "images", dt.date(2025, 12, 1), 1, 1, 0, 1.0, 0, 0, 0),
            ("article", "images", dt.date(2026, 1, 1), 2, 1, 1, 0.5, 0, 0, 0),
            ("article", "publishedDateTime", None, 2, 0, 2, 0.0, 0, 1, 0),
            ("article", "publishedDateTime", dt.date(2025, 12, 1), 1, 1, 0, 1.0, 0, 0, 1),
            ("article", "quality", dt.date(2025, 12, 1), 1, 1, 0, 1.0, 0, 0, 1),
            ("article", "topics", dt.date(2025, 12, 1), 1, 0, 1, 0.0, 1, 0, 0),
            ("related", "images", dt.date(2025, 12, 1), 2, 1, 1, 0.5, 0, 0, 0),
            ("related", "provider.domain", dt.date(2025, 12, 1), 2, 1, 1, 0.5, 0, 1, 0),
            ("related", "provider.name", dt.date(2025, 12, 1), 2, 1, 1, 0.5, 0, 1, 0),
            ("related", "publishedDateTime", dt.date(2025, 12, 1), 2, 0, 2, 0.0, 0, 1, 0),
            ("related", "quality", dt.date(2025, 12, 1), 2, 1, 1, 0.5, 0, 0, 1),
            ("related", "webUrl", dt.date(2025, 12, 1), 2, 1, 1, 0.5, 1, 0, 0),
        ],
    ),
    "url_defects": (
        "select rule, path, position, name, field, url_defects.url, detail from url_defects"
        " join articles using (article_id)"
        " left join providers on providers.provider_id = url_defects.provider_id where"
        " position > 0 or path = 'c.md' order by all",
        rows_of(
            """
            rule         amp_other_host           amp_without_original     domain_mismatch
            path         _news/b.md               _news/b.md               _news/b.md
            position     1                        1                        1
            name         South                    South                    South
            field        ampWebUrl                ampWebUrl                url
            url_defects  https://amp.other.com/r  https://amp.other.com/r  https://www.other.com/r
            detail       www.other.com            null                     south.com

            rule         no_url       relative
            path         c.md         c.md
            position     0            0
            name         null         null
            field        null         webUrl
            url_defects  /c           /c
            detail       none usable  null
            """
        ),
    ),
    "url_lint": (
        "select rule, path, title, provider, field, url, detail from url_lint",
        rows_of(
            """
            rule      amp_as_original                       amp_other_host
            path      e.md                                  _news/b.md
            title     E                                     R1
            provider  null                                  South
            field     originalUrl                           related[0].ampWebUrl
            url       https://www.google.com/amp/s/x.com/e  https://amp.other.com/r
            detail    www.google.com                        www.other.com

            rule      amp_without_original     domain_mismatch           domain_mismatch
            path      _news/b.md               _news/b.md                _news/b.md
            title     R1                       B                         R1
            provider  South                    North                     South
            field     related[0].ampWebUrl     url                       related[0].url
            url       https://amp.other.com/r  https://south.com/b?id=1  https://www.other.com/r
            detail    null                     north.com                 south.com

            rule      http                                  no_url       no_url      no_url
            path      _news/b.md                            c.md         d.md        f.md
            title     B                                     C            D           F
            provider  North                                 null         null        null
            field     originalUrl                           url          url         url
            url       http://south.com/b?id=1&utm_source=x  /c           null        null
            detail    null                                  none usable  none given  none given

            rule      relative  tracking
            path      c.md      _news/b.md
            title     C         B
            provider  null      North
            field     webUrl    originalUrl
            url       /c        http://south.com/b?id=1&utm_source=x
            detail    null      utm_source
            """
        ),
    ),
    "url_lint_rules": (
        "select rule, articles, of_articles, share, related_items, of_related_items,"
        " related_share from url_lint_rules",
        [
            ("no_url", 3, 6, 0.5, 0, 2, 0.0),
            ("domain_mismatch", 1, 6, 1 / 6, 1, 2, 0.5),
            ("amp_as_original", 1, 6, 1 / 6, 0, 2, 0.0),
            ("http", 1, 6, 1 / 6, 0, 2, 0.0),
            ("relative", 1, 6, 1 / 6, 0, 2, 0.0),
            ("tracking", 1, 6, 1 / 6, 0, 2, 0.0),
            ("amp_other_host", 0, 6, 0.0, 1, 2, 0.5),
            ("amp_without_original", 0, 6, 0.0, 1, 2, 0.5),
        ],
    ),
    "image_facts": (
        "select owner, owner_position, position, no_url, no_size, is_tiny, is_odd,"
        " is_relative, is_http, is_cached, problems"
        " from image_facts where width_px < 301 order by owner, url",
        [
            ("article", 0, 4, False, False, False, False, True, False, True, ""),
            ("article", 0, 2, False, True, False, False, True, False, None, "no_size, relative"),
            (
                "article",
                0,
                1,
                False,
                False,
                True,
                True,
                False,
                True,
                False,
                "tiny, odd_aspect, http, not_cached",
            ),
            ("provider", 0, 1, False, False, False, False, True, False, None, "relative"),
            ("provider", 0, 1, False, False, True, False, False, False, None, "tiny"),
            ("related", 1, 1, True, False, False, False, False, False, None, "no_url"),
        ],
    ),
    "image_health": (
        "select owner, owners, missing, missing_share, images, without_url, without_size,"
        " tiny, odd_aspect, relative, http,"
        " not_cached, cache_unknown, without_title, without_attribution, with_problems,"
        " with_problems_share from image_health",
        [
            ("article", 6, 4, 4 / 6, 5, 0, 1, 1, 2, 2, 1, 1, 1, 4, 5, 3, 0.6),
            ("provider", 2, 1, 0.5, 2, 0, 0, 1, 0, 1, 0, 0, 2, 2, 2, 2, 1.0),
            ("related", 2, 1, 0.5, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1.0),
            ("related_provider", 1, 1, 1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None),
        ],
    ),
    "image_problems": (
        "select source, path, title, owner, field, problems, url, width_px, height_px from"
        " image_problems",
        rows_of(
            """
            source     site                site                                site
            path       _news/a.md          _news/b.md                          _news/b.md
            title      A                   B                                   B
            owner      provider            article                             article
            field      provider.images[0]  images[0]                           images[1]
            problems   relative            tiny, odd_aspect, http, not_cached  no_size, relative
            url        /logo.png           http://x.com/i.jpg                  /rel.png
            width_px   50                  50                                  0
            height_px  50                  400                                 400

            source     site                 site                  site
            path       _news/b.md           _news/b.md            c.md
            title      B                    R1                    C
            owner      article              related               provider
            field      images[2]            related[0].images[0]  provider.images[0]
            problems   odd_aspect           no_url                tiny
            url        https://x.com/w.jpg  null                  https://x.com/l.png
            width_px   301                  100                   31
            height_px  100                  100                   200
            """
        ),
    ),
    "date_defects": (
        "select rule, path, field, value::varchar, detail from date_defects join articles"
        " using (article_id)"
        " where path in ('d.md', 'e.md') order by all",
        [
            ("before_1995", "d.md", "updatedDateTime", "1994-05-05 10:00:00+00", None),
            *[
                (
                    "default_date",
                    "d.md",
                    "publishedDateTime",
                    "1970-01-01 00:00:00+00",
                    "a value that programs put where they know none",
                )
            ],
            (
                "missing",
                "e.md",
                "publishedDateTime",
                None,
                "set to null, the file says 'yesterday'",
            ),
        ],
    ),
    "date_lint": (
        "select rule, path, title, provider, field, value::date, detail from date_lint",
        rows_of(
            """
            rule      before_1995      default_date
            path      d.md             d.md
            title     D                D
            provider  null             null
            field     updatedDateTime  publishedDateTime
            value     1994-05-05       1970-01-01
            detail    null             a value that programs put where they know none

            rule      in_the_future
            path      c.md
            title     C
            provider  null
            field     publishedDateTime
            value     2026-01-05
            detail    reports look up to 2026-01-02 03:04:05Z

            rule      in_the_future                            midnight           midnight
            path      c.md                                     _news/b.md         c.md
            title     C                                        B                  C
            provider  null                                     North              null
            field     updatedDateTime                          publishedDateTime  publishedDateTime
            value     2026-01-04                               2025-12-30         2026-01-05
            detail    reports look up to 2026-01-02 03:04:05Z  null               null

            rule      missing                                 missing
            path      e.md                                    f.md
            title     E                                       F
            provider  null                                    null
            field     publishedDateTime                       publishedDateTime
            value     null                                    null
            detail    set to null, the file says 'yesterday'  absent or null

            rule      newer_than_file                    updated_before_published
            path      c.md                               c.md
            title     C                                  C
            provider  null                               null
            field     publishedDateTime                  updatedDateTime
            value     2026-01-05                         2026-01-04
            detail    file written 2026-01-02 00:00:00Z  published 2026-01-05 00:00:00Z
            """
        ),
    ),
    "date_lint_rules": (
        "select rule, is_defect, articles, of_articles, share from date_lint_rules",
        [
            ("missing", True, 2, 6, 2 / 6),
            ("before_1995", True, 1, 4, 0.25),
            ("default_date", True, 1, 4, 0.25),
            ("in_the_future", True, 1, 4, 0.25),
            ("newer_than_file", True, 1, 4, 0.25),
            ("updated_before_published", True, 1, 2, 0.5),
            ("midnight", False, 2, 4, 0.5),
        ],
    ),
}

ONE_ROW_ALWAYS = {"health_summary": 1, "url_lint_rules": 8, "date_lint_rules": 7, "image_health": 4}

OF_OTHERS = {"duplicate_urls", "duplicate_titles"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(site: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert site.rows(query) == rows


def test_every_health_report_has_its_rows_here() -> None:
    reports = {
        relation.name for relation in relations("reports") if relation.path.parent.name == "health"
    }
    assert reports - OF_OTHERS <= EXPECTED.keys()


def test_an_empty_corpus_gives_typed_rows_and_no_shares(empty: World) -> None:
    with empty.connect() as connection:
        for name in EXPECTED:
            found = connection.execute(f"from {name}").fetchall()
            assert len(found) == ONE_ROW_ALWAYS.get(name, 0), name
            assert not any(value for row in found for value in row if isinstance(value, float))
            types = dict(
                connection.execute(
                    f"select column_name, column_type from (describe {name})"
                ).fetchall()
            )
            assert not {"INTEGER", '"NULL"', "HUGEINT"} & set(types.values()), types
            assert all(
                kind == "DOUBLE"
                for column, kind in types.items()
                if column.endswith(("share", "hours"))
            )


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The invented site with the defects of real ones."""
    from pipeline.sample import write_site

    world = World(tmp_path_factory.mktemp("sample"))
    write_site(world.site, 300, 7)
    world.run()
    return world


def test_completeness_adds_up_and_agrees_with_pandas(sampled: World) -> None:
    columns = {
        "title": "title",
        "excerpt": "excerpt",
        "publishedDateTime": "published_at",
        "webUrl": "web_url",
        "originalUrl": "original_url",
        "quality": "quality",
        "heat": "heat",
        "provider.name": "provider_name",
        "provider.domain": "provider_domain",
    }
    with sampled.connect() as connection:
        found = connection.sql("from field_completeness").df()
        articles, related = (
            connection.sql("from articles").df(),
            connection.sql("from related").df(),
        )
    assert (found["present"] + found["missing"] == found["items"]).all()
    assert (found["empty"] + found["invalid"] <= found["missing"]).all() and (
        found["repaired"] <= found["present"]
    ).all()
    assert found["empty"].sum() > 0 and found["invalid"].sum() > 0 and found["repaired"].sum() > 0
    months = articles["published_at"].dt.tz_localize(None).dt.strftime("%Y-%m").fillna("NaT")
    for field, column in columns.items():
        rows = found[(found["level"] == "article") & (found["field"] == field)]
        by_month = {
            str(month)[:7]: present
            for month, present in zip(rows["month"], rows["present"], strict=True)
        }
        assert by_month == articles[column].notna().groupby(months).sum().to_dict(), field
        of_related = found[(found["level"] == "related") & (found["field"] == field)]
        assert (of_related["items"].sum(), of_related["present"].sum()) == (
            len(related),
            related[column].notna().sum(),
        )


def test_images_and_addresses_agree_with_pandas(sampled: World) -> None:
    with sampled.connect() as connection:
        health = connection.sql("from image_health").df().set_index("owner")
        images = connection.sql("from images").df()
        rules = connection.sql("from url_lint_rules").df().set_index("rule")
        articles = connection.sql("from articles").df()
    for owner, own in images.groupby("owner"):
        assert health.loc[owner, "images"] == len(own)
        assert (
            health.loc[owner, "without_size"]
            == (~((own["width_px"] > 0) & (own["height_px"] > 0))).sum()
        )
        assert health.loc[owner, "without_title"] == own["title"].isna().sum()
    assert health.loc["article", "missing"] == (articles["images_count"] == 0).sum() > 0
    insecure = articles["original_url"].fillna("").str.startswith("http://") | articles[
        "web_url"
    ].fillna("").str.startswith("http://")
    assert rules.loc["http", "articles"] == insecure.sum()
    assert rules.loc["no_url", "articles"] == articles["url"].isna().sum()


def test_a_list_of_which_one_item_is_broken_counts_as_present(world: World) -> None:
    world.write(
        {
            "a.md": (
                '---\ntitle: "5"\ntopics: ["", AI, cafÃ©]\nprovider: x\nauthor: {name: ""}\nname:'
                " a: b\n---\n"
            )
        }
    )
    world.run()
    query = (
        "select field, present, empty, invalid, repaired from field_completeness where empty +"
        " invalid + repaired > 0"
    )
    assert world.rows(query) == [
        ("author", 0, 1, 0, 0),
        ("provider.domain", 0, 0, 1, 0),
        ("provider.name", 0, 0, 1, 0),
        ("topics", 1, 0, 0, 1),
    ]


@pytest.mark.parametrize("corpus_name", ["diablo4.tar.gz"])
def test_a_real_site_keeps_the_sums(unpacked: object, tmp_path: Path, corpus_name: str) -> None:
    world = World(tmp_path)
    world.site = unpacked(corpus_name)  # type: ignore[operator]
    world.run()
    broken = (
        "select count(*) from field_completeness where present + missing <> items or empty +"
        " invalid > missing or repaired > present"
    )
    assert world.rows(broken) == [(0,)]
    assert world.rows("select articles, complete_articles from health_summary") == [(1971, 1365)]
