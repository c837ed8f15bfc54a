"""Commands that take SQL: query, shell."""

import re
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from pipeline.cli.options import WarehouseOption, app, line_end, warehouse_at, write, write_pieces
from pipeline.errors import UsageError

_COMMENT = re.compile(r"--[^=\s]*\s")

SnapshotOption = Annotated[
    str | None,
    typer.Option(
        "--snapshot",
        metavar="ID",
        help="A snapshot: its id, the beginning of it, or previous; by default the published one.",
    ),
]


class _Query(TyperCommand):
    """Takes SQL that begins with a comment for SQL: no option has a blank in its name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        valued = {
            flag
            for option in self.params
            if not getattr(option, "is_flag", True)
            for flag in option.opts
        }
        before = ["", *args]
        read = [
            f" {word}" if _COMMENT.match(word) and last not in valued else word
            for last, word in zip(before, args, strict=False)
        ]
        return super().parse_args(ctx, read)


@app.command(cls=_Query)
def query(
    sql: Annotated[
        str | None,
        typer.Argument(
            metavar="[SQL|-]", help="One SQL statement or several; - is standard input."
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Read the SQL from a file; - is standard input."),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME=VALUE",
            help="Value of $NAME: number, true, false, date, else text; may repeat.",
        ),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="auto, table, record, csv, json, jsonl, md or parquet.",
        ),
    ] = "auto",
    limit: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Print N rows at most; 0 = all.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the plan instead of the rows.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
    snapshot: SnapshotOption = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Ask the published snapshot a question in SQL.

    Only statements that read are run. Of several, each answer is printed under a heading; csv, json and jsonl hold the last one.
    """
    from pipeline.query.session import (
        STYLES,
        Session,
        answers,
        as_text,
        heading,
        parse_parameters,
        row_limit,
    )
    from pipeline.text import STREAMED, stream

    if (sql is None) == (file is None):
        raise UsageError("query: give SQL once, as an argument or with --file.")
    if style not in (*STYLES, "parquet"):
        raise UsageError(
            f"--format {style}: unknown. Choose one of {', '.join((*STYLES, 'parquet'))}."
        )
    text = _read("-" if sql == "-" else str(file)) if sql in (None, "-") else sql
    values, place = parse_parameters(parameters or []), warehouse_at(warehouse)
    if style == "parquet":
        if output is None or explain or limit is not None:
            raise UsageError(
                "query: parquet is no text. Name a file with --output, without --explain and --limit."
            )
        Session(place, snapshot).write_parquet(str(text), output, values)
        return
    if style in STREAMED and not explain:
        names, batches = Session(place, snapshot).last(
            str(text), values, limit=row_limit(style, limit)
        )
        write_pieces(stream(names, batches, style, line_end=line_end(output)), output)
        return
    found = answers(
        str(text), place, values, snapshot=snapshot, limit=row_limit(style, limit), explain=explain
    )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and output is None else None
    if style in STREAMED or len(found) == 1:
        write(as_text(found[-1], style, width=width), output)
    else:
        shown = [
            heading(number, answer) + as_text(answer, style, width=width)
            for number, answer in enumerate(found, 1)
        ]
        write("\n".join(shown), output)


@app.command()
def shell(
    built_in: Annotated[
        bool,
        typer.Option(
            "--built-in", help="Take the built-in shell also where the DuckDB CLI is installed."
        ),
    ] = False,
    snapshot: SnapshotOption = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Ask one question after the other: in the DuckDB CLI where it is installed, else in a shell of our own.

    Statements end with a semicolon; .help tells the rest.
    """
    from pipeline.query.shell import duckdb_command, replace_process, run_shell

    place = warehouse_at(warehouse)
    command = None if built_in or snapshot else duckdb_command(place)
    if command:
        replace_process(command)
    run_shell(place, snapshot)


def _read(path: str) -> str:
    try:
        return (
            sys.stdin.buffer.read().decode("utf-8-sig")
            if path == "-"
            else Path(path).read_text(encoding="utf-8-sig")
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Name a text file.") from error
