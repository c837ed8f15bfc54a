"""Parquet part files: immutable, named by their content."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.load.files import write_named
from pipeline.load.manifest import PartFile
from pipeline.load.warehouse import damage


def write(root: Path, name: str, table: pa.Table, part: str | None = None) -> PartFile:
    """Write a table below `parts/<name>/`.

    The same rows give the same bytes and so the same file.
    """
    sink = pa.BufferOutputStream()
    options = {"compression": "zstd", "compression_level": 1, "row_group_size": 1 << 17}
    pq.write_table(table, sink, write_statistics=_ordered(table.schema), **options)
    content = memoryview(sink.getvalue())
    file = write_named(root / "parts" / name, content, "parquet")
    return PartFile(file, table.num_rows, len(content), part)


def read(root: Path, name: str, file: str) -> pa.Table:
    """Return the rows of one part file. Raises WarehouseError if it is missing or damaged."""
    path = root / "parts" / name / file
    try:
        with pq.ParquetFile(path) as source:
            return source.read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).split("\n", 1)[0]
        raise damage(path, f"the part is damaged ({reason})") from error


def _ordered(schema: pa.Schema) -> list[str]:
    """Return the columns whose least and greatest value help a reader to skip rows.

    Texts are left out: they take time to compare.
    """
    unordered = (pa.types.is_string, pa.types.is_nested)
    return [field.name for field in schema if not any(of(field.type) for of in unordered)]
