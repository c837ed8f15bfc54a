"""Parquet: one file per relation, typed as the warehouse is, what each column means in the fields' metadata."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.export.expressions import failed, unwritable
from pipeline.export.request import Extract
from pipeline.schema.tables import RUNS, TABLES

ROWS = 20_000
"""Rows of a row group: what is in memory at a time."""


def write(connection: duckdb.DuckDBPyConnection, extract: Extract, path: str) -> None:
    """Write a Parquet file, row group by row group.

    DuckDB's own COPY is faster, but loses that a column has no nulls, and needs three times the memory.
    """
    try:
        reader: pa.RecordBatchReader = connection.sql(extract.query).to_arrow_reader(ROWS)
        with reader:
            schema = _schema(extract, reader.schema)
            with pq.ParquetWriter(path, schema, compression="zstd") as writer:
                for batch in reader:
                    writer.write_table(
                        pa.Table.from_arrays(batch.columns, schema=schema), row_group_size=ROWS
                    )
    except OSError as error:
        raise unwritable(extract.name, str(error)) from error
    except duckdb.Error as error:
        raise failed(extract.name, error) from error


def _schema(extract: Extract, found: pa.Schema) -> pa.Schema:
    table = {**TABLES, RUNS.name: RUNS}.get(extract.name)
    declared = {column.name: column.field for column in table.columns} if table else {}
    fields = [
        declared.get(field.name)
        or pa.field(field.name, found.field(field.name).type, metadata={"description": field.about})
        for field in extract.fields
    ]
    return pa.schema(fields, {"grain": extract.about})
