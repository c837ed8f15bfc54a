"""Export tables and articles for other tools."""

import sys
from typing import Annotated

from pipeline.cli import options as cli
from pipeline.errors import UsageError


@cli.app.command()
def export(
    names: Annotated[list[str] | None, cli.argument("names")] = None,
    style: Annotated[str | None, cli.option("export.format")] = None,
    output: Annotated[str | None, cli.option("export.output")] = None,
    where: Annotated[str | None, cli.option("where")] = None,
    columns: Annotated[str | None, cli.option("columns")] = None,
    order_by: Annotated[str | None, cli.option("order_by")] = None,
    since: cli.SinceOption = None,
    until: cli.UntilOption = None,
    sample: Annotated[int | None, cli.option("sample")] = None,
    seed: Annotated[int, cli.option("export.seed")] = 0,
    nested: Annotated[bool, cli.option("nested")] = False,
    excel: Annotated[bool, cli.option("excel")] = False,
    raw: Annotated[bool, cli.option("raw")] = False,
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
