"""Exports, read back by programs that know nothing of the pipeline."""

import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.escape import unescape

from pipeline.errors import QueryError, UsageError, WarehouseError
from pipeline.export.export import Written, export
from pipeline.export.formats import xlsx
from pipeline.export.request import DEFAULT_NAMES, Request, Style
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import RUNS, TABLES
from tests.support.hostile import FORMULA
from tests.support.world import World

ALL = {**TABLES, RUNS.name: RUNS}
Rows = list[tuple[Any, ...]]


def take(world: World, output: Path | str, style: str = "csv", **given: Any) -> Written:
    options = {key: given.pop(key) for key in ("raw", "excel", "nested") if key in given}
    return export(
        Warehouse(world.warehouse), Request(**given), Style(style, **options), str(output)
    )


@pytest.fixture(scope="module")
def real(unpacked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("real"))
    world.run(sources=(f"site={unpacked('diablo4.tar.gz')}",))
    return world


@pytest.fixture(params=["hostile", "real"])
def site(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def order(name: str) -> str:
    return ", ".join(ALL[name].key)


def expected(world: World, name: str) -> Rows:
    return world.rows(f"select * from {name} order by {order(name)}")


def as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def same_time(text: str) -> str:
    return re.sub(r"(\.\d+)Z$", lambda found: f"{found[1]:0<7}Z", text)


@pytest.mark.parametrize("name", DEFAULT_NAMES)
def test_csv_equals_the_warehouse(site: World, name: str, tmp_path: Path) -> None:
    take(site, tmp_path / "x.csv", names=(name,), order_by=order(name))
    raw = (tmp_path / "x.csv").read_bytes()
    assert raw.endswith(b"\r\n")
    with open(tmp_path / "x.csv", encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file, strict=True)
    columns = ALL[name].columns
    assert head == [column.name for column in columns]
    rows = expected(site, name)
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        for column, cell, value in zip(columns, line, row, strict=True):
            if str(column.type) == "string":
                assert not re.match("[-=+@\t\r\n]", cell)
                cell = cell[1:] if FORMULA.match(cell) else cell
            elif str(column.type).startswith("timestamp"):
                cell = same_time(cell)
            elif str(column.type) == "double" and cell:
                cell = str(float(cell))
            elif str(column.type).startswith("list") and cell:
                cell = as_text(json.loads(cell))
            assert cell == as_text(value), column.name


@pytest.mark.parametrize("name", DEFAULT_NAMES)
def test_json_lines_equal_the_warehouse(site: World, name: str, tmp_path: Path) -> None:
    take(site, tmp_path / "x.jsonl", "jsonl", names=(name,), order_by=order(name))
    found = [
        json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").split("\n")[:-1]
    ]
    rows = expected(site, name)
    assert len(found) == len(rows)
    for one, row in zip(found, rows, strict=True):
        assert list(one) == list(ALL[name].names)
        for cell, value in zip(one.values(), row, strict=True):
            assert (same_time(cell) if isinstance(value, dt.datetime) else cell) == (
                as_text(value) if isinstance(value, dt.datetime) else value
            )


@pytest.mark.parametrize("name", DEFAULT_NAMES)
def test_parquet_equals_the_warehouse(site: World, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    take(site, path, "parquet", names=(name,), order_by=order(name))
    found = pq.read_table(path)
    parts = list((site.warehouse / "current" / name).glob("*.parquet"))
    assert found.schema.equals(
        pq.read_schema(parts[0]) if parts else ALL[name].arrow, check_metadata=True
    )
    rows = expected(site, name)
    assert [tuple(row.values()) for row in found.to_pylist()] == rows
    assert polars.read_parquet(path).rows() == rows


@pytest.mark.parametrize("name", DEFAULT_NAMES)
def test_workbooks_equal_the_warehouse(site: World, name: str, tmp_path: Path) -> None:
    take(site, tmp_path / "x.xlsx", "xlsx", names=(name,), order_by=order(name))
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    sheet = book[name]
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref.startswith("A1:")
    head, *lines = sheet.iter_rows()
    assert [cell.value for cell in head] == list(ALL[name].names)
    rows = expected(site, name)
    assert len([line for line in lines if any(cell.value is not None for cell in line)]) == len(
        rows
    )
    for line, row in zip(lines, rows, strict=False):
        for cell, value in zip(line, row, strict=True):
            assert cell.data_type != "f"
            assert_same_cell(cell.value, value)
    about = {row[0]: row[2] for row in book["columns"].iter_rows(min_row=2, values_only=True)}
    assert {column.name: column.comment for column in ALL[name].columns}.items() <= about.items()


def assert_same_cell(cell: Any, value: Any) -> None:
    if isinstance(value, dt.datetime) and value.year > 1900:
        assert abs(cell.replace(tzinfo=dt.UTC) - value) < dt.timedelta(milliseconds=1)
    elif isinstance(value, dt.datetime):
        assert cell == value.replace(tzinfo=None).isoformat()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        assert cell == (value if abs(value) < 10**15 else str(value))
    elif isinstance(value, list):
        assert len(as_text(value)) > xlsx.CHARACTERS or json.loads(unescape(cell)) == value
    elif isinstance(value, str):
        text = as_text(value)
        assert unescape(cell or "").replace("\r\n", "\n") == text.encode("utf-16-le")[
            : 2 * xlsx.CHARACTERS
        ].decode("utf-16-le").replace("\r\n", "\n")
    else:
        assert cell == value


def test_links_are_links(hostile: World, tmp_path: Path) -> None:
    take(
        hostile,
        tmp_path / "x.xlsx",
        "xlsx",
        names=("articles",),
        columns=("title", "web_url"),
        where="title = 'a,b;c'",
    )
    row = openpyxl.load_workbook(tmp_path / "x.xlsx")["articles"][2]
    assert row[0].hyperlink is None
    assert row[1].hyperlink is not None and row[1].value == "https://a.example/9?q=a&b=1#x"


def test_a_workbook_says_what_did_not_fit(
    hostile: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = take(hostile, tmp_path / "x.xlsx", "xlsx", names=("articles",)).notes
    assert "articles: cut 3 texts to 32,767 characters, the most that a cell holds." in notes
    monkeypatch.setattr(xlsx, "ROWS", 10)
    with pytest.raises(UsageError, match=r"holds 9\. Export csv or parquet"):
        take(hostile, tmp_path / "y.xlsx", "xlsx", names=("articles",))
    assert not list(tmp_path.glob("*y*"))
    monkeypatch.setattr(xlsx, "ROWS", 1_048_576)
    monkeypatch.setattr(xlsx, "LINKS", 2)
    notes = take(hostile, tmp_path / "x.xlsx", "xlsx", names=("articles",), columns=("url",)).notes
    assert notes == ["articles: a sheet holds 2 links; other addresses are text."]
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["articles"]
    assert sum(cell.hyperlink is not None for (cell,) in sheet.iter_rows()) == 2


def test_null_and_empty_text_differ_in_csv(hostile: World, tmp_path: Path) -> None:
    take(
        hostile,
        tmp_path / "x.csv",
        names=("findings",),
        columns=("field", "value"),
        where="rule = 'missing'",
    )
    assert (tmp_path / "x.csv").read_bytes() == b"field,value\r\n"
    with_both = World(tmp_path / "both")
    with_both.write({"a.md": "\ufeff---\ntitle: x\n---\n"})
    with_both.run()
    take(
        with_both,
        tmp_path / "y.csv",
        names=("findings",),
        columns=("article_id", "field", "column_number", "line_number"),
    )
    assert re.fullmatch(
        rb'article_id,field,column_number,line_number\r\n\w+,"",1,1\r\n',
        (tmp_path / "y.csv").read_bytes(),
    )


def test_raw_and_excel(hostile: World, tmp_path: Path) -> None:
    rows = {"names": ("articles",), "columns": ("title",), "where": "title = '+1'"}
    take(hostile, tmp_path / "x.csv", **rows)
    assert (tmp_path / "x.csv").read_bytes() == b"title\r\n'+1\r\n"
    take(hostile, tmp_path / "x.csv", raw=True, excel=True, **rows)
    assert (tmp_path / "x.csv").read_bytes() == b"\xef\xbb\xbftitle\r\n+1\r\n"


@pytest.mark.parametrize("style", ["csv", "parquet", "jsonl", "xlsx"])
def test_every_view_can_leave(real: World, style: str, tmp_path: Path) -> None:
    names = (
        "quality_by_provider",
        "duplicate_urls",
        "provider_concentration_by_month",
        "article_facts",
        "health_summary",
    )
    take(real, tmp_path / "out", style, names=names)
    for name in names:
        path, count = (
            tmp_path / "out" / f"{name}.{style}",
            real.rows(f"select count(*) from {name}")[0][0],
        )
        if style == "csv":
            assert (
                len(list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))) == count + 1
            )
        elif style == "jsonl":
            assert path.read_text("utf-8").count("\n") == count
        elif style == "parquet":
            found = pq.read_table(path)
            assert found.num_rows == count and found.schema.field(0).metadata[b"description"]
        else:
            assert openpyxl.load_workbook(path).worksheets[0].max_row == max(count, 1) + (
                1 if count else 0
            )


def test_all_but_secured_leave_unasked(hostile: World, tmp_path: Path) -> None:
    take(hostile, tmp_path / "out")
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {*TABLES, "runs"} - {"secured"}
    take(hostile, tmp_path / "secured.csv", names=("secured",))
    assert (tmp_path / "secured.csv").exists()


def test_rows_are_chosen(hostile: World, tmp_path: Path) -> None:
    def ids(**given: Any) -> list[str]:
        take(
            hostile,
            tmp_path / "x.csv",
            **{"names": ("articles",), "columns": ("article_id",), **given},
        )
        return (tmp_path / "x.csv").read_text().split()[1:]

    assert len(ids(where="quality <= -30 -- few")) == 5
    assert ids(order_by="quality") == [
        row[0] for row in hostile.rows("select article_id from articles order by quality")
    ]
    assert ids(sample=5) == ids(sample=5) != ids(sample=5, seed=1)
    assert len(ids(sample=5)) == 5 and ids(sample=0) == []
    days = {"since": dt.date(2024, 1, 3), "until": dt.date(2024, 1, 4)}
    wanted = {
        row[0]
        for row in hostile.rows(
            "select article_id from articles where published_at::date in ('2024-01-03',"
            " '2024-01-04')"
        )
    }
    assert set(ids(**days)) == wanted and wanted
    assert set(ids(names=("related",), **days)) == wanted
    with pytest.raises(UsageError, match="documents: has no time of publication"):
        ids(names=("documents",), columns=(), **days)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": ("article",)}, "no such table or view. Did you mean articles"),
        ({"names": ("articles; drop view x",)}, "no such table or view"),
        ({"names": ("articles", "articles")}, "given twice"),
        (
            {"names": ("articles",), "columns": ("titel",)},
            "articles: has no column titel. Did you mean title",
        ),
        ({"names": ("articles",), "columns": ("title", "title")}, "given twice"),
        (
            {"names": ("articles",), "where": "true); drop view articles; select (1"},
            "do not form a single SELECT",
        ),
        (
            {"names": ("articles",), "since": dt.date(2024, 2, 1), "until": dt.date(2024, 1, 1)},
            "Swap them",
        ),
        (
            {"names": ("articles",), "excel": True, "style": "jsonl"},
            "--excel: belongs to --format csv",
        ),
        ({"names": ("articles",), "style": "ods"}, "--format ods: unknown"),
        ({"names": ("related",), "nested": True, "style": "jsonl"}, "whole articles"),
        ({"names": ("related",), "style": "frontmatter"}, "whole articles"),
    ],
)
def test_what_makes_no_sense_is_refused(
    hostile: World, tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        take(hostile, tmp_path / "out", **given)
    assert not list(tmp_path.iterdir())


def test_sql_that_fails_is_named(hostile: World, tmp_path: Path) -> None:
    for where in ("no_such = 1", "title::integer = 1", "title ="):
        for style in ("csv", "jsonl", "parquet", "xlsx"):
            with pytest.raises(QueryError, match="articles: "):
                take(hostile, tmp_path / "out", style, names=("articles",), where=where)
    assert not list(tmp_path.iterdir())


def test_the_old_file_stays_where_the_new_one_fails(hostile: World, tmp_path: Path) -> None:
    (tmp_path / "articles.csv").write_text("old")
    with pytest.raises(QueryError):
        take(hostile, tmp_path, names=("documents", "articles"), where="path::integer = 1")
    assert [path.name for path in tmp_path.iterdir()] == ["articles.csv"]
    with pytest.raises(WarehouseError, match="cannot be written"):
        take(hostile, tmp_path / "articles.csv/x.csv", names=("articles",))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("style", ["csv", "jsonl", "parquet"])
def test_a_full_disk_is_one_line(hostile: World, style: str) -> None:
    with pytest.raises(WarehouseError, match="articles: cannot be exported"):
        take(hostile, "/dev/full", style, names=("articles",))


def test_nested_articles_have_the_shape_of_their_source(hostile: World, tmp_path: Path) -> None:
    take(hostile, tmp_path / "x.jsonl", "jsonl", nested=True)
    found = [
        json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").split("\n")[:-1]
    ]
    assert [item["_path"] for item in found] == [
        row[0] for row in hostile.rows("select path from articles order by path")
    ]
    for item in found[:-1]:
        original = (hostile.site / item["_path"]).read_text()
        front_matter, end = json.JSONDecoder().raw_decode(original)
        assert item.pop("_body") == original[end:].strip()
        assert same_time(item.pop("publishedDateTime")) == same_time(
            front_matter.pop("publishedDateTime")
        )
        assert {
            key: value for key, value in item.items() if not key.startswith("_")
        } == front_matter
    take(
        hostile, tmp_path / "y.jsonl", "jsonl", nested=True, order_by="quality", where="quality < 0"
    )
    assert [
        json.loads(line)["quality"]
        for line in (tmp_path / "y.jsonl").read_text("utf-8").split("\n")[:-1]
    ] == list(range(-34, 0))


def shell(line: str, world: World) -> subprocess.CompletedProcess[bytes]:
    pipeline = f'pipeline() {{ {sys.executable} -m pipeline "$@" -w {world.warehouse}; }}'
    command = f"set -o pipefail; {pipeline}; {line}"
    return subprocess.run(["bash", "-c", command], capture_output=True, check=False)


def test_exports_stream_to_standard_output(real: World, tmp_path: Path) -> None:
    done = shell("pipeline export articles -o - | head -1", real)
    assert done.stdout.startswith(b"article_id,") and done.stderr == b""
    assert done.returncode == 1
    out = tmp_path / "x"
    assert shell(f"echo before > {out}; pipeline export topics -o - >> {out}", real).returncode == 0
    assert out.read_bytes().startswith(b"before\ntopic_id,")
    take(real, tmp_path / "x.csv", names=("articles",))
    text = shell("pipeline export articles", real).stdout
    assert text.count(b"\r") < 5 < text.count(b"\n")
    assert text == (tmp_path / "x.csv").read_bytes().replace(b"\r\n", b"\n")
    for style in ("parquet", "xlsx"):
        assert shell(f"pipeline export topics --format {style} -o - > {out}", real).returncode == 0
        take(real, tmp_path / "y", style, names=("topics",))
        rows = real.rows("select count(*) from topics")[0][0]
        found = (
            pq.read_table(out).num_rows
            if style == "parquet"
            else openpyxl.load_workbook(io.BytesIO(out.read_bytes()))["topics"].max_row - 1
        )
        assert found == rows


def test_the_command_tells_what_it_wrote(real: World, tmp_path: Path) -> None:
    done = shell(
        f"cd {tmp_path}; pipeline export topics related --columns topics,title -o out", real
    )
    assert (done.returncode, done.stderr) == (
        2,
        b"pipeline: topics: has no column topics. Did you mean topic or topic_id?\n",
    )
    done = shell(
        f"cd {tmp_path}; pipeline export topics related -o out; pipeline export topics -o t.xlsx",
        real,
    )
    assert done.stdout == b"out/topics.csv\nout/related.csv\nt.xlsx\n"
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames == ["topics", "columns"]
    done = shell("pipeline export topics --sample 99999999999999999999", real)
    assert done.returncode == 2 and b"is not in the range" in done.stderr
    assert (
        b"--format parquet: is not text. Name a file"
        in shell("pipeline export topics --format parquet", real).stderr
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "topics -o x.db",
            "-o x.db: .db is not the ending of an output format (expected .csv, .parquet, .jsonl,"
            " .xlsx). Choose one of these endings, or name the format with --format.",
        ),
        ("-o x.sqlite", "-o x.sqlite: .sqlite is not the ending of an output format"),
        ("topics -o notes.txt", "-o notes.txt: .txt is not the ending of an output format"),
        (
            "topics --format csv -o x.JSON",
            "-o x.JSON: ends in .json, which is not csv as --format says (endings are .csv,"
            " .parquet, .jsonl, .xlsx). Change the ending or the format.",
        ),
        ("topics --format csv -o x.csv.gz", "-o x.csv.gz: ends in .gz, which is not csv"),
        ("topics --format parquet -o x.csv", "-o x.csv: ends in .csv, which is not parquet"),
        ("--nested -o x.csv", "-o x.csv: ends in .csv, which is not jsonl"),
        ("--format frontmatter -o x.csv", "-o x.csv: ends in .csv, which is not frontmatter"),
    ],
)
def test_an_ending_that_names_another_format_is_refused(
    real: World, tmp_path: Path, arguments: str, message: str
) -> None:
    done = shell(f"cd {tmp_path}; pipeline export {arguments}", real)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"pipeline: {message}")
    assert not list(tmp_path.iterdir())


def test_folders_and_endings_that_promise_nothing_are_written(real: World, tmp_path: Path) -> None:
    done = shell(
        f"cd {tmp_path}; mkdir x.db; pipeline export topics -o x.db;"
        " pipeline export topics -o y.json/; pipeline export topics runs -o exports.2;"
        " pipeline export topics --format csv -o t.txt; pipeline export topics -o plain",
        real,
    )
    assert done.stdout.decode().split() == [
        "x.db/topics.csv", "y.json/topics.csv", "exports.2/topics.csv", "exports.2/runs.csv",
        "t.txt", "plain",
    ]  # fmt: skip
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "t.txt").read_bytes()
