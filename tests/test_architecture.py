"""What holds the house together: import layers, module names, public names, documented commands and errors."""

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer

import pipeline
from pipeline import errors
from pipeline.cli import app
from pipeline.documents import Article, Author, Image, Provider, Related

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))

# A module imports only from layers above its own; rooms of one layer do not know each other.
LAYERS = [
    ["errors", "imports", "stop"],
    ["days", "locations", "columns", "settings", "render", "relations", "manifest", "statements"],
    ["schema"],
    ["documents", "mistakes"],
    ["extract", "transform", "load", "engine", "sample"],
    ["checks", "plan", "ledger", "query", "defects", "dictionary", "log", "schedule", "comparison"],
    ["chronicle"],
    ["build", "history", "past", "derive", "record", "previous", "publication"],
    ["stages", "gates", "freshness", "report", "export", "verdicts", "shell"],
    ["job"],
    ["completion"],
    ["runs", "summary", "status", "upkeep", "analysis", "life"],
    ["cli", "__init__"],
    ["__main__"],
]


def room(path: Path) -> str:
    parts = path.relative_to(ROOT / "pipeline").with_suffix("").parts
    return parts[0]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pipeline":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pipeline.")}
    return found - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    level = {name: at for at, names in enumerate(LAYERS) for name in names}
    for other in imports(path) - {room(path)}:
        assert level[other] < level[room(path)], f"{room(path)} imports {other}"


def test_no_room_is_named_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "common", "manager", "base", "misc", "core"}
    assert not vague & {path.stem for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_hides_a_second_room(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(path.read_text().splitlines()) <= 400


def test_every_public_name_is_listed_and_documented() -> None:
    assert pipeline.__all__ == sorted(pipeline.__all__)
    for name in set(pipeline.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(pipeline, name))


@pytest.mark.parametrize("record", [Article, Author, Image, Provider, Related])
def test_every_field_of_the_contract_is_documented(record: type) -> None:
    [definition] = ast.parse(inspect.getsource(record)).body
    assert isinstance(definition, ast.ClassDef)
    for field, following in zip(definition.body[1::2], definition.body[2::2], strict=True):
        assert isinstance(field, ast.AnnAssign)
        assert isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant), ast.unparse(field)


def test_every_error_is_raised_and_drawn() -> None:
    code = "\n".join(path.read_text() for path in MODULES if path.name != "errors.py")
    assert errors.__doc__
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and kind is not errors.PipelineError:
            assert f"raise {name}(" in code, name
            assert re.search(rf"{name}\s+exit {kind.exit_code}", errors.__doc__), name


def commands() -> list[tuple[str, str]]:
    group = typer.main.get_command(app)
    return [(name, command.help or "") for name, command in group.commands.items()]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "text"), commands())
def test_every_command_has_help_and_stands_in_the_readme(name: str, text: str) -> None:
    assert text.endswith(".")
    assert f"pipeline {name}" in (ROOT / "README.md").read_text()


def test_the_project_speaks_of_itself_only() -> None:
    for path in [
        *MODULES,
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "sql").rglob("*.sql"),
    ]:
        assert not re.search(r"(?i)TODO|FIXME|/home/|/root/|/tmp/", path.read_text()), path
