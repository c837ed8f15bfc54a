"""Commands that look at what is published: status, rejects, findings, schema, check."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

from typer import Exit

from pipeline.cli import options as cli
from pipeline.errors import UsageError


@cli.app.command()
def status(
    warehouse: cli.WarehouseOption = None,
    max_article_age: Annotated[str | None, cli.option("max_article_age")] = None,
    max_file_age: Annotated[str | None, cli.option("max_file_age")] = None,
    max_run_age: Annotated[str | None, cli.option("max_run_age")] = None,
    as_json: cli.JsonOption = False,
) -> None:
    """Show what is published and how fresh it is.

    Also the last runs and the settings. Exit status 6 or 7 if something is older than its limit.
    """
    import datetime as dt

    from pipeline.operations.freshness import EXIT_CODES, over_limit, read_clocks, worst
    from pipeline.operations.status import status_object, status_text
    from pipeline.settings import load_settings

    limits = {
        "max_article_age": max_article_age,
        "max_file_age": max_file_age,
        "max_run_age": max_run_age,
    }
    settings, origins = load_settings({"warehouse": warehouse, **limits})
    clocks = read_clocks(settings, dt.datetime.now(dt.UTC))
    found = status_object(settings, origins, clocks)
    if as_json:
        cli.print_json(found)
    else:
        print(status_text(found, clocks), end="")
    if code := EXIT_CODES[worst(clocks)]:
        sys.stdout.flush()
        print(
            f"pipeline: {'too old' if code == EXIT_CODES['error'] else 'getting old'}:"
            f" {over_limit(clocks)}.",
            file=sys.stderr,
        )
        raise Exit(code)


@cli.app.command()
def rejects(
    run_id: Annotated[str | None, cli.option("run_id")] = None,
    warehouse: cli.WarehouseOption = None,
    as_json: cli.JsonOption = False,
) -> None:
    """Print files that could not be read, by path:line:column."""
    from pipeline.query import defects

    if run_id is None:
        records = defects.rejections(cli.warehouse_at(warehouse))
    else:
        run_id, records = defects.refused(cli.warehouse_at(warehouse), run_id)
        print(f"Run {run_id} rejected {len(records):,} files.", file=sys.stderr)
    _print_defects(records, defects.rejection_lines(records), as_json)


@cli.app.command()
def findings(
    rule: Annotated[str | None, cli.option("rule")] = None,
    warehouse: cli.WarehouseOption = None,
    as_json: cli.JsonOption = False,
    every: cli.AllOption = False,
) -> None:
    """Print defects of loaded articles, by path:line:column.

    A summary by rule and by field comes first.
    """
    from pipeline.query import defects

    records = defects.findings(cli.warehouse_at(warehouse), rule)
    if rule and not records:
        known = ", ".join(defects.rules(cli.warehouse_at(warehouse))) or "none"
        print(f"No finding of rule {rule} (rules with findings: {known}).", file=sys.stderr)
    limit = None if every else defects.LISTED
    _print_defects(records, defects.finding_lines(records, limit), as_json)


@cli.app.command()
def history(
    article: Annotated[str, cli.argument("article")],
    warehouse: cli.WarehouseOption = None,
    as_json: cli.JsonOption = False,
) -> None:
    """Print the history of one article: heat, scores and content."""
    from pipeline.query.timeline import timeline, timeline_object, timeline_text

    found = timeline(cli.warehouse_at(warehouse), article)
    if as_json:
        cli.print_json(timeline_object(found))
    else:
        print(timeline_text(found, cli.terminal_width(None)), end="")


@cli.app.command()
def schema(
    name: Annotated[str | None, cli.argument("schema.name")] = None,
    style: Annotated[str | None, cli.option("schema.format")] = None,
    output: cli.OutputOption = None,
) -> None:
    """Print all tables and views, or one with its columns."""
    from pipeline.text import STREAMED
    from pipeline.views.dictionary.text import shown

    endings = {name: name for name in (*STREAMED, "md", "html")} | cli.TEXT_ENDINGS
    style = cli.output_format(style, output, endings, "table")
    width = cli.terminal_width(output) if sys.stdout.isatty() else None
    cli.write(shown(name, style, width=width, line_end=cli.line_end(output)), output)


@cli.app.command()
def check(
    warehouse: cli.WarehouseOption = None,
    style: Annotated[str, cli.option("check.format")] = "text",
    as_json: cli.JsonOption = False,
) -> None:
    """Run the checks on the published snapshot.

    The table [checks] of pipeline.toml sets thresholds and levels of checks, such as
    max_rejected_files = 5 or files_rejected = "error" (or "warn", "off"). Exit status 4 if a check
    of level error finds rows.
    """
    from pipeline.errors import CheckFailed
    from pipeline.load.warehouse import Warehouse
    from pipeline.operations.check_results import FORMATS
    from pipeline.settings import load_settings
    from pipeline.views.catalog import connect
    from pipeline.views.checks import refuse_unknown, run_checks

    if style not in FORMATS or (as_json and style == "junit"):
        raise UsageError(
            f"--format {style}: unknown, or contradicts --json. Choose one of {', '.join(FORMATS)}."
        )
    settings, _ = load_settings({"warehouse": warehouse})
    refuse_unknown(settings.checks)
    results = run_checks(connect(Warehouse(settings.warehouse)), settings.checks)
    print(FORMATS["json" if as_json else style](results), end="")
    if any(result.failed for result in results):
        raise Exit(CheckFailed.exit_code)


def _print_defects(records: list[dict[str, Any]], lines: Iterator[str], as_json: bool) -> None:
    if as_json:
        cli.print_json(records)
    else:
        for line in lines:
            print(line)
