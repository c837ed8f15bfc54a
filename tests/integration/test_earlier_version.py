"""A warehouse that version 0.1.0 wrote is read as it is, and runs go on with it.

`tests/data/warehouse-0.1.0.tar.xz` holds a site of 13 files and its warehouse with two snapshots,
without
`warehouse.duckdb`, which every run writes again. Before the second one an article got another title
and
another another heat, and one was deleted.
"""

import datetime as dt
import json
import tarfile
from pathlib import Path

import duckdb
import pytest

import pipeline
from pipeline.views.dictionary.entries import entries
from tests.support.command import call
from tests.support.warehouses import files_below
from tests.support.world import World

ARCHIVE = Path(__file__).parents[1] / "data" / "warehouse-0.1.0.tar.xz"
FIRST, SECOND = "20261128T151554Z-e72ce82f", "20261128T151557Z-dc902527"
RENAMED = "_news/2024-01-01-rail-union-questions-housing-fund-as-costs-rise-36.md"
DELETED = "_news/2024-01-02-regulator-delays-satellite-launch-amid-record-demand-157.md"
SEED = "_news/seed-article.md"
LATER = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def unpack(folder: Path) -> World:
    world = World(folder)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return world


def source(world: World) -> tuple[str]:
    return (f"news={world.site}",)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The warehouse as it was written; only to be read."""
    return unpack(tmp_path_factory.mktemp("earlier"))


def test_its_rows_are_read(earlier: World) -> None:
    assert earlier.rows(
        "select count(*), count(*) filter (title = 'Changed since') from articles"
    ) == [(10, 1)]
    assert earlier.rows(f"select heat from articles where path = '{SEED}'") == [(77,)]
    assert earlier.rows("select path, code from rejections") == [("_news/broken.md", "bad_yaml")]
    assert earlier.rows("select change, count(*) from observations group by all order by all") == [
        ("content", 1),
        ("deleted", 1),
        ("first", 11),
        ("scores", 1),
    ]


@pytest.mark.parametrize("name", [name for name in entries() if name != "secured"])
def test_every_table_and_view_can_be_asked(earlier: World, name: str) -> None:
    [(rows,)] = earlier.rows(f"select count(*) from {name}")
    assert isinstance(rows, int)


def test_its_snapshots_are_listed_and_compared(earlier: World) -> None:
    assert [snapshot.id for snapshot in pipeline.snapshots(earlier.warehouse)] == [FIRST, SECOND]
    done = call("diff", "--json", "-w", earlier.warehouse)
    changes = {
        (change["change"], change["path"], *change["fields"])
        for change in json.loads(done.stdout)["changes"]
    }
    assert changes == {
        ("changed", RENAMED, "title"),
        ("changed", SEED, "heat"),
        ("removed", DELETED),
    }
    sql = "select count(*) as n from articles"
    done = call("query", sql, "--snapshot", "previous", "--format", "csv", "-w", earlier.warehouse)
    assert done.stdout.split() == ["n", "11"]


def test_its_status_is_told(earlier: World) -> None:
    done = call("status", "--json", "-w", earlier.warehouse)
    found = json.loads(done.stdout)
    assert found["snapshot"] == SECOND and found["tables"]["articles"]["rows"] == 10


def test_a_run_goes_on_with_it(tmp_path: Path) -> None:
    """Its parts are built again once, since other code made them; nothing is told as new."""
    world = unpack(tmp_path)
    before = files_below(world.warehouse / "parts")
    seed = world.site / SEED
    seed.write_text(seed.read_text().replace("heat: 77", "heat: 78"))
    record = world.run(now=LATER, sources=source(world)).record
    assert (record.outcome, record.rebuilt) == ("published", "code changed")
    assert (record.files, record.new, record.score_only, record.unchanged) == (12, 0, 1, 10)
    seen = f"select sequence, change, heat from observations where path = '{SEED}' order by all"
    assert world.rows(seen) == [
        (1, "first", -1),
        (2, "scores", 77),
        (3, "scores", 78),
    ]
    assert before <= files_below(world.warehouse / "parts"), "the older snapshots stay"
    with duckdb.connect(world.warehouse / "warehouse.duckdb", read_only=True) as connection:
        assert connection.execute("select count(*) from observations").fetchall() == [(15,)]
    assert call("diff", "--json", FIRST, "-w", world.warehouse).returncode == 0
    again = world.run(now=LATER + dt.timedelta(hours=1), sources=source(world)).record
    assert (again.outcome, again.rebuilt) == ("unchanged", None)


def test_a_run_without_changes_publishes_nothing(tmp_path: Path) -> None:
    world = unpack(tmp_path)
    record = world.run(now=LATER, sources=source(world)).record
    assert (record.outcome, record.snapshot) == ("unchanged", SECOND)


def test_going_back_shows_the_first_snapshot(tmp_path: Path) -> None:
    world = unpack(tmp_path)
    pipeline.rollback(FIRST, world.warehouse)
    assert world.rows("select count(*) from articles where title = 'Changed since'") == [(0,)]
