"""What commands share: the application, options, and how results are printed."""

import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Exit, Option
from typer.core import TyperCommand

from pipeline._version import __version__
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.load.warehouse import Warehouse

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Turn front-matter news articles into Parquet tables with DuckDB views for quality, heat"
    " and coverage reports.",
    epilog="Exit status: 0 done, 1 failed, 2 usage, 3 too many rejections, 4 a check failed,"
    " 5 another run holds the lock, 6 status warns, 7 status finds something too old;"
    " 129, 130 and 143 stopped by a signal.",
)

_TABLE = tomllib.loads(Path(__file__).with_name("options.toml").read_text(encoding="utf-8"))


def option(name: str) -> Any:
    """Return the option that `options.toml` describes under a name."""
    values = dict(_TABLE[name])
    return Option(*values.pop("flags", ()), **values)


def argument(name: str) -> Any:
    """Return the argument that `options.toml` describes under a name."""
    return Argument(**_TABLE[name])


WarehouseOption = Annotated[str | None, option("warehouse")]
WaitOption = Annotated[float, option("wait")]
SinceOption = Annotated[str | None, option("since")]
UntilOption = Annotated[str | None, option("until")]
OutputOption = Annotated[Path | None, option("output")]
SourcesArgument = Annotated[list[str] | None, argument("sources")]
AllOption = Annotated[bool, option("all")]
JsonOption = Annotated[bool, option("json")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"pipeline {__version__}")
        raise Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    pass


OPTIONAL_VALUES = {"--git": "HEAD"}
"""Options that may have no value, and the one that they have then: Typer has no such options."""
_SQL_COMMENT = re.compile(r"--[^=\s]*\s")


class Command(TyperCommand):
    """A command that accepts options without their value, and SQL that begins with a comment.

    An option has no value at the end, before an option and before a source. A word is SQL if it has
    a blank before any `=`: the name of an option has none.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the values that are missing, and a blank before SQL, for the parser of Typer."""
        flags = [
            flag for one in self.params if not getattr(one, "is_flag", True) for flag in one.opts
        ]
        words = []
        for last, word, following in zip(["", *args], args, [*args[1:], "-"], strict=False):
            if last not in flags and _SQL_COMMENT.match(word):
                word = f" {word}"
            elif word in OPTIONAL_VALUES and (
                following.startswith("-") or "=" in following or os.path.exists(following)
            ):
                word = f"{word}={OPTIONAL_VALUES[word]}"
            words.append(word)
        return super().parse_args(ctx, words)


def warehouse_at(folder: str | None) -> "Warehouse":
    """Return the warehouse that a flag or the settings name."""
    from pipeline.load.warehouse import Warehouse
    from pipeline.settings import load_settings

    return Warehouse(load_settings({"warehouse": folder})[0].warehouse)


TEXT_ENDINGS = {"txt": "table", "htm": "html"}
"""Endings of formats that have another name."""
FORMAT_ENDINGS = {
    *("csv", "db", "duckdb", "feather", "gz", "htm", "html", "json", "jsonl", "md", "ndjson"),
    *("ods", "parquet", "sql", "sqlite", "tsv", "xls", "xlsx", "xml", "yaml", "yml", "zip", "zst"),
}
"""Endings that promise a format; a file of another ending may hold what --format says."""


def output_format(
    chosen: str | None,
    output: str | Path | None,
    endings: Mapping[str, str],
    default: str,
    *,
    is_folder: bool = False,
) -> str:
    """Return the format of an output: `chosen`, that of the ending of its path, or `default`.

    `endings` has the format of each ending, such as {"csv": "csv", "htm": "html"}. A folder may
    have any name that promises no other format. Raises UsageError if the path contradicts.
    """
    text = str(output or "")
    ending = Path(text).suffix[1:].lower()
    if not ending or text.endswith("/") or Path(text).is_dir():
        return chosen or default
    listed = ", ".join(f".{known}" for known in endings)
    if chosen is None and ending not in endings and (ending in FORMAT_ENDINGS or not is_folder):
        raise UsageError(
            f"-o {output}: .{ending} is not the ending of an output format (expected {listed})."
            " Choose one of these endings, or name the format with --format."
        )
    if chosen and ending in FORMAT_ENDINGS and endings.get(ending) != chosen:
        raise UsageError(
            f"-o {output}: ends in .{ending}, which is not {chosen} as --format says (endings are"
            f" {listed}). Change the ending or the format."
        )
    return chosen or endings.get(ending, default)


def line_end(output: Path | None) -> str:
    """Return how CSV ends lines: LF on standard output, CR LF in files, as RFC 4180 says."""
    return "\n" if output is None else "\r\n"


def terminal_width(output: Path | None) -> int | None:
    """Return the width of the terminal, or COLUMNS; None if the output is not for a terminal."""
    if output is not None or not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return None
    return shutil.get_terminal_size().columns


def write(text: str | Iterable[str], output: Path | None) -> None:
    """Print a text, or its pieces as they come, or replace a file by it.

    Raises UsageError for a folder, WarehouseError if the file cannot be written.
    """
    pieces = [text] if isinstance(text, str) else text
    if output is None:
        sys.stdout.writelines(pieces)
        return
    from pipeline.load.files import writing_to

    with writing_to(output) as target, open(target, "w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)


def print_json(value: Any) -> None:
    """Print a value as JSON, in escapes if standard output is not UTF-8."""
    is_utf8 = sys.stdout.encoding.lower() == "utf-8"
    print(json.dumps(value, indent=2, ensure_ascii=not is_utf8, default=str))
