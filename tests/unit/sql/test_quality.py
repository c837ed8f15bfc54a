"""Quality reports: tiny worlds give exact rows, and statistics agree with NumPy and SciPy."""

import datetime as dt
import math

import pytest

from pipeline.views.relations import relations
from tests.support.rows import rows_of
from tests.support.world import World

RELATIONS = {relation.name: relation for relation in relations("views", "reports")}

QUALITY = [
    *(name for name, relation in RELATIONS.items() if relation.path.parent.name == "quality"),
    "quality_groups",
    "best_related",
]

JAN, FEB = dt.date(2024, 1, 1), dt.date(2024, 2, 1)


def day(number: int, month: int = 1) -> dt.date:
    return dt.date(2024, month, number)


def story(
    title: str,
    quality: int | None = None,
    *lines: str,
    provider: str = "",
    date: str = "",
    published: bool = False,
) -> str:
    """An article at https://x.example/<title>; `lines` follow as they are."""
    fields = [
        f"title: {title}",
        f"originalUrl: https://x.example/{title}",
        f"published: {str(published).lower()}",
        *lines,
    ]
    fields += [f"quality: {quality}"] if quality is not None else []
    fields += (
        [f"provider: {{name: {provider}, domain: {provider.lower()}.example}}"] if provider else []
    )
    fields += [f"publishedDateTime: {date}T12:00:00Z"] if date else []
    return "\n".join(["---", *fields, "---", ""])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Six articles: A is shown although C, also ours, is better; E has only a score, F none."""
    world = World(tmp_path_factory.mktemp("small"))
    versions = (
        "related: [{title: R, quality: 5}, {title: C too, quality: 50, originalUrl:"
        " https://x.example/C, provider: {name: South}},"
        " {title: Itself, quality: 99, originalUrl: https://x.example/A}, {title: Unscored}]"
    )
    equals = "related: [{title: First, quality: 30}, {title: Second, quality: 30}]"
    world.write(
        {
            "a.md": story(
                "A",
                10,
                "topics: [AI, Chips]",
                versions,
                provider="North",
                date="2024-01-02",
                published=True,
            ),
            "b.md": story("B", 30, "topics: [AI, AI]", equals, provider="North", date="2024-01-03"),
            "c.md": story(
                "C", 50, "topics: [AI]", provider="South", date="2024-02-01", published=True
            ),
            "d.md": story(
                "D", 60, "related: [{title: Unscored}]", provider="South", date="2024-02-02"
            ),
            "e.md": story(
                "E",
                100,
                "topics: [Chips, ~]",
                "related: [{title: Worse, quality: 20}]",
                published=True,
            ),
            "f.md": story(
                "F",
                None,
                "related: [{title: Lonely, quality: 70}]",
                provider="North",
                date="2024-01-04",
            ),
        }
    )
    world.run()
    return world


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ten of North with one that stands out, ten of South that score the same, one of East."""
    world = World(tmp_path_factory.mktemp("wide"))
    north = [50, 51, 52, 53, 54, 55, 56, 57, 58, 200]
    world.write(
        {
            f"n{number}.md": story(f"N{number}", quality, provider="North")
            for number, quality in enumerate(north)
        }
    )
    world.write(
        {
            f"s{number}.md": story(f"S{number}", 40, provider="South", published=number < 4)
            for number in range(10)
        }
    )
    world.write({"e.md": story("East", 1200, provider="East")})
    world.run()
    return world


# Student's t times the standard error: North 12.706205 * 10, South 12.706205 * 5,
# AI 4.302653 * 20 / sqrt(3), Chips 12.706205 * 45.
# Shrinkage over providers: within (200 + 50) / 2 = 125, between (1225 - 125) / (4 - 8 / 4) = 550,
# k = 5 / 22, overall 37.5; over months: within 125, between (4350 - 250) / (5 - 9 / 5) = 1281.25,
# k = 4 / 41, overall 50; over topics between is below 0.
AI, CHIPS = (
    (-19.682757, 79.682757, 40.0, None, 40.0, None),
    (-516.779225, 626.779225, 40.0, None, 40.0, None),
)

ADVANCED = (
    "round(mean_low, 6), round(mean_high, 6), round(overall_mean, 6), round(shrinkage_k, 6),"
    " round(shrunken_mean, 6), rank"
)

MIDDLE = (
    "mean_quality, round(sd_quality, 6), median_quality, round(p10_quality, 6), round(p90_quality,"
    " 6)"
)

EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "quality_summary": (
        f"select articles, scored, unscored, {MIDDLE}, min_quality, max_quality, first_day,"
        " last_day from quality_summary",
        [(6, 5, 1, 50.0, 33.91165, 50.0, 18.0, 84.0, 10, 100, day(2), day(2, 2))],
    ),
    "quality_histogram": (
        "select low, high, articles, scored, share, cumulative_share, first_day, last_day from"
        " quality_histogram",
        [
            (10, 20, 1, 5, 0.2, 0.2, day(2), day(2, 2)),
            (20, 30, 0, 5, 0.0, 0.2, day(2), day(2, 2)),
            (30, 40, 1, 5, 0.2, 0.4, day(2), day(2, 2)),
            (40, 50, 0, 5, 0.0, 0.4, day(2), day(2, 2)),
            (50, 60, 1, 5, 0.2, 0.6, day(2), day(2, 2)),
            (60, 70, 1, 5, 0.2, 0.8, day(2), day(2, 2)),
            (70, 80, 0, 5, 0.0, 0.8, day(2), day(2, 2)),
            (80, 90, 0, 5, 0.0, 0.8, day(2), day(2, 2)),
            (90, 100, 0, 5, 0.0, 0.8, day(2), day(2, 2)),
            (100, 110, 1, 5, 0.2, 1.0, day(2), day(2, 2)),
        ],
    ),
    "quality_groups": (
        "select dimension, coalesce(topic, month::varchar, name), articles, scored,"
        f" published, {MIDDLE}, {ADVANCED}, first_day, last_day"
        " from quality_groups left join providers using (provider_id)"
        " order by dimension, first_day, articles desc",
        rows_of(
            """
            dimension       month         month         month      provider    provider
            coalesce        "2024-01-01"  "2024-02-01"  null       North       South
            articles        3             2             1          3           2
            scored          2             2             1          2           2
            published       1             1             1          1           1
            mean_quality    20.0          55.0          100.0      20.0        55.0
            sd_quality      14.142136     7.071068      null       14.142136   7.071068
            median_quality  20.0          55.0          100.0      20.0        55.0
            _quality        12.0          51.0          100.0      12.0        51.0
            _quality_2      28.0          59.0          100.0      28.0        59.0
            mean_low        -107.06205    -8.531025     null       -107.06205  -8.531025
            mean_high       147.06205     118.531025    null       147.06205   118.531025
            overall_mean    50.0          50.0          50.0       37.5        37.5
            shrinkage_k     0.097561      0.097561      0.097561   0.227273    0.227273
            shrunken_mean   21.395349     54.767442     95.555556  21.785714   53.214286
            rank            null          null          null       null        null
            first_day       2024-01-02    2024-02-01    null       2024-01-02  2024-02-01
            last_day        2024-01-04    2024-02-02    null       2024-01-04  2024-02-02

            dimension       topic       topic
            coalesce        AI          Chips
            articles        3           2
            scored          3           2
            published       2           2
            mean_quality    30.0        55.0
            sd_quality      20.0        63.63961
            median_quality  30.0        55.0
            _quality        14.0        19.0
            _quality_2      46.0        91.0
            mean_low        -19.682757  -516.779225
            mean_high       79.682757   626.779225
            overall_mean    40.0        40.0
            shrinkage_k     null        null
            shrunken_mean   40.0        40.0
            rank            null        null
            first_day       2024-01-02  2024-01-02
            last_day        2024-02-01  2024-01-02
            """
        ),
    ),
    "quality_by_provider": (
        "select provider, domain, articles, of_articles, scored, published, published_rate,"
        f" {MIDDLE}, {ADVANCED}, first_day, last_day"
        " from quality_by_provider",
        rows_of(
            """
            provider        North               South
            domain          north.example       south.example
            articles        3                   2
            of_articles     6                   6
            scored          2                   2
            published       1                   1
            published_rate  0.3333333333333333  0.5
            mean_quality    20.0                55.0
            sd_quality      14.142136           7.071068
            median_quality  20.0                55.0
            _quality        12.0                51.0
            _quality_2      28.0                59.0
            mean_low        -107.06205          -8.531025
            mean_high       147.06205           118.531025
            overall_mean    37.5                37.5
            shrinkage_k     0.227273            0.227273
            shrunken_mean   21.785714           53.214286
            rank            null                null
            first_day       2024-01-02          2024-02-01
            last_day        2024-01-04          2024-02-02
            """
        ),
    ),
    "quality_by_topic": (
        f"select topic, articles, of_articles, scored, published, published_rate, {MIDDLE},"
        f" {ADVANCED}, first_day, last_day"
        " from quality_by_topic",
        [
            ("AI", 3, 6, 3, 2, 2 / 3, 30.0, 20.0, 30.0, 14.0, 46.0, *AI, day(2), FEB),
            ("Chips", 2, 6, 2, 2, 1.0, 55.0, 63.63961, 55.0, 19.0, 91.0, *CHIPS, day(2), day(2)),
        ],
    ),
    "quality_by_month": (
        f"select month, articles, scored, published, published_rate, {MIDDLE}, {ADVANCED},"
        " first_day, last_day from quality_by_month",
        rows_of(
            """
            month           2024-01-01          2024-02-01  null
            articles        3                   2           1
            scored          2                   2           1
            published       1                   1           1
            published_rate  0.3333333333333333  0.5         1.0
            mean_quality    20.0                55.0        100.0
            sd_quality      14.142136           7.071068    null
            median_quality  20.0                55.0        100.0
            _quality        12.0                51.0        100.0
            _quality_2      28.0                59.0        100.0
            mean_low        -107.06205          -8.531025   null
            mean_high       147.06205           118.531025  null
            overall_mean    50.0                50.0        50.0
            shrinkage_k     0.097561            0.097561    0.097561
            shrunken_mean   21.395349           54.767442   95.555556
            rank            null                null        null
            first_day       2024-01-02          2024-02-01  null
            last_day        2024-01-04          2024-02-02  null
            """
        ),
    ),
    "best_related": (
        "select title, related_items, related_scored, related_better, best_position, best_quality"
        " from best_related join articles using (article_id) order by title",
        [
            ("A", 3, 2, 1, 2, 50),
            ("B", 2, 2, 0, 1, 30),
            ("E", 1, 1, 0, 1, 20),
            ("F", 1, 1, None, 1, 70),
        ],
    ),
    "quality_against_related": (
        "select article_id = (select article_id from articles where articles.title ="
        " quality_against_related.title), title, url, provider,"
        " published_at::date, is_published, quality, related_items, related_scored,"
        " related_better, margin, best_quality, best_title,"
        " best_provider, best_url, best_is_ours, best_is_published from quality_against_related",
        rows_of(
            """
            article_id         true                 true                 true
            title              A                    E                    B
            url                https://x.example/A  https://x.example/E  https://x.example/B
            provider           North                null                 North
            published_at       2024-01-02           null                 2024-01-03
            is_published       true                 true                 false
            quality            10                   100                  30
            related_items      3                    1                    2
            related_scored     2                    1                    2
            related_better     1                    0                    0
            margin             40                   -80                  0
            best_quality       50                   20                   30
            best_title         C too                Worse                First
            best_provider      South                null                 null
            best_url           https://x.example/C  null                 null
            best_is_ours       true                 false                false
            best_is_published  true                 null                 null
            """
        ),
    ),
    "quality_selection": (
        "select scope, domain, articles, scored, compared, better, better_share,"
        " published_compared, published_better,"
        " published_better_share, mean_margin, median_margin, first_day, last_day from"
        " quality_selection",
        [
            ("(all)", None, 6, 5, 3, 1, 1 / 3, 2, 1, 0.5, -40 / 3, 0.0, day(2), day(2, 2)),
            ("North", "north.example", 3, 2, 2, 1, 0.5, 1, 1, 1.0, 20.0, 20.0, day(2), day(4)),
            ("South", "south.example", 2, 2, 0, 0, None, 0, 0, None, None, None, FEB, day(2, 2)),
            ("(none)", None, 1, 1, 1, 0, 0.0, 1, 0, 0.0, -80.0, -80.0, None, None),
        ],
    ),
    "published_rate_by_quality": (
        "select decile, low, high, articles, published, published_rate, round(rate_low, 6),"
        " round(rate_high, 6), scored, first_day, last_day"
        " from published_rate_by_quality",
        [
            (2, 10, 10, 1, 1, 1.0, 0.206549, 1.0, 5, day(2), day(2)),
            (4, 30, 30, 1, 0, 0.0, 0.0, 0.793451, 5, day(3), day(3)),
            (6, 50, 50, 1, 1, 1.0, 0.206549, 1.0, 5, FEB, FEB),
            (8, 60, 60, 1, 0, 0.0, 0.0, 0.793451, 5, day(2, 2), day(2, 2)),
            (10, 100, 100, 1, 1, 1.0, 0.206549, 1.0, 5, None, None),
        ],
    ),
}

EXPECTED_WIDE: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "quality_outliers": (
        "select article_id = (select article_id from articles where articles.title = 'N9'),"
        " title, url, provider, domain, published_at,"
        " is_published, quality, scored, median_quality, mad_quality, round(modified_z, 6)"
        " from quality_outliers",
        [
            (
                True,
                "N9",
                "https://x.example/N9",
                "North",
                "north.example",
                None,
                False,
                200,
                10,
                54.5,
                2.5,
                39.2559,
            )
        ],
    ),
    "quality_by_provider": (
        "select provider, scored, rank, shrunken_mean between least(mean_quality,"
        " overall_mean) and greatest(mean_quality, overall_mean)"
        " from quality_by_provider",
        [("North", 10, 1, True), ("South", 10, 2, True), ("East", 1, None, True)],
    ),
    "quality_histogram": (
        "select count(*), min(low), max(low), sum(articles), max(high) filter (articles = 0)"
        " from quality_histogram",
        [(97, 40, 1200, 21, 1000)],
    ),
    "published_rate_by_quality": (
        "select decile, low, high, articles, published, round(rate_low, 6), round(rate_high,"
        " 6) from published_rate_by_quality",
        [
            (3, 40, 40, 10, 4, 0.168180, 0.687326),
            (6, 50, 52, 3, 0, 0.0, 0.561497),
            (7, 53, 54, 2, 0, 0.0, 0.657620),
            (8, 55, 56, 2, 0, 0.0, 0.657620),
            (9, 57, 58, 2, 0, 0.0, 0.657620),
            (10, 200, 1200, 2, 0, 0.0, 0.657620),
        ],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(small: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert small.rows(query) == rows


@pytest.mark.parametrize("name", EXPECTED_WIDE)
def test_a_world_of_twenty_one_gives_exact_rows(wide: World, name: str) -> None:
    query, rows = EXPECTED_WIDE[name]
    assert wide.rows(query) == rows


def test_reports_on_an_empty_corpus_are_empty(empty: World) -> None:
    with empty.connect() as connection:
        found = {name: connection.execute(f"from {name}").fetchall() for name in QUALITY}
    assert found == {name: [] for name in QUALITY} | {
        "quality_summary": [(0, 0, 0, *[None] * 9)],
        "quality_selection": [("(all)", None, 0, 0, 0, 0, None, 0, 0, *[None] * 5)],
    }


def test_scores_at_the_ends_of_what_a_number_can_hold_break_no_report(world: World) -> None:
    ends = [2**63 - 1, -(2**63), 0, -5]
    for number in range(12):
        related = f"related: [{{title: R, quality: {ends[number // 3]}}}]"
        world.write(
            {
                f"{number}.md": story(
                    f"T{number}", ends[number % 4], related, "topics: [AI]", provider="North"
                )
            }
        )
    world.run()
    with world.connect() as connection:
        for name in QUALITY:
            for row in connection.execute(f"from {name}").fetchall():
                assert all(math.isfinite(value) for value in row if isinstance(value, float)), name
    assert world.rows("select low, high, articles from quality_histogram where articles > 0") == [
        (None, -(2**63) + 8, 3),
        (-10, 0, 3),
        (0, 10, 3),
        (2**63 - 8, None, 3),
    ]
