"""Write Parquet with the types of the warehouse, and descriptions in the metadata of the fields."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.export.expressions import export_error, write_error
from pipeline.export.request import ALL_TABLES, RelationQuery, Snapshot

ROWS = 20_000
"""Rows of a row group, and so the rows in memory at a time."""


def write(snapshot: Snapshot, query: RelationQuery, path: str) -> None:
    """Write a Parquet file, row group by row group.

    DuckDB's own COPY is faster, but forgets which columns have no nulls and needs three times the
    memory.
    """
    try:
        reader: pa.RecordBatchReader = snapshot.connection.sql(query.sql).to_arrow_reader(ROWS)
        with reader:
            schema = _schema(query, reader.schema)
            with pq.ParquetWriter(path, schema, compression="zstd") as writer:
                for batch in reader:
                    table = pa.Table.from_arrays(batch.columns, schema=schema)
                    writer.write_table(table, row_group_size=ROWS)
    except OSError as error:
        raise write_error(query.name, str(error)) from error
    except duckdb.Error as error:
        raise export_error(query.name, error) from error


def _schema(query: RelationQuery, types: pa.Schema) -> pa.Schema:
    table = ALL_TABLES.get(query.name)
    declared = {column.name: column.field for column in table.columns} if table else {}
    fields = [
        declared.get(field.name, inferred.with_metadata({"description": field.description}))
        for field, inferred in zip(query.fields, types, strict=True)
    ]
    return pa.schema(fields, {"grain": query.description})
