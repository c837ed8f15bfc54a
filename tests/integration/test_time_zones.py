"""Times with a zone reach Python where pytz is not installed: DuckDB asked for it until version
2.0.1.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.world import World, article

BLOCK = "import sys; sys.modules['pytz'] = None\n"
PROGRAMS = {
    "fetchall": "print(connection.execute('select published_at from articles').fetchall()[0][0])",
    "fetchone": "print(connection.execute('select published_at from articles').fetchone()[0])",
    "fetchmany": "print(connection.execute('select published_at from articles')"
    ".fetchmany(1)[0][0])",
    "a list of times": "print(connection.execute('select list(published_at) from articles')"
    ".fetchone()[0][0])",
    "a time as a parameter": "import datetime as dt; print(connection.execute("
    "'select published_at from articles where published_at = $1', [dt.datetime(2024, 2, 3,"
    " tzinfo=dt.UTC)]).fetchone()[0])",
    "a pandas frame of DuckDB": "print(connection.execute('select published_at from articles')"
    ".df()['published_at'][0])",
    "pandas": "print(pipeline.table('articles', sys.argv[1])['published_at'][0])",
    "arrow": "print(pipeline.table('articles', sys.argv[1], kind='arrow')['published_at'][0])",
    "polars": "print(pipeline.table('articles', sys.argv[1], kind='polars')['published_at'][0])",
}
COMMANDS = [
    (("query", "select published_at from articles"), "2024-02-03"),
    (("query", "select published_at from articles", "--format", "json"), "2024-02-03"),
    (("query", "select published_at from articles", "--format", "csv"), "2024-02-03"),
    (("export", "articles", "--format", "jsonl"), "2024-02-03"),
    (("history", "a.md"), "2026-01-02"),
]


@pytest.fixture
def site(world: World) -> World:
    world.write({"a.md": article(publishedDateTime="2024-02-03T00:00:00Z")})
    world.run()
    return world


def python(program: str, *arguments: object) -> str:
    command = [sys.executable, "-c", BLOCK + program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("way", PROGRAMS)
def test_python_fetches_a_time(site: World, way: str) -> None:
    connect = "import pipeline; connection = pipeline.connect(sys.argv[1])\n"
    shown = python(connect + PROGRAMS[way], site.warehouse)
    assert shown.strip() in ("2024-02-03 00:00:00+00:00", "2024-02-03 00:00:00+0000")


@pytest.mark.parametrize(("command", "day"), COMMANDS)
def test_commands_print_a_time(site: World, command: tuple[str, ...], day: str) -> None:
    program = "from pipeline.cli import entry; entry()"
    assert day in python(program, *command, "-w", site.warehouse)


def test_a_run_and_a_report_do_without(site: World) -> None:
    (site.site / "b.md").write_text(article(publishedDateTime="2024-02-04T00:00:00Z"))
    folder: Path = site.site
    program = "from pipeline.cli import entry; entry()"
    assert "Published" in python(program, "run", folder, "-w", site.warehouse, "--workers", "1")
    assert "2024-02-04" in python(program, "report", "all", "-w", site.warehouse)
