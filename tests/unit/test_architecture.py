"""What holds the house together: import layers, module names, public names, documented commands and
errors.
"""

import ast
import inspect
import re
from pathlib import Path

import msgspec
import pytest
import typer

import pipeline
from pipeline import errors
from pipeline.build.tasks import HistoryResult, HistoryTask, PartResult, PartTask
from pipeline.cli import app
from pipeline.load.manifest import Manifest, SourceEntry
from pipeline.runs.backlog import Backlog, HistoryRead
from pipeline.runs.baseline import Baseline, Known
from pipeline.runs.built import Built
from pipeline.runs.context import Context
from pipeline.runs.derive import Derived
from pipeline.runs.history_delta import HistoryDelta
from pipeline.runs.ledger import Ledger, Reckoning
from pipeline.runs.plan import PartPlan, Plan, SourcePlan
from pipeline.runs.record import RunRecord, RunResult
from pipeline.runs.run import Finished
from pipeline.schema.documents import Article, Author, Image, Provider, Related
from pipeline.transform.observations import Seen
from tests.support.imports import MODULES, ROOT, imports, module_name, owner

# The floors of the house, lowest first: a room imports only from floors below its own, and rooms of
# one
# floor do not know each other.
FLOORS = [
    ["_version", "errors", "text"],
    ["settings", "schema", "process", "sample"],
    ["extract", "transform", "load"],
    ["build", "views"],
    ["runs", "query", "export"],
    ["report"],
    ["operations"],
    ["__init__", "cli"],
    ["__main__"],
]


def room(path: Path) -> str:
    parts = path.relative_to(ROOT / "pipeline").with_suffix("").parts
    return parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    floor = {name: at for at, names in enumerate(FLOORS) for name in names}
    for other in {name.split(".")[0] for name in imports(path)} - {room(path)}:
        assert floor[other] < floor[room(path)], f"{room(path)} imports {other}"


def test_the_house_has_few_rooms_at_the_door() -> None:
    assert len(list((ROOT / "pipeline").glob("*.py"))) <= 8
    assert len(FLOORS) <= 9


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types alone count too: a circle is a circle for who reads."""
    names = {module_name(path): path for path in MODULES}
    edges = {
        name: {owner(other, names) for other in imports(path)} - {name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in names:
        visit(name, ())


def test_no_room_is_named_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "common", "manager", "base", "misc", "core"}
    assert not vague & {path.stem for path in MODULES}


TESTS = sorted((ROOT / "tests").rglob("*.py"))
UNIT = ROOT / "tests" / "unit"


@pytest.mark.parametrize(
    "path",
    [path for path in UNIT.rglob("test_*.py") if path != Path(__file__)],
    ids=lambda path: str(path.relative_to(UNIT)),
)
def test_a_unit_test_is_named_after_what_it_tests(path: Path) -> None:
    """`test_x.py` or `test_x_y.py` tests `x` of the same folder of the package, or of the reports
    in SQL.
    """
    folder = path.parent.relative_to(UNIT)
    tested = ROOT / "sql" / "reports" if folder == Path("sql") else ROOT / "pipeline" / folder
    names = {other.stem for other in tested.iterdir()}
    words = path.stem.removeprefix("test_").split("_")
    assert names & {"_".join(words[:count]) for count in range(1, len(words) + 1)}


def test_tests_import_only_from_support() -> None:
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for name in names:
                assert name.split(".")[0] != "tests" or name.startswith("tests.support"), path


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
        assert isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant), (
            ast.unparse(field)
        )


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
def test_every_command_has_help_and_stands_in_the_reference(name: str, text: str) -> None:
    assert text.endswith(".")
    assert f"\n## pipeline {name}\n" in (ROOT / "docs/reference/command-line.md").read_text()


def test_the_project_speaks_of_itself_only() -> None:
    for path in [
        *MODULES,
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").rglob("*.py"),
        *ROOT.glob("*.md"),
        *(ROOT / "sql").rglob("*.sql"),
        *(ROOT / "pipeline").rglob("*.sql"),
    ]:
        assert not re.search(r"(?i)\bTODO|FIXME|/home/|/root/|/tmp/", path.read_text()), path


def stage_values() -> list[type]:
    """The values that the stages of a run take and give."""
    return [
        *(Context, Baseline, Known, Plan, SourcePlan, PartPlan, Backlog, HistoryRead, Built),
        *(HistoryDelta, Derived, Reckoning, Ledger, RunRecord, Finished, Manifest),
        *(SourceEntry, RunResult, Seen, PartTask, PartResult, HistoryTask, HistoryResult),
    ]


@pytest.mark.parametrize("value", stage_values(), ids=lambda value: value.__name__)
def test_what_the_stages_of_a_run_pass_on_is_frozen(value: type[msgspec.Struct]) -> None:
    assert value.__struct_config__.frozen


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pipeline" / "runs").glob("*.py")), ids=lambda p: p.stem
)
def test_no_constructor_of_a_run_does_work(path: Path) -> None:
    """It names its parts; whatever is read, asked or computed has a function of its own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__post_init__"):
            called = [
                call.func
                for part in node.body
                for call in ast.walk(part)
                if isinstance(call, ast.Call)
            ]
            names = [ast.unparse(function) for function in called]
            assert not [name for name in names if not name[0].isupper()], f"{path.name}: {names}"
            assert all(
                isinstance(part, ast.Assign | ast.AnnAssign | ast.Expr) for part in node.body
            )


def test_no_stage_sets_an_attribute_by_its_name() -> None:
    for path in (ROOT / "pipeline" / "runs").glob("*.py"):
        assert "setattr(" not in path.read_text(), path
