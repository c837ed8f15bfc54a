"""The columns of the warehouse, each described once: a line of `columns.csv`.

A line gives name, type, unit of measure, origin and description. The origin is the front-matter
path of the values: several with commas, items of lists as `[]`; empty for what the pipeline makes.
Parquet metadata, `COMMENT ON`, the data dictionary and the data package derive from here.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa

from pipeline.errors import SchemaError

TIME = pa.timestamp("us", tz="UTC")
TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "time": TIME,
    "texts": pa.list_(pa.string()),
}


@dataclass(frozen=True)
class Column:
    """One column; `description` is a sentence without its full stop."""

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    origin: str = ""
    nullable: bool = True

    @property
    def field(self) -> pa.Field:
        """The Arrow field, carrying description, unit and origin as metadata."""
        facts = {"description": self.description, "unit": self.unit, "origin": self.origin}
        return pa.field(
            self.name, self.type, self.nullable, {key: text for key, text in facts.items() if text}
        )

    @property
    def comment(self) -> str:
        """Description and unit in one line, as `COMMENT ON` shows them."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


class _Line(NamedTuple):
    name: str
    type: str
    unit: str
    origin: str
    description: str


Line = TypeVar("Line", bound=NamedTuple)


def read_lines(path: Path, kind: type[Line]) -> Iterator[tuple[str, Line]]:
    """Yield the lines of a CSV file below its header, each with its position for messages.

    Raises SchemaError if the header or a line has other fields than `kind`.
    """
    fields = ",".join(kind._fields)
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            header, *rows = lines
        except (csv.Error, ValueError) as error:
            raise SchemaError(
                f"{path}:{lines.line_num}: not CSV ({error}). Check header and quotes."
            ) from error
    if tuple(header) != kind._fields:
        got = ",".join(header)
        raise SchemaError(f"{path}:1: wrong header (got {got}, expected {fields}). Restore it.")
    for number, values in enumerate(rows, 2):
        if len(values) != len(header):
            raise SchemaError(
                f"{path}:{number}: a line has {len(values)} fields (expected {len(header)}:"
                f" {fields}). Quote a field that holds a comma."
            )
        yield f"{path}:{number}", kind._make(values)


def read_columns(path: Path) -> dict[str, Column]:
    """Return the columns of a file such as `columns.csv` by name. Raises SchemaError."""
    columns: dict[str, Column] = {}
    for position, line in read_lines(path, _Line):
        if line.type not in TYPES:
            raise SchemaError(
                f"{position}: {line.name} has an unknown type (got '{line.type}', expected one of"
                f" {', '.join(TYPES)}). Choose one of these."
            )
        if not line.description:
            raise SchemaError(f"{position}: {line.name} has no description. Write one.")
        if line.name in columns:
            raise SchemaError(f"{position}: {line.name} is described already. Remove one line.")
        columns[line.name] = Column(
            line.name, TYPES[line.type], line.description, line.unit, line.origin
        )
    return columns


COLUMNS = read_columns(Path(__file__).with_name("columns.csv"))
