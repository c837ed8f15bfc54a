"""The declaration of a table, and the gate that every table passes: `Table.enforce`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from pipeline.errors import SchemaError
from pipeline.schema.columns import Column

FEW = 50_000
"""Rows up to which Python finds repeated keys: `group_by` takes 40 ms to load."""


@dataclass(frozen=True)
class Reference:
    """Columns that name a row of another table by its key, unless they are null."""

    columns: tuple[str, ...]
    table: str


@dataclass(frozen=True)
class Table:
    """One table: `grain` completes "one row per ..."; its key is unique and not null."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: bool = False
    references: tuple[Reference, ...] = ()

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema."""
        return pa.schema(
            [column.field for column in self.columns], {"grain": f"One row per {self.grain}."}
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    def from_rows(self, rows: list[tuple[Any, ...]]) -> pa.Table:
        """Return rows with a value for every column, in order, as a table; raise SchemaError."""
        if not rows:
            return self.empty()
        if len(rows[0]) != len(self.columns):
            raise SchemaError(
                f"{self.name}: a row has {len(rows[0])} values (expected {len(self.columns)})."
                " See pipeline/schema/tables.csv."
            )
        arrays, failures = [], []
        for column, values in zip(self.columns, zip(*rows, strict=True), strict=True):
            try:
                arrays.append(pa.array(values, column.type))
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                failures.append(f"{column.name}: {error} (expected {column.type})")
        if failures:
            raise SchemaError(f"{self.name}: " + "; ".join(failures))
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def enforce(self, table: pa.Table) -> pa.Table:
        """Return a table that has the columns, types, nulls and unique key of its declaration.

        Raises SchemaError that lists every failure, the name of the table first.
        """
        if set(table.column_names) != set(self.names):
            raise SchemaError(f"{self.name}: {self._difference(table.column_names)}")
        arrays, failures = [], []
        for column in self.columns:
            array = table[column.name]
            try:
                arrays.append(array if array.type == column.type else array.cast(column.type))
            except (pa.ArrowException, ValueError) as error:
                failures.append(f"{column.name}: {error} (expected {column.type})")
            if not column.nullable and array.null_count:
                failures.append(f"{column.name}: {array.null_count} nulls (expected none)")
        if failures:
            raise SchemaError(f"{self.name}: " + "; ".join(failures))
        table = pa.Table.from_arrays(arrays, schema=self.arrow)
        if duplicates := self._duplicate_keys(table):
            key = ", ".join(self.key)
            raise SchemaError(
                f"{self.name}: {duplicates} rows repeat a key ({key}; expected unique)"
            )
        return table

    def empty(self) -> pa.Table:
        """Return the table without rows."""
        return self.arrow.empty_table()

    def _duplicate_keys(self, table: pa.Table) -> int:
        rows: int = table.num_rows
        if rows > FEW:
            groups = table.group_by(list(self.key), use_threads=False).aggregate([])
            return rows - int(groups.num_rows)
        keys = [table[name].to_pylist() for name in self.key]
        return rows - len(set(keys[0] if len(keys) == 1 else zip(*keys, strict=True)))

    def _difference(self, names: Iterable[str]) -> str:
        missing, unknown = set(self.names) - set(names), set(names) - set(self.names)
        return (
            f"columns differ (missing {sorted(missing)},"
            f" not declared {sorted(unknown)}). See pipeline/schema/tables.csv."
        )
