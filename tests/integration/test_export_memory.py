"""Exports in little memory: rows in the order of the warehouse, sorts that go to disk, and what is
said where nothing is enough.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.errors import WarehouseError
from pipeline.export import export as module
from pipeline.export.export import export
from pipeline.export.formats import csv as csv_format
from pipeline.export.request import Request, Snapshot, Style
from pipeline.load.manifest import Manifest, PartFile
from pipeline.load.warehouse import Warehouse
from tests.support.world import NOW, World, article

ENOUGH, LITTLE = 28, 8
"""Megabytes in which the topics are sorted with a disk, and in which they are not at all."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> World:
    """200,000 topics of 1,000 articles in 10 parts."""
    world = World(tmp_path_factory.mktemp("many"))
    world.write(
        {
            f"{number:04}.md": json.dumps(
                {
                    "title": f"{number}",
                    "topics": [
                        f"topic {(number * 200 + at) * 7919 % 200_000}" for at in range(200)
                    ],
                },
                indent=0,
            )
            + "\n"
            for number in range(1_000)
        }
    )
    world.run(part_size=100)
    return world


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The limit of memory in each attempt to write CSV."""
    seen: list[str] = []
    write = csv_format.write

    def watched(snapshot: Snapshot, *arguments: Any) -> None:
        query = "select current_setting('memory_limit')"
        seen.extend(snapshot.connection.execute(query).fetchall()[0])
        write(snapshot, *arguments)

    monkeypatch.setattr(csv_format, "write", watched)
    return seen


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def without_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB may write no temporary file."""
    connect = module.connect

    def connected(*arguments: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*arguments)
        connection.execute("set global max_temp_directory_size = '0KB'")
        return connection

    monkeypatch.setattr(module, "connect", connected)


def sort(world: World, output: Path | str, style: str = "csv", **given: Any) -> None:
    request = Request(("article_topics",), order_by="topic desc, article_id", **given)
    export(Warehouse(world.warehouse), request, Style(style), str(output))


def is_sorted(path: Path) -> bool:
    with open(path, encoding="utf-8", newline="") as file:
        topics = [row["topic"] for row in csv.DictReader(file)]
    return len(topics) == 200_000 and topics == sorted(topics, reverse=True)


def read_csv(path: Path) -> list[tuple[str, ...]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


READERS: dict[str, Callable[[Path], list[tuple[Any, ...]]]] = {
    "csv": read_csv,
    "jsonl": lambda path: [
        tuple(json.loads(line).values()) for line in path.read_text("utf-8").splitlines()
    ],
    "parquet": lambda path: [tuple(row.values()) for row in pq.read_table(path).to_pylist()],
}


@pytest.mark.parametrize("style", READERS)
def test_rows_leave_in_the_order_of_the_warehouse(many: World, style: str, tmp_path: Path) -> None:
    place = Warehouse(many.warehouse)
    columns = ("article_id", "topic")
    kept = [
        tuple(row.values())
        for path in place.part_paths("article_topics", place.manifest().tables["article_topics"])
        for row in pq.read_table(path, columns=list(columns)).to_pylist()
    ]
    for name in ("first", "second"):
        export(place, Request(("article_topics",), columns), Style(style), str(tmp_path / name))
    assert len(place.manifest().tables["article_topics"]) == 10
    assert READERS[style](tmp_path / "first") == kept != sorted(kept)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_sort_larger_than_memory_goes_to_disk(
    many: World, limits: list[str], temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMORY", ENOUGH)
    sort(many, tmp_path / "x.csv")
    assert limits == ["26.7 MiB"] and is_sorted(tmp_path / "x.csv")
    assert not any(temporary.iterdir())


@pytest.mark.usefixtures("without_disk")
def test_without_a_disk_it_takes_more_memory(
    many: World, limits: list[str], temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMORY", ENOUGH)
    sort(many, tmp_path / "x.csv")
    assert (
        limits[0] == "26.7 MiB" != limits[1] and len(limits) == 2 and is_sorted(tmp_path / "x.csv")
    )
    assert not any(temporary.iterdir())


def test_a_sample_is_the_rows_of_the_smallest_hashes(
    many: World, limits: list[str], tmp_path: Path
) -> None:
    request = Request(
        ("article_topics",), ("article_id", "topic"), where="position < 150", sample=20_000, seed=3
    )
    export(Warehouse(many.warehouse), request, Style(), str(tmp_path / "x.csv"))
    wanted = """
        select article_id, topic from
        (
            from article_topics where position < 150
            order by md5('3' || chr(31) || article_id || chr(31) || position) limit 20000
        )
        order by article_id, position
    """
    assert read_csv(tmp_path / "x.csv") == many.rows(wanted) and limits == ["244.1 MiB"]


def test_each_table_has_the_limit_and_views_have_none(
    many: World, limits: list[str], tmp_path: Path
) -> None:
    export(
        Warehouse(many.warehouse),
        Request(("topics", "hub_links", "images")),
        Style(),
        str(tmp_path),
    )
    assert limits[0] == limits[2] == "244.1 MiB" != limits[1]


def test_the_limit_grows_with_the_table() -> None:
    rows = {"articles": [10, 999_989], "images": [1_000_000, 1_400_000], "bodies": []}
    tables = {name: [PartFile("x", count, 1) for count in counts] for name, counts in rows.items()}
    manifest = Manifest("x", NOW, None, "", "", [], tables, {}, [])
    names = ("articles", "images", "bodies", "runs", "article_facts")
    assert [module.memory_limit(manifest, name) for name in names] == [256, 768, 256, 256, None]


def test_long_bodies_are_no_want_of_memory(
    world: World,
    limits: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    world.write(
        {f"{number}.md": article() + os.urandom(200_000).hex() + "\n" for number in range(20)}
    )
    world.run()
    monkeypatch.setattr(module, "MEMORY", LITTLE)
    for output in (tmp_path / "x.csv", "-"):
        export(Warehouse(world.warehouse), Request(("bodies",)), Style(), str(output))
    assert len(limits) == 4
    written = (tmp_path / "x.csv").read_bytes()
    assert capfdbinary.readouterr().out == written.replace(b"\r\n", b"\n")
    assert len(written) > 8_000_000


@pytest.mark.parametrize("style", ["csv", "jsonl", "parquet", "xlsx"])
def test_want_of_memory_is_one_line(
    many: World, temporary: Path, tmp_path: Path, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMORY", LITTLE)
    with pytest.raises(
        WarehouseError,
        match=r"^article_topics: cannot be exported: not enough memory, or disk space in .*TMPDIR",
    ) as told:
        sort(many, "/dev/null", style)
    assert "\n" not in str(told.value) and not any(temporary.iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def command(
    world: World, *arguments: str, memory: int = ENOUGH, **environment: str
) -> subprocess.CompletedProcess[str]:
    program = (
        "__file__ = 'x'  # else DuckDB takes this for a notebook\nfrom pipeline.export import"
        f" export; export.MEMORY = {memory}; from pipeline.cli import entry; entry()"
    )
    words = [sys.executable, "-c", program, "export", *arguments, "-w", str(world.warehouse)]
    return subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


def test_a_full_disk_for_temporary_files(many: World, small_disk: Path, tmp_path: Path) -> None:
    words = ("article_topics", "--order-by", "topic desc, article_id", "-o")
    done = command(many, *words, "/dev/null", TMPDIR=str(small_disk))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"disk space in {small_disk}" in done.stderr and "TMPDIR" in done.stderr
    done = command(many, *words, str(tmp_path / "x.csv"), TMPDIR=str(small_disk))
    assert (done.returncode, done.stderr) == (0, "") and is_sorted(tmp_path / "x.csv")
    assert not any(small_disk.iterdir())


def test_a_full_disk_leaves_no_half_workbook(many: World, small_disk: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.xlsx"
    for folder, place in ((small_disk, tmp_path), (tmp_path, small_disk)):
        output = place / "x.xlsx"
        output.write_text("old")
        done = command(many, "article_topics", "-o", str(output), memory=256, TMPDIR=str(folder))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        assert (
            done.stderr.startswith("pipeline: article_topics: cannot be exported")
            and "No space left" in done.stderr
        )
        assert output.read_text() == "old"
        assert [path.name for path in small_disk.iterdir()] == ["x.xlsx"] * (place == small_disk)
        assert {path.name for path in tmp_path.iterdir()} <= {"small", "x.xlsx"}


def test_no_folder_for_temporary_files_is_one_line(
    many: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(WarehouseError, match="no folder for temporary files"):
        sort(many, tmp_path / "x.csv")
    assert not any(tmp_path.iterdir())
