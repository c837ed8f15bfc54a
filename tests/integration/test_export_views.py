"""Every view and report as every format, read back by programs that know nothing of the pipeline;
and exports while a run publishes.
"""

import csv
import datetime as dt
import json
import math
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape

from pipeline.export.export import export
from pipeline.export.formats import xlsx
from pipeline.export.request import Request, Style
from pipeline.load.warehouse import Warehouse
from pipeline.views.relations import relations
from tests.support.hostile import FORMULA
from tests.support.world import NOW, World, article

VIEWS = [view.name for view in relations("views", "reports")]
SIGNIFICANT = 12
"""Digits of numbers that are compared."""


@pytest.fixture(scope="module")
def rows(hostile: World) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each view, in an order."""
    with hostile.connect() as connection:
        connection.execute("set global threads = 1")
        return {name: connection.execute(f"from {name} order by all").fetchall() for name in VIEWS}


@pytest.fixture(scope="module", params=["csv", "jsonl", "parquet", "xlsx"])
def folder(
    request: pytest.FixtureRequest,
    hostile: World,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """All views in a format, which the folder is named after."""
    found = tmp_path_factory.mktemp("views") / str(request.param)
    export(
        Warehouse(hostile.warehouse),
        Request(tuple(VIEWS), order_by="all"),
        Style(request.param),
        str(found),
    )
    return found


def plain(value: Any) -> Any:
    """A value as all formats can say it: numbers to some digits, times as text in UTC, nothing for
    what is not finite.
    """
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{float(value):.{SIGNIFICANT}g}" if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        return (
            value.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
            if value.tzinfo
            else value.isoformat()
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def same_text(value: Any) -> str:
    """A value as a cell of CSV, in which numbers have few digits and fractions of seconds six."""
    found = plain(value)
    if isinstance(found, (list, dict)):
        return json.dumps(found, ensure_ascii=False)
    return "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)


def of_cell(cell: str, like: Any) -> str:
    """A cell of CSV, in which a value like this one stands."""
    if isinstance(like, (list, dict)):
        return same_text(json.loads(cell))
    if isinstance(like, (int, float, Decimal)) and not isinstance(like, bool):
        return same_text(float(cell))
    if isinstance(like, dt.datetime):
        return same_text(dt.datetime.fromisoformat(cell))
    return cell[1:] if isinstance(like, str) and FORMULA.match(cell) else cell


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_equals_the_warehouse(
    rows: dict[str, list[tuple[Any, ...]]], folder: Path, name: str
) -> None:
    path, wanted = folder / f"{name}.{folder.name}", rows[name]
    if folder.name == "csv":
        with open(path, encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file, strict=True)
        assert len(lines) == len(wanted)
        for line, row in zip(lines, wanted, strict=True):
            assert [of_cell(cell, value) for cell, value in zip(line, row, strict=True)] == list(
                map(same_text, row)
            )
    elif folder.name == "jsonl":
        found = [
            tuple(json.loads(line).values()) for line in path.read_text("utf-8").split("\n")[:-1]
        ]
        assert [
            [of_json(cell, value) for cell, value in zip(*pair, strict=True)]
            for pair in zip(found, wanted, strict=True)
        ] == [plain(row) for row in wanted]
    elif folder.name == "parquet":
        read = pq.read_table(path)
        assert plain([tuple(row.values()) for row in read.to_pylist()]) == plain(wanted)
        assert plain(polars.read_parquet(path).rows()) == plain(wanted)
        assert all(field.metadata[b"description"] for field in read.schema)
    else:
        sheet = openpyxl.load_workbook(path).worksheets[0]
        lines = [tuple(cells) for cells in sheet.iter_rows(min_row=2, values_only=True)]
        assert len(lines) == len(wanted)
        for cells, row in zip(lines, wanted, strict=True):
            for cell, value in zip(cells + (None,) * (len(row) - len(cells)), row, strict=True):
                assert_cell(cell, value)


def of_json(cell: Any, like: Any) -> Any:
    return (
        plain(dt.datetime.fromisoformat(cell))
        if isinstance(like, dt.datetime) and cell is not None
        else plain(cell)
    )


def assert_cell(cell: Any, value: Any) -> None:
    if isinstance(value, dt.datetime) and value.year > 1900:
        assert abs(cell - value.replace(tzinfo=None)) < dt.timedelta(milliseconds=1)
    elif isinstance(value, dt.date) and value.year > 1900:
        assert cell == dt.datetime(value.year, value.month, value.day)
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        assert plain(float(cell)) == plain(value)
    elif isinstance(value, (str, list)):
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        )
        cut = text.encode("utf-16-le")[: 2 * xlsx.CHARACTERS].decode("utf-16-le")
        assert unescape(cell or "").replace("\r\n", "\n") == cut.replace("\r\n", "\n")
    else:
        assert cell == (plain(value) if isinstance(value, dt.date) else value)


def test_the_views_have_something_to_compare(rows: dict[str, list[tuple[Any, ...]]]) -> None:
    assert sum(bool(found) for found in rows.values()) > len(rows) * 0.7


def test_an_export_holds_one_snapshot_while_runs_publish(world: World, tmp_path: Path) -> None:
    def at(version: int) -> None:
        world.write(
            {
                f"{number:04}.md": article(title=f"v{version}", excerpt="x" * 3_000)
                for number in range(1_000)
            }
        )
        world.run(
            now=NOW + dt.timedelta(days=version), part_size=100, keep_snapshots=1, keep_days=0
        )

    at(1)
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "export",
        "articles",
        "-o",
        "-",
        "-w",
        str(world.warehouse),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        begun = os.read(
            process.stdout.fileno(), 1_000
        )  # it stands still now: more than a pipe holds is waiting
        at(2)
        at(3)
        assert process.poll() is None
        text = (begun + process.stdout.read()).decode()
        errors = process.stderr.read()
    titles = [row["title"] for row in csv.DictReader(text.splitlines())]
    assert (process.returncode, errors, titles) == (0, b"", ["v1"] * 1_000)
    assert world.rows("select distinct title from articles") == [("v3",)]
