"""Commands that read files: run, schedule, sample."""

import getpass
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pipeline.cli import options as cli


@cli.app.command(cls=cli.Command)
def run(
    sources: cli.SourcesArgument = None,
    warehouse: cli.WarehouseOption = None,
    workers: Annotated[int | None, cli.option("workers")] = None,
    full: Annotated[bool, cli.option("full")] = False,
    dry_run: Annotated[bool, cli.option("run.dry_run")] = False,
    git: Annotated[str | None, cli.option("git")] = None,
    history: Annotated[bool | None, cli.option("history")] = None,
    max_rejects: Annotated[str | None, cli.option("max_rejects")] = None,
    allow_empty: Annotated[bool | None, cli.option("allow_empty")] = None,
    strict: Annotated[bool | None, cli.option("strict")] = None,
    bodies: Annotated[bool | None, cli.option("bodies")] = None,
    keep_secured: Annotated[bool | None, cli.option("keep_secured")] = None,
    wait: cli.WaitOption = 0,
    as_json: cli.JsonOption = False,
    quiet: Annotated[bool, cli.option("quiet")] = False,
) -> None:
    """Read the sources, build all tables, check and publish them."""
    import gc

    from pipeline.runs import run
    from pipeline.settings import load_settings

    gc.disable()  # it frees next to nothing here, and costs a tenth of the time
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

        cli.print_json(as_object(result))
    elif not quiet:
        from pipeline.operations.run_summary import as_text

        options = f" -w {shlex.quote(warehouse)}" if warehouse else ""
        print(as_text(result, _command(), options), end="")


@cli.app.command()
def schedule(
    sources: cli.SourcesArgument = None,
    every: Annotated[str, cli.option("every")] = "1h",
    mail: Annotated[str | None, cli.option("mail")] = None,
    warehouse: cli.WarehouseOption = None,
    as_json: cli.JsonOption = False,
) -> None:
    """Print a crontab line and systemd units for regular runs."""
    from pipeline.operations import schedule as schedules

    command = [os.path.abspath(sys.argv[0]), "run", "--quiet", *_absolute(sources)]
    command += ["--warehouse", str(cli.warehouse_at(warehouse).root), "--wait", "60"]
    interval, user = schedules.parse_every(every), getpass.getuser()
    planned = schedules.ScheduledRun(command, Path.cwd(), interval, mail, user)
    units = schedules.schedule_object(planned)
    if as_json:
        cli.print_json(units)
    else:
        print(schedules.schedule_text(units), end="")


@cli.app.command()
def sample(
    folder: Annotated[Path, cli.argument("folder")],
    articles: Annotated[int, cli.option("articles")] = 200,
    commits: Annotated[int, cli.option("commits")] = 0,
    seed: Annotated[int, cli.option("sample.seed")] = 0,
) -> None:
    """Write an invented site with real defects, or its history."""
    from pipeline.sample import write_history, write_site

    if commits:
        count = write_history(folder, articles, commits, seed)
        print(f"Wrote {count:,} commits to the bare repository {folder}.")
    else:
        print(f"Wrote {write_site(folder, articles, seed):,} files to {folder}.")


def _absolute(sources: list[str] | None) -> list[str]:
    """Return sources as `name=path`, with absolute paths."""
    from pipeline.extract.sources import parse
    from pipeline.settings import load_settings

    settings, _ = load_settings({"sources": tuple(sources) if sources else None})
    return [f"{source.name}={source.address}" for source in map(parse, settings.sources)]


@contextmanager
def _progress(*, hidden: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a progress bar on standard error if that is a terminal."""
    if hidden or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn())
    with rich.Progress(
        *columns,
        rich.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
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
