"""The command that shows reports."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

from pipeline.cli import options as cli
from pipeline.errors import UsageError


@cli.app.command()
def report(
    name: Annotated[str, cli.argument("report.name")] = "all",
    style: Annotated[str | None, cli.option("report.format")] = None,
    output: Annotated[Path | None, cli.option("report.output")] = None,
    view: Annotated[str | None, cli.option("view")] = None,
    since: cli.SinceOption = None,
    until: cli.UntilOption = None,
    topics: Annotated[list[str] | None, cli.option("topics")] = None,
    providers: Annotated[list[str] | None, cli.option("providers")] = None,
    collections: Annotated[list[str] | None, cli.option("collections")] = None,
    warehouse: cli.WarehouseOption = None,
) -> None:
    """Show the reports on quality, heat, coverage and data health.

    Filters act on the articles, so that every figure and every denominator follows.
    """
    from pipeline.report import compose
    from pipeline.report.selection import Selection
    from pipeline.settings import parse_day

    if style != "csv":  # whose output is a folder
        endings = {name: name for name in ("md", "json", "html")} | cli.TEXT_ENDINGS
        style = cli.output_format(style, output, endings, "table")
    if style not in compose.FORMATS:
        raise UsageError(f"--format {style}: unknown. Choose one of {', '.join(compose.FORMATS)}.")
    selection = Selection(
        parse_day("--since", since),
        parse_day("--until", until),
        tuple(topics or ()),
        tuple(providers or ()),
        tuple(name.lstrip("_") or name for name in collections or ()),
    )
    source, reports = cli.warehouse_at(warehouse), compose.reports_of(name, view)
    options = selection.options() + (f" -w {shlex.quote(warehouse)}" if warehouse else "")
    if style == "csv" and output is not None:
        for path in compose.write_csv(source, reports, selection, output):
            print(path)
    elif style == "csv":
        if view is None:
            raise UsageError(
                "--format csv: has a file for each view. Name a folder with -o, or one view with"
                " --view."
            )
        print(compose.csv_of(source, reports[0], selection)[view], end="")
    elif style == "html":
        if output is None and sys.stdout.isatty():
            raise UsageError("--format html: is not for a terminal. Name a file with -o.")
        cli.write(compose.as_html(source, reports, selection, options=options), output)
    else:
        width = cli.terminal_width(output)
        text = compose.as_text(source, reports, selection, style, width=width, options=options)
        cli.write(text, output)
