"""Every command, flag, table, view and column of version 0.1.0 is still there."""

from pathlib import Path

import pytest
import typer

from pipeline.cli import app
from pipeline.views.dictionary.entries import entries

INVENTORY = Path(__file__).parents[1] / "data" / "inventory.txt"
LINES = [line for line in INVENTORY.read_text().splitlines() if not line.startswith("#")]


def parameters(command: str) -> set[str]:
    """Names of the arguments and flags of a command."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return {
        name
        for parameter in commands[command].params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.partition(":")[0])
def test_nothing_of_the_first_version_is_gone(line: str) -> None:
    head, _, names = line.partition(": ")
    kind, name = head.split()
    if kind == "command":
        assert set(names.split()) <= parameters(name)
    else:
        assert set(names.split()) <= {column.name for column in entries()[name].columns}


def test_the_inventory_holds_what_the_first_version_had() -> None:
    kinds = [line.split()[0] for line in LINES]
    assert (kinds.count("command"), kinds.count("relation")) == (18, 81)
