"""Commands for what is kept: snapshots, diff, rollback, gc, forget."""

from typing import Annotated

from pipeline.cli import options as cli
from pipeline.errors import UsageError


@cli.app.command()
def snapshots(
    warehouse: cli.WarehouseOption = None,
    style: Annotated[str, cli.option("snapshots.format")] = "table",
) -> None:
    """List the snapshots that are kept."""
    from pipeline.load.retention import snapshots as kept
    from pipeline.operations.status import snapshot_rows
    from pipeline.text import FORMATS, STREAMED, render

    if style not in FORMATS:
        raise UsageError(f"--format {style}: unknown. Choose one of {', '.join(FORMATS)}.")
    names, rows = snapshot_rows(kept(cli.warehouse_at(warehouse)))
    if style not in STREAMED:  # the mark of the current one is not a value
        rows = [(mark or "", *values) for mark, *values in rows]
    print(render(names, rows, style, width=cli.terminal_width(None)), end="")


@cli.app.command()
def diff(
    before: Annotated[str, cli.argument("before")] = "previous",
    after: Annotated[str, cli.argument("after")] = "current",
    warehouse: cli.WarehouseOption = None,
    as_json: cli.JsonOption = False,
    every: cli.AllOption = False,
) -> None:
    """Compare the articles of two snapshots, field by field.

    A summary by kind of change and by field comes first.
    """
    from pipeline.query.diff import LISTED, diff_object, diff_text
    from pipeline.query.diff import diff as compare

    found = compare(cli.warehouse_at(warehouse), before, after)
    if as_json:
        cli.print_json(diff_object(found))
    else:
        print(diff_text(found, cli.terminal_width(None), None if every else LISTED), end="")


@cli.app.command()
def rollback(
    snapshot: Annotated[str, cli.argument("rollback.snapshot")],
    warehouse: cli.WarehouseOption = None,
    wait: cli.WaitOption = 0,
) -> None:
    """Publish an older snapshot again. The next run compares the files with it."""
    from pipeline.runs.maintenance import roll_back

    record = roll_back(cli.warehouse_at(warehouse), snapshot, wait=wait)
    print(f"Published {record.snapshot} again{': ' + record.message if record.message else ''}.")


@cli.app.command()
def gc(
    keep: Annotated[int | None, cli.option("keep")] = None,
    keep_days: Annotated[float | None, cli.option("keep_days")] = None,
    dry_run: Annotated[bool, cli.option("gc.dry_run")] = False,
    warehouse: cli.WarehouseOption = None,
    wait: cli.WaitOption = 0,
    as_json: cli.JsonOption = False,
) -> None:
    """Remove old snapshots and files that belong to none.

    What readers could see within the last hour stays.
    """
    import msgspec

    from pipeline.operations.run_summary import swept_text
    from pipeline.runs.maintenance import collect_garbage
    from pipeline.settings import load_settings

    settings, _ = load_settings({"warehouse": warehouse})
    keep = settings.keep_snapshots if keep is None else keep
    days = settings.keep_days if keep_days is None else keep_days
    swept = collect_garbage(cli.warehouse_at(warehouse), keep, days, dry_run=dry_run, wait=wait)
    if as_json:
        cli.print_json(msgspec.to_builtins(swept))
    else:
        print(swept_text(swept, dry_run=dry_run))


@cli.app.command()
def forget(
    source: Annotated[str, cli.argument("source")],
    warehouse: cli.WarehouseOption = None,
    wait: cli.WaitOption = 0,
) -> None:
    """Drop one source from the warehouse. Older snapshots still have it until gc removes them."""
    from pipeline.runs import run
    from pipeline.settings import load_settings
    from pipeline.text import printable

    settings, _ = load_settings({"warehouse": warehouse})
    record = run.forget(settings, source, wait=wait).record
    print(f"Forgot {printable(source)}: {record.deleted:,} files. Published {record.snapshot}.")
