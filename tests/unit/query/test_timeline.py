"""The timeline of one article, as `pipeline history` prints it."""

import datetime as dt
import json
import subprocess
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.query.timeline import timeline, timeline_text
from tests.support.command import call
from tests.support.repos import Repo
from tests.support.world import NOW, World, article


def hours(number: int) -> dt.datetime:
    return NOW + dt.timedelta(hours=number)


def write_moving(world: World) -> None:
    """An article that moves twice, back to its first path, and is edited, suppressed and deleted;
    others beside it.
    """
    original = "https://www.x.example/story?utm_source=feed"
    world.write(
        {
            "a.md": article(title="Old title", originalUrl=original),
            "b/x.md": article(),
            "c/x.md": article(),
        }
    )
    world.run()
    world.write({"a.md": article(title="New title", originalUrl=original, heat="90")})
    world.run(now=hours(1))
    (world.site / "a.md").rename(world.site / "moved.md")
    world.run(now=hours(2))
    (world.site / "moved.md").rename(world.site / "a.md")
    world.run(now=hours(3))
    world.write(
        {"a.md": article(title="New title", originalUrl=original, heat="-1", published="false")}
    )
    world.run(now=hours(4))


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("moving"))
    write_moving(world)
    return world


def test_a_timeline_follows_the_paths_of_its_article(world: World) -> None:
    write_moving(world)
    place = Warehouse(world.warehouse)
    life = timeline(place, "moved.md")
    assert [(one.change, one.path, one.heat) for one in life.observations] == [
        ("first", "a.md", 50),
        ("content_and_scores", "a.md", 90),
        ("moved", "moved.md", 90),
        ("moved", "a.md", 90),
        ("scores", "a.md", -1),
    ]
    assert [(change.field, change.old, change.new) for change in life.observations[1].fields] == [
        ("title", "Old title", "New title")
    ]
    assert life.path == "a.md" and life.title == "New title" and not life.is_over
    same = [
        "a.md",
        "./a.md",
        f"{world.site}/a.md",
        life.article_id,
        "https://www.x.example/story",
        "https://www.x.example/story?utm_source=feed",
    ]
    assert [timeline(place, name) for name in same] == [life] * len(same)
    (world.site / "a.md").unlink()
    world.run(now=hours(5))
    over = timeline(place, "a.md")
    assert over.is_over and over.title is None and over.observations[:-1] == life.observations


def test_what_names_no_article_or_several(moving: World) -> None:
    place = Warehouse(moving.warehouse)
    with pytest.raises(
        UsageError,
        match=r"x.md: fits 2 articles. Give more of the title or path, or an article_id:"
        r"\n  \w{16}  Plain title  b/x.md in site\n  \w{16}  Plain title  c/x.md in site$",
    ):
        timeline(place, "x.md")
    with pytest.raises(
        UsageError, match=r"mooved.md: there is no such article. Did you mean moved.md"
    ):
        timeline(place, "mooved.md")
    with pytest.raises(
        UsageError,
        match=r"no such article. Name an article_id, a URL, a path, a title or part of it\.",
    ):
        timeline(place, "%_'; --")
    with pytest.raises(UsageError, match=r"no such article"):
        timeline(place, "https://x.example/none'; drop table articles; --")


def test_the_text(moving: World) -> None:
    text = timeline_text(timeline(Warehouse(moving.warehouse), "a.md"), 100)
    lines = text.splitlines()
    assert lines[0] == "New title"
    assert (
        "  Until 2026-01-02 06:04:05 its path was moved.md." in lines
        and "  Until 2026-01-02 05:04:05 its path was a.md." in lines
    )
    assert "  Now: quality 50, suppressed, not published." in lines
    assert "  First seen 2026-01-02 03:04:05; changes of scores: 2, of content: 1." in lines
    [bars] = [line.removeprefix("  heat  ") for line in lines if line.startswith("  heat  ")]
    assert bars == "▁" * 15 + "█" * 44 + "█" and len(bars) == 60
    assert "  2026-01-02 04:04:05  title: Old title → New title" in lines
    assert any(
        line.startswith("2026-01-02 07:04:05   scores") and "suppressed" in line for line in lines
    )


def test_a_title_or_the_beginning_of_an_id(moving: World) -> None:
    place = Warehouse(moving.warehouse)
    life = timeline(place, "new TITLE")
    assert life.path == "a.md" and timeline(place, life.article_id[:7]) == life
    with pytest.raises(UsageError, match="fits 2 articles"):
        timeline(place, "Plain title")


def test_part_of_a_title_is_enough_where_it_fits_one_article(world: World) -> None:
    titles = ["Rain ends the drought", "Drought in the north", "Élections: the drought of ideas"]
    world.write({f"{number}.md": article(title=title) for number, title in enumerate(titles)})
    world.run()
    place = Warehouse(world.warehouse)
    assert timeline(place, "ENDS THE").path == "0.md"
    assert timeline(place, "élections").path == "2.md"
    with pytest.raises(
        UsageError,
        match=r"the drought: fits 2 articles\. .*\n  \w{16}  Rain ends the drought  0.md in site"
        r"\n  \w{16}  Élections: the drought of ideas  2.md in site$",
    ):
        timeline(place, "the drought")
    with pytest.raises(UsageError, match="no such article"):
        timeline(place, "th")


def test_titles_like_the_one_that_was_given_are_proposed(world: World) -> None:
    world.write({"a.md": article(title="Rain ends the drought"), "b.md": article(title="Chips")})
    world.run()
    with pytest.raises(
        UsageError, match=r"no such article\. Did you mean \"Rain ends the drought\"\?$"
    ):
        timeline(Warehouse(world.warehouse), "rain ended the drougt")


def test_of_many_articles_an_error_lists_some(world: World) -> None:
    world.write({f"{number}.md": article(title=f"Storm {number}") for number in range(8)})
    world.run()
    with pytest.raises(UsageError, match=r"storm: fits 8 articles(?s:.*)Storm 4(?s:.*)and 3 more$"):
        timeline(Warehouse(world.warehouse), "storm")


def test_times_that_go_back_and_a_file_that_broke(world: World, tmp_path: Path) -> None:
    """The picture goes up to the newest revision, and the latest time so far counts."""
    repo = Repo(tmp_path / "site.git")
    start = 1_700_000_000
    for heat, at in ((50, 0), (90, 10), (70, -90), (50, 20)):
        repo.commit({"a.md": article(heat=str(heat))}, at=start + at * 3_600)
    repo.commit({"a.md": "---\ntitle: [\n---\n"}, at=start + 30 * 3_600)
    repo.commit({"b.md": article()}, at=start + 40 * 3_600)
    world.run(sources=(repo.address,))
    life = timeline(Warehouse(world.warehouse), "a.md")
    assert life.is_unreadable and life.known_until.timestamp() == start + 40 * 3_600
    lines = timeline_text(life, 100).splitlines()
    assert (
        "  The file cannot be read now (see `pipeline rejects`); this is the last version that"
        " could be read." in lines
    )
    [bars] = [line.removeprefix("  heat  ") for line in lines if line.startswith("  heat  ")]
    assert bars == "▁" * 15 + "█" + "▄" * 15 + "▁" * 29 and len(bars) == 60


def test_a_title_cannot_move_the_cursor(world: World) -> None:
    world.write({"a.md": article(title=r'"\x1b[2J evil"')})
    world.run()
    world.write({"a.md": article(title=r'"\x1b[3J evil"')})
    world.run(now=hours(1))
    text = timeline_text(timeline(Warehouse(world.warehouse), "a.md"), None)
    assert "\x1b" not in text and r"title: \x1b[2J evil → \x1b[3J evil" in text


def test_the_command(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "site.git")
    first = repo.commit({"a.md": article()})
    repo.commit({"a.md": article(heat="60")})
    place = str(tmp_path / "warehouse")
    assert call("run", repo.address, "-w", place).returncode == 0
    done = call("history", "a.md", "-w", place)
    assert (
        done.returncode == 0
        and first[:12] in done.stdout
        and "changes of scores: 1, of content: 0" in done.stdout
    )
    found = json.loads(call("history", "a.md", "-w", place, "--json").stdout)
    assert [one["heat"] for one in found["observations"]] == [50, 60] and found["observations"][0][
        "revision"
    ] == first
    done = call("history", "nope", "-w", place)
    assert done.returncode == 2 and done.stderr.startswith(
        "pipeline: nope: there is no such article."
    )
    scheduled = call("schedule", f"news={repo.address}#main", "-w", place)
    assert f"news={repo.address}#main" in scheduled.stdout, scheduled.stderr
    subprocess.run(
        ["git", "-C", repo.path, "branch", "-D", "main"], check=False, capture_output=True
    )
