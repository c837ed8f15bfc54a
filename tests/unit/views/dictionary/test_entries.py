"""The data dictionary: nothing without a description, lineage that DuckDB confirms, paths that the
contract knows.
"""

import csv
import io
import json
import re
import subprocess
import sys
import types
import typing
from dataclasses import replace
from pathlib import Path

import duckdb
import msgspec
import pytest

from docs._scripts import diagrams
from pipeline.errors import SchemaError, UsageError
from pipeline.sample.site import write_site
from pipeline.schema.documents import Article
from pipeline.schema.tables import RUNS, TABLES
from pipeline.views.catalog import open_memory
from pipeline.views.dictionary import lineage
from pipeline.views.dictionary.entries import entries, entry
from pipeline.views.dictionary.text import FORMATS, markdown, page, shown
from pipeline.views.relations import relations
from tests.support.command import ENVIRONMENT, call
from tests.support.world import World, article

FOUND = entries()
VIEWS = [one for one in FOUND.values() if one.kind != "table"]


def test_every_table_and_view_is_there_and_described() -> None:
    assert list(FOUND) == [
        *TABLES,
        RUNS.name,
        *(view.name for view in relations("views", "reports")),
    ]
    for one in FOUND.values():
        assert one.grain and one.columns and (one.key or one.reads)
        for column in one.columns:
            assert column.type and column.description, (one.name, column.name)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_reads_what_it_cannot_do_without(view: typing.Any) -> None:
    with open_memory() as connection:
        for name in view.reads:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in FOUND[name].columns)
            connection.execute(f"create table {name} ({columns})")
        connection.execute(f"explain {view.source}")
        for name in view.reads:
            connection.execute(f"alter table {name} rename to hidden")
            with pytest.raises(duckdb.CatalogException, match=name):
                connection.execute(f"explain {view.source}")
            connection.execute(f"alter table hidden rename to {name}")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("with a as (select * from b) select * from a join c using (x)", ("b", "c")),
        ("with articles as (select * from articles) select * from articles", ("articles",)),
        (
            "with recursive a as (select 1 as x union all select x + 1 from a where x < 3)"
            " select * from a",
            (),
        ),
        ("with a as (select 1), b as (select * from a) select * from b", ()),
        ("with b as (select * from a), a as (select 1) select * from b, a", ("a",)),
        (
            "select (select max(x) from a) from (with a as (select 1) select * from a) where y"
            " in (from b)",
            ("a", "b"),
        ),
        ("select * from a union all select * from b except from c", ("a", "b", "c")),
        ('select * from "odd; name 😀"', ("odd; name 😀",)),
        ("select * from a asof join b on a.t >= b.t", ("a", "b")),
        ("select 'from x' -- from y", ()),
    ],
)
def test_names_that_a_query_defines_itself_are_not_read(
    query: str, expected: tuple[str, ...]
) -> None:
    with open_memory() as connection:
        assert lineage.reads(connection, query) == expected


def test_what_is_no_select_has_no_lineage() -> None:
    with open_memory() as connection, pytest.raises(SchemaError, match=r"cannot parse a view \("):
        lineage.reads(connection, "drop table articles")


def test_bases_are_the_tables_in_the_end() -> None:
    known = {"report": ("fact", "other"), "fact": ("deep", "a"), "deep": ("b",), "other": ("a",)}
    assert lineage.bases("report", known) == ("a", "b")
    assert entry("coverage_by_topic").reads == ("article_facts", "articles", "topic_facts")
    assert entry("coverage_by_topic").bases == ("article_topics", "articles")


def test_types_are_those_of_a_warehouse(world: World) -> None:
    world.write({"a.md": article(topics="[AI]")})
    world.run()
    with world.connect() as connection:
        for one in FOUND.values():
            described = connection.execute(f"describe {one.name}").fetchall()
            found = [
                (row[0], row[1].lower().replace("timestamp with time zone", "timestamptz"))
                for row in described
            ]
            assert found == [(column.name, column.type) for column in one.columns]


def contract(kind: typing.Any, place: str = "") -> dict[str, bool]:
    """Return every path of front matter, as origins spell it, and whether anything lies below."""
    found: dict[str, bool] = {}
    for field in msgspec.structs.fields(kind):
        path = place + field.encode_name
        found[path] = False
        for part in parts_of(field.type):
            below = f"{path}[]" if typing.get_origin(part) is list else path
            inner = typing.get_args(part)[0] if typing.get_origin(part) is list else part
            if below != path:
                found[path], found[below] = True, False
            for record in parts_of(inner):
                if isinstance(record, type) and issubclass(record, msgspec.Struct):
                    found[path] = found[below] = True
                    found |= contract(record, f"{below}.")
    return found


def parts_of(kind: typing.Any) -> list[typing.Any]:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return [part for member in typing.get_args(kind) for part in parts_of(member)]
    return (
        parts_of(typing.get_args(kind)[0])
        if typing.get_origin(kind) is typing.Annotated
        else [kind]
    )


def test_every_path_is_one_of_the_contract_and_none_is_forgotten() -> None:
    known = contract(Article)
    used = set()
    for table in TABLES.values():
        for column in table.columns:
            for path in filter(None, column.origin.split(", ")):
                if table.name not in ("other_documents", "sidecars") and not path.startswith(
                    "_data/"
                ):
                    assert path in known, f"{table.name}.{column.name}: {path}"
                    used.add(path)
    leaves = {path for path, has_more in known.items() if not has_more}
    images = {
        path for path in leaves if re.search(r"(provider|related\[\])\.images\[\]", path)
    }  # rows of `images`, as by owner
    assert leaves - images <= used


def test_references_hold(tmp_path: Path) -> None:
    world = World(tmp_path)
    write_site(world.site, 150, 1)
    world.run(part_size=60, keep_secured=True)
    for table in TABLES.values():
        for to in table.references:
            key = TABLES[to.table].key
            joined = " and ".join(
                f"a.{ours} = b.{theirs}" for ours, theirs in zip(to.columns, key, strict=True)
            )
            given = " and ".join(f"a.{name} is not null" for name in to.columns)
            rows = world.rows(f"select count(*) from {table.name} a where {given}")
            assert rows != [(0,)] or table.name == "related_matches", (
                f"{table.name}.{to.columns}: nothing to compare"
            )
            assert (
                world.rows(
                    f"select * from {table.name} a anti join {to.table} b on {joined} where {given}"
                )
                == []
            )


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_says_the_same(style: str) -> None:
    everything, one = shown(None, style), shown("story_members", style)
    assert all(name in everything for name in FOUND)
    assert all(column.name in one for column in entry("story_members").columns)
    assert everything.endswith("\n") and one.endswith("\n")


def test_one_relation_in_detail() -> None:
    found = json.loads(shown("topic_facts", "json"))
    assert (found["kind"], found["reads"], found["source"][:14]) == (
        "fact",
        ["article_topics"],
        "-- One row per",
    )
    rows = list(csv.DictReader(io.StringIO(shown("related", "csv"))))
    [title] = [row for row in rows if row["column"] == "title"]
    assert title == {
        "column": "title",
        "type": "varchar",
        "nulls": "",
        "unit": "",
        "front matter": "related[].title",
        "description": "Headline",
    }
    assert "Refers to providers by provider_id." in shown("related", "table")
    assert "```sql\n-- One row per article" in markdown(entry("topic_facts"))
    rows = [json.loads(line) for line in shown(None, "jsonl").splitlines()]
    assert rows[0] == {
        "name": "documents",
        "kind": "table",
        "one row per": "file seen",
        "key": "document_id",
        "columns": 12,
    }
    assert {row["kind"] for row in rows} >= {"table", "fact", "report on heat"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "artcles",
            r"artcles: there is no such table or view\. Did you mean articles, article_facts or ",
        ),
        ("ARTICLES", r"Did you mean articles"),
        (
            "'; drop table\n😀",
            r"'; drop table\\n😀: there is no such table or view\. `pipeline schema` lists all\.",
        ),
        ("", r"schema: there is no such table or view"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        entry(name)
    done = call("schema", name)
    assert done.returncode == 2 and re.search(message, done.stderr) and done.stderr.count("\n") == 1


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"--format xml: unknown\. Choose one of table, record, csv"
    ):
        shown(None, "xml")


def test_the_page_escapes_and_loads_nothing(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>'\"&"
    column = replace(entry("articles").columns[0], name=evil, description=evil, origin=evil)
    text = page(
        [
            replace(entry("topic_facts"), name=evil, grain=evil, columns=(column,), source=evil),
            entry("articles"),
        ]
    )
    assert "<script" not in text and text.count("&lt;script&gt;") >= 6
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"(?!#)", text)
    output = tmp_path / "odd name 😀.html"
    assert call("schema", "--format", "html", "-o", output).returncode == 0
    assert output.read_text() == shown(None, "html") and [
        path.name for path in tmp_path.iterdir()
    ] == [output.name]


def test_a_closed_pipe_is_no_error() -> None:
    script = f"{sys.executable} -m pipeline schema --format html | head -c 10"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert done.stderr == ""


def test_diagrams_join_only_what_they_draw() -> None:
    drawings = [
        diagrams.overview(FOUND),
        diagrams.of_facts(FOUND),
        *(diagrams.of_subject(FOUND, name) for name in diagrams.SUBJECTS),
    ]
    for text in drawings:
        lines = text.splitlines()
        nodes = {found[1] for line in lines if (found := re.match(r"\s+(\w+)\[", line))}
        edges = [line.split(" --> ") for line in lines if " --> " in line]
        ends = {re.match(r"\w+", end.strip())[0] for edge in edges for end in edge}  # type: ignore[index]
        assert edges and ends <= nodes, ends - nodes
    everything = "".join(drawings)
    assert all(re.search(rf"\b{name}\b", everything) for name in FOUND)
    assert all(
        f">{one.name}<" in drawings[0] or f'>{one.name}"' in drawings[0]
        for one in FOUND.values()
        if one.kind != "report"
    )
    assert {one.subject for one in VIEWS if one.subject} == set(diagrams.SUBJECTS)
