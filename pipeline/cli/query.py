"""Commands that take SQL: query, shell."""

import sys
from pathlib import Path
from typing import Annotated

from typer import Exit

from pipeline.cli import options as cli
from pipeline.errors import UsageError

SnapshotOption = Annotated[str | None, cli.option("snapshot")]


@cli.app.command(cls=cli.Command)
def query(
    sql: Annotated[str | None, cli.argument("sql")] = None,
    file: Annotated[Path | None, cli.option("file")] = None,
    parameters: Annotated[list[str] | None, cli.option("parameters")] = None,
    style: Annotated[str | None, cli.option("query.format")] = None,
    limit: Annotated[int | None, cli.option("limit")] = None,
    explain: Annotated[bool, cli.option("explain")] = False,
    output: cli.OutputOption = None,
    snapshot: SnapshotOption = None,
    warehouse: cli.WarehouseOption = None,
) -> None:
    """Query the published snapshot in SQL.

    Only statements that read are run. Answers of several statements have headings; csv, json, jsonl
    and parquet hold the last one.
    """
    from pipeline.query.session import STYLES, Session, answer_texts, parse_parameters, row_limit
    from pipeline.text import STREAMED, stream

    if (sql is None) == (file is None):
        raise UsageError("query: expected SQL once (as an argument or with --file).")
    endings = {name: name for name in (*STREAMED, "md", "parquet")} | {"txt": "auto"}
    style = cli.output_format(style, output, endings, "auto")
    if style not in (*STYLES, "parquet"):
        raise UsageError(
            f"--format {style}: unknown. Choose one of {', '.join((*STYLES, 'parquet'))}."
        )
    text = _read(str(file or "-")) if sql in (None, "-") else str(sql)
    values = parse_parameters(parameters or [])
    if style == "parquet" and (output is None or explain or limit is not None):
        raise UsageError(
            "--format parquet: is not text. Name a file with -o, without --explain and --limit."
        )
    session, rows = Session(cli.warehouse_at(warehouse), snapshot), row_limit(style, limit)
    if style == "parquet" and output is not None:
        session.write_parquet(text, output, values)
    elif style in STREAMED:
        names, batches = session.last(text, values, limit=rows, explain=explain)
        cli.write(stream(names, batches, style, line_end=cli.line_end(output)), output)
    else:
        answers = session.answers(text, values, limit=rows, explain=explain)
        cli.write(answer_texts(answers, text, style, width=cli.terminal_width(output)), output)


@cli.app.command()
def shell(
    built_in: Annotated[bool, cli.option("built_in")] = False,
    snapshot: SnapshotOption = None,
    warehouse: cli.WarehouseOption = None,
) -> None:
    """Open the DuckDB CLI on the published snapshot, read-only.

    The CLI is installed with: pip install 'frontmatter-warehouse[shell]'.
    """
    from pipeline.query.shell import run_shell

    raise Exit(run_shell(cli.warehouse_at(warehouse), snapshot))


def _read(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Name a text file in UTF-8.") from error
