"""Commands that read files: run, schedule, sample."""

import getpass
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import (
    Command,
    JsonOption,
    WaitOption,
    WarehouseOption,
    app,
    warehouse_at,
)


@app.command(cls=Command)
def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=]PATH...",
            help="Folders or files; git+file:///REPOSITORY[#REF[:FOLDER]].",
        ),
    ] = None,
    warehouse: WarehouseOption = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes; 0 = one per processor.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Build every part again, not only what changed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but publish.")] = False,
    git: Annotated[
        str | None,
        typer.Option(
            metavar="[REF]", help="Read the paths as they are in git, by default at HEAD."
        ),
    ] = None,
    history: Annotated[
        bool | None,
        typer.Option(
            "--history/--no-history", help="Observe every commit of a repository (default)."
        ),
    ] = None,
    max_rejects: Annotated[
        str | None, typer.Option(metavar="N|P%", help="Publish nothing if more files are rejected.")
    ] = None,
    allow_empty: Annotated[
        bool | None, typer.Option("--allow-empty", help="Accept that a source has no files.")
    ] = None,
    strict: Annotated[
        bool | None, typer.Option("--strict/--no-strict", help="Repair nothing.")
    ] = None,
    bodies: Annotated[
        bool | None,
        typer.Option("--bodies/--no-bodies", help="Store the text after the front matter."),
    ] = None,
    keep_secured: Annotated[
        bool | None, typer.Option("--keep-secured/--no-keep-secured", help="Store the ciphertext.")
    ] = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Read the sources, build all tables, check and publish them."""
    import gc

    from pipeline.runs import run
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
            "history": history,
        }
    )
    if git is not None:
        from msgspec.structs import replace

        from pipeline.extract.git.repository import address_of

        settings = replace(
            settings, sources=tuple(address_of(source, git) for source in settings.sources)
        )
    with _progress(hidden=quiet or as_json) as progress:
        result = run.run(settings, full=full, dry_run=dry_run, wait=wait, progress=progress)
    if as_json:
        from pipeline.operations.run_summary import as_object

        print(json.dumps(as_object(result), indent=2))
    elif not quiet:
        from pipeline.operations.run_summary import as_text

        print(
            as_text(result, _command(), f" -w {shlex.quote(warehouse)}" if warehouse else ""),
            end="",
        )


@app.command()
def schedule(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=]PATH...", help="As for run.")
    ] = None,
    every: Annotated[str, typer.Option(metavar="TIME", help="Such as 30m, 1h, 1d.")] = "1h",
    mail: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who gets mail when a run fails.")
    ] = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a crontab line and systemd units for regular runs."""
    from pipeline.operations.schedule import parse_every, schedule_object, schedule_text

    place = str(warehouse_at(warehouse).root)
    command = [
        os.path.abspath(sys.argv[0]),
        "run",
        "--quiet",
        *_absolute(sources),
        "--warehouse",
        place,
        "--wait",
        "60",
    ]
    facts = command, Path.cwd(), parse_every(every), mail, getpass.getuser()
    found = schedule_object(*facts)
    print(json.dumps(found, indent=2) + "\n" if as_json else schedule_text(found), end="")


@app.command()
def sample(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write; must be empty or new.")
    ],
    articles: Annotated[int, typer.Option(min=0, max=10_000_000, help="How many articles.")] = 200,
    commits: Annotated[
        int,
        typer.Option(
            min=0,
            max=1_000_000,
            help="Write a git repository instead, with so many commits of two hours each.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
) -> None:
    """Write an invented site with the defects of real ones, or its history."""
    from pipeline.sample import write_history, write_site

    if commits:
        print(
            f"Wrote {write_history(folder, articles, commits, seed):,} commits to the bare repository {folder}."
        )
        return
    print(f"Wrote {write_site(folder, articles, seed):,} files to {folder}.")


def _absolute(sources: list[str] | None) -> list[str]:
    """Sources as `name=path` with whole paths."""
    from pipeline.extract.sources import parse
    from pipeline.settings import load_settings

    found = map(parse, load_settings({"sources": tuple(sources) if sources else None})[0].sources)
    return [f"{source.name}={source.address}" for source in found]


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, only where that is a terminal."""
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, auto_refresh=False
    ) as bar:
        task = bar.add_task("Reading", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, refresh=True)

        yield advance


def _command() -> str:
    """Return how this program was called, for the commands that it proposes."""
    called = sys.argv[0]
    name = os.path.basename(called)
    if name not in ("pipeline", "frontmatter-warehouse"):
        return "python -m pipeline"
    if shutil.which(name) == called:
        return name
    return os.path.relpath(called) if os.path.isabs(called) else called
