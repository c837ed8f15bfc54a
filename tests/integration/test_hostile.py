"""What once broke a run: extreme values, odd names, damaged warehouses, signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import PipelineError, SourceError, UsageError, WarehouseError
from pipeline.load.warehouse import Warehouse
from pipeline.runs.maintenance import roll_back
from pipeline.schema.tables import TABLES
from pipeline.views.relations import relations
from tests.support.command import call
from tests.support.processes import full_run, is_alive, wait_until, workers_of
from tests.support.world import NOW, World, after, article

SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA=="


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+00:01",
    ],
)
def test_times_that_an_offset_pushes_out_of_the_calendar(world: World, moment: str) -> None:
    world.write(
        {
            "a.md": article(publishedDateTime=moment, topics="[A]"),
            "b.md": article(related=f"[{{title: r, publishedDateTime: {moment}, topics: [B]}}]"),
        }
    )
    world.run()
    assert world.rows("select rule, field from findings order by field") == [
        ("invalid_date", "publishedDateTime"),
        ("invalid_date", "related[0].publishedDateTime"),
    ]
    assert world.rows("select count(*), count(published_at) from articles") == [(2, 0)]


def test_values_of_any_size_cost_at_most_themselves(world: World) -> None:
    digits = "9" * 5_000
    nested = "https://x.cdn.ampproject.org/c/s/" * 1_500 + "example.com"
    world.write(
        {
            "heat.md": article(heat=digits),
            "title.md": article(title=digits),
            "extra.md": article(more=digits, deep=f"[{{x: {digits}}}]", excerpt=f"[{digits}]"),
            "other.md": f"---\nname: {digits}\n---\n",
            "amp.md": article(originalUrl=nested),
            "google.md": article(
                originalUrl="https://" + "www.google.com/amp/s/" * 1_500 + "example.com"
            ),
            "edge.md": article(heat=str(2**63 - 1), quality=str(-(2**63))),
            "_data/topics/a.yaml": f"name: {digits}\n",
        }
    )
    result = world.run()
    assert result.rejections == {} and (result.record.articles, result.record.other) == (6, 1)
    assert result.findings == {"invalid_number": 1, "invalid_url": 2, "wrong_type": 1}
    assert world.rows("select length(title) from articles where path = 'title.md'") == [(5_000,)]
    for relation in relations("views", "reports"):
        world.rows(f"select * from {relation.name}")


def test_no_two_names_give_one_path(world: World) -> None:
    for name in (b"\xff.md", b"\\xff.md", b"\xef\xbf\xbdff.md", b"d\xfe/lit\\x41.md"):
        path = os.fsencode(world.site) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_text(article())
    result = world.run()
    assert (result.record.articles, result.rejections) == (4, {})
    assert world.rows("select count(distinct path) from documents") == [(4,)]


def test_a_file_from_the_far_future(world: World) -> None:
    world.write({"a.md": article(publishedDateTime="2024-01-01T00:00:00Z")})
    try:
        os.utime(world.site / "a.md", (9_223_372_036, 9_223_372_036))
        subprocess.run(
            ["touch", "-d", "@253402300801", world.site / "a.md"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this file system does not hold such times")
    world.run()
    assert world.rows("select count(*) from documents") == [(1,)]


@pytest.mark.parametrize(
    "name",
    ["heat=5", "source=zz", "with space", "it's", "[brackets]", "émoji \U0001f525", "semi;colon"],
)
def test_warehouses_in_odd_places(tmp_path: Path, name: str) -> None:
    world = World(tmp_path)
    world.warehouse = tmp_path / name / "warehouse"
    world.write({"a.md": article(heat="41")})
    world.run()
    assert world.rows("select source, heat from articles") == [("site", 41)]
    import duckdb

    with duckdb.connect(world.warehouse / "warehouse.duckdb", read_only=True) as connection:
        assert connection.execute(
            "select heat, (select count(*) from runs) from articles"
        ).fetchall() == [(41, 1)]


@pytest.mark.parametrize("name", ["what?", "a*b", "back\\slash", os.fsdecode(b"caf\xe9"), ""])
def test_warehouses_in_impossible_places(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a warehouse needs a path"):
        Warehouse(tmp_path / name if name else "")


def test_a_source_whose_path_is_not_utf8(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        world.run(sources=(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"),))


def test_secured_is_shown_nowhere(world: World) -> None:
    world.write(
        {
            "json.md": f'{{\n"title": "a", "secured": "{SECRET}" oops\n}}\n',
            "toml.md": f"+++\ntitle = 'a'\nsecured = '{SECRET}' oops\n+++\n",
            "flow.md": f"---\n{{title: a, secured: {SECRET}, x: [}}\n---\n",
            "block.md": f"---\ntitle: a\nsecured: |\n  {SECRET}\n bad: [\n---\n",
            "latin.md": f"---\ntitle: caf\u00e9\nsecured: {SECRET} \u00e9\n---\n".encode("latin-1"),
            "nested.md": f"---\ntitle: a\nrelated: [{{title: r, secured: {SECRET}}}]\n"
            f"Secured: {SECRET}\nprovider: {{secured: {SECRET}}}\n---\n",
            "other.md": f"---\nname: a\nsub: {{secured: {SECRET}, "
            f"list: [{{secured: {SECRET}}}]}}\n---\n",
            "wrong.md": f"---\ntitle: a\nsecured: [{SECRET}]\n---\n",
        }
    )
    result = world.run()
    assert result.record.rejected == 4
    for table in TABLES:
        assert SECRET[:20] not in str(world.rows(f"select * from {table}")), table
    world.run(keep_secured=True, now=after(1))
    assert world.rows("select count(*) from secured") == [(1,)]


def test_a_failed_publication_leaves_the_old_snapshot(world: World) -> None:
    world.write({"a.md": article(heat="1")})
    before = world.run().record.snapshot
    (world.warehouse / "warehouse.duckdb").unlink()
    (world.warehouse / "warehouse.duckdb").mkdir()
    world.write({"a.md": article(heat="2")})
    with pytest.raises(WarehouseError, match="Remove what is there"):
        world.run(now=after(1))
    assert Warehouse(world.warehouse).current_id() == before
    assert world.rows("select heat from articles") == [(1,)]


def test_a_run_without_changes_mends_the_catalog(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article()})
    world.run()
    moved = World(tmp_path / "moved")
    moved.site = world.site
    world.warehouse.rename(moved.warehouse)
    (moved.warehouse / "current").unlink()
    assert moved.run(now=after(1)).record.outcome == "unchanged"
    import duckdb

    with duckdb.connect(moved.warehouse / "warehouse.duckdb", read_only=True) as connection:
        assert connection.execute("select count(*) from articles").fetchone() == (1,)
    assert len(list((moved.warehouse / "current" / "articles").iterdir())) == 1
    (moved.warehouse / "warehouse.duckdb").write_text("x")
    moved.run(now=after(2))
    with duckdb.connect(moved.warehouse / "warehouse.duckdb", read_only=True) as connection:
        assert connection.execute("select count(*) from articles").fetchone() == (1,)


@pytest.mark.parametrize("damage", ["manifest", "part", "pointer", "empty pointer"])
def test_a_full_run_recovers_from_damage(world: World, damage: str) -> None:
    world.write({"a.md": article()})
    world.run()
    if damage == "manifest":
        next((world.warehouse / "snapshots").glob("*.json")).unlink()
    elif damage == "part":
        [path] = (world.warehouse / "parts" / "articles").iterdir()
        path.write_bytes(b"x" * path.stat().st_size)
    else:
        (world.warehouse / "CURRENT").write_bytes(b"\xff\n" if damage == "pointer" else b"")
    with pytest.raises(WarehouseError, match="pipeline run --full"):
        world.connect()
    world.run(full=True, now=after(1))
    assert world.rows("select count(*) from articles") == [(1,)]


@pytest.mark.parametrize(
    "name",
    ["parts/articles", "parts/documents", "parts/observations", "parts/providers", "listings"],
)
@pytest.mark.parametrize("gone", [True, False])
def test_a_file_of_the_warehouse_that_is_lost_or_cut_off(
    world: World, name: str, gone: bool
) -> None:
    world.write({"a.md": article(), "b.md": article()})
    before = world.run(auto_gc=False).record.snapshot
    for path in (world.warehouse / name).iterdir():
        path.unlink() if gone else path.write_bytes(path.read_bytes()[:-20])
    world.write({"a.md": article(title="new")})
    with pytest.raises(
        WarehouseError, match=r"(missing or damaged|cannot be read).*pipeline run --full"
    ):
        world.run(now=after(1))
    with pytest.raises(WarehouseError, match=r"is missing or damaged|cannot be read"):
        roll_back(Warehouse(world.warehouse), str(before), now=after(2))
    result = world.run(full=True, now=after(3))
    assert result.published and world.rows("select title from articles order by path") == [
        ("new",),
        ("Plain title",),
    ]
    lost = name == "parts/observations"
    assert (result.record.message is not None) == lost
    assert world.rows("select count(*) from observations") == [
        (2 if lost or name == "listings" else 3,)
    ]
    assert world.run(now=after(4)).record.outcome == "unchanged"


def test_damage_to_a_source_that_a_full_run_does_not_name(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    other.write({"b.md": article()})
    world.write({"a.md": article()})
    both = (str(world.site), f"other={other.site}")
    world.run(sources=both)
    for path in (world.warehouse / "parts" / "articles").iterdir():
        path.unlink()
    with pytest.raises(WarehouseError, match="Name every source"):
        world.run(full=True, now=after(1))
    assert world.run(full=True, sources=both, now=after(2)).record.articles == 2


def test_run_records_that_are_gone_or_cut_off(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    for number, text in enumerate(['{"run_id": "cut o', "null", "\0\1"]):
        (world.warehouse / "runs" / f"20200101T000000.00000{number}Z-1.json").write_text(text)
    assert call("status", "-w", world.warehouse).returncode == 0
    assert world.rows("select count(*) from runs") == [(1,)]
    for path in (world.warehouse / "runs").iterdir():
        path.unlink()
    assert world.rows("select count(*) from runs") == [(0,)]


def test_one_file_is_a_source_of_its_own(world: World) -> None:
    world.write({"a.md": article(), "b.md": article()})
    world.run()
    world.run(sources=(str(world.site / "a.md"),), now=after(1))
    assert world.rows("select source, count(*) from articles group by all order by 1") == [
        ("a", 1),
        ("site", 2),
    ]


def test_a_source_that_lost_all_files_is_not_believed(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    (world.site / "a.md").unlink()
    with pytest.raises(
        SourceError,
        match=(
            r"no article files found \(the snapshot has 1 of site\). Check that it is mounted .*"
            r" or pass --allow-empty"
        ),
    ):
        world.run(now=after(1))
    assert world.rows("select count(*) from articles") == [(1,)]
    assert world.run(allow_empty=True, now=after(2)).ledger.deleted == 1
    assert world.rows("select count(*) from articles") == [(0,)]


def test_the_summary_speaks_of_the_sources_of_the_run(world: World, tmp_path: Path) -> None:
    world.write({"bad.md": "---\n"})
    other = World(tmp_path / "other")
    other.write({"a.md": article(heat="hot")})
    world.run()
    result = world.run(sources=(f"other={other.site}",), now=after(1))
    assert [source.name for source in result.sources] == ["other"]
    assert (result.rejections, result.findings, result.record.rejected) == (
        {},
        {"invalid_number": 1},
        0,
    )


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", "0 statements"),
        (" ; ", "0 statements"),
        ("select 1; drop view articles", "drop is not a statement that reads"),
        ("drop view articles", "drop is not a statement that reads"),
        ("copy (select 1) to 'x.csv'", "copy is not a statement that reads"),
        ("attach 'x.db'", "attach is not a statement that reads"),
    ],
)
def test_queries_that_are_none(world: World, tmp_path: Path, sql: str, words: str) -> None:
    world.run(allow_empty=True)
    done = call("query", sql, "-w", world.warehouse, folder=tmp_path)
    assert done.returncode == 2 and words in done.stderr
    assert not list(tmp_path.glob("x.*"))


def test_results_that_look_like_markup_and_odd_numbers(world: World) -> None:
    world.run(allow_empty=True)
    done = call(
        "query",
        "select '[/]' as \"[red]x[/red]\", 'a\\' as b, 1 as c, 2 as c",
        "-w",
        world.warehouse,
    )
    assert done.stdout.splitlines()[0].split() == ["[red]x[/red]", "b", "c", "c"]
    assert done.stdout.splitlines()[2].split() == ["[/]", "a\\", "1", "2"]
    done = call(
        "query",
        "select 'nan'::double as a, 'inf'::double as b, 1 as c, 2 as c, '\\xAA'::blob as d",
        "--format",
        "json",
        "-w",
        world.warehouse,
    )
    assert json.loads(done.stdout) == [{"a": None, "b": None, "c": 1, "c_1": 2, "d": "aa"}]
    done = call("query", "select range as n from range(100000)", "-w", world.warehouse)
    assert len(done.stdout.splitlines()) == 1_003 and "99,000 more rows" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_is_clean(world: World, six_thousand: Path, number: signal.Signals) -> None:
    world.write({"a.md": article()})
    world.run()
    (world.site / "more").symlink_to(six_thousand)
    with full_run(world) as process:
        workers = workers_of(process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number, errors
    assert "stopped; the published snapshot is as it was" in errors and "Traceback" not in errors
    assert wait_until(lambda: not any(map(is_alive, workers)))
    assert not (world.warehouse / ".lock.holder").exists()
    assert world.rows("select count(*) from articles") == [(1,)]
    assert ("failed", 128 + number) in world.rows("select outcome, exit_code from runs")
    assert world.run(now=after(1)).record.outcome == "published"


def test_workers_end_with_a_killed_driver(world: World, six_thousand: Path) -> None:
    (world.site / "more").symlink_to(six_thousand)
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        str(world.site),
        "-w",
        str(world.warehouse),
        "--workers",
        "2",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        workers = workers_of(process)
        process.kill()
    assert wait_until(lambda: not any(map(is_alive, workers)))
    assert world.run(now=NOW).record.articles > 5_900


def test_a_worker_whose_driver_ended_first_does_not_start() -> None:
    code = (
        "import os; from pipeline.process.pool import _enter_worker; _enter_worker(os.getpid());"
        " print('working')"
    )
    worker = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (worker.returncode, worker.stdout) == (1, "")


def test_a_full_disk_is_one_clear_error(world: World) -> None:
    world.warehouse.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", world.warehouse],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        world.write({"a.md": article()})
        before = world.run().record.snapshot
        for number in range(1_500):
            (world.site / f"{number}.md").write_text(article(excerpt=os.urandom(1_000).hex()))
        with pytest.raises(PipelineError, match="Free disk space"):
            world.run(now=after(1))
        assert Warehouse(world.warehouse).current_id() == before
        assert world.rows("select count(*) from articles") == [(1,)]
    finally:
        subprocess.run(["umount", "-l", world.warehouse], check=True)
