"""The command line: parse, call one function, print. Heavy imports happen inside the commands."""

import io
import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy comes with Arrow; its idle threads cost start-up time and memory

import typer

from pipeline import __version__
from pipeline.errors import PipelineError, UsageError

if TYPE_CHECKING:
    from pipeline.load.snapshots import Warehouse

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Turn front-matter news articles into Parquet tables with DuckDB views for quality, heat and coverage reports.",
    epilog="Exit status: 0 done, 1 failed, 2 usage, 3 too many rejections, 4 a check failed, 5 another run holds the lock.",
)

WarehouseOption = Annotated[str | None, typer.Option("--warehouse", "-w", metavar="DIR", help="Folder of the warehouse.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"pipeline {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    sources: Annotated[list[str] | None, typer.Argument(metavar="[NAME=]PATH...", help="Folders or files with articles.")] = None,
    warehouse: WarehouseOption = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; 0 = one per processor.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Build every part again, not only what changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but publish.")] = False,
    max_rejects: Annotated[str | None, typer.Option(metavar="N|P%", help="Publish nothing if more files are rejected.")] = None,
    allow_empty: Annotated[bool | None, typer.Option("--allow-empty", help="Accept that a source has no files any more.")] = None,
    strict: Annotated[bool | None, typer.Option("--strict/--no-strict", help="Repair nothing.")] = None,
    bodies: Annotated[bool | None, typer.Option("--bodies/--no-bodies", help="Store the text after the front matter.")] = None,
    keep_secured: Annotated[bool | None, typer.Option("--keep-secured/--no-keep-secured", help="Store the ciphertext.")] = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Read the sources, build all tables, check and publish them."""
    import gc

    from pipeline import runs
    from pipeline.settings import load_settings

    gc.disable()  # a short life with few cycles: collecting costs a tenth of the time and frees next to nothing
    settings, _ = load_settings(
        {
            "sources": tuple(sources) if sources else None,
            "warehouse": warehouse,
            "workers": workers,
            "max_rejects": max_rejects,
            "allow_empty": allow_empty,
            "strict": strict,
            "keep_bodies": bodies,
            "keep_secured": keep_secured,
        }
    )
    with _progress(hidden=quiet or as_json) as progress:
        result = runs.run(settings, full=full, dry_run=dry_run, progress=progress, own_process=True)
    if as_json:
        from pipeline.summary import as_object

        print(json.dumps(as_object(result), indent=2))
    elif not quiet:
        from pipeline.summary import as_text

        print(as_text(result, _command(), f" -w {shlex.quote(warehouse)}" if warehouse else ""), end="")


@app.command()
def query(
    sql: Annotated[str | None, typer.Argument(help="One SQL statement.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the statement from a file; - is standard input.")] = None,
    style: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv, json, jsonl, md or parquet.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Ask the published snapshot a question in SQL."""
    from pipeline.query import answer, write_parquet

    if (sql is None) == (file is None):
        raise UsageError("query: give one statement, as an argument or with --file.")
    text = sql if sql is not None else sys.stdin.read() if str(file) == "-" else _read(Path(str(file)))
    if style == "parquet":
        if output is None:
            raise UsageError("query: parquet is no text. Name a file with --output.")
        write_parquet(text, output, _warehouse(warehouse))
        return
    _emit(*answer(text, _warehouse(warehouse)), style, output)


@app.command()
def status(warehouse: WarehouseOption = None, as_json: JsonOption = False) -> None:
    """Show what is published, the last runs and the settings."""
    from pipeline.settings import load_settings
    from pipeline.status import status_object, status_text

    settings, origins = load_settings({"warehouse": warehouse})
    found = status_object(settings, origins)
    print(json.dumps(found, indent=2) if as_json else status_text(found), end="\n" if as_json else "")


@app.command()
def rejects(warehouse: WarehouseOption = None, as_json: JsonOption = False) -> None:
    """Print files that could not be read, by path:line:column."""
    from pipeline.defects import rejection_lines, rejections

    _print_defects(rejections(_warehouse(warehouse)), rejection_lines, as_json)


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(metavar="RULE", help="Only defects of this kind.")] = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print defects that were survived, by path:line:column."""
    from pipeline.defects import finding_lines
    from pipeline.defects import findings as found

    _print_defects(found(_warehouse(warehouse), rule), finding_lines, as_json)


@app.command()
def schema(
    name: Annotated[str | None, typer.Argument(help="One table or view.")] = None,
    style: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv, json, jsonl or md.")] = "table",
) -> None:
    """Print the tables, or the columns of one."""
    from pipeline.dictionary import columns_of, tables

    _emit(*(tables() if name is None else columns_of(name)), style, None)


@app.command()
def check(warehouse: WarehouseOption = None, as_json: JsonOption = False) -> None:
    """Run the checks on the published snapshot."""
    import msgspec

    from pipeline.checks import run_checks
    from pipeline.errors import CheckFailed
    from pipeline.load.catalog import connect
    from pipeline.summary import checks_text

    results = run_checks(connect(_warehouse(warehouse)))
    if as_json:
        print(json.dumps([msgspec.to_builtins(result) | {"failed": result.failed} for result in results], indent=2, default=str))
    else:
        print(checks_text(results), end="")
    if any(result.failed for result in results):
        raise typer.Exit(CheckFailed.exit_code)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; must be empty or new.")],
    articles: Annotated[int, typer.Option(min=0, max=10_000_000, help="How many articles.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
) -> None:
    """Write an invented site with the defects of real ones."""
    from pipeline.sample import write_site

    print(f"Wrote {write_site(folder, articles, seed):,} files to {folder}.")


def _warehouse(folder: str | None) -> "Warehouse":
    from pipeline.load.snapshots import Warehouse
    from pipeline.settings import load_settings

    return Warehouse(load_settings({"warehouse": folder})[0].warehouse)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Name a text file.") from error


def _emit(names: list[str], rows: list[tuple[Any, ...]], style: str, output: Path | None) -> None:
    from pipeline.render import FORMATS, render

    if style not in FORMATS:
        raise UsageError(f"--format {style}: unknown. Choose one of {', '.join(FORMATS)}.")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and output is None else None
    text = render(names, rows, style, width=width)
    if output is None:
        sys.stdout.write(text)
    else:
        from pipeline.load.files import replace_file

        if output.exists() and not output.is_file():
            output.write_text(text, newline="")
        else:
            replace_file(output.resolve(), text.encode())


def _print_defects(rows: list[dict[str, Any]], lines: Callable[[list[dict[str, Any]]], Iterator[str]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
    else:
        for line in lines(rows):
            print(line)


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, only where that is a terminal."""
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("Reading", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, refresh=True)

        yield advance


def _command() -> str:
    """How this program was called, for the commands that it proposes."""
    called = sys.argv[0]
    if shutil.which("pipeline") == called or not called.endswith("pipeline"):
        return "pipeline" if called.endswith("pipeline") else "python -m pipeline"
    return os.path.relpath(called) if os.path.isabs(called) else called


def _stop(number: int, _: object) -> None:
    """A clean stop: the lock is freed, the run's record says so, what is published stays."""
    signal.signal(number, signal.SIG_IGN)
    print("pipeline: stopped; the published snapshot is as it was.", file=sys.stderr)
    raise SystemExit(128 + number)


def entry() -> None:
    """Run the command line; errors of ours are one line on standard error."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _run_app()
    try:
        sys.stdout.flush()
    except OSError:
        code = code or 1
    sys.stderr.flush()
    os._exit(code)  # everything is closed and written: taking the interpreter apart would cost a tenth of a second


def _run_app() -> int:
    try:
        app()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except PipelineError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1
    return 0
