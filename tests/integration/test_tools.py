"""Other tools, by the lines of docs/how-to/other-tools.md; DuckDB 1.x; and the wheel."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import pipeline
from pipeline.errors import QueryError
from pipeline.schema.tables import TABLES
from pipeline.views.relations import relations
from tests.support.world import World

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("tools"))
    world.run(sources=(str(ROOT / "data" / "raw"),), part_size=80)
    return world


def test_pandas_and_polars_read_the_folder(shipped: World) -> None:
    folder = shipped.warehouse / "current" / "articles"
    pandas = pd.read_parquet(folder)
    polars = pl.read_parquet(folder / "*.parquet")
    [(count, total)] = shipped.rows("select count(*), sum(quality) from articles")
    assert (len(pandas), pandas["quality"].sum()) == (count, total)
    assert (polars.height, polars["quality"].sum()) == (count, total)
    assert str(polars["published_at"].dtype) == "Datetime(time_unit='us', time_zone='UTC')"


def test_table_gives_an_arrow_backed_frame(shipped: World) -> None:
    frame = pipeline.table("articles", shipped.warehouse)
    assert (
        str(frame["quality"].dtype) == "int64[pyarrow]"
        and str(frame["published_at"].dtype) == "timestamp[us, tz=UTC][pyarrow]"
    )
    assert (
        frame["quality"].isna().sum()
        == shipped.rows("select count(*) from articles where quality is null")[0][0]
    )
    with pytest.raises(
        QueryError,
        match=r"nothing: there is no such table or view\. There are article_facts, article_topics",
    ):
        pipeline.table("nothing", shipped.warehouse)


def test_python_run(tmp_path: Path) -> None:
    result = pipeline.run(ROOT / "data" / "raw", warehouse=tmp_path / "w", workers=1)
    assert result.published and result.record.articles == 195
    with pipeline.connect(tmp_path / "w") as connection:
        assert connection.execute("select count(*) from coverage_by_topic").fetchone() == (12,)


SPARK = """
import json, sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
found = {name: spark.read.parquet(f"{sys.argv[1]}/{name}").count() for name in sys.argv[2:]}
articles = spark.read.parquet(f"{sys.argv[1]}/articles")
newest_at = "cast(max(published_at) as string)"
[[total, newest]] = articles.selectExpr("sum(quality)", newest_at).collect()
joined = articles.join(spark.read.parquet(f"{sys.argv[1]}/article_topics"), "article_id")
topics = joined.groupBy("topic").count().collect()
print(json.dumps([found, total, newest, sorted(map(list, topics), key=str)]))
"""


def test_spark_reads_every_table(shipped: World) -> None:
    """With PySpark and Java installed: counts, numbers, times and a join as DuckDB has them."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("PySpark or Java is not installed")
    command = [sys.executable, "-c", SPARK, shipped.warehouse / "current", *TABLES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, total, newest, topics = json.loads(done.stdout.splitlines()[-1])
    assert found == {name: shipped.rows(f"select count(*) from {name}")[0][0] for name in TABLES}
    assert [(total, newest)] == shipped.rows(
        "select sum(quality), max(published_at at time zone 'UTC')::varchar from articles"
    )
    counted = shipped.rows(
        "select topic, count(*) from article_topics join articles using (article_id) group by topic"
    )
    assert topics == sorted(map(list, counted), key=str)


def test_duckdb_1_opens_the_database_and_answers_every_view(shipped: World, tmp_path: Path) -> None:
    names = [*TABLES, "runs", *(relation.name for relation in relations("views", "reports"))]
    program = (
        "import duckdb, sys\n"
        "assert duckdb.__version__.startswith('1.'), duckdb.__version__\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "for name in sys.argv[2:]: print(name, connection.execute(f'select count(*) from (from"
        " {name})').fetchone()[0])\n"
    )
    venv.create(tmp_path / "one", with_pip=True)
    python = tmp_path / "one" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "duckdb<2"], check=True, capture_output=True
    )
    done = subprocess.run(
        [python, "-c", program, shipped.warehouse / "warehouse.duckdb", *names],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {name: str(shipped.rows(f"select count(*) from {name}")[0][0]) for name in names}
    assert dict(line.split() for line in done.stdout.splitlines()) == ours


BLOCKS = re.findall(
    r"## ([^\n]+)\n(?:(?!\n## ).)*?```(python|sh)\n(.*?)```",
    (ROOT / "docs" / "how-to" / "other-tools.md").read_text(),
    re.DOTALL,
)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, shipped: World) -> Path:
    """A folder in which data/warehouse is the warehouse."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "data").mkdir()
    (folder / "data" / "warehouse").symlink_to(shipped.warehouse)
    return folder


def test_the_page_of_tools_has_a_line_for_each() -> None:
    assert [title for title, _, _ in BLOCKS] == [
        "This project's own Python",
        "pandas",
        "polars",
        "pyarrow",
        "DuckDB in Python",
        "DuckDB CLI",
        "SQLAlchemy",
    ]


@pytest.mark.parametrize(
    ("title", "language", "text"), BLOCKS, ids=[title for title, _, _ in BLOCKS]
)
def test_the_line_for_each_tool_works(
    title: str, language: str, text: str, beside: Path, tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command: list[str | Path] = [sys.executable, "-c", text]
    if language == "sh":
        venv.create(tmp_path / "cli", with_pip=True)
        binaries = tmp_path / "cli" / "bin"
        subprocess.run(
            [binaries / "python", "-m", "pip", "install", "-q", "duckdb-cli"],
            check=True,
            capture_output=True,
        )
        environment["PATH"] = f"{binaries}:{environment['PATH']}"
        command = ["sh", "-c", text]
    done = subprocess.run(
        command, cwd=beside, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.strip(), (title, done.stderr)
    if "heat_by_topic" in text:
        [(topic, _)] = (
            pipeline.connect(beside / "data" / "warehouse")
            .execute("select topic, mean_heat from heat_by_topic limit 1")
            .fetchall()
        )
        assert topic in done.stdout


def test_the_wheel_works_elsewhere(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("frontmatter_warehouse-*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    data = [
        path for path in (ROOT / "pipeline").rglob("*") if path.suffix not in ("", ".py", ".pyc")
    ]
    data += (ROOT / "sql").rglob("*.*")
    assert {"py.typed", "vega.js", "vega.LICENSES", "charts.json"} <= {path.name for path in data}
    inside = {path.relative_to(ROOT).as_posix().removeprefix("pipeline/") for path in data}
    assert {f"pipeline/{name}" for name in inside} <= shipped
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            tmp_path / "lib",
            wheel,
        ],
        check=True,
        capture_output=True,
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "lib")}

    def call(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert call("-c", "import pipeline; print(pipeline.__file__)").startswith(str(tmp_path / "lib"))
    assert "Wrote 73 files" in call("-m", "pipeline", "sample", "site", "--articles", "50")
    assert "Published 17 tables" in call("-m", "pipeline", "run", "site", "-w", "warehouse")
    assert call(
        "-m",
        "pipeline",
        "query",
        "select count(*) as n from articles",
        "--format",
        "csv",
        "-w",
        "warehouse",
    ).split() == [
        "n",
        "50",
    ]
    assert "FAILED" not in call("-m", "pipeline", "check", "-w", "warehouse")
    call("-m", "pipeline", "report", "all", "-o", "page.html", "-w", "warehouse")
    vega = (ROOT / "pipeline" / "report" / "page" / "vega.js").read_text(encoding="utf-8")
    assert vega in (tmp_path / "page.html").read_text(encoding="utf-8")
