"""Run the commands that the pages show, and print what they print.

`make docs-check` fails if a page differs from what this module prints, `make docs-write` updates
the pages. What differs from run to run (times, snapshot ids, paths) is replaced by fixed examples.

`pipeline` runs in a fork of this process, which has imported what commands import; that takes a
third of the processor time of a new interpreter. What it is piped into, and every other command,
goes through a shell.
"""

import atexit
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COLUMNS = "116"

_root = Path(tempfile.mkdtemp(prefix="docs-")).resolve()
atexit.register(shutil.rmtree, _root, ignore_errors=True)
_cwd = _root
_blocks: dict[tuple[Path, str], str] = {}
"""The block that a command gave when it first ran in a folder."""

_EXAMPLES = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ", "2026-01-02T03:04:05Z  "),
    (r"\b\d+\.\d s\b", "0.6 s"),
    (r"(newest article of .*Z), [0-9.]+ (?:min|h|d) ago", r"\1, 639.8 d ago"),
    (
        r"(newest file of \S+ +)\d{4}-\d\d-\d\d \d\d:\d\dZ, [0-9.]+ (?:min|h|d) ago",
        r"\g<1>2026-01-02 02:51Z, 25 min ago",
    ),
    (
        r"(last good run +)\d{4}-\d\d-\d\d \d\d:\d\dZ, [0-9.]+ (?:min|h|d) ago",
        r"\g<1>2026-01-02 03:04Z, 12 min ago",
    ),
    (r"\([1-9][0-9,]* bytes\)", "(48,213 bytes)"),
    (r"(?m)^\d+( \* \* \* \* cd )", r"21\1"),
    (r"\d{8}T\d{6}\.\d{6}Z-\d+", "20260102T030405.678901Z-4711"),
    (re.escape(os.fspath(BIN)), "/opt/news/bin"),
    (re.escape(os.fspath(_root)) + r"/[\w-]+", "/srv/news"),
]
_PIPELINE = re.compile(
    r"""(pipeline\ (?: '[^']*' | "[^"$`]*" | [^'"|>;&<$*#`] )*) (?: \|\ (.*) | >\ (\S+) )?""",
    re.VERBOSE,
)
"""A command of `pipeline` without shell syntax, then a pipe or the file that its output goes to."""
_snapshots: dict[Path, dict[str, int]] = {}
"""The snapshots that appeared in each folder, numbered."""


def enter(name: str) -> None:
    """Run the following commands in a folder of this name; create it empty if it does not exist."""
    global _cwd
    _cwd = _root / name
    _cwd.mkdir(exist_ok=True)


def enter_sample() -> None:
    """Run the following commands beside a copy of `data/raw` and the warehouse made of it."""
    enter("sample")
    if not (_cwd / "data").exists():
        shutil.copytree(ROOT / "data" / "raw", _cwd / "data" / "raw")
        _block("pipeline run", 0)


def write_file(name: str, content: str) -> None:
    """Write a file where commands run, and print it as a block."""
    (_cwd / name).write_text(content.lstrip())
    language = Path(name).suffix.removeprefix(".")
    print(f"```{language}", f"# {name}", content.strip(), "```", sep="\n")


def show(command: str, *, head: int = 0, status: int = 0, first: bool = False) -> None:
    """Run a command and print it with its output as a block.

    `head` limits the output to so many lines, `first` shows the output of the first time that the
    command ran in this folder. Raises AssertionError if the exit status is not `status`.
    """
    block = _blocks.get((_cwd, command)) if first else None
    print(_cut(block or _block(command, status), head))


def _block(command: str, status: int) -> str:
    code, text = _run(command)
    assert code == status, f"{command}: exit status {code}, expected {status}\n{text}"
    text = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{8}", _example_snapshot, text)
    for pattern, example in _EXAMPLES:
        text = re.sub(pattern, example, text)
    prompt = f"$ {command}" + (f"  # exits with {status}" if status else "")
    block = "\n".join([prompt, *(line.rstrip() for line in text.rstrip().splitlines())])
    _blocks.setdefault((_cwd, command), block)
    return block


def _cut(block: str, head: int) -> str:
    prompt, *lines = block.split("\n")
    if head and len(lines) > head:
        lines = [*lines[:head], "..."]
    return "\n".join(["```console", prompt, *lines, "```"])


def _example_snapshot(match: re.Match[str]) -> str:
    """Return an example for a snapshot's id: the n-th in a folder gets the n-th hour."""
    numbers = _snapshots.setdefault(_cwd, {})
    number = numbers.setdefault(match[0], len(numbers))
    day, hour = divmod(number, 24)
    return f"202601{2 + day:02}T{hour:02}0405Z-{0x1A2B3C4D + number * 0x01234567 & 0xFFFFFFFF:08x}"


def _run(command: str) -> tuple[int, str]:
    """Run a command; return its exit status, and its standard output and error joined."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")
    }
    environment |= {
        "COLUMNS": COLUMNS,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PIPELINE_WORKERS": "1",  # 200 files are built before a second process has started
        "PYTHONWARNINGS": "",
    }
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        if match := _PIPELINE.fullmatch(command):
            code = _fork(shlex.split(match[1]), environment, output.fileno(), errors.fileno())
            rest = match[2] or (f"cat > {match[3]}" if match[3] else "cat")
        else:
            code, rest = 0, command
        output.seek(0)
        done = subprocess.run(
            rest,
            shell=True,
            cwd=_cwd,
            env=environment,
            stdin=output,
            capture_output=True,
            text=True,
        )
        errors.seek(0)
        return code or done.returncode, done.stdout + errors.read().decode() + done.stderr


@cache
def _import_what_commands_import() -> None:
    import duckdb  # noqa: F401
    import jinja2  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import rich.table  # noqa: F401

    import pipeline.query.session
    import pipeline.report.compose
    import pipeline.runs.run
    import pipeline.views.catalog  # noqa: F401


def _fork(words: list[str], environment: dict[str, str], output: int, errors: int) -> int:
    """Run the command line in a fork of this process, and return its exit status."""
    from pipeline import cli

    _import_what_commands_import()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(errors, 2)
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(_cwd)
            sys.argv = [os.fspath(BIN / "pipeline"), *words[1:]]
            cli.entry()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
