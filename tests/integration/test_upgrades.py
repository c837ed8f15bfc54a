"""Runs after an upgrade: code that makes other rows builds them again, and nothing else does."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import pipeline
from pipeline.load.warehouse import Warehouse
from tests.support.world import NOW, World, after, article

ROOT = Path(pipeline.__file__).parents[1]
ROWS = """
    select modified_at, line_number, (select count(*) from bodies)
    from documents join findings using (document_id)
"""


class Installation:
    """A copy of the package, whose code a test may change."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "pipeline", folder / "pipeline", ignore=ignored)
        if not (folder / "pipeline" / "sql").exists():
            shutil.copytree(ROOT / "sql", folder / "sql")

    def edit(self, module: str, old: str, new: str) -> None:
        path = self.folder / "pipeline" / module
        code = path.read_text()
        assert code.count(old) == 1, f"{module}: {old!r} is not there once"
        path.write_text(code.replace(old, new))

    def run(self) -> str:
        """Run, and return the summary without its last lines."""
        command = [sys.executable, "-m", "pipeline", "run", self.world.site, "--workers", "1"]
        done = subprocess.run(
            [*map(str, command), "-w", str(self.world.warehouse)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
        )
        return done.stdout


@pytest.fixture
def installed(world: World, tmp_path: Path) -> Installation:
    world.write({"a.md": article(heat="hot") + "A body.\n"})
    os.utime(world.site / "a.md", (NOW.timestamp(), NOW.timestamp()))
    installation = Installation(tmp_path / "installed", world)
    assert "Published" in installation.run()
    return installation


def fingerprint(world: World) -> dict[str, str]:
    [entry] = Warehouse(world.warehouse).manifest().sources
    return entry.fingerprint


@pytest.mark.parametrize(
    ("module", "old", "new", "seconds", "lines", "bodies"),
    [
        ("extract/documents.py", "ns // 1000 if", "ns // 1000 + 1_000_000 if", 1, 0, 0),
        ("schema/positions.py", 'count("\\n", 0, at), at', 'count("\\n", 0, at) + 1, at', 0, 1, 0),
        ("build/part.py", "keep_bodies=bodies", "keep_bodies=False", 0, 0, -1),
    ],
    ids=["times one second later", "lines one later", "no bodies"],
)
def test_code_that_makes_other_rows_builds_them_again(
    installed: Installation,
    module: str,
    old: str,
    new: str,
    seconds: int,
    lines: int,
    bodies: int,
) -> None:
    [(modified_at, line, number)] = installed.world.rows(ROWS)
    assert isinstance(modified_at, dt.datetime) and isinstance(line, int) and number == 1
    installed.edit(module, old, new)
    assert "Every part was built again: code changed.\n" in installed.run()
    other = modified_at + dt.timedelta(seconds=seconds), line + lines, 1 + bodies
    assert installed.world.rows(ROWS) == [other]
    assert "Nothing changed" in installed.run()


def test_comments_docstrings_layout_and_the_version_build_nothing_again(
    installed: Installation,
) -> None:
    before = fingerprint(installed.world)
    installed.edit("_version.py", '__version__ = "', '__version__ = "9.')
    assert "Nothing changed" in installed.run()
    assert fingerprint(installed.world) == before
    path = installed.folder / "pipeline" / "build" / "part.py"
    function = "def build_part(task: PartTask) -> PartResult:\n"
    installed.edit("build/part.py", function, f"# of a file\n{function}    'Return it.'\n\n")
    code = path.read_text()
    compile(code, path, "exec")
    summary = installed.run()
    assert "Nothing changed" in summary and "built again" not in summary
    now = fingerprint(installed.world)
    assert now["code"] == before["code"] and now["code_bytes"] != before["code_bytes"]


def test_code_that_is_known_by_its_bytes_is_not_parsed(installed: Installation) -> None:
    installed.edit("runs/fingerprint.py", "ast.parse(source)", "ast.parse(exit(99))")
    assert "Nothing changed" in installed.run()
    installed.edit("build/part.py", "def build_part(", "# a comment\n\n\ndef build_part(")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        installed.run()
    assert caught.value.returncode == 99


def test_another_version_of_a_library_that_alters_rows_builds_them_again(world: World) -> None:
    world.write({"a.md": article()})
    published = world.run().record.snapshot
    alter_fingerprint(world, {**fingerprint(world), "ftfy": "1.0"})
    result = world.run(now=after(1))
    assert result.record.rebuilt == "ftfy changed"
    assert (result.record.outcome, result.record.snapshot) == ("unchanged", published)
    assert world.run(now=after(2)).record.rebuilt is None


def test_a_fingerprint_of_an_older_version_is_read_on(world: World) -> None:
    """It named the version and a digest of the bytes of some modules."""
    world.write({"a.md": article()})
    published = world.run().record.snapshot
    options = {"strict": "false", "keep_bodies": "true", "keep_secured": "false"}
    old = {"version": "0.9", "code": "aa", **options, "max_file_bytes": "10000000"}
    alter_fingerprint(world, old)
    result = world.run(now=after(1))
    assert result.record.rebuilt == "code changed"
    assert (result.record.outcome, result.record.snapshot) == ("unchanged", published)
    assert world.run(now=after(2)).record.rebuilt is None


def alter_fingerprint(world: World, fingerprint: dict[str, str]) -> None:
    warehouse = Warehouse(world.warehouse)
    manifest = warehouse.manifest()
    [entry] = manifest.sources
    altered = msgspec.structs.replace(entry, fingerprint=fingerprint)
    warehouse.amend(msgspec.structs.replace(manifest, sources=[altered]))
    path = world.warehouse / "snapshots" / f"{manifest.id}.json"
    assert json.loads(path.read_text())["sources"][0]["fingerprint"] == fingerprint
