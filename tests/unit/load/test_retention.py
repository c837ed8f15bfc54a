"""Snapshots are kept, listed, gone back to and removed; sources are forgotten."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import LockHeld, UsageError, WarehouseError
from pipeline.load.manifest import FORMAT
from pipeline.load.retention import GRACE, resolve, snapshots, sweep
from pipeline.load.warehouse import Warehouse
from pipeline.runs import run
from pipeline.runs.maintenance import collect_garbage, roll_back
from pipeline.settings import load_settings
from tests.support.warehouses import files_below, named_by, on_disk
from tests.support.world import NOW, World, article

DAY = dt.timedelta(days=1)


def publish(world: World, count: int, step: dt.timedelta = DAY, **settings: object) -> list[str]:
    """Publish snapshots one `step` apart that differ in the article's heat; returns their ids."""
    ids = []
    for number in range(count):
        world.write({"a.md": article(heat=str(number)), "same.md": article(title="same")})
        ids.append(
            str(world.run(now=NOW + number * step, auto_gc=False, **settings).record.snapshot)
        )
    return ids


def test_snapshots_are_listed_and_found_by_the_beginning_of_their_ids(world: World) -> None:
    ids = publish(world, 3)
    warehouse = Warehouse(world.warehouse)
    assert [(found.id, found.is_current) for found in snapshots(warehouse)] == [
        (ids[0], False),
        (ids[1], False),
        (ids[2], True),
    ]
    assert resolve(warehouse, "current") == ids[2] and resolve(warehouse, "previous") == ids[1]
    assert resolve(warehouse, ids[0]) == resolve(warehouse, ids[0][:8]) == ids[0]
    with pytest.raises(UsageError, match=r"20260104T030405Z.*20260103T030405Z.*20260102T030405Z"):
        resolve(warehouse, "2026")
    for unknown in ("2025", "", "../x"):
        with pytest.raises(UsageError, match="there is no snapshot"):
            resolve(warehouse, unknown)


def test_gc_keeps_the_newest_and_the_young_and_removes_what_only_others_name(world: World) -> None:
    ids = publish(world, 6)
    warehouse, now = Warehouse(world.warehouse), NOW + 5 * DAY + 2 * GRACE
    would = sweep(warehouse, 2, 0, now, dry_run=True)
    assert would.removed == ids[:4] and len(snapshots(warehouse)) == 6
    assert sweep(warehouse, 0, 3.5, now).kept == ids[2:]
    swept = sweep(warehouse, 2, 0, now)
    assert (swept.removed, swept.kept) == (ids[2:4], ids[4:])
    assert on_disk(world) == named_by(world)
    assert {path.name for path in (world.warehouse / "snapshots").iterdir()} == {
        *ids[4:],
        *(f"{name}.json" for name in ids[4:]),
    }
    assert world.rows("select heat from articles order by all") == [(5,), (50,)]
    for name in ids[4:]:
        tables = warehouse.manifest(name).tables
        assert all(
            Path(path).is_file()
            for table in tables
            for path in warehouse.part_paths(table, tables[table])
        )
    assert sweep(warehouse, 0, 0, now).kept == [ids[5]]
    assert sweep(warehouse, 0, 0, now).files == 0


def test_gc_spares_what_readers_could_see_within_the_last_hour(world: World) -> None:
    ids = publish(world, 2, step=dt.timedelta(minutes=30))
    warehouse = Warehouse(world.warehouse)
    assert sweep(warehouse, 0, 0, NOW + dt.timedelta(minutes=89)).kept == ids
    assert sweep(warehouse, 0, 0, NOW + dt.timedelta(minutes=90)).kept == ids[1:]


def test_gc_spares_a_snapshot_that_was_gone_back_to_until_an_hour_after_it_was_replaced(
    world: World,
) -> None:
    ids = publish(world, 2, step=2 * GRACE)
    warehouse = Warehouse(world.warehouse)
    roll_back(warehouse, ids[0], now=NOW + 9 * GRACE)
    world.write({"a.md": article(heat="99")})
    last = str(world.run(now=NOW + 10 * GRACE, auto_gc=False).record.snapshot)
    assert ids[0] in sweep(warehouse, 0, 0, NOW + 10.5 * GRACE).kept
    assert sweep(warehouse, 0, 0, NOW + 11 * GRACE).kept == [last]


def test_gc_touches_nothing_where_the_published_snapshot_is_gone(world: World) -> None:
    ids = publish(world, 2)
    (world.warehouse / "snapshots" / f"{ids[1]}.json").unlink()
    before = files_below(world.warehouse)
    with pytest.raises(WarehouseError, match="is missing"):
        collect_garbage(Warehouse(world.warehouse), 0, 0, now=NOW + 9 * DAY)
    assert files_below(world.warehouse) - {".lock.holder"} == before - {".lock.holder"}


def test_gc_counts_the_hour_from_when_a_snapshot_was_replaced_however_that_came(
    world: World,
) -> None:
    ids = publish(world, 3)
    warehouse = Warehouse(world.warehouse)
    roll_back(warehouse, ids[0], now=NOW + 30 * DAY)
    with world.connect() as reader:
        roll_back(warehouse, ids[2], now=NOW + 30 * DAY + GRACE / 2)
        assert sweep(warehouse, 0, 0, NOW + 30 * DAY + GRACE).kept == [ids[0], ids[2]]
        assert reader.execute("select min(heat) from articles").fetchall() == [(0,)]


def test_a_clock_that_was_ahead(world: World) -> None:
    world.write({"a.md": article()})
    ahead = world.run(now=NOW + 400 * DAY).record.snapshot
    world.write({"a.md": article(heat="1")})
    world.run(now=NOW, auto_gc=False)
    warehouse = Warehouse(world.warehouse)
    assert resolve(warehouse, "previous") == ahead
    assert (
        len(sweep(warehouse, 1, 9, NOW + DAY).kept) == 2
        and len(sweep(warehouse, 0, 9, NOW + DAY).kept) == 1
    )


@pytest.mark.parametrize("days", [float("nan"), float("inf"), -1.0, 1e9])
def test_days_that_are_none(world: World, days: float) -> None:
    publish(world, 1)
    with pytest.raises(UsageError, match="is not a number of days"):
        collect_garbage(Warehouse(world.warehouse), 1, days, now=NOW)
    with pytest.raises(UsageError, match="keep_days"):
        load_settings({"keep_days": days}, environment={})


@pytest.mark.parametrize("command", [["rollback", "previous"], ["gc"], ["forget", "x"]])
def test_a_mistyped_warehouse_is_not_made(tmp_path: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *command, "-w", str(tmp_path / "typo")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode == 1
        and "there is no warehouse here" in done.stderr
        and not (tmp_path / "typo").exists()
    )


def test_a_lost_pointer_is_not_a_first_run(world: World) -> None:
    ids = publish(world, 2)
    (world.warehouse / "CURRENT").unlink()
    for _ in range(2):
        with pytest.raises(
            WarehouseError,
            match=r"CURRENT: is missing, though there are snapshots\. Go back .*rollback ID",
        ):
            world.run(now=NOW + 3 * DAY)
    roll_back(Warehouse(world.warehouse), ids[1], now=NOW + 4 * DAY)
    assert world.rows("select count(*) from observations") == [(3,)]


def test_a_newer_format_is_refused(world: World) -> None:
    [name] = publish(world, 1)
    path = world.warehouse / "snapshots" / f"{name}.json"
    written = path.read_text()
    path.write_text(
        written.replace(f'"format":{FORMAT}', '"format":99').replace(
            f'"format": {FORMAT}', '"format": 99'
        )
    )
    with pytest.raises(
        WarehouseError, match=rf"newer version \(format 99, expected {FORMAT}\). Upgrade"
    ):
        world.run(now=NOW + DAY)
    path.write_text(path.read_text().replace("99", "3"))
    with pytest.raises(WarehouseError, match=r"older version \(format 3.*--full"):
        world.run(now=NOW + DAY)
    assert world.run(now=NOW + DAY, full=True).published


def test_gc_removes_what_a_killed_run_left(world: World) -> None:
    publish(world, 1)
    left = [
        f"parts/articles/{'feed' * 6}.parquet",
        "parts/articles/.feed.parquet.12.tmp",
        f"listings/{'feed' * 6}.msgpack",
        ".warehouse.12.tmp",
        ".warehouse.12.tmp.wal",
        ".current.12.tmp",
        "runs/.x.json.12.tmp",
        "snapshots/.x.json.12.tmp",
        "snapshots/.20260102T000000Z-feed.12.tmp/articles/x.parquet",
        "snapshots/20260102T000000Z-feed/articles/x.parquet",
    ]
    strange = [
        "notes.txt",
        "snapshots/notes.json",
        "snapshots/mine/x.parquet",
        "parts/articles/mine.parquet",
        "listings/mine",
    ]
    collect_garbage(Warehouse(world.warehouse), 1, 0, now=NOW)
    for name in strange:
        (world.warehouse / name).parent.mkdir(parents=True, exist_ok=True)
        (world.warehouse / name).write_text("an operator's")
    before = files_below(world.warehouse)
    for name in left:
        (world.warehouse / name).parent.mkdir(parents=True, exist_ok=True)
        (world.warehouse / name).write_text("left")
    swept = collect_garbage(Warehouse(world.warehouse), 1, 0, now=NOW)
    assert swept.files == len(left) and files_below(world.warehouse) == before


@pytest.mark.parametrize("which", [0, 1])
def test_gc_touches_nothing_where_a_manifest_cannot_be_read(world: World, which: int) -> None:
    ids = publish(world, 2)
    warehouse = Warehouse(world.warehouse)
    (world.warehouse / "snapshots" / f"{ids[which]}.json").write_text("{")
    before = files_below(world.warehouse)
    with pytest.raises(WarehouseError, match="cannot be read"):
        collect_garbage(warehouse, 0, 0, now=NOW + 9 * DAY)
    assert files_below(world.warehouse) == before


def test_a_run_collects_garbage_after_publishing_and_says_so_in_its_log(world: World) -> None:
    publish(world, 3)
    world.write({"a.md": article(heat="77")})
    result = world.run(now=NOW + 5 * DAY, keep_snapshots=2, keep_days=1)
    assert [found.id for found in snapshots(Warehouse(world.warehouse))][1:] == [
        result.record.snapshot
    ]
    [log] = (world.warehouse / "logs").glob(f"{result.record.run_id}*")
    [swept] = [
        event
        for event in map(json.loads, log.read_text().splitlines())
        if event["event"] == "swept"
    ]
    assert len(swept["snapshots"]) == 2 and swept["files"] > 0


def test_only_so_many_logs_stay(world: World) -> None:
    publish(world, 3)
    world.write({"a.md": article(heat="77")})
    result = world.run(now=NOW + 5 * DAY, keep_logs=2)
    assert len(list((world.warehouse / "logs").iterdir())) == 2
    assert (world.warehouse / "logs" / f"{result.record.run_id}.jsonl").exists()


def test_going_back_shows_the_old_rows_to_every_reader(world: World) -> None:
    ids = publish(world, 3)
    warehouse = Warehouse(world.warehouse)
    record = roll_back(warehouse, "previous", now=NOW + 3 * DAY)
    assert (record.outcome, record.snapshot, record.message) == (
        "rolled_back",
        ids[1],
        f"it was {ids[2]}",
    )
    assert world.rows("select heat from articles order by all") == [(1,), (50,)]
    assert world.rows("select outcome from runs order by started_at desc limit 1") == [
        ("rolled_back",)
    ]
    with duckdb.connect(str(world.warehouse / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select min(heat) from articles").fetchall() == [(1,)]
    assert duckdb.sql(
        f"select min(heat) from '{world.warehouse}/current/articles/*.parquet'"
    ).fetchall() == [(1,)]
    after = world.run(now=NOW + 4 * DAY)
    assert after.record.outcome == "published" and after.ledger.score_only == 1, (
        "the next run compares the files with it"
    )
    assert world.rows("select heat from articles order by all") == [(2,), (50,)]
    assert warehouse.manifest().parent == ids[1]


def test_going_back_to_what_is_gone_or_damaged_changes_nothing(world: World) -> None:
    ids = publish(world, 2)
    warehouse = Warehouse(world.warehouse)
    with pytest.raises(UsageError, match="there is no snapshot"):
        roll_back(warehouse, "2020", now=NOW + 4 * DAY)
    [part] = {file.file for file in warehouse.manifest(ids[0]).tables["articles"]}
    (world.warehouse / "parts" / "articles" / part).unlink()
    with pytest.raises(
        WarehouseError, match=f"this file of snapshot {ids[0]} is missing or damaged"
    ):
        roll_back(warehouse, ids[0], now=NOW + 5 * DAY)
    assert warehouse.current_id() == ids[1]
    assert world.rows(
        "select exit_code from runs where outcome = 'failed' order by started_at"
    ) == [(1,)]


def test_a_source_is_forgotten_and_the_others_stay(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text(article(title="other", topics="[AI]"))
    (other / "bad.md").write_text("---\n")
    world.write({"a.md": article(topics="[Sea]"), "_data/topics/sea.yaml": "_id: sea\nname: Sea\n"})
    both = (f"site={world.site}", f"other={other}")
    world.run(sources=both)
    settings = load_settings({"sources": both, "warehouse": str(world.warehouse)}, environment={})[
        0
    ]
    with pytest.raises(UsageError, match=r"it has other, site"):
        run.forget(settings, "nope", now=NOW + DAY)
    result = run.forget(settings, "other", now=NOW + 2 * DAY)
    assert (result.published, result.record.outcome, result.record.deleted) == (
        True,
        "forgotten",
        2,
    )
    for table in ("documents", "articles", "sidecars", "rejections"):
        assert {row[0] for row in world.rows(f"select distinct source from {table}")} <= {"site"}
    assert world.rows("select topic from topics") == [("Sea",)]
    assert world.rows("select count(*) from observations") == [(1,)]
    assert world.run(now=NOW + 3 * DAY).record.outcome == "unchanged"
    assert world.run(sources=both, now=NOW + 4 * DAY).ledger.new == 1


def test_the_last_source_can_be_forgotten(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    settings = load_settings(
        {"sources": (str(world.site),), "warehouse": str(world.warehouse)}, environment={}
    )[0]
    assert run.forget(settings, "site", now=NOW + DAY).published
    assert world.rows(
        "select count(*) from documents union all select count(*) from observations"
    ) == [(0,), (0,)]


def test_many_runs_leave_few_files_of_observations(world: World) -> None:
    publish(world, 12)
    files = Warehouse(world.warehouse).manifest().tables["observations"]
    assert sum(file.rows for file in files) == 13 and len(files) <= 4
    assert world.rows("select heat from observations where heat <> 50 order by observed_at") == [
        (n,) for n in range(12)
    ]


def test_waiting_for_the_lock(world: World) -> None:
    publish(world, 1)
    script = (
        "import sys; from pipeline.load.warehouse import Warehouse\n"
        "with Warehouse(sys.argv[1]).lock():\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(world.warehouse)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline() == "held\n"
        for wait in (0.0, 0.2):
            with pytest.raises(LockHeld, match=f"pid {holder.pid} on "):
                collect_garbage(Warehouse(world.warehouse), 1, 0, now=NOW, wait=wait)
        run = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            str(world.site),
            "-w",
            str(world.warehouse),
            "--wait",
            "60",
            "-q",
        ]
        with subprocess.Popen(run, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.poll() is None
            holder.stdin.close()
            assert waiting.communicate(timeout=60)[1] == "" and waiting.returncode == 0


def test_a_lock_of_a_killed_process_blocks_nobody(world: World) -> None:
    publish(world, 1)
    script = (
        "import os, sys; from pipeline.load.warehouse import Warehouse\nwith"
        " Warehouse(sys.argv[1]).lock(): os.kill(os.getpid(), 9)"
    )
    assert (
        subprocess.run([sys.executable, "-c", script, str(world.warehouse)], check=False).returncode
        == -9
    )
    assert (world.warehouse / ".lock.holder").exists()
    assert os.path.exists(world.warehouse / ".lock")
    assert world.run(now=NOW + DAY).record.outcome == "unchanged"
