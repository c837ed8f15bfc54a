"""What an operator sees: freshness with limits, logs, rejects of a refused run."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pytest

from pipeline.errors import CheckFailed, TooManyRejections, UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.operations.freshness import read_clocks
from pipeline.query.defects import refused
from pipeline.runs.record import fold_records, records
from pipeline.settings import Limits, load_settings, parse_limits
from tests.support.world import NOW, World, article

HOUR = dt.timedelta(hours=1)


def events(world: World, kind: str) -> list[dict[str, object]]:
    lines = [
        line
        for log in sorted((world.warehouse / "logs").glob("*.jsonl"))
        for line in log.read_text().splitlines()
    ]
    return [event for event in map(json.loads, lines) if event["event"] == kind]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", Limits()),
        ("6h", Limits(None, 6 * HOUR)),
        ("90m,1d", Limits(1.5 * HOUR, 24 * HOUR)),
        ("0.5h, 2h", Limits(0.5 * HOUR, 2 * HOUR)),
    ],
)
def test_limits_of_age(text: str, limits: Limits) -> None:
    assert parse_limits(text) == limits


@pytest.mark.parametrize("text", ["6", "h", "1h,2h,3h", "2h,1h", "-1h", "1w", ",", "1h,"])
def test_a_limit_of_age_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(text))):
        parse_limits(text)


def clocks(world: World, now: dt.datetime, **limits: str) -> dict[str, tuple[str, float | None]]:
    settings = load_settings({"warehouse": str(world.warehouse), **limits}, environment={})[0]
    found = read_clocks(settings, now)
    return {
        clock.name: (clock.level, clock.age_seconds and clock.age_seconds / 3600) for clock in found
    }


def test_three_clocks(world: World) -> None:
    moment = NOW - 5 * HOUR
    world.write(
        {
            "a.md": article(publishedDateTime=f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
            "future.md": article(publishedDateTime="2099-01-01T00:00:00Z"),
        }
    )
    os.utime(world.site / "a.md", ((NOW - 3 * HOUR).timestamp(),) * 2)
    os.utime(world.site / "future.md", ((NOW + 99 * HOUR).timestamp(),) * 2)
    finished = world.run().record.finished_at
    assert finished
    now = finished + 2 * HOUR
    late = (finished - NOW) / HOUR
    assert clocks(world, now) == {
        "newest article": ("unlimited", pytest.approx(7 + late)),
        "newest file": ("unlimited", pytest.approx(5 + late)),
        "last good run": ("unlimited", pytest.approx(2)),
    }
    levels = clocks(world, now, max_article_age="1h,6h", max_file_age="1h,6h", max_run_age="3h,6h")
    assert [level for level, _ in levels.values()] == ["error", "warn", "ok"]


def test_a_failed_run_is_no_good_run(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    world.write({"b.md": "---\n"})
    with pytest.raises(TooManyRejections):
        world.run(now=NOW + 9 * HOUR, max_rejects="0")
    assert clocks(world, NOW + 10 * HOUR, max_run_age="9h")["last good run"][0] == "error"
    (world.site / "b.md").unlink()
    assert world.run(now=NOW + 9.5 * HOUR, max_rejects="0").record.outcome == "unchanged"
    assert clocks(world, NOW + 10 * HOUR, max_run_age="9h")["last good run"][0] == "ok"


def test_records_of_years_are_few_files(world: World) -> None:
    for number in range(6):
        world.write({"a.md": article(heat=str(number))})
        world.run(now=NOW + 20 * number * 24 * HOUR)
    names = sorted(path.name for path in (world.warehouse / "runs").iterdir())
    assert names[:3] == ["2026-01.json", "2026-02.json", "2026-03.json"] and len(names) == 5
    assert world.rows(
        "select count(*), count(distinct run_id), min(started_at), max(articles) from runs"
    ) == [(6, 6, NOW, 1)]
    again = Warehouse(world.warehouse)
    found = list(records(again))
    assert [record.started_at for record in found] == sorted(
        (record.started_at for record in found), reverse=True
    )
    assert fold_records(again, NOW + 120 * 24 * HOUR) == 1 and len(list(records(again))) == 6
    left = world.warehouse / "runs" / f"{found[-1].run_id}.json"
    left.write_bytes(msgspec.json.encode(found[-1]) + b"\n")
    assert fold_records(again, NOW + 120 * 24 * HOUR) == 1 and len(list(records(again))) == 6, (
        "cut off and mended"
    )


@pytest.mark.parametrize(
    ("limits", "code"), [((), 0), (("--max-run-age", "1m,1000d"), 6), (("--max-run-age", "1m"), 7)]
)
def test_status_tells_monitoring(world: World, limits: tuple[str, ...], code: int) -> None:
    world.write({"a.md": article()})
    world.run()
    command = [sys.executable, "-m", "pipeline", "status", "-w", str(world.warehouse), *limits]
    plain, machine = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        for more in ((), ("--json",))
    )
    assert (plain.returncode, machine.returncode) == (code, code)
    assert (
        plain.stderr
        == {
            0: "",
            6: "pipeline: getting old: last good run (limit 1 min).\n",
            7: "pipeline: too old: last good run (limit 1 min).\n",
        }[code]
    )
    levels = {clock["name"]: clock["level"] for clock in json.loads(machine.stdout)["freshness"]}
    assert levels["last good run"] == {0: "unlimited", 6: "warn", 7: "error"}[code]
    assert ("TOO OLD: limit 1 min" in plain.stdout, "WARNING: limit 1 min" in plain.stdout) == (
        code == 7,
        code == 6,
    )


def test_runs_in_the_future_do_not_count(world: World) -> None:
    world.write({"a.md": article()})
    world.run(now=NOW + 9_000 * HOUR)
    assert clocks(world, NOW, max_run_age="1h")["last good run"] == ("error", None)


@pytest.mark.parametrize("clock", ["article", "file", "run"])
def test_no_source_is_too_old_for_any_limit(world: World, clock: str) -> None:
    assert "error" in {
        level for level, _ in clocks(world, NOW, **{f"max_{clock}_age": "999d"}).values()
    }


def test_a_limit_is_checked_where_it_is_set() -> None:
    with pytest.raises(UsageError, match="max_run_age = 'x' does not fit"):
        load_settings({"max_run_age": "x"}, environment={})


def test_nothing_published_is_too_old_for_any_limit(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "status",
        "-w",
        str(tmp_path / "none"),
        "--max-run-age",
        "999d",
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 7


def test_the_log_tells_what_a_run_did(world: World) -> None:
    world.write({"a.md": article(), "b.md": "---\n"})
    record = world.run().record
    [log] = (world.warehouse / "logs").iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["run"] for line in lines} == {record.run_id} and log.stem == record.run_id
    assert [line["event"] for line in lines if line["event"] not in ("check", "stage_ended")] == [
        "run_started",
        *["stage_started"] * 2,
        "part_built",
        *["stage_started"] * 4,
        "swept",
        "run_ended",
    ]
    assert [line["stage"] for line in lines if line["event"] == "stage_started"] == [
        "scan",
        "build",
        "derive",
        "check",
        "publish",
        "gc",
    ]
    assert (lines[-1]["outcome"], lines[-1]["rejected"], lines[0]["sources"][0]["name"]) == (
        "published",
        1,
        "site",
    )
    found = duckdb.sql(
        f"select count(*) from read_json('{world.warehouse}/logs/*.jsonl') where event ="
        " 'part_built'"
    ).fetchall()
    assert found == [(1,)]


def test_what_was_rejected_can_be_read_after_a_run_was_refused(world: World) -> None:
    world.write({"a.md": article(), "b.md": "---\n", "odd 'name\n☃.md": "---\ntitle: [\n---\n"})
    with pytest.raises(
        TooManyRejections, match=r"2 of 3 files .* List them: pipeline rejects --run \S+ -w "
    ) as caught:
        world.run(max_rejects="1")
    run = re.findall(r"--run (\S+)", str(caught.value))[0]
    warehouse = Warehouse(world.warehouse)
    name, rows = refused(warehouse, run)
    assert name == run and [(row["path"], row["code"]) for row in rows] == [
        ("b.md", "unclosed_fence"),
        ("odd 'name\n☃.md", "bad_yaml"),
    ]
    with (world.warehouse / "logs" / f"{run}.jsonl").open("a") as log:
        log.write('{"event":"rejection"}\n{"event":"rejec')
    assert (run, rows) == refused(warehouse, "last")
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "rejects",
        "--run",
        run,
        "-w",
        str(world.warehouse),
    ]
    assert (
        f"{world.site}/b.md:1:1: the front matter opens"
        in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    world.run(now=NOW + HOUR)
    assert refused(warehouse, "last") == (run, rows), (
        "a run that was not refused has none in its log"
    )
    with pytest.raises(UsageError, match="no log of this run in"):
        refused(warehouse, "20200101T000000.000000Z-1")


def test_rows_that_a_check_refused_are_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.transform.documents import images

    world.write({"a.md": article(images="[{url: https://example.com/a.png}]")})
    monkeypatch.setattr(images, "rows", lambda file, article: [])
    with pytest.raises(CheckFailed, match=r"counts_match_rows 1 rows.* See .*/logs/"):
        world.run()
    [check] = [event for event in events(world, "check") if event["rows"]]
    assert check["name"] == "counts_match_rows" and "a.md" in json.dumps(check["examples"])


def test_an_unchanged_run_leaves_no_log(world: World) -> None:
    world.write({"a.md": article()})
    os.utime(world.site / "a.md", (1, 1))
    world.run()
    subprocess.run(["sleep", "0.05"], check=True)
    world.run(now=NOW + HOUR)
    before = len(list((world.warehouse / "logs").iterdir()))
    assert world.run(now=NOW + 2 * HOUR).record.outcome == "unchanged"
    assert len(list((world.warehouse / "logs").iterdir())) == before
