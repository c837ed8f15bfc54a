"""The catalog's template in the user's cache folder: a fault of it costs time, and no run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.views import template
from pipeline.views.catalog import open_memory
from tests.support.world import World, article

VIEWS = "select view_name from duckdb_views() where not internal order by all"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "it's a 'cache' 🦆"))
    return tmp_path / "it's a 'cache' 🦆" / "frontmatter-warehouse"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template that was made in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        copied()
        [made] = (Path(os.environ["XDG_CACHE_HOME"]) / "frontmatter-warehouse").iterdir()
    return made


@pytest.fixture
def made(cache: Path, whole: Path) -> Path:
    """The template in the folder of this test."""
    cache.mkdir(parents=True)
    return Path(shutil.copy(whole, cache))


def copied() -> list[tuple[str]]:
    """The views that a connection has of the template."""
    with open_memory() as connection:
        assert template.copy_into(connection)
        return connection.execute(VIEWS).fetchall()


@pytest.fixture(scope="module")
def expected() -> list[tuple[str]]:
    """The views that the statements of the template make."""
    with open_memory() as connection:
        connection.execute(template.statements())
        return connection.execute(VIEWS).fetchall()


def test_a_template_is_made_once(cache: Path, expected: list[tuple[str]]) -> None:
    assert copied() == expected
    [made] = cache.iterdir()
    before = made.stat()
    assert copied() == expected
    assert [(path, path.stat()) for path in cache.iterdir()] == [(made, before)]


@pytest.mark.parametrize(
    "statement",
    ["select 1", "create view articles as select 1 as a; create table coverage_by_topic (a int)"],
)
def test_another_database_in_its_place_is_replaced(
    cache: Path, made: Path, expected: list[tuple[str]], statement: str
) -> None:
    made.unlink()
    with duckdb.connect(str(made)) as connection:
        connection.execute(statement)
    assert copied() == expected
    assert list(cache.iterdir()) == [made]


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_database_is_replaced(
    made: Path, expected: list[tuple[str]], content: bytes | None
) -> None:
    made.write_bytes(made.read_bytes()[:100_000] if content is None else content)
    assert copied() == expected


def test_what_a_killed_process_left_goes(
    cache: Path, made: Path, expected: list[tuple[str]]
) -> None:
    made.unlink()
    own = cache / f".{made.name}.{os.getpid()}.tmp"
    left = [
        cache / f".{made.name}.1.tmp",
        cache / f".{made.name}.1.tmp.wal",
        cache / "catalog-old.duckdb",
    ]
    for path in [own, Path(f"{own}.wal"), *left]:
        path.write_text("half a file")
        os.utime(path, (0, 0))
    assert copied() == expected
    assert list(cache.iterdir()) == [made]


def test_a_full_disk_leaves_nothing(cache: Path) -> None:
    program = (
        "import resource\n"
        "from pipeline.views import template\n"
        "from pipeline.views.catalog import open_memory\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "print(template.copy_into(open_memory()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n" and list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "environment", [{"XDG_CACHE_HOME": "relative", "HOME": "nowhere"}, {"HOME": "nowhere"}]
)
def test_nothing_is_written_beside_the_user(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str]
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    world.write({"a.md": article()})
    assert world.run().published
    assert list((tmp_path / "here").iterdir()) == []
