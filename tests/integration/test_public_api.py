"""The public names: light to import, typed, the same function whatever is imported, fit for
processes.
"""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import pipeline
from pipeline.extract.folder import read_file
from pipeline.extract.source import Loaded
from pipeline.settings import Settings, SettingValues
from tests.support.world import World, article

ROOT = Path(__file__).parents[2]

PROGRAM = """
import pathlib

import pipeline
from pipeline import Document, Extracted, Rejection, RunResult
from pipeline.extract.folder import Folder

warehouse = pipeline.Warehouse(pathlib.Path("data/warehouse"))
settings: pipeline.Settings = pipeline.Settings()
result: RunResult = pipeline.run("data/raw", warehouse=warehouse, workers=2, keep_days=1.5)
items: list[Extracted] = list(pipeline.extract("data/raw", strict=True))
documents: list[Document] = [item.document for item in items if isinstance(item.document, Document)]
rejections: list[Rejection] = [
    document for _, document in items if isinstance(document, Rejection)
]
frames = pipeline.transform(items, keep_bodies=False)
loaded: RunResult = pipeline.load(frames, warehouse="data/warehouse", max_rejects="5%")
changed: int = warehouse.diff("previous").counts["changed"]
newest: pipeline.Snapshot = pipeline.snapshots(warehouse="data/warehouse")[-1]
record: pipeline.RunRecord = warehouse.rollback(newest.id)
names: list[str] = list(pipeline.reports("heat", since="2024-01-01", kind="polars"))
folder: Folder = Folder.parse("data/raw")
try:
    warehouse.table("articles", kind="arrow")
except (pipeline.QueryError, pipeline.PipelineError) as error:
    code: int = error.exit_code
"""
MISTAKES = {
    'pipeline.run("data/raw", colour=1)': "call-arg",
    'pipeline.run("data/raw", workers="two")': "arg-type",
    'pipeline.table("articles", kind="csv")': "call-overload",
    'pipeline.reports("heat", sinc="2024-01-01")': "call-arg",
    "pipeline.extract(1)": "arg-type",
    "pipeline.nothing": "attr-defined",
}


def check_types(program: str, folder: Path) -> list[str]:
    """Return the errors of mypy --strict over a program, which finds the package as an installed
    one.
    """
    path = folder / "program.py"
    path.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), path]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stdout.splitlines() if ": error: " in line]


def test_a_program_of_a_user_is_typed_strictly(tmp_path: Path) -> None:
    lines = [f"{line}\n" for line in MISTAKES]
    program = PROGRAM + "".join(lines)
    first = PROGRAM.count("\n") + 1
    errors = [line for line in check_types(program, tmp_path) if line.startswith("program.py")]
    found = {
        int(line.split(":")[1]) - first: line.rsplit("[", 1)[-1].rstrip("]") for line in errors
    }
    assert found == dict(enumerate(MISTAKES.values())), errors


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_it_loads_nothing_heavy() -> None:
    loaded = python("import sys, pipeline; print(*{name.split('.')[0] for name in sys.modules})")
    heavy = {"duckdb", "jinja2", "msgspec", "numpy", "pandas", "pyarrow", "typer", "yaml_rs"}
    assert not heavy & set(loaded.split())


def test_the_steps_stay_functions_when_their_packages_are_imported() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ("extract", "transform", "load")
        for path in (ROOT / "pipeline" / room).rglob("*.py")
        if path.stem != "__init__"
    ]
    imports = "".join(f"import {module}\n" for module in modules)
    kinds = python(
        f"{imports}import pipeline, types\n"
        "print(*[isinstance(getattr(pipeline, name), types.FunctionType)"
        " for name in ('extract', 'transform', 'load')])"
    )
    assert len(modules) > 25 and kinds.split() == ["True", "True", "True"]


def test_their_modules_serve_in_other_processes(world: World) -> None:
    world.write({"a.md": article()})
    [item] = pipeline.extract(world.site)
    assert pickle.loads(pickle.dumps(item)) == item
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        loaded = pool.submit(read_file, str(world.site), "a.md", 1_000).result()
    assert isinstance(loaded, Loaded) and loaded.raw == article().encode()


def test_every_public_name_can_be_had() -> None:
    for name in pipeline.__all__:
        assert getattr(pipeline, name) is getattr(pipeline, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pipeline.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_the_settings_of_run_are_those_of_the_file() -> None:
    """But for the sources, which are the arguments; a path and a number may be given as such."""
    wider: dict[str, Any] = {"warehouse": str | os.PathLike[str], "max_rejects": int | str}
    settings = {**get_type_hints(Settings), **wider}
    assert settings.pop("sources") == tuple[str, ...]
    assert get_type_hints(SettingValues) == settings
