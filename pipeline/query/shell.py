"""Start the DuckDB CLI on a snapshot."""

import importlib.util
import re
import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipeline.errors import UsageError
from pipeline.load.files import unwritable
from pipeline.load.warehouse import Warehouse
from pipeline.query.frames import open_snapshot
from pipeline.views.catalog import add_comments, cursor
from pipeline.views.quoting import quoted

OLDEST_CLI = (1, 2)
"""First version of the DuckDB CLI that reads the storage format of the database."""


def run_shell(warehouse: Warehouse, snapshot: str | None = None) -> int:
    """Run the DuckDB CLI on a snapshot, read-only and in UTC; return its exit status.

    The CLI opens a database of views in a temporary folder. So a warehouse that was moved works as
    well, and a run that publishes meanwhile does not change what the shell shows.
    Raises UsageError if there is no CLI or no such snapshot, WarehouseError if nothing is there.
    """
    program = find_cli()
    with TemporaryDirectory(prefix="pipeline-shell-") as folder:
        database = Path(folder) / "warehouse.duckdb"
        write_views(warehouse, snapshot, database)
        # On Ctrl-C the CLI ends its query, and this process goes on waiting for it.
        before = signal.signal(signal.SIGINT, lambda number, frame: None)
        try:
            command = [program, "-readonly", "-cmd", "set timezone = 'UTC'", str(database)]
            status = subprocess.call(command)
        finally:
            signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def write_views(warehouse: Warehouse, snapshot: str | None, path: Path) -> None:
    """Write a database with the commented views of a snapshot, by default the published one.

    Raises UsageError if there is no such snapshot, WarehouseError if a file is missing or `path`
    cannot be written.
    """
    with open_snapshot(warehouse, snapshot) as connection:
        add_comments(cursor(connection))
        try:
            connection.execute(
                f"attach {quoted(str(path))} as warehouse (storage_version 'v1.2.0');"
                "copy from database memory to warehouse (schema); detach warehouse"
            )
        except (duckdb.IOException, duckdb.TransactionException) as error:
            raise unwritable(path, str(error).split("\n", 1)[0]) from error


def find_cli() -> str:
    """Return the path of the DuckDB CLI: that of the package duckdb-cli, else on the PATH.

    The package's script `duckdb` is passed over: Ctrl-C would end it, not the query.
    Raises UsageError if there is none, or none of a version from `OLDEST_CLI` on.
    """
    package = importlib.util.find_spec("duckdb_cli")
    programs = [
        *(
            str(Path(folder, "duckdb"))
            for folder in (package and package.submodule_search_locations) or ()
        ),
        shutil.which("duckdb"),
    ]
    versions = {program: _version(program) for program in programs if program}
    for program, version in versions.items():
        if version >= OLDEST_CLI:
            return program
    found = "".join(
        f"{program} has version {'.'.join(map(str, version)) or 'unknown'}; "
        for program, version in versions.items()
        if Path(program).exists()
    )
    raise UsageError(
        f"shell: the DuckDB CLI is not installed ({found}expected {'.'.join(map(str, OLDEST_CLI))}"
        " or later). Install it with: pip install 'frontmatter-warehouse[shell]'"
    )


def _version(program: str) -> tuple[int, ...]:
    """Return the version of a DuckDB CLI; empty if the program cannot tell it."""
    try:
        answer = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    version = re.match(r"v(\d+)\.(\d+)", answer)
    return (int(version[1]), int(version[2])) if version else ()
