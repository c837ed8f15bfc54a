"""The gate, and that every table and column is described."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SchemaError
from pipeline.schema import COLUMNS, RUNS, TABLES, Table
from tests.conftest import World, article

TOPICS = TABLES["article_topics"]
ROW = {"article_id": "a", "position": 1, "topic_id": "t", "topic": "AI"}


def test_rows_become_a_typed_table() -> None:
    table = TOPICS.enforce(TOPICS.from_rows([ROW, ROW | {"position": 2, "topic": None}]))
    assert table.schema == TOPICS.arrow
    assert table.to_pylist() == [ROW, ROW | {"position": 2, "topic": None}]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**ROW, "more": 1}], r"article_topics: columns differ .*not declared \['more'\]"),
        ([{"article_id": "a"}], r"article_topics: columns differ .*missing \['position', 'topic', 'topic_id'\]"),
        ([ROW | {"position": "one", "topic": 7}], r"article_topics: position: .*; topic: .*expected string"),
        ([ROW | {"position": 2**63}], "article_topics: position: .*int64"),
    ],
)
def test_rows_that_do_not_fit(rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        TOPICS.from_rows(rows)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROW | {"article_id": None, "position": None}], "article_topics: article_id: 1 nulls .*; position: 1 nulls"),
        ([ROW, ROW], r"article_topics: 1 rows repeat a key \(article_id, position"),
    ],
)
def test_the_gate_lists_all_failures(rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        TOPICS.enforce(TOPICS.from_rows(rows))


def test_the_gate_casts_only_what_is_safe() -> None:
    loose = pa.table({name: [ROW[name]] for name in TOPICS.names}).set_column(1, "position", pa.array([1], pa.int8()))
    assert TOPICS.enforce(loose).schema == TOPICS.arrow
    with pytest.raises(SchemaError, match="position"):
        TOPICS.enforce(loose.set_column(1, "position", pa.array([1.5])))


@pytest.mark.parametrize("table", [*TABLES.values(), RUNS], ids=lambda table: table.name)
def test_every_column_is_described(table: Table) -> None:
    assert table.grain and set(table.key) <= set(table.names)
    for column in table.columns:
        assert len(column.description) > 5 and not column.description.endswith("."), column.name
    assert all(not column.nullable for column in table.columns if column.name in table.key)


def test_no_column_is_declared_for_nothing() -> None:
    assert set(COLUMNS) == {column.name for table in TABLES.values() for column in table.columns}


def test_descriptions_travel_with_files_and_views(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    [path] = (world.warehouse / "current" / "articles").glob("*.parquet")
    schema = pq.read_schema(path)
    assert schema.metadata[b"grain"] == b"One row per document with a title."
    assert schema.field("quality").metadata[b"unit"] == b"score"
    assert not schema.field("article_id").nullable
    with duckdb.connect(world.warehouse / "warehouse.duckdb", read_only=True) as connection:
        without = connection.execute(
            "select table_name, column_name from duckdb_columns() where comment is null and table_name in"
            f" ({', '.join(repr(name) for name in [*TABLES, 'runs'])})"
        ).fetchall()
        [(comment,)] = connection.execute("select comment from duckdb_views() where view_name = 'related'").fetchall()
    assert without == []
    assert comment == "One row per article and position in its related items."
