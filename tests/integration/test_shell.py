"""`pipeline shell`: the DuckDB CLI on the published snapshot, on an older one, on a moved
warehouse.
"""

import datetime as dt
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from pipeline.errors import UsageError, WarehouseError
from pipeline.load.warehouse import Warehouse
from pipeline.query import shell
from pipeline.views.relations import relations
from tests.support.command import ENVIRONMENT, call
from tests.support.world import World, article

ENDLESS = "select sum(a.range * b.range) from range(100000000) as a, range(1000000) as b;"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("asked"))
    world.write({f"_news/{name}.md": article(title=name) for name in ("alpha", "beta")})
    world.run()
    return world


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> str:
    """The DuckDB CLI, which processes of their own find on the PATH."""
    try:
        path = shell.find_cli()
    except UsageError:
        pytest.skip("the DuckDB CLI is not installed (pip install duckdb-cli)")
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{Path(path).parent}:{ENVIRONMENT['PATH']}")
    return path


@pytest.fixture
def terminal(cli: str, asked: World, tmp_path: Path) -> Iterator[pexpect.spawn]:
    """The shell in a terminal, at its first prompt; `tmp_path` is its folder of temporary files."""
    environment = {**ENVIRONMENT, "TERM": "dumb", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    arguments = ["-m", "pipeline", "shell", "-w", str(asked.warehouse)]
    with pexpect.spawn(
        sys.executable,
        arguments,
        env=environment,
        encoding="utf-8",
        dimensions=(30, 100),
        timeout=60,
    ) as child:
        child.expect("D ")
        yield child


def piped(sql: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "shell", *map(str, arguments)],
        input=f".mode csv\n{sql}",
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **environment},
        check=False,
    )


def left(folder: Path) -> list[Path]:
    return list(folder.glob("pipeline-shell-*"))


# In a terminal


def test_it_answers_until_it_is_left(terminal: pexpect.spawn, tmp_path: Path) -> None:
    terminal.send("select 'n=' || count(*) from articles;\r")
    terminal.expect("n=2")
    assert len(left(tmp_path)) == 1
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0 and left(tmp_path) == []


def test_mistakes_do_not_end_it(terminal: pexpect.spawn) -> None:
    terminal.send("select * from artcles;\r")
    terminal.expect("Table with name artcles does not exist!")
    terminal.send("create table x as select 1;\r")
    terminal.expect("read-only mode")
    terminal.send("select 'n=' || 6 * 7;\r")
    terminal.expect("n=42")


def test_ctrl_c_interrupts_a_query_and_not_the_shell(
    terminal: pexpect.spawn, tmp_path: Path
) -> None:
    terminal.send(f"select 'be' || 'gun'; {ENDLESS}\r")
    terminal.expect("begun")
    for _ in range(3):  # an interruption before the query begins is lost
        terminal.sendintr()
        if terminal.expect(["D ", pexpect.TIMEOUT], timeout=20) == 0:
            break
    terminal.send("select 'n=' || 6 * 7;\r")
    terminal.expect("n=42")
    terminal.send(".quit\r")
    terminal.expect(pexpect.EOF)
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_the_middle_of_a_query(
    terminal: pexpect.spawn, tmp_path: Path, number: signal.Signals
) -> None:
    terminal.send(f"select 'be' || 'gun'; {ENDLESS}\r")
    terminal.expect("begun")
    terminal.kill(number)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 128 + number and left(tmp_path) == []


# As a script


def test_a_script_is_read_from_standard_input(cli: str, asked: World) -> None:
    done = piped("select 1 as a;\nselect ';' as\nb;\n", "-w", asked.warehouse)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["a", "1", "b", ";"], "")


def test_empty_input_is_not_an_error(cli: str, asked: World) -> None:
    assert (piped("", "-w", asked.warehouse).returncode) == 0


def test_the_exit_status_is_that_of_the_cli(cli: str, asked: World) -> None:
    assert piped("select nothing;\n", "-w", asked.warehouse).returncode == 1
    assert piped(".exit 7\n", "-w", asked.warehouse).returncode == 7


def test_every_view_answers_with_its_comments_in_utc(cli: str, asked: World) -> None:
    names = [relation.name for relation in relations("views", "reports")]
    sql = "".join(f"select '{name}' as name, count(*) >= 0 as ok from {name};\n" for name in names)
    done = piped(sql, "-w", asked.warehouse)
    assert done.stderr == ""
    assert done.stdout.replace("name,ok\n", "").split() == [f"{name},true" for name in names]
    comments = (
        "select count(*) from duckdb_views() where not internal and comment is null;\n"
        "select count(*) from duckdb_columns() where table_name = 'articles' and comment is null;\n"
        "select current_setting('timezone');\n"
    )
    assert piped(comments, "-w", asked.warehouse).stdout.split()[1::2] == ["0", "0", "UTC"]


def test_a_moved_warehouse_and_an_older_snapshot(cli: str, world: World, tmp_path: Path) -> None:
    """The views of `warehouse.duckdb` name files by their old paths, and those of the newest
    snapshot.
    """
    world.write({"a.md": article()})
    world.run()
    world.write({"b.md": article()})
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    moved = world.warehouse.rename(tmp_path / "it's moved")
    sql = "select count(*) as n from articles;"
    assert piped(sql, "-w", moved).stdout.split() == ["n", "2"]
    assert piped(sql, "-w", moved, "--snapshot", "previous").stdout.split() == ["n", "1"]
    (moved / "warehouse.duckdb").unlink()
    assert piped(sql, "-w", moved, "--built-in").stdout.split() == ["n", "2"]
    done = piped(sql, "-w", moved, "--snapshot", "1999")
    assert done.returncode == 2 and "1999" in done.stderr and done.stdout == ""


def test_without_a_warehouse(cli: str, tmp_path: Path) -> None:
    done = piped("select 1;", "-w", tmp_path)
    assert done.returncode == 1 and "nothing is published here" in done.stderr


# Which CLI


def program(folder: Path, says: str) -> Path:
    """A program called duckdb that prints a version."""
    folder.mkdir()
    path = folder / "duckdb"
    path.write_text(f'#!/bin/sh\necho "{says}"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def only_path(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An interpreter without the package duckdb-cli."""
    monkeypatch.setattr(shell.importlib.util, "find_spec", lambda name: None)
    return monkeypatch


def test_a_cli_on_the_path_is_taken(only_path: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = program(tmp_path / "new", "v1.2.0 (Name) abc")
    only_path.setenv("PATH", str(path.parent))
    assert shell.find_cli() == str(path)


def test_the_program_of_the_package_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path / "duckdb_cli", "v2.0.0 (Name) abc")
    (path.parent / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PATH", str(program(tmp_path / "new", "v2.0.0 (Name) abc").parent))
    assert shell.find_cli() == str(path)


@pytest.mark.parametrize(
    ("says", "version"),
    [("v1.1.3 (Name) abc", "1.1"), ("v0.10.0", "0.10"), ("nonsense", "unknown"), ("", "unknown")],
)
def test_an_old_cli_is_refused(
    only_path: pytest.MonkeyPatch, tmp_path: Path, says: str, version: str
) -> None:
    path = program(tmp_path / "old", says)
    only_path.setenv("PATH", str(path.parent))
    with pytest.raises(UsageError, match=re.escape(f"{path} has version {version}; expected 1.2")):
        shell.find_cli()


def test_without_a_cli_the_error_says_how_to_install_it(
    only_path: pytest.MonkeyPatch, asked: World, tmp_path: Path
) -> None:
    only_path.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        shell.run_shell(Warehouse(asked.warehouse))
    assert str(caught.value) == (
        "shell: the DuckDB CLI is not installed (expected 1.2 or later)."
        " Install it with: pip install 'frontmatter-warehouse[shell]'"
    )


def test_a_folder_for_temporary_files_that_cannot_be_written(cli: str, asked: World) -> None:
    with pytest.raises(WarehouseError, match="cannot be written"):
        shell.write_views(Warehouse(asked.warehouse), None, Path("/dev/null/warehouse.duckdb"))


def test_the_help_says_that_a_flag_has_no_effect() -> None:
    text = " ".join(call("shell", "--help").stdout.split())
    assert "--built-in" in text and "Has no effect" in text
