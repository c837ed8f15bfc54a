"""Commands that look at what is published: status, rejects, findings, schema, check."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import JsonOption, WarehouseOption, app, line_end, warehouse_at, write
from pipeline.errors import UsageError


@app.command()
def status(
    warehouse: WarehouseOption = None,
    max_article_age: Annotated[
        str | None,
        typer.Option(
            metavar="[WARN,]ERROR", help="Age of a source's newest article, such as 6h,1d."
        ),
    ] = None,
    max_file_age: Annotated[
        str | None, typer.Option(metavar="[WARN,]ERROR", help="Age of a source's newest file.")
    ] = None,
    max_run_age: Annotated[
        str | None, typer.Option(metavar="[WARN,]ERROR", help="Age of the last good run.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is published and how fresh it is.

    Also the last runs and the settings. Exit status 6 or 7 where something is older than its limit.
    """
    import datetime as dt

    from pipeline.operations.freshness import EXIT_CODES, over_limit, worst
    from pipeline.operations.status import status_clocks, status_object, status_text
    from pipeline.settings import load_settings

    limits = {
        "max_article_age": max_article_age,
        "max_file_age": max_file_age,
        "max_run_age": max_run_age,
    }
    settings, origins = load_settings({"warehouse": warehouse, **limits})
    clocks = status_clocks(settings, dt.datetime.now(dt.UTC))
    found = status_object(settings, origins, clocks)
    print(
        json.dumps(found, indent=2) if as_json else status_text(found, clocks),
        end="\n" if as_json else "",
    )
    if code := EXIT_CODES[worst(clocks)]:
        sys.stdout.flush()
        print(
            f"pipeline: {'too old' if code == EXIT_CODES['error'] else 'getting old'}:"
            f" {over_limit(clocks)}.",
            file=sys.stderr,
        )
        raise typer.Exit(code)


@app.command()
def rejects(
    run_id: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="Those of a run that was refused: its id, or last."
        ),
    ] = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print files that could not be read, by path:line:column."""
    from pipeline.query.defects import refused, rejection_lines, rejections

    place = warehouse_at(warehouse)
    if run_id is None:
        rows = rejections(place)
    else:
        run_id, rows = refused(place, run_id)
        print(f"Run {run_id}: {len(rows):,} files were rejected.", file=sys.stderr)
    _print_defects(rows, rejection_lines, as_json)


@app.command()
def findings(
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="Only defects of this kind.")
    ] = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print defects that were survived, by path:line:column."""
    from pipeline.query.defects import finding_lines, rules
    from pipeline.query.defects import findings as found

    place = warehouse_at(warehouse)
    rows = found(place, rule)
    if rule and not rows:
        print(
            f"No finding of rule {rule}. There are: {', '.join(dict.fromkeys(rules(place))) or 'none'}.",
            file=sys.stderr,
        )
    _print_defects(rows, finding_lines, as_json)


@app.command()
def history(
    article: Annotated[
        str,
        typer.Argument(
            metavar="ARTICLE",
            help="An article_id, a URL, a path, a title or part of it.",
        ),
    ],
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the history of one article: its heat over time, each change of scores and content."""
    from pipeline.cli.options import terminal_width
    from pipeline.query.timeline import timeline, timeline_object, timeline_text

    found = timeline(warehouse_at(warehouse), article)
    if as_json:
        print(json.dumps(timeline_object(found), indent=2, ensure_ascii=False))
    else:
        print(timeline_text(found, terminal_width(None)), end="")


@app.command()
def schema(
    name: Annotated[str | None, typer.Argument(help="One table or view.")] = None,
    style: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, csv, json, jsonl, md or html.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write to a file.")
    ] = None,
) -> None:
    """Print the tables and views, or the columns of one and what it reads."""
    from pipeline.views.dictionary.text import shown

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and output is None else None
    write(shown(name, style, width=width, line_end=line_end(output)), output)


@app.command()
def check(
    warehouse: WarehouseOption = None,
    style: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json or junit.")
    ] = "text",
    as_json: JsonOption = False,
) -> None:
    """Run the checks on the published snapshot.

    Thresholds and levels of checks are set in the table [checks] of pipeline.toml, such as max_rejected_files = 5 or
    files_rejected = "error" (or "warn", "off"). Exit status 4 where a check of level error finds rows.
    """
    from pipeline.errors import CheckFailed
    from pipeline.load.warehouse import Warehouse
    from pipeline.operations.check_results import FORMATS, checks_in
    from pipeline.settings import load_settings
    from pipeline.views.catalog import connect
    from pipeline.views.checks import refuse_unknown, run_checks

    if style not in FORMATS or (as_json and style == "junit"):
        raise UsageError(
            f"--format {style}: unknown, or not what --json asks for. Choose one of {', '.join(FORMATS)}."
        )
    settings, _ = load_settings({"warehouse": warehouse})
    refuse_unknown(settings.checks)
    results = run_checks(connect(Warehouse(settings.warehouse)), settings.checks)
    print(checks_in("json" if as_json else style, results), end="")
    if any(result.failed for result in results):
        raise typer.Exit(CheckFailed.exit_code)


def _print_defects(
    rows: list[dict[str, Any]],
    lines: Callable[[list[dict[str, Any]]], Iterator[str]],
    as_json: bool,
) -> None:
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
    else:
        for line in lines(rows):
            print(line)
