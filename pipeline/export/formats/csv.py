"""CSV after RFC 4180, UTF-8: CRLF, a header, quotes doubled; null is empty, an empty text is `""`.

Cells that a spreadsheet would run as a formula are defused (https://owasp.org/www-community/attacks/CSV_Injection): a text
that begins with = + - @, tab, CR or LF gets an apostrophe before it. So does one that begins so after apostrophes: who takes one
apostrophe away before such text has the text of the warehouse again. Numbers are columns of their own and stay.
"""

import duckdb

from pipeline.export.expressions import copy, is_nested, is_time, iso_time
from pipeline.export.request import Extract, Field
from pipeline.views.quoting import identifier

BYTE_ORDER_MARK = "\ufeff"
"""What Excel needs to see that a file is UTF-8."""
FORMULA = "^''*[-=+@\\t\\r\\n]"
"""What is defused, as a regular expression inside a SQL literal (an apostrophe is written twice); all of it sorts before A."""


def write(
    connection: duckdb.DuckDBPyConnection,
    extract: Extract,
    path: str,
    *,
    raw: bool = False,
    excel: bool = False,
) -> None:
    """Write a CSV file; `raw` defuses nothing, `excel` begins with a byte order mark."""
    mark = BYTE_ORDER_MARK if excel else ""
    expressions = [
        f"{_cell(field, raw=raw)} as {identifier((mark if at == 0 else '') + field.name)}"
        for at, field in enumerate(extract.fields)
    ]
    copy(
        connection,
        extract,
        expressions,
        path,
        "format csv, header true, new_line '\\r\\n', delimiter ',', quote '\"', nullstr ''",
    )


def _cell(field: Field, *, raw: bool) -> str:
    name = identifier(field.name)
    if is_time(field):
        return iso_time(field)
    if is_nested(field):
        return f"to_json({name})::varchar"
    if field.type != "VARCHAR" or raw:
        return name
    return f"case when {name} < 'A' and regexp_matches({name}, '{FORMULA}') then '''' || {name} else {name} end"
