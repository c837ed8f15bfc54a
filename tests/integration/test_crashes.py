"""Readers during runs, and runs that are killed: real processes, and the right rows afterwards."""

import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.load.retention import snapshots, sweep
from pipeline.load.warehouse import Warehouse
from pipeline.views.catalog import Staged, cursor
from tests.support.launcher import launch
from tests.support.processes import full_run, workers_of
from tests.support.reader import ask
from tests.support.warehouses import named_by, on_disk
from tests.support.world import World, article

PUBLISHES = 50
KILLS = 35  # times three
PAUSES = {
    "start": 0.01,
    "scan": 0.002,
    "build": 0.03,
    "derive": 0.03,
    "check": 0.03,
    "publish": 0.01,
    "gc": 0.01,
}
"""Stages of a run, and up to how many seconds after its beginning it is killed."""

# Else a run within the hour would find no snapshot to remove.
WITHOUT_GRACE = """
import datetime
from pipeline.load import retention
retention.GRACE = datetime.timedelta(0)
"""


def site_at(world: World, heat: int, count: int) -> None:
    """A site of `count` articles that all have the same heat."""
    for path in world.site.glob("*.md"):
        if int(path.stem) >= count:
            path.unlink()
    world.write(
        {
            f"{number}.md": article(title=f"t{number}", heat=str(heat), topics="[AI, Sea]")
            for number in range(count)
        }
    )


def test_readers_see_only_whole_snapshots(world: World, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    site_at(world, 0, 12)
    world.run(now=None)
    command = [sys.executable, "-m", "tests.support.reader"]
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "cwd": Path(__file__).parents[2],
    }
    readers = [
        subprocess.Popen([*command, kind, str(world.warehouse), str(stop)], **options)  # type: ignore[call-overload]
        for kind in ("loop", "hold")
    ]
    try:
        published = 0
        while published < PUBLISHES:
            site_at(world, published + 1, 12 + published % 7)
            published += world.run(now=None, part_size=5, keep_snapshots=1, keep_days=0).published
    finally:
        stop.touch()
    (told, errors), (held, held_errors) = (reader.communicate(timeout=60) for reader in readers)
    assert errors == held_errors == ""
    assert json.loads(told)["seen"] > 5 and json.loads(held)["asked"] > 5
    assert json.loads(held)["seen"] == 1, "who holds the old snapshot stays on it"


def last_stage(world: World, run: str) -> str:
    """The stage that a run was in when it ended, by its log; before the log, it starts or scans."""
    try:
        lines = (world.warehouse / "logs" / f"{run}.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return "scan"
    stages = [
        event["stage"]
        for event in map(json.loads, filter(None, lines))
        if event["event"] == "stage_started"
    ]
    return str(stages[-1])


def kill_in(world: World, stage: str, pause: float, *options: str) -> str | None:
    """Start a run and kill it in a stage; returns the stage that it was in, None where it was done
    before.
    """
    before = _records(world)
    words = ["run", f"site={world.site}", "-w", str(world.warehouse), "-q", *options]
    environment = os.environ | {
        "PIPELINE_KEEP_SNAPSHOTS": "1",
        "PIPELINE_KEEP_DAYS": "0",
        "PIPELINE_PART_SIZE": "15",
    }
    with open(os.devnull, "r+") as nothing:
        streams = [nothing.fileno()] * 3
        process = launch(words, streams=streams, environment=environment, before=WITHOUT_GRACE)
        log: Path | None = None
        while stage != "start" and process.poll() is None:
            if log is None:
                for run in _records(world) - before:
                    log = world.warehouse / "logs" / f"{run}.jsonl"
            if log and (stage == "scan" or f'"stage":"{stage}"' in _text(log)):
                break
            time.sleep(0.0005)
        time.sleep(pause)
        process.kill(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return None
    fresh = sorted(_records(world) - before)
    return last_stage(world, fresh[0]) if fresh else "start"


def _records(world: World) -> set[str]:
    """Ids of the runs that have a record."""
    names = {entry.name for entry in os.scandir(world.warehouse / "runs")}
    return {name.removesuffix(".json") for name in names if name.endswith(".json")}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_run_killed_at_any_moment_loses_nothing(world: World, seed: int) -> None:
    chance = random.Random(seed)
    site_at(world, 0, 30)
    world.run(now=None, part_size=15)
    killed: Counter[str] = Counter()
    heat, attempts = 0, 0
    while sum(killed.values()) < KILLS or not all(killed[stage] for stage in PAUSES):
        attempts += 1
        assert attempts < 3 * KILLS, killed
        heat += 1
        site_at(world, heat, chance.randrange(20, 40))
        aim = list(PAUSES)[attempts % len(PAUSES)]
        pause = chance.uniform(0, PAUSES[aim])
        options = ["--full", "--workers", "2"] if attempts % 5 == 0 else ["--workers", "1"]
        if stage := kill_in(world, aim, pause, *options):
            killed[stage] += 1
        assert len(set(ask(world.warehouse))) <= 2, (
            "a reader may find `current` a moment behind, but no half of anything"
        )
        world.run(now=None, part_size=15, keep_snapshots=1, keep_days=0)
        assert set(ask(world.warehouse)) == {heat}
        paths = {f"{path.stem}.md" for path in world.site.glob("*.md")}
        assert {path for (path,) in world.rows("select path from articles")} == paths
        sweep(Warehouse(world.warehouse), 1, 0, dt.datetime.now(dt.UTC))
        assert on_disk(world) == named_by(world), "what the killed run left is gone"
        assert not list(world.warehouse.rglob(".*.tmp*"))
    assert all(
        world.warehouse.joinpath("snapshots", found.id).is_dir()
        for found in snapshots(Warehouse(world.warehouse))
    )


def test_a_killed_worker_costs_no_row(world: World, six_thousand: Path) -> None:
    site_at(world, 1, 12)
    world.run(now=None)
    (world.site / "more").symlink_to(six_thousand)
    with full_run(world) as process:
        os.kill(workers_of(process)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    [(rows,)] = world.rows("select count(*) from articles")
    assert isinstance(rows, int) and rows > 5_900
    assert any(
        '"event":"workers_lost"' in log.read_text() for log in (world.warehouse / "logs").iterdir()
    )


def test_a_warehouse_that_can_only_be_read(world: World) -> None:
    world.warehouse.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", world.warehouse], capture_output=True, check=False
    ).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        site_at(world, 1, 3)
        world.run(now=None)
        site_at(world, 2, 3)
        subprocess.run(["mount", "-o", "remount,ro", world.warehouse], check=True)
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            f"site={world.site}",
            "-w",
            str(world.warehouse),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert (
            done.stderr.startswith(f"pipeline: {world.warehouse}/")
            and "Read-only file system" in done.stderr
        )
        assert set(ask(world.warehouse)) == {1}
    finally:
        subprocess.run(["umount", "-l", world.warehouse], check=True)


def test_a_disk_that_fills_up_is_one_line(world: World) -> None:
    site_at(world, 1, 3)
    world.run(now=None)
    site_at(world, 2, 3)
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        f"site={world.site}",
        "-w",
        str(world.warehouse),
    ]
    for kilobytes in (
        100,
        300,
        450,
    ):  # at the copy of the template, later, and at the last checkpoint
        limited = ["bash", "-c", f'ulimit -f {kilobytes} && exec "$@"', "bash", *command]
        done = subprocess.run(limited, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
        assert (
            done.stderr.startswith(f"pipeline: {world.warehouse}/.warehouse.")
            and "cannot be written" in done.stderr
        )
        assert not list(world.warehouse.rglob(".*.tmp*"))
        assert set(ask(world.warehouse)) == {1}


def test_a_staged_catalog_goes_while_a_query_runs(world: World) -> None:
    site_at(world, 1, 3)
    world.run(now=None)
    place, started, released = Warehouse(world.warehouse), threading.Event(), threading.Event()

    def wait(number: int) -> int:
        started.set()
        released.wait()
        return number

    try:
        with Staged(place) as staged:
            busy = cursor(staged.connection)
            busy.create_function("wait", wait, ["bigint"], "bigint")  # type: ignore[list-item,arg-type]
            query = threading.Thread(target=lambda: busy.execute("select wait(1)").fetchall())
            query.start()
            started.wait()
    finally:
        released.set()
    query.join()
    assert not list(world.warehouse.glob(".*.tmp*"))
