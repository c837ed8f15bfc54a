"""What a column of a view means: its own line, what the view reads, or a common column."""

from pipeline.views import template
from pipeline.views.catalog import column_comments, open_memory
from pipeline.views.dictionary.columns import Columns, Described, describe, inherited
from pipeline.views.dictionary.entries import entry
from pipeline.views.relations import common_columns, relations


def described(view: str, name: str) -> Described:
    [column] = [column for column in entry(view).columns if column.name == name]
    return column


def test_a_line_of_its_own_comes_first() -> None:
    assert described("article_facts", "heat").description == (
        "Heat score; null = unscored or suppressed"
    )
    assert described("articles", "heat").description.startswith("Heat score; -1 = suppressed")


def test_a_column_means_what_it_means_in_what_the_view_reads() -> None:
    ours, theirs = described("heat_now", "published_at"), described("articles", "published_at")
    assert (ours.description, ours.unit, ours.origin) == (
        theirs.description,
        theirs.unit,
        theirs.origin,
    )
    assert ours.unit == "UTC" and ours.nullable is None
    # a fact (image_facts) comes before tables that differ (articles, related)
    picture, fact = described("image_problems", "url"), described("image_facts", "url")
    assert picture == fact and fact.description == "Where the picture lies, as given"


def column(kind: str, description: str) -> Columns:
    return {"n": Described("n", kind, False, "byte", "a.b", description)}


def test_facts_come_before_tables_and_what_differs_is_not_inherited() -> None:
    one, two, text = column("bigint", "One"), column("bigint", "Two"), column("varchar", "Text")
    assert inherited("n", "bigint", [one], [two]) == Described(
        "n", "bigint", None, "byte", "a.b", "One"
    )
    assert inherited("n", "bigint", [text], [two]) == Described(
        "n", "bigint", None, "byte", "a.b", "Two"
    )
    assert inherited("n", "bigint", [one, one], []) is not None
    assert inherited("n", "bigint", [one, two], [one]) is None
    assert inherited("n", "date", [one], [two]) is None
    assert inherited("m", "bigint", [one], [two]) is None


def test_no_line_repeats_what_the_column_would_mean_without_it() -> None:
    with open_memory() as connection:
        template.fill(connection)
        columns, reads = describe(connection)
    common, needed = common_columns(), set()
    for view in relations("views", "reports"):
        facts = [columns[name] for name in reads[view.name] if name in reads]
        tables = [columns[name] for name in reads[view.name] if name not in reads]
        for name, kept in columns[view.name].items():
            same = inherited(name, kept.type, facts, tables)
            without = same.comment if same else common.get(name)
            assert view.columns.get(name) != without, (view.name, name)
            needed |= {name} if same is None and name not in view.columns else set()
    assert needed == common.keys()


def test_a_connection_has_the_comments_of_all_views() -> None:
    with open_memory() as connection:
        template.fill(connection)
        comments = column_comments(connection)
    for view in relations("views", "reports"):
        assert comments[view.name] == {one.name: one.comment for one in entry(view.name).columns}
