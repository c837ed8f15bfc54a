"""Run the commands that README and docs show, and print what they print; `make docs` checks that it is still so.

What differs from run to run (times, snapshot ids) is replaced by a fixed example.
"""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PLACE = Path(tempfile.mkdtemp(prefix="tour-"))
atexit.register(shutil.rmtree, _PLACE, ignore_errors=True)
shutil.copytree(ROOT / "data" / "raw", _PLACE / "data" / "raw")

_FOLDER = [_PLACE]
"""Where commands run."""

_SNAPSHOTS: dict[str, int] = {}
_VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  "), "2026-01-02T03:04:05Z  "),
    (re.compile(r"\b\d+\.\d s\b"), "0.6 s"),
    (re.compile(r"(newest article of .*Z), [0-9.]+ (min|h|d) ago"), r"\1, 639.8 d ago"),
    (
        re.compile(r"(newest file of \S+ +)\d{4}-\d\d-\d\d \d\d:\d\dZ, [0-9.]+ (min|h|d) ago"),
        r"\g<1>2026-01-02 02:51Z, 25 min ago",
    ),
    (
        re.compile(r"(last good run +)\d{4}-\d\d-\d\d \d\d:\d\dZ, [0-9.]+ (min|h|d) ago"),
        r"\g<1>2026-01-02 03:04Z, 12 min ago",
    ),
    (re.compile(r"\([1-9][0-9,]* bytes\)"), "(48,213 bytes)"),
    (re.compile(r"(?m)^\d+( \* \* \* \* cd )"), r"21\1"),
    (re.compile(r"\d{8}T\d{6}\.\d{6}Z-\d+"), "20260102T030405.678901Z-4711"),
    (re.compile(re.escape(os.fspath(Path(sys.executable).parent))), "/opt/news/bin"),
    (re.compile(re.escape(os.fspath(_PLACE / "operating"))), "/srv/news"),
    (
        re.compile(re.escape(os.fspath(_PLACE.resolve())) + "|" + re.escape(os.fspath(_PLACE))),
        "/srv/news",
    ),
]


def _snapshot(found: re.Match[str]) -> str:
    """An example for a snapshot's id: the same for the same one, another hour and content for another one."""
    _SNAPSHOTS.setdefault(found[0], len(_SNAPSHOTS))
    number = _SNAPSHOTS[found[0]]
    return f"202601{2 + number // 24:02}T{number % 24:02}0405Z-{0x1A2B3C4D + number * 0x01234567 & 0xFFFFFFFF:08x}"


def enter(name: str) -> None:
    """Go to a new empty folder."""
    _FOLDER[0] = _PLACE / name
    _FOLDER[0].mkdir()


def file(name: str, content: str) -> None:
    """Write a file where commands run, and print it."""
    (_FOLDER[0] / name).write_text(content.lstrip())
    print(f"```toml title={name}", content.strip(), "```", sep="\n")


def show(command: str, *, head: int = 0, expected: int = 0) -> None:
    """Print a shell command and its output as a block; with `head`, only its first lines. Raises where its status differs."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "116",
        "PYTHONWARNINGS": "",
    }
    environment = {
        name: value for name, value in environment.items() if not name.startswith("PIPELINE_")
    }
    done = subprocess.run(
        command,
        shell=True,
        cwd=_FOLDER[0],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, (command, done)
    text = done.stdout + done.stderr
    text = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{8}", _snapshot, text)
    for pattern, example in _VOLATILE:
        text = pattern.sub(example, text)
    lines = text.rstrip().splitlines()
    if head and len(lines) > head:
        lines = [*lines[:head], "..."]
    shown = f"$ {command}" + (f"  # exits with {expected}" if expected else "")
    print("```console", shown, *(line.rstrip() for line in lines), "```", sep="\n")


def tables() -> None:
    """Print the tables of the warehouse as Markdown."""
    from pipeline.schema.tables import RUNS, TABLES

    print("| table | one row per |", "|---|---|", sep="\n")
    for table in (*TABLES.values(), RUNS):
        print(
            f"| `{table.name}` | {table.grain}{' (derived)' if table.derived and table is not RUNS else ''} |"
        )


def views() -> None:
    """Print the views of `sql/` as Markdown, by folder."""
    from pipeline.views.relations import relations

    print("| views | one row per |", "|---|---|", sep="\n")
    for relation in relations("views", "reports"):
        folder = relation.path.parent.name
        about = relation.comment.removeprefix("One row per ").replace("|", "\\|")
        print(f"| {'facts' if folder == 'views' else folder}: `{relation.name}` | {about} |")


def settings() -> None:
    """Print every setting with its default and meaning as Markdown."""
    import ast
    import inspect

    from pipeline.settings import Settings

    defaults = Settings()
    [definition] = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(definition, ast.ClassDef)
    print("| setting | default | meaning |", "|---|---|---|", sep="\n")
    for field, note in zip(definition.body[1:], definition.body[2:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
        ):
            value = getattr(defaults, field.target.id)
            shown = (
                " ".join(value)
                if isinstance(value, tuple)
                else str(value).lower()
                if isinstance(value, bool)
                else value
            )
            print(
                f"| `{field.target.id}` | {f'`{shown}`' if shown != '' else ''} | {ast.literal_eval(note.value)} |"
            )
