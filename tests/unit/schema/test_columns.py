"""The files that declare columns and tables, and what is said of a broken line."""

from pathlib import Path

import pytest

from pipeline.errors import SchemaError
from pipeline.schema import columns, tables
from pipeline.schema.columns import TIME, Column, read_columns
from pipeline.schema.table import Reference
from pipeline.schema.tables import read_tables

COLUMNS_CSV = Path(columns.__file__).with_name("columns.csv")
TABLES_CSV = Path(tables.__file__).with_name("tables.csv")
COLUMN = "published_at,time,UTC,publishedDateTime,When the outlet published it"


def test_a_line_gives_all_of_a_column(tmp_path: Path) -> None:
    path = tmp_path / "columns.csv"
    path.write_text(f"name,type,unit,origin,description\n{COLUMN}\n")
    assert read_columns(path) == {
        "published_at": Column(
            "published_at", TIME, "When the outlet published it", "UTC", "publishedDateTime"
        )
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "when,time,UTC,,Start, or end",
            r"a line has 6 fields \(expected 5: name,type,unit,origin,description\). Quote a field",
        ),
        (
            "when,date,,,Day",
            r"when has an unknown type \(got 'date', expected one of text, integer",
        ),
        ("when,time,UTC,,", "when has no description. Write one."),
        (COLUMN, "published_at is described already. Remove one line."),
        ('when,time,UTC,,"Start', r"not CSV \(unexpected end of data\). Check header and quotes."),
    ],
)
def test_a_broken_line_of_a_column(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "columns.csv"
    path.write_text(f"name,type,unit,origin,description\n{COLUMN}\n{line}\n")
    with pytest.raises(SchemaError, match=rf"^{path}:3: {message}"):
        read_columns(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,kind\n", r"1: wrong header \(got name,kind, expected name,type,unit,origin,descr"),
        ("", r"0: not CSV \(not enough values to unpack .*\). Check header"),
    ],
)
def test_a_broken_header(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "columns.csv"
    path.write_text(text)
    with pytest.raises(SchemaError, match=rf"^{path}:{message}"):
        read_columns(path)


TABLE = """\
table,column,role,references,origin,description
related,,,,,article and position
related,article_id,key,,,
related,position,key,,,
matches,,derived,,,match
matches,article_id,key,related,,
matches,position,key,related,,
matches,title,required,,related[].title,Headline of the related item
matches,excerpt,,matches,,
"""


def test_lines_give_all_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "tables.csv"
    path.write_text(TABLE)
    table = read_tables(path)["matches"]
    assert (table.name, table.grain, table.derived) == ("matches", "match", True)
    assert table.key == ("article_id", "position")
    assert table.references == (
        Reference(("article_id", "position"), "related"),
        Reference(("excerpt",), "matches"),
    )
    assert [column.nullable for column in table.columns] == [False, False, False, True]
    assert [column.origin for column in table.columns[2:]] == ["related[].title", "excerpt"]
    assert [column.description for column in table.columns[2:]] == [
        "Headline of the related item",
        "First sentences, or the outlet's summary",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("matches,heading,,,,", "unknown column 'heading'"),
        ("matches,title,primary,,,", "unknown role 'primary'"),
        ("others,,key,,,other", "unknown role 'key'"),
        ("others,title,,,,", "unknown table 'others'"),
        ("matches,title,,others,,", "unknown table 'others'"),
    ],
)
def test_a_broken_line_of_a_table(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "tables.csv"
    path.write_text(f"{TABLE}{line}\n")
    with pytest.raises(SchemaError, match=rf"^{path}:10: {message}. Correct or declare it.$"):
        read_tables(path)


def test_the_files_have_one_line_for_each_column() -> None:
    assert len(COLUMNS_CSV.read_text().splitlines()) == 1 + len(columns.COLUMNS)
    declared = [*tables.TABLES.values(), tables.RUNS]
    assert len(TABLES_CSV.read_text().splitlines()) == 1 + sum(
        1 + len(table.columns) for table in declared
    )
