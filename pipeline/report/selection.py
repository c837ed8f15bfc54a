"""Select the articles of a report.

Filters act on the tables, so that every figure and every denominator follows.
"""

import datetime as dt
import re
import shlex
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import duckdb
from msgspec import Struct
from msgspec.structs import asdict

from pipeline.errors import UsageError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.text import closest, did_you_mean, printable
from pipeline.views.catalog import connect
from pipeline.views.quoting import quoted
from pipeline.views.relations import relations

LISTED = 5
"""Names that an error lists if none is close to what was given."""

_WORDS = {
    "since": "dated {} or later",
    "until": "dated {} or earlier",
    "topic": "with topic {}",
    "provider": "of provider {}",
    "collection": "in collection {}",
}
_NAMES = {
    "topic": "select distinct topic from topic_facts",
    "provider": "select unnest([provider_name, provider_domain]) from articles",
    "collection": "select distinct collection from documents",
}
"""Queries of the names that articles have."""
_BY_ARTICLE = (
    *("score_stretches", "articles", "bodies", "secured"),
    *("article_topics", "related", "images", "findings"),
)
"""Tables of the selected articles, after the fact that knows an article by its last id only."""
_BY_HISTORY = ("observations", "content_changes")
"""Tables with the ids of selected articles before moves, too; `revisions` counts sources."""
_STORED = 300_000
"""Articles up to which facts are computed once; above, each view computes them, in less memory."""


class Selection(Struct, frozen=True):
    """Filters, all of which must hold; one with several names holds if one of them matches."""

    since: dt.date | None = None
    """First day of publication, UTC."""
    until: dt.date | None = None
    """Last day of publication, UTC."""
    topics: tuple[str, ...] = ()
    """Topics as given, upper and lower case alike."""
    providers: tuple[str, ...] = ()
    """Names or domains of outlets, upper and lower case alike."""
    collections: tuple[str, ...] = ()
    """First folders of the paths, without leading underscore."""

    def __bool__(self) -> bool:
        return self != Selection()

    def by_option(self) -> dict[str, list[str]]:
        """Return the values of each option of the command line that is given."""
        values = {"since": [self.since], "until": [self.until], "topic": self.topics}
        values |= {"provider": self.providers, "collection": self.collections}
        texts = {
            name: [str(one) for one in some if one is not None] for name, some in values.items()
        }
        return {name: some for name, some in texts.items() if some}

    def options(self) -> str:
        """Return the filters as options of a command line, each after a blank."""
        given = [(name, one) for name, values in self.by_option().items() for one in values]
        return "".join(f" --{name} {shlex.quote(value)}" for name, value in given)

    def words(self) -> str:
        """Return the filters as people read them; empty without any."""
        given = self.by_option().items()
        return ", ".join(_WORDS[name].format(" or ".join(values)) for name, values in given)


@contextmanager
def selected(
    warehouse: Warehouse,
    selection: Selection,
    manifest: Manifest | None = None,
    views: Collection[str] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection on a snapshot in which every table holds the selected articles only.

    The snapshot is by default the published one. `views` are those that will be read, by default
    any: the facts that they read are computed once. With filters, files that are not articles and
    files that could not be read count only if the filter is a collection alone.
    Raises UsageError for a topic, provider or collection that no article has.
    """
    since, until = selection.since, selection.until
    if since and until and since > until:
        raise UsageError(f"--since {since}: is after --until {until}. Swap them.")
    with connect(warehouse, manifest) as connection:
        if selection:
            _refuse_unknown(connection, selection)
            _narrow(connection, selection)
        _keep_facts(connection, views)
        yield connection


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    given = selection.by_option()
    for option, query in _NAMES.items():
        for text in given.get(option, ()):
            rows = connection.execute(
                f"""
                select distinct name, lower(name) = lower($1)
                from ({query}) as names(name) where name is not null order by name
                """,
                # a command line may hold bytes that are not UTF-8
                [text.encode(errors="backslashreplace").decode()],
            ).fetchall()
            if any(is_same for _, is_same in rows):
                continue
            names = [name for name, _ in rows]
            more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
            there = f"There are {', '.join(map(printable, names[:LISTED]))}{more}."
            hint = did_you_mean(closest(text, names, LISTED)) or there
            hint = hint if names else f"There is no {option} at all."
            raise UsageError(f"--{option} {text}: no article has this {option}. {hint}")


def _narrow(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    """Replace the base views, and the fact that tells lives apart, by filtered ones.

    Observations stay of all ids that moves join with a selected one, since a path may have been
    that of several articles: `score_stretches` finds out whose life is whose.
    """
    values = asdict(selection).items()
    filters = {name: list(one) if isinstance(one, tuple) else one for name, one in values}
    for table in relations("selection"):
        parameters = filters if "$since" in table.query else None
        connection.execute(f"create temp table {table.name} as {table.query}", parameters)
    chosen, ever_chosen = "article_id in (from selected)", "article_id in (from selected_ids)"
    conditions = dict.fromkeys(_BY_ARTICLE, chosen) | dict.fromkeys(_BY_HISTORY, ever_chosen)
    conditions["related_matches"] = f"{chosen} and matched_article_id in (from selected)"
    conditions["documents"] = "document_id in (from selected)"
    conditions["rejections"] = conditions["other_documents"] = "false"
    if selection == Selection(collections=selection.collections):
        folders = ", ".join(f"lower({quoted(text)})" for text in selection.collections)
        inside = f"lower(collection) in ({folders})"
        conditions["documents"] = conditions["other_documents"] = inside
        ids = f"select document_id from all_documents where {inside}"
        conditions["rejections"] = conditions["findings"] = f"document_id in ({ids})"
    for name in conditions:
        connection.execute(f"alter view {name} rename to all_{name}")
    for name, condition in reversed(conditions.items()):  # the fact after what it reads
        connection.execute(f"create view {name} as from all_{name} where {condition}")


def _keep_facts(connection: duckdb.DuckDBPyConnection, views: Collection[str] | None) -> None:
    """Compute each fact that views read once, since those of a report share most of them."""
    [(articles,)] = connection.execute("select count(*) from articles").fetchall()
    if articles > _STORED:
        return
    read = [one for one in relations("reports", "computed") if views is None or one.name in views]
    words = set(re.findall(r"\w+", " ".join(view.query for view in read)))
    for name in (relation.name for relation in relations("views") if relation.name in words):
        connection.execute(f"create table kept as from {name}; drop view {name}")
        connection.execute(f"alter table kept rename to {name}")
