"""Stories: what joins, what the guards keep apart, who was first; and the components are those that
SciPy finds.
"""

import datetime as dt
import hashlib
import random
import re
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipeline.views.relations import Relation, relations
from tests.support.rows import rows_of
from tests.support.world import World

RELATIONS = {relation.name: relation for relation in relations("views", "reports")}
DAY = dt.date(2024, 6, 1)
HUB = "https://hub.example/guide"


def at(day: int, hour: int = 0) -> dt.datetime:
    return dt.datetime(2024, 1, day, hour, tzinfo=dt.UTC)


def ident(least: str) -> str:
    return hashlib.md5(least.encode()).hexdigest()[:16]


def item(
    url: str,
    time: dt.datetime | None,
    provider: str = "",
    quality: int | None = None,
    title: str = "",
) -> str:
    """The fields that articles and related items share, one a line."""
    lines = [f"title: {title or url}"]
    lines += [f"webUrl: {url}"] if url else []
    lines += [f"publishedDateTime: {time:%Y-%m-%dT%H:%M:%SZ}"] if time else []
    lines += (
        [f"provider: {{name: {provider}, domain: {provider.lower()}.example}}"] if provider else []
    )
    lines += [f"quality: {quality}"] if quality is not None else []
    return "\n".join(lines)


def file(head: str, *related: str, published: bool = False) -> str:
    listed = "".join("  - " + text.replace("\n", "\n    ") + "\n" for text in related)
    return (
        f"---\n{head}\npublished: {str(published).lower()}\n"
        + (f"related:\n{listed}" if related else "")
        + "---\n"
    )


A, B, C, D = (f"https://{letter}.example/1" for letter in "abcd")


def write_news(world: World) -> None:
    """A and D list B, and D lists A, so the three are one story; C is nine days away; F has no URL
    and lists a page that has no time.
    """
    world.write(
        {
            "a.md": file(
                item(A, at(1, 4), "North", 10, "Dam"),
                item(B, at(1, 1), "South", 30, "Dam breaks"),
                item(C, at(10), "West"),
                published=True,
            ),
            "a2.md": file(item(A, at(3), "North", 20, "Dam, updated")),
            "d.md": file(
                item(D, at(2), "", None, "Flood"),
                item(B, at(1, 1), "South", 30, "Dam breaks"),
                item(A, at(1, 2), "Wire", 80, "Dam, as the wire has it"),
            ),
            "e.md": file(item("https://e.example/1", at(1), "North", 90)),
            "f.md": file(
                item("", at(20), "West", None, "Opinion"),
                item("https://g.example/1", None, "East", 0, "About"),
            ),
            **{
                f"h{day:03}.md": file(
                    item(
                        "",
                        dt.datetime(2024, 6, 1, tzinfo=dt.UTC) + dt.timedelta(days=day),
                        "Guide",
                        None,
                        f"News {day}",
                    ),
                    item(HUB, dt.datetime(2024, 6, 1, tzinfo=dt.UTC), "Hub", None, "Start here"),
                )
                for day in range(101)
            },
        }
    )
    world.run()


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("news"))
    write_news(world)
    return world


F = "(select article_id from articles where title = 'Opinion')"
ONE = (
    f"case story_id when '{ident(A)}' then 1 when left(md5(least(article_f,"
    " 'https://g.example/1')), 16) then 2 end"
)
WITH = f"with ids as (select {F} as article_f)"

EXPECTED: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "story_members": (
        f"{WITH} select {ONE}, member_id = coalesce(story_members.url, article_f), kind,"
        " articles.path, story_members.articles, story_members.url,"
        " story_members.title, provider, story_members.published_at, story_members.quality,"
        " is_published"
        " from story_members cross join ids left join articles using (article_id) order by 1,"
        " published_at nulls last",
        [
            (1, True, "related", None, 0, B, "Dam breaks", "South", at(1, 1), 30, False),
            (1, True, "article", "a.md", 2, A, "Dam", "North", at(1, 2), 20, True),
            (1, True, "article", "d.md", 1, D, "Flood", None, at(2), None, False),
            (2, True, "article", "f.md", 1, None, "Opinion", "West", at(20), None, False),
            (2, True, "related", None, 0, "https://g.example/1", "About", "East", None, 0, False),
        ],
    ),
    "stories": (
        f"{WITH} select {ONE} as story, headline, members, our_members, shown_members,"
        " providers, without_provider, first_published_at,"
        " last_published_at, span_hours, first_provider, first_title, first_url, timed,"
        " followers, median_lag_hours, scored,"
        " best_quality from stories cross join ids",
        rows_of(
            """
            story               1                     2
            headline            Dam breaks            About
            members             3                     2
            our_members         2                     1
            shown_members       1                     0
            providers           2                     2
            without_provider    1                     0
            first_published_at  2024-01-01T01:00:00Z  2024-01-20T00:00:00Z
            last_published_at   2024-01-02T00:00:00Z  2024-01-20T00:00:00Z
            span_hours          23.0                  0.0
            first_provider      South                 West
            first_title         Dam breaks            Opinion
            first_url           https://b.example/1   null
            timed               3                     1
            followers           2                     0
            median_lag_hours    12.0                  null
            scored              2                     1
            best_quality        30                    0
            """
        ),
    ),
    "story_timeline": (
        f"{WITH} select {ONE} as story, place, members, timed, kind, provider, title,"
        " published_at, lag_hours, quality, url,"
        " article_id is null from story_timeline cross join ids",
        [
            (2, 1, 2, 1, "article", "West", "Opinion", at(20), 0.0, None, None, False),
            (2, 2, 2, 1, "related", "East", "About", None, None, 0, "https://g.example/1", True),
            (1, 1, 3, 3, "related", "South", "Dam breaks", at(1, 1), 0.0, 30, B, True),
            (1, 2, 3, 3, "article", "North", "Dam", at(1, 2), 1.0, 20, A, False),
            (1, 3, 3, 3, "article", None, "Flood", at(2), 23.0, None, D, False),
        ],
    ),
    "hub_links": (
        "select url, title, provider, listed_by, of_listing, listed_share, in_time,"
        " our_articles, first_day, last_day from hub_links",
        [(HUB, "Start here", "Hub", 101, 104, 101 / 104, 4, 0, DAY, DAY + dt.timedelta(days=100))],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_tiny_world_gives_exact_rows(news: World, name: str) -> None:
    query, rows = EXPECTED[name]
    assert news.rows(query) == rows


@pytest.mark.parametrize("name", EXPECTED)
def test_an_empty_corpus_has_no_stories(empty: World, name: str) -> None:
    assert empty.rows(f"from {name}") == []


def test_a_url_at_the_limit_still_joins(world: World) -> None:
    write_news(world)
    (world.site / "h100.md").unlink()
    world.run()
    assert world.rows("from hub_links") == []
    assert world.rows("select members, span_hours from stories order by members desc limit 1") == [
        (5, 72.0)
    ]


def test_the_report_on_hubs_and_the_stories_have_the_same_limits() -> None:
    stories, hubs = RELATIONS["story_members"].query, RELATIONS["hub_links"].query
    for pattern in (
        r"having count\(\*\) > (\d+)",
        r"<= (\d+) \* 86400000000",
        r"published within (\d+) days",
    ):
        [limit] = re.findall(pattern, stories)
        assert re.findall(pattern, hubs) == [limit], pattern


def test_any_duckdb_from_1_2_on_can_open_a_catalog_that_holds_the_view() -> None:
    statement = re.sub(r"--.*", "", RELATIONS["story_members"].query)
    assert "using key" not in statement, "the file would be unreadable as a whole for DuckDB 1.2"


HUB_LIMIT = 3
Hours = int | None
Node = tuple[Hours, bool]  # hour of publication, whether it is an article of ours
Edge = tuple[int, int]


def url(node: int) -> str:
    return f"https://site.example/{node:03}"


def found(nodes: list[Node], edges: list[Edge]) -> dict[str, str]:
    """Story of each member by the view, with a limit for hubs that a small graph can reach."""
    relation: Relation = RELATIONS["story_members"]
    query = relation.query.replace("having count(*) > 100", f"having count(*) > {HUB_LIMIT}")
    assert query != relation.query
    shared = {
        name: pa.string()
        for name in ("url", "title", "provider_id", "provider_name", "provider_domain")
    }
    shared |= {
        "article_id": pa.string(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "quality": pa.int64(),
    }

    def row(owner: int, node: int, **more: object) -> dict[str, object]:
        hour = nodes[node][0]
        time = None if hour is None else at(1) + dt.timedelta(hours=hour)
        return {"article_id": f"id{owner:03}", "url": url(node), "published_at": time, **more}

    ours = [row(node, node) for node, (_, is_ours) in enumerate(nodes) if is_ours]
    listed = [
        row(owner, node, position=at_)
        for at_, (owner, node) in enumerate(edges, 1)
        if nodes[owner][1]
    ]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register(
            "articles", pa.Table.from_pylist(ours, pa.schema(shared | {"published": pa.bool_()}))
        )
        connection.register(
            "related", pa.Table.from_pylist(listed, pa.schema(shared | {"position": pa.int64()}))
        )
        return dict(connection.execute(f"select member_id, story_id from ({query})").fetchall())


def expected(nodes: list[Node], edges: list[Edge]) -> dict[str, str]:
    """The same by SciPy, with the guards of the view."""
    listed = {(one, two) for one, two in edges if nodes[one][1] and one != two}
    degrees = np.bincount([two for _, two in listed], minlength=len(nodes))

    def near(one: int, two: int) -> bool:
        hours = nodes[one][0], nodes[two][0]
        return None in hours or abs(hours[0] - hours[1]) <= 72  # type: ignore[operator]

    kept = [
        (one, two)
        for one, two in listed
        if near(one, two) and max(degrees[one], degrees[two]) <= HUB_LIMIT
    ]
    ends = np.array(kept, dtype=int).reshape(-1, 2)
    graph = coo_matrix(
        (np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(nodes), len(nodes))
    )
    _, labels = connected_components(graph, directed=False)
    linked = sorted({int(node) for node in ends.ravel()})
    least = {
        label: min(node for node in linked if labels[node] == label)
        for label in {labels[node] for node in linked}
    }
    return {url(node): ident(url(least[labels[node]])) for node in linked}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], list[Edge]]:
    nodes = draw(
        st.lists(
            st.tuples(
                st.sampled_from([None, 0, 50, 72, 100, 122, 145]),
                st.sampled_from([True, True, False]),
            ),
            min_size=1,
            max_size=14,
        )
    )
    node = st.integers(0, len(nodes) - 1)
    return nodes, draw(st.lists(st.tuples(node, node), max_size=60))


@settings(max_examples=60, deadline=None)
@given(graphs())
@example(([(0, True)] * 5, [(0, 4), (1, 4), (2, 4), (3, 4)]))
@example(([(0, True)] * 6, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 5)]))
@example(([(0, True)] * 5, [(0, 4), (1, 4), (2, 4), (0, 4), (4, 4)]))
@example(([(0, True), (72, False), (73, False)], [(0, 1), (0, 2)]))
def test_stories_are_the_connected_components_that_scipy_finds(
    graph: tuple[list[Node], list[Edge]],
) -> None:
    assert found(*graph) == expected(*graph)


def shuffled(count: int, seed: int = 1) -> list[int]:
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


SHAPES = {
    "chain": list(pairwise(range(200))),
    "chain upside down": [(two, one) for one, two in pairwise(range(60))],
    "chain in any order": list(pairwise(shuffled(200))),
    "cycle": [*pairwise(shuffled(80)), (shuffled(80)[-1], shuffled(80)[0])],
    "zigzag": [edge for low in range(60) for edge in ((low, 119 - low), (low, 118 - low))],
    "star that lists all": [(40, node) for node in range(80)],
    "binary tree": [(node, child) for node in range(63) for child in (2 * node + 1, 2 * node + 2)],
    "two chains and a bridge": [*pairwise(range(60)), *pairwise(range(60, 120)), (30, 90)],
    "two cycles apart": [*pairwise([*range(50), 0]), *pairwise([*range(50, 100), 50])],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_long_and_winding_stories_are_whole(shape: str) -> None:
    edges = SHAPES[shape]
    nodes: list[Node] = [(0, True)] * (1 + max(max(edge) for edge in edges))
    stories = found(nodes, edges)
    assert stories == expected(nodes, edges)
    assert len(stories) == len({end for edge in edges for end in edge})
    assert len(set(stories.values())) == (2 if "apart" in shape else 1)


def test_the_order_of_articles_does_not_matter() -> None:
    edges = list(pairwise(shuffled(50)))
    nodes: list[Node] = [(0, True)] * 50
    assert found(nodes, edges) == found(nodes, [(two, one) for one, two in reversed(edges)])
