"""The Python interface: snapshots, kinds of frames, reports, comparison, rollback."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pipeline
from pipeline.errors import QueryError, UsageError
from tests.support.world import World, article

ROOT = Path(__file__).parents[2]


@pytest.fixture
def grown(world: World) -> World:
    """A warehouse with two snapshots: of one article, then of two."""
    world.write({"a.md": article(title="Alpha", heat='""')})
    world.run()
    world.write(
        {"b.md": article(title="Beta", publishedDateTime="2024-02-03T00:00:00Z", topics="[AI]")}
    )
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    return world


def test_a_table_is_the_same_in_every_kind(grown: World) -> None:
    frame = pipeline.table("articles", grown.warehouse)
    arrow = pipeline.table("articles", grown.warehouse, kind="arrow")
    polars = pipeline.table("articles", grown.warehouse, kind="polars")
    assert (
        isinstance(frame, pd.DataFrame)
        and isinstance(arrow, pa.Table)
        and isinstance(polars, pl.DataFrame)
    )
    assert (
        arrow.to_pylist() == polars.to_dicts()
        and frame["title"].tolist() == arrow["title"].to_pylist()
    )
    assert (
        str(frame["heat"].dtype) == "int64[pyarrow]"
        and frame["heat"].isna().tolist().count(True) == 1
    )
    with pytest.raises(UsageError, match="kind 'csv': unknown"):
        pipeline.table("articles", grown.warehouse, kind="csv")  # type: ignore[call-overload]


def test_text_is_not_copied(grown: World) -> None:
    with pipeline.connect(grown.warehouse) as connection:
        arrow = connection.table("articles").to_arrow_table()
    frame = arrow.to_pandas(types_mapper=pd.ArrowDtype)
    mine, theirs = arrow["title"].chunk(0), frame["title"].array._pa_array.chunk(0)
    assert mine.buffers()[2].address == theirs.buffers()[2].address


def test_older_snapshots(grown: World) -> None:
    names = [snapshot.id for snapshot in pipeline.snapshots(grown.warehouse)]
    assert len(names) == 2
    for name, rows in (("previous", 1), ("current", 2), (names[0], 1), (names[1], 2)):
        assert len(pipeline.table("articles", grown.warehouse, name)) == rows
        with pipeline.connect(grown.warehouse, name) as connection:
            assert connection.execute("select count(*) from article_facts").fetchall() == [(rows,)]
    with pytest.raises(UsageError, match="there is no snapshot 1999"):
        pipeline.connect(grown.warehouse, "1999")
    with pytest.raises(QueryError, match="there is no such table or view"):
        pipeline.table("'; drop", grown.warehouse)


def test_diff_and_rollback(grown: World) -> None:
    found = pipeline.diff(warehouse=grown.warehouse)
    assert (
        found.counts == {"added": 1, "removed": 0, "changed": 0, "moved": 0}
        and found.changes[0].title == "Beta"
    )
    assert pipeline.rollback("previous", grown.warehouse).outcome == "rolled_back"
    assert len(pipeline.table("articles", grown.warehouse)) == 1
    assert callable(pipeline.diff)


def test_reports_are_frames(grown: World) -> None:
    frames = pipeline.reports("heat", grown.warehouse)
    assert frames["heat_summary"]["articles"].tolist() == [2]
    chosen = pipeline.reports(
        "heat",
        grown.warehouse,
        topics=["ai"],
        since="2024-02-03",
        until="2024-02-03",
        kind="polars",
    )
    assert chosen["heat_summary"]["articles"].to_list() == [1]
    every = pipeline.reports(warehouse=grown.warehouse)
    assert {"near_titles", "quality_by_month", "stories"} <= every.keys() and len(every) > 40
    for wrong in ({"name": "none"}, {"since": "soon"}, {"topics": ["nothing"]}):
        with pytest.raises(UsageError):
            pipeline.reports(**{"name": "heat", "warehouse": grown.warehouse, **wrong})


def test_the_notebook_runs(tmp_path: Path) -> None:
    """Its cells compare their figures with those of the views; it is stored without output."""
    notebook = nbformat.read(ROOT / "docs" / "how-to" / "analysis.ipynb", as_version=4)
    assert all(
        not cell.outputs and cell.execution_count is None
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    pipeline.run(ROOT / "data" / "raw", warehouse=tmp_path / "warehouse", workers=1)
    program = (
        "import sys, nbformat, nbclient\n"
        "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(notebook, timeout=300, kernel_name='python3').execute()\n"
        "print(sum(bool(cell.get('outputs')) for cell in notebook.cells))\n"
    )
    environment = os.environ | {
        "NOTEBOOK_WAREHOUSE": str(tmp_path / "warehouse"),
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", program, ROOT / "docs" / "how-to" / "analysis.ipynb"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and int(done.stdout) == 5, done.stderr[-2000:]
