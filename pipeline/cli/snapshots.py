"""Commands for what is kept: snapshots, diff, rollback, gc, forget."""

import json
from typing import Annotated

import typer

from pipeline.cli.options import (
    AllOption,
    JsonOption,
    WaitOption,
    WarehouseOption,
    app,
    emit,
    terminal_width,
    warehouse_at,
)


@app.command()
def snapshots(
    warehouse: WarehouseOption = None,
    style: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, csv, json, jsonl or md.")
    ] = "table",
) -> None:
    """List the snapshots that are kept."""
    from pipeline.load.retention import snapshots as kept
    from pipeline.operations.status import snapshot_rows

    emit(*snapshot_rows(kept(warehouse_at(warehouse))), style, None)


@app.command()
def diff(
    before: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A snapshot: its id, the beginning of it, or previous.",
        ),
    ] = "previous",
    after: Annotated[str, typer.Argument(metavar="B", help="Another one, or current.")] = "current",
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    every: AllOption = False,
) -> None:
    """Compare the articles of two snapshots, field by field.

    A summary by kind of change and by field comes first.
    """
    from pipeline.query.diff import LISTED, diff_object, diff_text
    from pipeline.query.diff import diff as compare

    found = compare(warehouse_at(warehouse), before, after)
    if as_json:
        print(json.dumps(diff_object(found), indent=2, ensure_ascii=False))
    else:
        print(diff_text(found, terminal_width(None), None if every else LISTED), end="")


@app.command()
def rollback(
    snapshot: Annotated[
        str, typer.Argument(metavar="ID", help="A snapshot, the beginning of its id, or previous.")
    ],
    warehouse: WarehouseOption = None,
    wait: WaitOption = 0,
) -> None:
    """Publish an older snapshot again. The next run compares the files with it."""
    from pipeline.runs.maintenance import roll_back

    record = roll_back(warehouse_at(warehouse), snapshot, wait=wait)
    print(f"Published {record.snapshot} again{': ' + record.message if record.message else ''}.")


@app.command()
def gc(
    keep: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Newest snapshots that stay.")
    ] = None,
    keep_days: Annotated[
        float | None, typer.Option(min=0, metavar="D", help="All younger than so many days stay.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    warehouse: WarehouseOption = None,
    wait: WaitOption = 0,
    as_json: JsonOption = False,
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
    swept = collect_garbage(warehouse_at(warehouse), keep, days, dry_run=dry_run, wait=wait)
    print(
        json.dumps(msgspec.to_builtins(swept), indent=2)
        if as_json
        else swept_text(swept, dry_run=dry_run)
    )


@app.command()
def forget(
    source: Annotated[str, typer.Argument(metavar="NAME", help="Name of a source.")],
    warehouse: WarehouseOption = None,
    wait: WaitOption = 0,
) -> None:
    """Drop one source from the warehouse. Older snapshots still have it until gc removes them."""
    from pipeline.runs import run
    from pipeline.settings import load_settings
    from pipeline.text import printable

    settings, _ = load_settings({"warehouse": warehouse})
    record = run.forget(settings, source, wait=wait).record
    print(f"Forgot {printable(source)}: {record.deleted:,} files. Published {record.snapshot}.")
