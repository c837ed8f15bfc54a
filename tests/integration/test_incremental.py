"""A run reads what changed and ends with the rows of a build from scratch; the ledger says what
happened to every file.
"""

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.load.manifest import HISTORY
from pipeline.schema.tables import TABLES
from tests.support.world import World, after, article


def rows_of(world: World) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for the part that holds them."""
    found = {}
    with world.connect() as connection:
        for name in set(TABLES) - set(HISTORY):
            columns = ", ".join(column for column in TABLES[name].names if column != "part")
            found[name] = connection.execute(
                f"select {columns} from {name} order by all"
            ).fetchall()
    return found


def ledger(world: World, **settings: object) -> dict[str, int]:
    result = world.run(**settings)
    counts = {name: getattr(result.ledger, name) for name in result.ledger.__struct_fields__}
    assert sum(counts.values()) - counts["deleted"] == result.record.files, "the ledger sums"
    return {name: number for name, number in counts.items() if number}


def test_every_word_of_the_ledger(world: World) -> None:
    names = [
        "content",
        "deleted",
        "moved",
        "scores",
        "secured",
        "same",
        "touched",
        "mended",
        "broken",
    ]
    world.write({f"{name}.md": article(title=name, secured="YQ==;YQ==") for name in names})
    world.write({"mended.md": "---\n", "still.md": "---\n", "plain.md": "hello\n"})
    assert ledger(world) == {"new": 8, "rejected": 2, "skipped": 1}
    world.write(
        {
            "new.md": article(),
            "content.md": article(title="other", secured="YQ==;YQ=="),
            "scores.md": article(title="scores", secured="Yg==;YQ==", heat="51"),
            "secured.md": article(title="secured", secured="Yg==;YQ=="),
            "mended.md": article(),
            "broken.md": "---\n",
        }
    )
    os.utime(world.site / "touched.md", (1, 1))
    (world.site / "deleted.md").unlink()
    (world.site / "_news").mkdir()
    (world.site / "moved.md").rename(world.site / "_news" / "moved.md")
    assert ledger(world, now=after(1)) == {
        "new": 1,
        "content": 2,
        "score_only": 1,
        "secured_only": 1,
        "moved": 1,
        "deleted": 1,
        "unchanged": 2,
        "rejected": 2,
        "skipped": 1,
    }
    assert world.rows("select path from rejections order by path") == [
        ("broken.md",),
        ("still.md",),
    ]
    assert world.rows(
        "select change, o.heat from observations o join articles using (article_id) where"
        " title in ('scores', 'moved') order by 1"
    ) == [
        ("first", 50),
        ("moved", 50),
        ("scores", 51),
    ]
    [(origin,)] = world.rows(
        "select count(*) from observations where moved_from in (select article_id from"
        " observations where change = 'first')"
    )
    assert origin == 1
    assert ledger(world, now=after(2)) == {"unchanged": 8, "rejected": 2, "skipped": 1}


def test_nothing_changed_writes_nothing_but_the_run_record(world: World) -> None:
    world.write(
        {f"{number}.md": article() for number in range(20)}
        | {"bad.md": "---\n", "_data/topics/ai.yaml": "_id: ai\nname: AI\n"}
    )
    world.run(part_size=5)
    for path in world.site.rglob("*"):
        os.utime(path)  # so that no file is younger than the tick of the clock when it is read
    subprocess.run(["sleep", "0.05"], check=True)
    world.run(part_size=5, now=after(1))

    def everything() -> dict[str, tuple[int, int]]:
        return {
            str(path.relative_to(world.warehouse)): (path.stat().st_mtime_ns, path.stat().st_ino)
            for path in world.warehouse.rglob("*")
            if path.is_file() and path.name != ".lock"
        }

    before = everything()
    result = world.run(part_size=5, now=after(2))
    fresh = everything()
    assert (
        result.record.outcome == "unchanged"
        and result.record.files == 21
        and result.rejections == {"unclosed_fence": 1}
    )
    [record] = set(fresh) - set(before)
    assert record.startswith("runs/") and {name: fresh[name] for name in before} == before


def test_a_change_touches_one_part(world: World) -> None:
    world.write({f"{number:03}.md": article() for number in range(60)})
    world.run(part_size=10)
    before = set(world.warehouse.glob("parts/articles/*"))
    world.write({"031.md": article(title="new")})
    world.run(part_size=10, now=after(1))
    assert len(before) == 6 and len(set(world.warehouse.glob("parts/articles/*")) - before) == 1
    assert world.rows("select count(*), count(distinct part) from documents") == [(60, 6)]


def test_a_part_that_grows_is_split_and_one_that_empties_goes(world: World) -> None:
    world.write({f"{number:03}.md": article() for number in range(20)})
    world.run(part_size=10)
    world.write({f"019-{number:02}.md": article() for number in range(30)})
    world.run(part_size=10, now=after(1))
    sizes = world.rows("select part, count(*) from documents group by all order by 1")
    assert (
        sum(int(str(size)) for _, size in sizes) == 50
        and max(int(str(size)) for _, size in sizes) <= 20
    )
    for path in world.site.glob("00*.md"):
        path.unlink()
    world.run(part_size=10, now=after(2))
    assert world.rows("select count(*) from documents") == [(40,)]


def test_changes_that_times_alone_do_not_tell(world: World) -> None:
    world.write({"a.md": article(title="one"), "b.md": article(title="two")})
    old = (world.site / "a.md").stat()
    world.run()
    world.write({"a.md": article(title="eno")})  # same size, same second
    os.utime(world.site / "a.md", ns=(old.st_atime_ns, old.st_mtime_ns))  # and its time put back
    (world.site / "c.md").write_text(article(title="old"))
    os.utime(world.site / "c.md", (0, 0))
    assert ledger(world, now=after(1)) == {"content": 1, "new": 1, "unchanged": 1}
    (world.site / "b.md").unlink()
    assert ledger(world, now=after(2)) == {"deleted": 1, "unchanged": 2}
    world.write({"b.md": article(title="two")})
    assert ledger(world, now=after(3)) == {"new": 1, "unchanged": 2}


def test_settings_that_alter_rows_rebuild_and_say_why(world: World) -> None:
    world.write({"a.md": '---\ntitle: "itâ€™s"\n---\nBody\n'})
    world.run()
    assert world.run(strict=True, now=after(1)).record.rebuilt == "strict changed"
    assert world.rows("select title from articles") == [("itâ€™s",)]
    assert (
        world.run(strict=True, keep_bodies=False, now=after(2)).record.rebuilt
        == "keep_bodies changed"
    )
    assert world.rows("select count(*) from bodies") == [(0,)]
    assert (
        world.run(strict=True, keep_bodies=False, full=True, now=after(3)).record.rebuilt
        == "--full"
    )


def test_a_folder_that_cannot_be_listed_is_not_deleted(world: World) -> None:
    world.write({"a.md": article(), "shut/b.md": article(), "shut/deep/c.md": article()})
    world.run()
    for path in [world.site, *world.site.parents][:4]:
        path.chmod(0o755)
    (world.site / "shut").chmod(0)
    subprocess.run(["chmod", "-R", "a+rwX", world.warehouse], check=True)
    me = os.geteuid()
    try:
        if me == 0:
            os.seteuid(65534)
        if not os.access(world.site / "a.md", os.R_OK, effective_ids=True):
            pytest.skip("the temporary folder is closed to other users")
        result = world.run(now=after(1))
    finally:
        os.seteuid(me)
        (world.site / "shut").chmod(0o755)
    assert result.rejections == {"permission_denied": 1}
    assert world.rows("select path from articles order by path") == [
        ("a.md",),
        ("shut/b.md",),
        ("shut/deep/c.md",),
    ]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "change", "score", "secure", "move", "delete", "break", "touch", "topic"]
        ),
        st.integers(0, 10**6),
    ),
    max_size=8,
)


@given(st.lists(EDITS, min_size=1, max_size=3), st.integers(2, 9))
@settings(max_examples=15, deadline=None)
def test_after_any_edits_an_incremental_run_equals_a_full_one(
    rounds: list[list[tuple[str, int]]], part_size: int
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        world, other = World(folder / "one"), World(folder / "two")
        world.write(
            {f"_news/{number:02}.md": page(number) for number in range(12)}
            | {"_data/topics/ai.yaml": "_id: ai\nname: AI\n"}
        )
        world.run(part_size=part_size)
        for hour, edits in enumerate(rounds, 1):
            for edit, number in edits:
                apply(world, edit, number)
            world.run(part_size=part_size, now=after(hour))
        shutil.rmtree(other.site)
        shutil.copytree(world.site, other.site)
        subprocess.run(["cp", "-a", f"{world.site}/.", other.site], check=True)
        other.run(part_size=part_size)
        once = rows_of(world)
        assert once == rows_of(other)
        world.run(part_size=part_size, full=True, now=after(9))
        assert rows_of(world) == once
    finally:
        shutil.rmtree(folder)


def page(number: int, **fields: str) -> str:
    related = f"https://x.example/{number % 5}"
    return article(
        title=f"T{number}",
        originalUrl=f"https://x.example/{number % 7}",
        topics=f"[AI, T{number % 3}]",
        related=f"[{{title: r, webUrl: '{related}', provider: {{name: P{number % 2}}},"
        " images: [{url: /i}]}]",
        **fields,
    )


def apply(world: World, edit: str, number: int) -> None:
    paths = sorted(world.site.glob("_*/*.md"))
    path = paths[number % len(paths)] if paths else world.site / "_news" / "first.md"
    chance = random.Random(number)
    if edit == "add" or not paths:
        world.write({f"_news/{chance.randrange(100):02}-{number % 4}.md": page(number)})
    elif edit == "change":
        path.write_text(page(number, excerpt='""'))
    elif edit == "score":
        path.write_text(page(7).replace("heat: 50", f"heat: {number % 90}"))
    elif edit == "secure":
        path.write_text(page(7, secured="YQ==;YQ=="))
    elif edit == "move":
        target = world.site / "_moved" / f"{number % 50}.md"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    elif edit == "delete":
        path.unlink()
    elif edit == "break":
        path.write_text("---\ntitle: [\n---\n")
    elif edit == "touch":
        os.utime(path, (number, number))
    elif edit == "topic":
        world.write(
            {
                f"_data/topics/{number % 3}.yaml": f"_id: t{number % 3}\n"
                f"name: T{number % 3}\nparent: AI\n"
            }
        )


def test_a_real_site_after_an_evening_of_edits(
    world: World, unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    subprocess.run(["cp", "-a", f"{unpacked('diablo4.tar.gz')}/.", world.site], check=True)
    subprocess.run(["sleep", "0.05"], check=True)
    world.run()
    scored = [
        path
        for path in sorted((world.site / "_news").glob("*.md"))
        if "\nheat: " in path.read_text()
    ]
    for path in scored[:20]:
        text = path.read_text()
        line = next(line for line in text.split("\n") if line.startswith("heat: "))
        path.write_text(text.replace(line, "heat: 4711", 1))
    for path in scored[20:23]:
        path.write_text(path.read_text().replace('title: "', 'title: "Changed ', 1))
    for path in scored[23:25]:
        path.rename(path.with_name(f"moved-{path.name}"))
    for path in scored[25:30]:
        path.unlink()
    scored[30].write_text("---\ntitle: [\n---\n")
    assert ledger(world, now=after(1)) == {
        "score_only": 20,
        "content": 3,
        "moved": 2,
        "deleted": 5,
        "rejected": 1,
        "skipped": 3,
        "unchanged": 1995 - 20 - 3 - 2 - 5 - 1 - 3,
    }
    other = World(tmp_path / "copy")
    subprocess.run(["cp", "-a", f"{world.site}/.", other.site], check=True)
    other.run()
    assert rows_of(world) == rows_of(other)
