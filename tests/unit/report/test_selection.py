"""Filters of reports: every table, every figure and every denominator follows."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.report.figures import basis
from pipeline.report.selection import Selection, selected
from pipeline.settings import parse_day
from pipeline.views.relations import relations
from tests.support.world import NOW, World

NONE = Selection()


def story(title: str, day: str, topic: str, provider: str, extra: str = "") -> str:
    return (
        f"---\ntitle: {title}\npublishedDateTime: {day}T12:00:00Z\ntopics: [{topic}]\nquality:"
        f" 10\nheat: 20\nwebUrl: https://x.example/{title}\n"
        f"provider: {{name: {provider}, domain: {provider.lower()}.example}}\n{extra}---\nBody\n"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("selection"))
    world.write(
        {
            "_news/a.md": story(
                "A",
                "2024-01-01",
                "AI",
                "North",
                "related: [{title: R, webUrl: 'https://x.example/B'}]\nimages: [{url: /a}]\n",
            ),
            "_news/b.md": story("B", "2024-01-02", "Chips", "South", "odd: 1\nexcerpt: ''\n"),
            "_games/c.md": story("C", "2024-01-03", "AI", "South"),
            "_games/broken.md": "---\ntitle: [\n---\n",
            "_people/d.md": "---\nname: D\n---\n",
            "e.md": "---\ntitle: E\n---\n",
        }
    )
    world.run()
    return world


def counts(site: World, selection: Selection, *tables: str) -> list[int]:
    with selected(Warehouse(site.warehouse), selection) as connection:
        return [
            connection.execute(f"select count(*) from {table}").fetchall()[0][0] for table in tables
        ]


@pytest.mark.parametrize(
    ("selection", "titles"),
    [
        (NONE, "ABCE"),
        (Selection(since=dt.date(2024, 1, 2)), "BC"),
        (Selection(until=dt.date(2024, 1, 2)), "AB"),
        (Selection(since=dt.date(2024, 1, 2), until=dt.date(2024, 1, 2)), "B"),
        (Selection(topics=("ai",)), "AC"),
        (Selection(topics=("AI", "Chips")), "ABC"),
        (Selection(providers=("south",)), "BC"),
        (Selection(providers=("NORTH.example",)), "A"),
        (Selection(collections=("games",)), "C"),
        (Selection(topics=("AI",), providers=("South",)), "C"),
        (Selection(topics=("Chips",), providers=("North",)), ""),
    ],
)
def test_filters_choose_articles(site: World, selection: Selection, titles: str) -> None:
    with selected(Warehouse(site.warehouse), selection) as connection:
        found = connection.execute("select title from article_facts order by title").fetchall()
        assert "".join(title for (title,) in found) == titles
        assert basis(connection).articles == len(titles)
        for view in ("coverage_summary", "quality_summary", "heat_summary"):
            assert connection.execute(f"select articles from {view}").fetchall() == [(len(titles),)]


def test_every_table_follows(site: World) -> None:
    names = (
        "articles",
        "documents",
        "bodies",
        "article_topics",
        "related",
        "images",
        "findings",
        "rejections",
        "other_documents",
    )
    assert counts(site, NONE, *names) == [4, 6, 3, 3, 1, 1, 1, 1, 1]
    assert counts(site, Selection(topics=("AI",)), *names) == [2, 2, 2, 2, 1, 1, 0, 0, 0]
    assert counts(site, Selection(collections=("games",)), *names) == [1, 2, 1, 1, 0, 0, 0, 1, 0]
    assert counts(site, Selection(collections=("people",)), *names) == [0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert counts(site, Selection(collections=("news",)), "related_matches") == [1]
    assert counts(site, Selection(until=dt.date(2024, 1, 1)), "related_matches") == [0], (
        "the other article is not selected"
    )


def test_unknown_names_are_refused_with_the_closest(site: World) -> None:
    with pytest.raises(
        UsageError, match=r"--topic chip: no article has this topic\. Did you mean Chips\?"
    ):
        counts(site, Selection(topics=("chip",)))
    with pytest.raises(UsageError, match=r"--provider '; drop: no article has this provider"):
        counts(site, Selection(providers=("'; drop",)))
    with pytest.raises(UsageError, match="no article has this topic"):
        counts(site, Selection(topics=("\udcff",)))
    with pytest.raises(UsageError, match=r"--collection game: .* Did you mean games"):
        counts(site, Selection(collections=("game",)))
    with pytest.raises(UsageError, match=r"--since 2024-01-03: is after --until 2024-01-02"):
        counts(site, Selection(since=dt.date(2024, 1, 3), until=dt.date(2024, 1, 2)))
    with pytest.raises(UsageError, match=r"--since 2024-13-01: not a day"):
        parse_day("--since", "2024-13-01")


def test_filters_read_as_words() -> None:
    assert NONE.words() == "" and not NONE
    chosen = Selection(
        dt.date(2024, 1, 1), dt.date(2024, 2, 1), ("AI", "Chips"), ("North",), ("news",)
    )
    assert chosen.words() == (
        "dated 2024-01-01 or later, dated 2024-02-01 or earlier, with topic AI or Chips, of"
        " provider North, in collection news"
    )
    assert chosen.options() == (
        " --since 2024-01-01 --until 2024-02-01 --topic AI --topic Chips --provider North"
        " --collection news"
    )
    assert Selection(topics=("a'b $(x)",)).options() == """ --topic 'a'"'"'b $(x)'"""


@given(
    st.sets(st.sampled_from(["AI", "Chips"])),
    st.sets(st.sampled_from(["North", "South"])),
    st.none() | st.dates(dt.date(2023, 12, 31), dt.date(2024, 1, 4)),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_selection_is_what_a_filter_in_sql_gives(
    site: World, topics: set[str], providers: set[str], since: dt.date | None
) -> None:
    selection = Selection(since=since, topics=tuple(topics), providers=tuple(providers))
    with site.connect() as connection:
        expected = connection.execute(
            """
            select count(distinct article_id), count(distinct related.position || article_id)
            from article_facts left join topic_facts using (article_id)
            left join related using (article_id)
            where (len($t) = 0 or list_contains($t, topic))
              and (len($p) = 0 or list_contains($p, provider))
              and ($s::date is null or day >= $s)
            """,
            {"t": sorted(topics), "p": sorted(providers), "s": since},
        ).fetchall()
    assert counts(site, selection, "article_facts", "related") == list(expected[0])


def test_upper_and_lower_case_are_alike_in_any_script(world: World) -> None:
    for number, name in enumerate(("İSTANBUL", "ΟΔΟΣ", "Straße")):
        world.write({f"_{name}/{number}.md": story(str(number), "2024-01-01", name, name)})
    world.run()
    for name in ("İSTANBUL", "ΟΔΟΣ", "STRAße"):
        for selection in (
            Selection(topics=(name,)),
            Selection(providers=(name,)),
            Selection(collections=(name,)),
        ):
            assert counts(world, selection, "articles", "documents") == [1, 1], selection


def test_names_that_an_error_proposes_cannot_move_the_cursor(world: World) -> None:
    world.write({"a.md": story("A", "2024-01-01", '"\\e[31mred"', "North")})
    world.run()
    with pytest.raises(UsageError, match=r"There are \\x1b\[31mred\."):
        counts(world, Selection(topics=("green",)))


def test_a_history_is_selected_with_the_earlier_paths_of_its_article_and_no_other(
    world: World,
) -> None:
    def run(hours: int) -> None:
        world.run(now=NOW + dt.timedelta(hours=hours))

    world.write(
        {
            "_old/a.md": story("A", "2024-01-01", "AI", "North"),
            "_old/b.md": story("B", "2024-01-01", "Chips", "North"),
        }
    )
    run(0)
    (world.site / "_new").mkdir()
    (world.site / "_old" / "a.md").rename(world.site / "_new" / "a.md")
    run(1)
    world.write(
        {
            "_old/a.md": story("C", "2024-01-01", "Chips", "South"),
            "_new/a.md": story("A2", "2024-01-01", "AI", "North"),
        }
    )
    run(2)
    (world.site / "_old" / "b.md").unlink()
    run(3)
    ai, chips = Selection(topics=("AI",)), Selection(topics=("Chips",))
    assert counts(
        world, NONE, "observations", "content_changes", "score_stretches", "heat_lifecycle"
    ) == [7, 3, 3, 3]
    assert counts(world, ai, "content_changes", "score_stretches", "heat_lifecycle") == [3, 1, 1]
    assert counts(world, chips, "observations", "score_stretches", "heat_lifecycle") == [5, 1, 1]
    with selected(Warehouse(world.warehouse), ai) as connection:
        assert connection.execute(
            "select title, observations, hours_known from heat_lifecycle"
        ).fetchall() == [("A2", 3, 3.0)]
        assert connection.execute("select distinct of_lives from heat_lifecycle").fetchall() == [
            (1,)
        ]
        assert connection.execute("select revisions from score_churn").fetchall() == [(4,)], (
            "whole sources"
        )


def test_only_the_facts_that_a_report_reads_are_computed(site: World) -> None:
    tables = "select table_name from duckdb_tables() where not temporary order by all"
    ai = Selection(topics=("ai",))
    expected: dict[tuple[str, ...] | None, list[str]] = {
        None: [fact.name for fact in relations("views") if fact.name != "unknown_fields"],
        ("quality_summary",): ["article_facts"],
        ("date_lint", "url_lint"): ["date_defects", "report_clock", "url_defects"],
        (): [],
    }
    for views, facts in expected.items():
        with selected(Warehouse(site.warehouse), ai, views=views) as connection:
            assert [name for (name,) in connection.execute(tables).fetchall()] == facts
            assert connection.execute("select articles from quality_summary").fetchall() == [(2,)]
