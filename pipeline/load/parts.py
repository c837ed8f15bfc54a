"""Parquet part files: immutable, named by their content."""

from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import WarehouseError
from pipeline.load.files import replace_file
from pipeline.load.manifest import PartFile
from pipeline.load.warehouse import RECOVER


def write(root: Path, name: str, table: pa.Table, part: str | None = None) -> PartFile:
    """Write a table below `parts/<name>/`.

    The same rows give the same bytes and so the same file.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        row_group_size=1 << 17,
        write_statistics=_ordered(table.schema),
    )
    content = memoryview(sink.getvalue())
    file = f"{blake2b(content, digest_size=12).hexdigest()}.parquet"
    path = root / "parts" / name / file
    if not path.exists() or path.read_bytes() != content:
        replace_file(path, content, flush=False)
    return PartFile(file, table.num_rows, len(content), part)


def read(root: Path, name: str, file: str) -> pa.Table:
    """Return the rows of one part file. Raises WarehouseError if it is missing or damaged."""
    path = root / "parts" / name / file
    try:
        with pq.ParquetFile(path) as source:
            return source.read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).split("\n", 1)[0]
        raise WarehouseError(f"{path}: the part is damaged ({reason}). {RECOVER}") from error


def _ordered(schema: pa.Schema) -> list[str]:
    """Return the columns whose least and greatest value help a reader to skip rows.

    Texts are left out: they take time to compare.
    """
    return [
        field.name
        for field in schema
        if not (pa.types.is_string(field.type) or pa.types.is_nested(field.type))
    ]
