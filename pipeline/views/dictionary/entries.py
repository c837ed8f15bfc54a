"""The data dictionary: every table and view with its columns and what it reads.

It comes from the schema and from the headers of `sql/`; DuckDB adds the types of views and what
they read, on base views without rows, so that no warehouse is needed.
"""

from dataclasses import dataclass
from functools import cache

from pipeline.errors import UsageError
from pipeline.schema.table import Reference
from pipeline.schema.tables import RUNS, TABLES
from pipeline.text import closest, did_you_mean, printable
from pipeline.views import template
from pipeline.views.catalog import open_memory
from pipeline.views.dictionary import lineage
from pipeline.views.dictionary.columns import Described, describe
from pipeline.views.relations import relations


@dataclass(frozen=True)
class Entry:
    """A table, fact (a view that reports build on) or report.

    `subject` is the folder of a report's file. A `derived` table is made of others over all parts;
    `reads` are the relations that a view names, `bases` the tables that its rows come from in the
    end, `source` its SQL.
    """

    name: str
    kind: str
    subject: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Described, ...]
    derived: bool = False
    references: tuple[Reference, ...] = ()
    reads: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    source: str = ""


@cache
def entries() -> dict[str, Entry]:
    """Return every table, then every view, by name."""
    with open_memory() as connection:
        template.fill(connection)
        described, reads = describe(connection)
    columns = {name: tuple(own.values()) for name, own in described.items()}
    tables = [
        Entry(
            one.name,
            "table",
            "",
            one.grain,
            one.key,
            columns[one.name],
            one.derived,
            one.references,
        )
        for one in (*TABLES.values(), RUNS)
    ]
    views = [
        Entry(
            view.name,
            "report" if view.subject else "fact",
            view.subject,
            view.comment.removeprefix("One row per ").removesuffix("."),
            (),
            columns[view.name],
            reads=reads[view.name],
            bases=lineage.bases(view.name, reads),
            source=view.query,
        )
        for view in relations("views", "reports")
    ]
    return {one.name: one for one in (*tables, *views)}


def entry(name: str) -> Entry:
    """Return one table or view; raise UsageError with the nearest names if it is unknown."""
    known = entries()
    if name in known:
        return known[name]
    hint = did_you_mean(closest(name, known)) or "`pipeline schema` lists all."
    raise UsageError(f"{printable(name) or 'schema'}: there is no such table or view. {hint}")
