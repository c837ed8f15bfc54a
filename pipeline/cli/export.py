"""Export tables and articles for other tools."""

import sys
from typing import Annotated

from typer import Argument, Option

from pipeline.cli import options as cli
from pipeline.errors import UsageError


@cli.app.command()
def export(
    names: Annotated[
        list[str] | None,
        Argument(metavar="[TABLE|VIEW]...", help="By default all tables except secured."),
    ] = None,
    style: Annotated[
        str | None,
        cli.format_option(
            "csv, parquet, jsonl, xlsx or frontmatter; by default what PATH ends in."
        ),
    ] = None,
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, or a folder for several tables; - is standard output.",
        ),
    ] = None,
    where: Annotated[
        str | None, Option(metavar="SQL", help="Rows for which this condition holds.")
    ] = None,
    columns: Annotated[
        str | None, Option(metavar="A,B", help="These columns in this order.")
    ] = None,
    order_by: Annotated[
        str | None, Option(metavar="SQL", help="Such as `heat desc nulls last, article_id`.")
    ] = None,
    since: cli.SinceOption = None,
    until: cli.UntilOption = None,
    sample: Annotated[
        int | None,
        Option(min=0, max=2**63 - 1, metavar="N", help="Choose N rows, the same ones each time."),
    ] = None,
    seed: Annotated[int, Option(help="Another seed samples other rows.")] = 0,
    nested: Annotated[
        bool,
        Option("--nested", help="jsonl: an object per article with everything that belongs to it."),
    ] = False,
    excel: Annotated[
        bool, Option("--excel", help="csv: begin with a byte order mark, for Excel.")
    ] = False,
    raw: Annotated[
        bool, Option("--raw", help="csv: leave cells that a spreadsheet would run as a formula.")
    ] = False,
    warehouse: cli.WarehouseOption = None,
) -> None:
    """Write tables and views, or articles as front-matter files.

    CSV is UTF-8 as in RFC 4180, with LF instead of CRLF on standard output: times in ISO 8601 and
    UTC, lists as JSON, null empty, an empty text "". A text that begins with = + - @, tab or a line
    end, or does so after apostrophes, gets a leading apostrophe, so that no spreadsheet runs it as
    a formula; --raw leaves it as it is.
    """
    from pipeline.export.export import export
    from pipeline.export.request import FORMATS, Request, Style
    from pipeline.settings import parse_day

    chosen = style or ("jsonl" if nested else None)
    endings = {name: name for name in FORMATS if name != "frontmatter"}
    style = cli.output_format(chosen, output, endings, "csv", is_folder=len(names or ()) != 1)
    if output == "-" and style in ("parquet", "xlsx") and sys.stdout.isatty():
        raise UsageError(f"--format {style}: is not text for a terminal. Name a file with -o.")
    request = Request(
        tuple(names or ()),
        tuple(name.strip() for name in columns.split(",")) if columns is not None else (),
        where,
        order_by,
        parse_day("--since", since),
        parse_day("--until", until),
        sample,
        seed,
    )
    written = export(cli.warehouse_at(warehouse), request, Style(style, raw, excel, nested), output)
    for note in written.notes:
        print(note, file=sys.stderr)
    for path in written.paths:
        print(path)
