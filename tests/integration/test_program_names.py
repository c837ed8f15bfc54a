"""The two names of the program, and what a shell completes."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIVEN_SHELL = "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"
"""Lets a test name the shell, whatever it runs in."""
CALL = "import sys; sys.argv[0] = sys.argv.pop(1); from pipeline.cli import entry; entry()"


def call(name: str, *arguments: str, python: tuple[str, ...] = (), **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *python, "-c", CALL, name, *arguments],
        env=os.environ | {"COLUMNS": "80", GIVEN_SHELL: "1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr if python else done.stdout


def test_both_scripts_are_the_same_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == dict.fromkeys(("pipeline", project["name"]), "pipeline.cli:entry")


@pytest.mark.parametrize("name", ["pipeline", "frontmatter-warehouse"])
def test_help_shows_the_name_that_was_called(name: str) -> None:
    help_text = call(f"/somewhere/bin/{name}", "--help")
    assert help_text.strip().startswith(f"Usage: {name} [OPTIONS] COMMAND [ARGS]...")
    pipeline_help = call("/somewhere/bin/pipeline", "--help")
    assert help_text.replace("frontmatter-warehouse", "pipeline") == pipeline_help


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("pipeline re", ["rejects", "report"]),
        ("pipeline run --ke", ["--keep-secured"]),
    ],
)
def test_a_shell_completes_commands_and_options(words: str, completions: list[str]) -> None:
    variables = {"_PIPELINE_COMPLETE": "complete_bash", "COMP_WORDS": words}
    variables["COMP_CWORD"] = str(len(words.split()) - 1)
    assert call("pipeline", **variables).split() == completions


def test_completion_is_shown_for_both_names() -> None:
    for name in ("pipeline", "frontmatter-warehouse"):
        script = call(name, "--show-completion", "bash")
        assert script.rstrip().endswith(f"_completion {name}")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--show-completion", "bash"], {}),
        (
            [],
            {
                "_PIPELINE_COMPLETE": "complete_bash",
                "COMP_WORDS": "pipeline run --w",
                "COMP_CWORD": "2",
            },
        ),
    ],
)
def test_completion_loads_nothing_heavy(arguments: list[str], variables: dict[str, str]) -> None:
    imports = call("pipeline", *arguments, python=("-X", "importtime"), **variables)
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in imports.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"duckdb", "numpy", "pandas", "pyarrow", "jinja2", "yaml_rs"}
