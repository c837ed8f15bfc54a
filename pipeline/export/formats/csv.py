"""Write CSV as RFC 4180 describes it, in UTF-8: a header, quotes doubled, CRLF in files.

Null is empty, an empty text is `""`. Texts that a spreadsheet would run as a formula are escaped
(https://owasp.org/www-community/attacks/CSV_Injection): one that begins with = + - @, tab, CR or
LF gets a leading apostrophe. So does one that begins this way after apostrophes, so that removing
one apostrophe from such a text restores the original. Columns of numbers are left alone.
"""

from pipeline.export.expressions import copy, is_nested, is_time, iso_time
from pipeline.export.request import Field, RelationQuery, Snapshot, Style
from pipeline.views.quoting import identifier

BYTE_ORDER_MARK = "\ufeff"
"""Tells Excel that a file is UTF-8."""
FORMULA = "^''*[-=+@\\t\\r\\n]"
"""Regular expression for formulas, with apostrophes doubled for SQL; all of them sort before A."""


def write(
    snapshot: Snapshot, query: RelationQuery, path: str, style: Style, line_end: str = "\\r\\n"
) -> None:
    """Write a CSV file."""
    mark = BYTE_ORDER_MARK if style.excel else ""
    expressions = [
        f"{_cell(field, raw=style.raw)} as {identifier((mark if index == 0 else '') + field.name)}"
        for index, field in enumerate(query.fields)
    ]
    options = f"header true, new_line '{line_end}', delimiter ',', quote '\"', nullstr ''"
    copy(snapshot, query, expressions, path, f"format csv, {options}")


def _cell(field: Field, *, raw: bool) -> str:
    name = identifier(field.name)
    if is_time(field):
        return iso_time(field)
    if is_nested(field):
        return f"to_json({name})::varchar"
    if field.type != "VARCHAR" or raw:
        return name
    is_formula = f"{name} < 'A' and regexp_matches({name}, '{FORMULA}')"
    return f"case when {is_formula} then '''' || {name} else {name} end"
