"""Two snapshots compared: every kind of change with its fields, read from the part files that
differ and from no others.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.errors import UsageError, WarehouseError
from pipeline.load.retention import resolve
from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import (
    CHILDREN,
    FIELDS,
    KINDS,
    Diff,
    diff_line,
    diff_object,
    diff_rows,
)
from pipeline.text import render
from tests.support.diffs import compare, published
from tests.support.world import World, article

IMAGES = "[{url: /a}, {url: /b}]"

RELATED = "[{title: r, webUrl: 'https://x.example/1', images: [{url: /i}]}, {title: s}]"


def told(found: Diff) -> list[tuple[object, ...]]:
    assert (
        found.articles_before + found.counts["added"] - found.counts["removed"]
        == found.articles_after
    )
    return [(c.change, c.path, c.values, c.moved_from) for c in found.changes]


def files_of(world: World, snapshot: str, table: str) -> set[str]:
    return {file.file for file in Warehouse(world.warehouse).manifest(snapshot).tables[table]}


def test_every_kind_of_change(world: World) -> None:
    names = ("gone", "changed", "moved", "same", "b", "a")
    world.write({f"{name}.md": article(title=name) for name in names})
    world.write({"person.md": "---\nname: P\n---\n"})
    one = published(world)
    (world.site / "gone.md").unlink()
    (world.site / "_news").mkdir()
    (world.site / "moved.md").rename(world.site / "_news" / "moved.md")
    world.write(
        {
            "changed.md": article(title="new title", heat="-1"),
            "new.md": article(title="fresh"),
            "person.md": "---\nname: Q\n---\n",
        }
    )
    world.write(
        {"a.md": article(title="a", quality='""'), "b.md": article(title="b", published="false")}
    )
    two = published(world, 1)
    found = compare(world, one, two)
    assert (found.before, found.after, found.articles_before, found.articles_after) == (
        one,
        two,
        6,
        6,
    )
    assert found.counts == {"added": 1, "removed": 1, "changed": 3, "moved": 1}
    assert told(found) == [
        ("added", "new.md", {}, None),
        ("removed", "gone.md", {}, None),
        ("changed", "a.md", {"quality": [50, None], "findings_count": [0, 1]}, None),
        ("changed", "b.md", {"published": [True, False]}, None),
        ("changed", "changed.md", {"title": ["changed", "new title"], "heat": [50, -1]}, None),
        ("moved", "_news/moved.md", {"collection": [None, "news"]}, "moved.md"),
    ]
    assert diff_line(found) == "1 added, 1 removed, 3 changed, 1 moved (6 articles before, 6 after)"
    assert render(*diff_rows(found), "csv").split("\n") == [
        "change,path,title,fields,moved_from,source",
        "added,new.md,fresh,,,site",
        "removed,gone.md,gone,,,site",
        'changed,a.md,a,"quality, findings_count",,site',
        "changed,b.md,b,published,,site",
        'changed,changed.md,new title,"title, heat",,site',
        "moved,_news/moved.md,moved,collection,moved.md,site",
        "",
    ]
    assert told(compare(world, two, one)) == [
        ("added", "gone.md", {}, None),
        ("removed", "new.md", {}, None),
        ("changed", "a.md", {"quality": [None, 50], "findings_count": [1, 0]}, None),
        ("changed", "b.md", {"published": [False, True]}, None),
        ("changed", "changed.md", {"title": ["new title", "changed"], "heat": [-1, 50]}, None),
        ("moved", "moved.md", {"collection": ["news", None]}, "_news/moved.md"),
    ]


def test_one_json_object_with_times_in_iso_8601(world: World) -> None:
    world.write({"a.md": article(publishedDateTime="2024-01-02T03:04:05Z", rank="1")})
    one = published(world)
    world.write({"a.md": article(updatedDateTime="2024-01-02T04:04:05.5+01:00", rank="2")})
    two = published(world, 1)
    [(identity,)] = world.rows("select article_id from articles")
    found = diff_object(compare(world, one, two))
    assert json.loads(json.dumps(found)) == found == {
        "before": one,
        "after": two,
        "articles_before": 1,
        "articles_after": 1,
        "counts": {"added": 0, "removed": 0, "changed": 1, "moved": 0},
        "changes": [
            {
                "change": "changed",
                "article_id": identity,
                "source": "site",
                "path": "a.md",
                "title": "Plain title",
                "fields": ["published_at", "updated_at", "extra"],
                "values": {
                    "published_at": ["2024-01-02T03:04:05Z", None],
                    "updated_at": [None, "2024-01-02T03:04:05.500000Z"],
                    "extra": ['{"rank":1}', '{"rank":2}'],
                },
                "moved_from": None,
            }
        ],
    }  # fmt: skip


def test_child_tables_are_fields_of_the_article(world: World) -> None:
    names = ("topics", "order", "related", "deep", "images", "body", "all", "same")
    full = {"topics": "[AI, Oceans]", "images": IMAGES, "related": RELATED}
    page = article(**full) + "Body\n"
    world.write({f"{name}.md": page for name in names})
    one = published(world, part_size=100)
    world.write(
        {
            "topics.md": article(**full | {"topics": "[AI]"}) + "Body\n",
            "order.md": article(**full | {"topics": "[Oceans, AI]"}) + "Body\n",
            "related.md": article(
                **full
                | {"related": RELATED.replace("{title: s}", "{title: s, topics: [AI, null]}")}
            )
            + "Body\n",
            "deep.md": article(**full | {"related": RELATED.replace("/i", "/j")}) + "Body\n",
            "images.md": article(**full | {"images": "[{url: /b}, {url: /a}, {url: /c}]"})
            + "Body\n",
            "body.md": article(**full) + "B\u00f6dy\U0001f600\n",
            "all.md": article(),
        }
    )
    two = published(world, 1, part_size=100)
    assert told(compare(world, one, two)) == [
        (
            "changed",
            "all.md",
            {
                "topics_count": [2, 0],
                "related_count": [2, 0],
                "images_count": [2, 0],
                "body_chars": [4, 0],
                "topics": [2, 0],
                "related": [2, 0],
                "images": [3, 0],
                "body": [4, 0],
            },
            None,
        ),
        ("changed", "body.md", {"body_chars": [4, 5], "body": [4, 5]}, None),
        ("changed", "deep.md", {"images": [3, 3]}, None),
        ("changed", "images.md", {"images_count": [2, 3], "images": [3, 4]}, None),
        ("changed", "order.md", {"topics": [2, 2]}, None),
        ("changed", "related.md", {"related": [2, 2]}, None),
        ("changed", "topics.md", {"topics_count": [2, 1], "topics": [2, 1]}, None),
    ]


def test_a_child_row_differs_and_the_article_lies_in_a_shared_file(world: World) -> None:
    world.write(
        {
            f"{number}.md": article(title=f"t{number}", topics="[AI]") + "one\n"
            for number in range(3)
        }
    )
    one = published(world, part_size=100)
    world.write({"1.md": article(title="t1", topics="[AI]") + "two\n"})
    two = published(world, 1, part_size=100)
    assert files_of(world, one, "articles") == files_of(world, two, "articles")
    [change] = compare(world, one, two).changes
    assert (change.change, change.source, change.path, change.title) == (
        "changed",
        "site",
        "1.md",
        "t1",
    )
    assert (change.fields, change.values) == (["body"], {"body": [3, 3]})


def test_a_table_that_had_no_rows_and_gets_its_first(world: World) -> None:
    world.write({"a.md": article()})
    one = published(world)
    world.write({"a.md": article(topics="[AI]", secured="YQ==;YQ==")})
    two = published(world, 1, keep_secured=True)
    expected = {
        "topics_count": [0, 1],
        "secured_bytes": [None, 1],
        "secured_iv_bytes": [None, 1],
        "topics": [0, 1],
    }
    [change] = compare(world, one, two).changes
    digests = change.values.pop("secured_digest")
    assert change.values == expected and digests[0] is None and len(digests[1]) == 16
    shutil.rmtree(world.warehouse / "parts" / "secured")
    assert compare(world, two, one).counts["changed"] == 1
    assert "YQ==" not in json.dumps(diff_object(compare(world, one, two)))
    assert "secured" not in FIELDS and "secured" not in {table for table, _ in CHILDREN.values()}


def test_only_files_that_differ_are_read(world: World) -> None:
    world.write(
        {
            f"{number:03}.md": article(title=f"t{number}", topics="[AI]") + "Body\n"
            for number in range(20)
        }
    )
    one = published(world, part_size=5)
    world.write({"007.md": article(title="other", topics="[AI]") + "Body\n"})
    two = published(world, 1, part_size=5)
    shared = files_of(world, one, "articles") & files_of(world, two, "articles")
    assert len(shared) == 3
    expected = [("changed", "007.md", {"title": ["t7", "other"]}, None)]
    assert told(compare(world, one, two)) == expected
    for table in ("documents", "articles", "article_topics", "bodies"):
        for file in files_of(world, one, table) & files_of(world, two, table):
            (world.warehouse / "parts" / table / file).write_text("no Parquet")
    assert told(compare(world, one, two)) == expected


def test_articles_that_go_from_part_to_part_do_not_differ(world: World) -> None:
    world.write(
        {f"{number:03}.md": article(title=f"t{number}", topics="[AI]") for number in range(20)}
    )
    one = published(world, part_size=10)
    world.write({f"019-{number:02}.md": article(title="new") for number in range(30)})
    world.write({"018.md": article(title="other")})
    two = published(world, 1, part_size=10)
    found = compare(world, one, two)
    assert found.counts == {"added": 30, "removed": 0, "changed": 1, "moved": 0}
    assert files_of(world, one, "articles") & files_of(world, two, "articles"), "one part is shared"
    assert told(found)[-1] == (
        "changed",
        "018.md",
        {"title": ["t18", "other"], "topics_count": [1, 0], "topics": [1, 0]},
        None,
    )
    three = published(world, 2, part_size=7, full=True)
    assert not files_of(world, two, "articles") & files_of(world, three, "articles")
    assert told(compare(world, two, three)) == []


def test_nothing_differs(world: World) -> None:
    world.write({"a.md": article(), "b.md": "---\nname: P\n---\n"})
    one = published(world)
    assert diff_line(compare(world, one, one)) == "No article differs (1 article before, 1 after)."
    os.utime(world.site / "a.md", (1, 1))
    world.write({"b.md": "---\nname: Q\n---\n"})
    two = published(world, 1)
    assert one != two
    found = compare(world, one, two)
    assert (found.counts, diff_rows(found)[1]) == (dict.fromkeys(KINDS, 0), [])


def test_a_snapshot_without_articles(world: World) -> None:
    world.write({"a.md": article(topics="[AI]")})
    one = published(world)
    (world.site / "a.md").unlink()
    two = published(world, 1, allow_empty=True)
    assert told(compare(world, one, two)) == [("removed", "a.md", {}, None)]
    assert told(compare(world, two, one)) == [("added", "a.md", {}, None)]
    assert (
        diff_line(compare(world, one, two))
        == "0 added, 1 removed, 0 changed, 0 moved (1 article before, 0 after)"
    )


def test_an_article_that_becomes_something_else_is_removed(world: World) -> None:
    world.write({f"{name}.md": article() for name in ("broken", "person", "plain")})
    one = published(world)
    world.write({"broken.md": "---\n", "person.md": "---\nname: P\n---\n", "plain.md": "hello\n"})
    two = published(world, 1)
    assert told(compare(world, one, two)) == [
        ("removed", f"{name}.md", {}, None) for name in ("broken", "person", "plain")
    ]


def test_a_move_is_followed_over_several_runs_and_through_edits(world: World) -> None:
    world.write({"m.md": article(title="one", topics="[AI]"), "z.md": article()})
    one = published(world)
    (world.site / "m.md").rename(world.site / "c.md")
    published(world, 1)
    (world.site / "c.md").rename(world.site / "d.md")
    world.write({"m2.md": article(title="two")})
    published(world, 2)
    (world.site / "d.md").rename(world.site / "b.md")
    world.write({"c.md": article(title="takes the place of c")})
    published(world, 3)
    world.write({"b.md": article(title="three", topics="[Oceans]")})
    last = published(world, 4)
    assert told(compare(world, one, last)) == [
        ("added", "c.md", {}, None),
        ("added", "m2.md", {}, None),
        ("moved", "b.md", {"title": ["one", "three"], "topics": [1, 1]}, "m.md"),
    ]
    assert told(compare(world, last, one)) == [
        ("removed", "c.md", {}, None),
        ("removed", "m2.md", {}, None),
        ("moved", "m.md", {"title": ["three", "one"], "topics": [1, 1]}, "b.md"),
    ]


def test_moves_of_equal_files_are_those_that_the_run_saw(world: World) -> None:
    world.write({name: article() for name in ("a.md", "b.md", "c.md")})
    one = published(world)
    for name in ("a.md", "b.md"):
        (world.site / name).unlink()
    world.write({name: article() for name in ("1.md", "2.md", "3.md")})
    two = published(world, 1)
    [*seen] = world.rows(
        "select a.path, moved_from from observations join articles a using (article_id) where"
        " change = 'moved' order by 1"
    )
    assert [path for path, _ in seen] == ["1.md", "2.md"]
    assert told(compare(world, one, two)) == [
        ("added", "3.md", {}, None),
        ("moved", "1.md", {}, "a.md"),
        ("moved", "2.md", {}, "b.md"),
    ]


def test_a_move_in_two_runs_is_known_by_its_bytes(world: World) -> None:
    page = article(title="back")
    world.write({"a.md": page, "b.md": article(), "c.md": article(title="other")})
    one = published(world)
    (world.site / "a.md").unlink()
    (world.site / "c.md").unlink()
    published(world, 1)
    world.write({"_news/d.md": page, "e.md": article(title="nearly other")})
    three = published(world, 2)
    assert told(compare(world, one, three)) == [
        ("added", "e.md", {}, None),
        ("removed", "c.md", {}, None),
        ("moved", "_news/d.md", {"collection": [None, "news"]}, "a.md"),
    ]


def test_moves_of_equal_files_in_two_runs_go_by_path(world: World) -> None:
    world.write({name: article() for name in ("a.md", "b.md", "c.md")})
    world.write({"z.md": article(title="z")})
    one = published(world)
    for name in ("a.md", "b.md", "c.md"):
        (world.site / name).unlink()
    published(world, 1)
    world.write({name: article() for name in ("1.md", "2.md")})
    assert told(compare(world, one, published(world, 2))) == [
        ("removed", "c.md", {}, None),
        ("moved", "1.md", {}, "a.md"),
        ("moved", "2.md", {}, "b.md"),
    ]


def test_a_move_ends_at_the_source(world: World) -> None:
    sources = (f"one={world.site / 'one'}", f"two={world.site / 'two'}")
    world.write({"one/a.md": article(), "one/z.md": article(title="b")})
    world.write({"two/a.md": article(title="c"), "two/b.md": article(title="b")})
    one = published(world, sources=sources)
    (world.site / "one" / "a.md").rename(world.site / "two" / "moved.md")
    world.write({"one/z.md": article(title="d"), "two/b.md": article(title="e")})
    found = compare(world, one, published(world, 1, sources=sources))
    assert [(c.change, c.source, c.path) for c in found.changes] == [
        ("added", "two", "moved.md"),
        ("removed", "one", "a.md"),
        ("changed", "one", "z.md"),
        ("changed", "two", "b.md"),
    ]


def test_a_source_that_comes_to_the_others(world: World) -> None:
    world.write(
        {
            "one/a.md": article(topics="[AI]") + "Body\n",
            "two/b.md": article(topics="[AI]") + "Body\n",
        }
    )
    one = published(world, sources=(f"one={world.site / 'one'}",))
    two = published(world, 1, sources=(f"two={world.site / 'two'}",))
    assert files_of(world, one, "articles") < files_of(world, two, "articles")
    assert told(compare(world, one, two)) == [("added", "b.md", {}, None)]
    assert told(compare(world, two, one)) == [("removed", "b.md", {}, None)]


def test_snapshots_of_two_histories(world: World) -> None:
    world.write({"a.md": article(title="one"), "z.md": article()})
    one = published(world)
    (world.site / "a.md").rename(world.site / "b.md")
    published(world, 1)
    world.write({"b.md": article(title="left")})
    left = published(world, 2)
    (world.warehouse / "CURRENT").write_text(f"{one}\n")
    world.write({"a.md": article(title="one")})
    (world.site / "b.md").unlink()
    (world.site / "a.md").rename(world.site / "c.md")
    published(world, 3)
    world.write({"c.md": article(title="right")})
    right = published(world, 4)
    assert told(compare(world, left, right)) == [
        ("moved", "c.md", {"title": ["left", "right"]}, "b.md")
    ]


def test_names_and_titles_of_any_kind(tmp_path: Path) -> None:
    world = World(tmp_path / "it's [odd] \u00fc")
    odd = 'it\'s "odd", a\nline %s {x} \u00fc\U0001f600.md'
    world.write({odd: article(title='"it\'s"')})
    one = published(world)
    world.write({odd: article(title='"say \\"hi\\"\\n"'), f"_n/{odd}": article()})
    two = published(world, 1)
    found = compare(world, one, two)
    assert told(found) == [
        ("added", f"_n/{odd}", {}, None),
        ("changed", odd, {"title": ["it's", 'say "hi"\n']}, None),
    ]
    shown = render(*diff_rows(found), "table")
    assert len(shown.splitlines()) == 4 and "a\\nline" in shown
    (world.site / odd).rename(world.site / f"2{odd}")
    assert told(compare(world, two, published(world, 2))) == [("moved", f"2{odd}", {}, odd)]


def test_a_snapshot_is_named_by_the_start_of_its_id(world: World) -> None:
    world.write({"a.md": article()})
    one = published(world)
    world.write({"a.md": article(title="b")})
    two = published(world, 1)
    warehouse = Warehouse(world.warehouse)
    (world.warehouse / "snapshots" / ".x.json").write_text("")
    assert [resolve(warehouse, text) for text in (one, "20260102T03", two[:-1])] == [one, one, two]
    with pytest.raises(UsageError, match=r"there is no snapshot \.x\."):
        resolve(warehouse, ".x")
    assert compare(world, "20260102T03", "20260102T04").counts["changed"] == 1
    (world.warehouse / "snapshots" / f"{one}0.json").write_text("{}")
    assert resolve(warehouse, one) == one, "an id is itself, even if others start so"
    with pytest.raises(
        UsageError,
        match=(
            f"^2026: fits 3 snapshots \\({two}, {one}0, {one}; expected one\\). Give more of the"
            " id.$"
        ),
    ):
        resolve(warehouse, "2026")


@pytest.mark.parametrize("text", ["2027", "", "*", "../CURRENT", "a\nb"])
def test_a_snapshot_that_is_not_there(world: World, text: str) -> None:
    world.write({"a.md": article()})
    one = published(world)
    with pytest.raises(UsageError) as caught:
        compare(world, one, text)
    named = text.replace("\n", "\\n") or "(no id)"
    assert str(caught.value) == (
        f"{world.warehouse}: there is no snapshot {named}. Choose from {one}: see `pipeline"
        " snapshots`."
    )  # fmt: skip


def test_a_warehouse_without_snapshots(world: World) -> None:
    with pytest.raises(
        UsageError,
        match=r"there is no snapshot x\. Run `pipeline run` first: see `pipeline snapshots`\.$",
    ):
        compare(world, "x", "y")


def test_of_many_snapshots_the_newest_are_named(world: World) -> None:
    folder = world.warehouse / "snapshots"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"202601{number:02}T000000Z-0.json").write_text("")
    with pytest.raises(
        UsageError,
        match=r"Choose from 20260111T000000Z-0, 20260110.*, 20260102T000000Z-0 and 2 older: see",
    ):
        compare(world, "x", "y")


def test_a_snapshot_whose_files_are_gone(world: World) -> None:
    world.write({"a.md": article()})
    one = published(world)
    world.write({"a.md": article(title="b")})
    two = published(world, 1)
    [file] = files_of(world, one, "articles")
    part = world.warehouse / "parts" / "articles" / file
    content = part.read_bytes()
    part.unlink()
    for names in ((one, two), (two, one)):
        with pytest.raises(WarehouseError) as caught:
            compare(world, *names)
        assert str(caught.value) == (
            f"{part}: this part of snapshot {one} is missing. Choose from {two}: see `pipeline"
            " snapshots`."
        )
    part.write_bytes(content[:-9])
    with pytest.raises(
        WarehouseError,
        match=rf"part files of snapshot {one} or {two} cannot be read \(.*pipeline snapshots",
    ):
        compare(world, one, two)


def test_reading_leaves_the_warehouse_as_it_is(world: World) -> None:
    world.write({"a.md": article()})
    one = published(world)
    world.write({"a.md": article(title="b")})
    two = published(world, 1)

    def everything() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in world.warehouse.rglob("*")}

    before = everything()
    compare(world, one, two)
    assert everything() == before
