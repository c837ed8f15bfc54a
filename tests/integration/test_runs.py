"""Whole runs: same bytes, empty corpus, several sources, gates, what a failed run leaves behind."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.errors import (
    CheckFailed,
    LockHeld,
    PipelineError,
    SourceError,
    TooManyRejections,
    UsageError,
    WarehouseError,
)
from pipeline.load.warehouse import Warehouse
from pipeline.process.pool import run_tasks
from pipeline.sample import write_site
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.relations import relations
from tests.support.world import NOW, World, article


def part_files(world: World) -> dict[str, bytes]:
    return {
        str(path.relative_to(world.warehouse)): path.read_bytes()
        for path in world.warehouse.glob("parts/*/*.parquet")
    }


def test_a_rebuild_of_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = World(tmp_path / "one"), World(tmp_path / "two")
    write_site(one.site, 120, 7)
    subprocess.run(["cp", "-a", f"{one.site}/.", two.site], check=True)
    first = one.run(part_size=50, workers=2)
    two.run(part_size=50)
    assert part_files(one) == part_files(two)
    again = one.run(part_size=50, now=NOW + dt.timedelta(hours=1))
    assert part_files(one) == part_files(two)
    assert (first.record.outcome, again.record.outcome) == ("published", "unchanged")
    assert again.record.snapshot == first.record.snapshot


def test_parts_of_any_size_hold_the_same_rows(tmp_path: Path) -> None:
    one, two = World(tmp_path / "one"), World(tmp_path / "two")
    write_site(one.site, 60, 3)
    subprocess.run(["cp", "-a", f"{one.site}/.", two.site], check=True)
    one.run(part_size=7)
    two.run()
    for table in TABLES:
        columns = ", ".join(
            column.name for column in TABLES[table].columns if column.name != "part"
        )
        query = f"select {columns} from {table} order by all"
        assert one.rows(query) == two.rows(query), table


def test_an_empty_corpus_gives_typed_empty_tables_and_views(world: World) -> None:
    with pytest.raises(SourceError, match=r"no article files found\. Check"):
        world.run()
    result = world.run(allow_empty=True, now=NOW + dt.timedelta(hours=1))
    assert result.record.files == 0
    with world.connect() as connection:
        for name, table in TABLES.items():
            assert connection.execute(f"select * from {name}").fetchall() == []
            types = [str(kind) for kind in connection.table(name).types]
            assert len(types) == len(table.columns) and "INTEGER" not in types
        for relation in relations("views", "reports"):
            for row in connection.execute(f"select * from {relation.name}").fetchall():
                assert not any(
                    cell
                    for cell in row
                    if isinstance(cell, (int, float)) and not isinstance(cell, bool)
                ), relation.name
        assert connection.execute("select count(*) from runs").fetchall() == [(2,)]
    assert {path.parent.name for path in (world.warehouse / "current").glob("*/*.parquet")} == set(
        TABLES
    )


def test_sources_that_a_run_does_not_name_stay(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article(title="ours")})
    other = World(tmp_path / "other")
    other.write({"a.md": article(title="theirs")})
    world.run()
    world.run(sources=(f"theirs={other.site}",))
    assert world.rows("select source, title from articles order by source") == [
        ("site", "ours"),
        ("theirs", "theirs"),
    ]
    with pytest.raises(UsageError, match="two sources are called 'site'"):
        world.run(sources=(str(world.site), str(other.site)))


def test_identity_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    one, two = World(tmp_path / "one"), World(tmp_path / "two")
    for place in (one, two):
        place.write({"_news/a.md": article()})
        place.run()
    query = "select article_id, path, collection from articles"
    assert one.rows(query) == two.rows(query)
    assert one.rows("select collection from articles") == [("news",)]


def test_observations_hold_the_first_sight_and_every_change(world: World) -> None:
    world.write({"a.md": article(heat="50"), "b.md": article(heat="")})
    world.run()
    world.write({"a.md": article(heat="70"), "b.md": article(heat="", title="New title")})
    world.run(now=NOW + dt.timedelta(hours=2))
    world.run(now=NOW + dt.timedelta(hours=4))
    later = NOW + dt.timedelta(hours=2)
    assert world.rows(
        "select path, sequence, change, observed_at, heat from observations order by path, sequence"
    ) == [
        ("a.md", 1, "first", NOW, 50),
        ("a.md", 2, "scores", later, 70),
        ("b.md", 1, "first", NOW, None),
        ("b.md", 2, "content", later, None),
    ]
    assert world.rows("select field, old_value, new_value from content_changes") == [
        ("title", "Plain title", "New title")
    ]
    assert world.rows(
        "select sequence, observed_at, new, content, score_only from revisions order by sequence"
    ) == [
        (1, NOW, 2, 0, 0),
        (2, later, 0, 1, 1),
    ]


def test_an_article_ends_comes_back_and_moves(world: World) -> None:
    """Ends, returns and moves are observations; a broken version is none."""
    world.write(
        {
            "a.md": article(),
            "b.md": article(title="B"),
            "c.md": article(title="C"),
            "d.md": article(title="D"),
        }
    )
    world.run()
    (world.site / "a.md").unlink()
    (world.site / "b.md").rename(world.site / "b2.md")
    world.write({"c.md": "---\n", "d.md": "---\nname: no article\n---\n"})
    world.run(now=NOW + dt.timedelta(hours=1))
    world.write(
        {"a.md": article(heat="60"), "c.md": article(title="C"), "d.md": article(title="D")}
    )
    world.run(now=NOW + dt.timedelta(hours=2))
    (world.site / "b2.md").rename(world.site / "b.md")
    world.run(now=NOW + dt.timedelta(hours=3))
    found = world.rows(
        "select path, sequence, change, observed_at, heat, moved_from is not null from"
        " observations order by path, sequence"
    )
    assert [
        (path, sequence, change, int((at - NOW).total_seconds() / 3600), heat, moved)
        for path, sequence, change, at, heat, moved in found
    ] == [
        ("a.md", 1, "first", 0, 50, False),
        ("a.md", 2, "deleted", 1, None, False),
        ("a.md", 3, "revived", 2, 60, False),
        ("b.md", 1, "first", 0, 50, False),
        ("b.md", 2, "moved_away", 1, None, False),
        ("b.md", 3, "moved", 3, 50, True),
        ("b2.md", 1, "moved", 1, 50, True),
        ("b2.md", 2, "moved_away", 3, None, False),
        ("c.md", 1, "first", 0, 50, False),
        ("d.md", 1, "first", 0, 50, False),
        ("d.md", 2, "deleted", 1, None, False),
        ("d.md", 3, "revived", 2, 50, False),
    ]
    counted = world.rows(
        "select new, content, score_only, moved, deleted, rejected from revisions order by sequence"
    )
    assert counted == [
        (4, 0, 0, 0, 0, 0),
        (0, 1, 0, 1, 1, 1),
        (1, 2, 0, 0, 0, 0),
        (0, 0, 0, 1, 0, 0),
    ]


def test_too_many_rejections_publish_nothing(world: World) -> None:
    world.write({"a.md": article(), "b.md": "---\n"})
    with pytest.raises(TooManyRejections, match="1 of 2 files") as caught:
        world.run(max_rejects="49%")
    assert caught.value.exit_code == 3
    assert Warehouse(world.warehouse).current_id() is None
    assert world.run(max_rejects="1").record.outcome == "published"
    assert world.rows("select outcome, exit_code from runs order by run_id, outcome") == [
        ("published", 0)
    ]


def test_a_failed_check_keeps_the_old_snapshot(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write({"a.md": article()})
    before = world.run().record.snapshot
    sql = tmp_path / "sql"
    subprocess.run(["cp", "-r", Path(__file__).parents[2] / "sql", sql], check=True)
    (sql / "checks" / "no_heat.sql").write_text(
        "-- One row per article with heat.\nselect path from articles where heat > 60\n"
    )
    monkeypatch.setattr("pipeline.views.relations.sql_folder", lambda: sql)
    world.write({"b.md": article(heat="61")})
    with pytest.raises(CheckFailed, match=r"no_heat 1 rows"):
        world.run(now=NOW + dt.timedelta(hours=1))
    assert Warehouse(world.warehouse).current_id() == before
    assert world.rows("select path from articles") == [("a.md",)]
    assert ("failed", 4) in world.rows("select outcome, exit_code from runs")


def test_a_dry_run_publishes_nothing(world: World) -> None:
    world.write({"a.md": article()})
    result = world.run(dry_run=True)
    assert (result.record.outcome, result.published, result.tables["articles"]) == (
        "dry_run",
        False,
        1,
    )
    with pytest.raises(WarehouseError, match="nothing is published here"):
        world.connect()


def test_one_writer(world: World) -> None:
    world.write({"a.md": article()})
    world.warehouse.mkdir()
    code = (
        "import sys\nfrom pipeline.load.warehouse import Warehouse\nwith"
        " Warehouse(sys.argv[1]).lock():\n print('held', flush=True)\n input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, world.warehouse],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout and holder.stdin and holder.stdout.readline() == "held\n"
        with pytest.raises(
            LockHeld, match=f"another run is writing \\(pid {holder.pid} on .* since 20"
        ):
            world.run()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdin.close()
    assert world.run().record.outcome == "published"


def test_readers_keep_the_snapshot_that_they_opened(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    import duckdb

    with duckdb.connect(world.warehouse / "warehouse.duckdb", read_only=True) as reader:
        world.write({"b.md": article()})
        world.run(now=NOW + dt.timedelta(hours=1))
        assert reader.execute("select count(*) from articles").fetchone() == (1,)
    assert world.rows("select count(*) from articles") == [(2,)]
    assert len(list((world.warehouse / "current" / "articles").iterdir())) == 1


def test_a_moved_warehouse_works(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article()})
    world.run()
    moved = tmp_path / "else where's"
    world.warehouse.rename(moved)
    assert pipeline.connect(moved).execute("select count(*) from articles").fetchone() == (1,)
    assert pipeline.table("articles", moved)["title"].tolist() == ["Plain title"]


def test_a_damaged_warehouse_says_what_to_do(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    (world.warehouse / "CURRENT").write_text("20200101T000000Z-00000000\n")
    with pytest.raises(
        WarehouseError,
        match=r"the manifest of snapshot 20200101T000000Z-00000000 is missing\. Go back",
    ):
        world.connect()


def test_every_run_has_a_record_with_all_columns(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    [path] = (world.warehouse / "runs").glob("*.json")
    record = json.loads(path.read_text())
    assert set(record) == set(RUNS.names)
    assert (
        record["files"]
        == record["articles"] + record["other"] + record["skipped"] + record["rejected"]
        == 1
    )
    assert record["peak_memory_bytes"] > 1_000_000 and record["seconds_total"] > 0


def test_sources_that_are_not_there(world: World) -> None:
    with pytest.raises(SourceError, match="there is no such folder or file"):
        world.run(sources=("/nowhere/at/all",))
    with pytest.raises(UsageError, match="the source has no path"):
        world.run(sources=("name=",))


def square_or_die(task: tuple[Path, int]) -> int:
    """Kill the worker the first time that a task is even."""
    folder, number = task
    mark = folder / str(number)
    if number % 2 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_does_not_lose_its_part(tmp_path: Path) -> None:
    tasks = [(tmp_path, number) for number in (1, 2, 3)]
    assert sorted(run_tasks(square_or_die, tasks, workers=2)) == [1, 4, 9]


def test_workers_that_die_again_and_again_end_the_run() -> None:
    with pytest.raises(PipelineError, match="were lost 3 times"):
        list(run_tasks(die, [1, 2], workers=2))


def test_a_surprise_in_one_file_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.extract import frontmatter

    def fragile(raw: bytes, *, strict: bool) -> object:
        if b"boom" in raw:
            raise ZeroDivisionError("what nobody foresaw")
        return read(raw, strict=strict)

    read = frontmatter.read
    monkeypatch.setattr(frontmatter, "read", fragile)
    world.write({"a.md": article(title="boom"), "b.md": article()})
    assert world.run().rejections == {"internal_error": 1}
    [row] = world.rows("select path, message from rejections")
    assert row[0] == "a.md" and str(row[1]).startswith("ZeroDivisionError: what nobody foresaw.")
