"""Which articles a report is about: filters act on the tables, so that every figure and every denominator follows."""

import datetime as dt
import re
import shlex
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import duckdb
from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.load.manifest import Manifest
from pipeline.load.warehouse import Warehouse
from pipeline.text import closest, did_you_mean, printable
from pipeline.views.catalog import connect
from pipeline.views.quoting import quoted
from pipeline.views.relations import relations

LISTED = 5
"""Names that an error lists if none is close to what was given."""

_BY_ARTICLE = (
    "score_stretches",
    "articles",
    "bodies",
    "secured",
    "article_topics",
    "related",
    "images",
    "findings",
)
"""Tables of the selected articles; before them the one fact that knows an article by its last id only."""
_BY_HISTORY = ("observations", "content_changes")
"""Tables that also hold the ids that selected articles had before they moved. `revisions` counts whole sources: none fits it."""
_STORED = 300_000
"""Articles up to which facts are computed once and kept; above, each view computes them anew, in little memory."""


class Selection(Struct, frozen=True):
    """Filters; those given must all hold. An article counts for `topics`, `providers`, `collections` if it has one of them."""

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

    def options(self) -> str:
        """The filters as a command line has them, each with a blank before it; empty without any."""
        given: list[tuple[str, tuple[object, ...]]] = [
            ("since", (self.since,)),
            ("until", (self.until,)),
        ]
        given += [
            ("topic", self.topics),
            ("provider", self.providers),
            ("collection", self.collections),
        ]
        return "".join(
            f" --{name} {shlex.quote(str(value))}"
            for name, values in given
            for value in values
            if value is not None
        )

    def words(self) -> str:
        """The filters as people read them; empty without any."""
        parts = [f"dated {self.since} or later"] if self.since else []
        parts += [f"dated {self.until} or earlier"] if self.until else []
        for name, values in (
            ("with topic", self.topics),
            ("of provider", self.providers),
            ("in collection", self.collections),
        ):
            if values:
                parts.append(f"{name} {' or '.join(values)}")
        return ", ".join(parts)


@contextmanager
def selected(
    warehouse: Warehouse,
    selection: Selection,
    manifest: Manifest | None = None,
    views: Collection[str] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on a snapshot, by default the published one, in which every table holds the selected articles only.

    `views` are those that will be read, by default any: the facts that they read are computed once.
    With filters, files that are no articles and files that could not be read count only where a collection alone is asked for.
    Raises UsageError for a topic, provider or collection that no article has.
    """
    if selection.since and selection.until and selection.since > selection.until:
        raise UsageError(
            f"--since {selection.since}: is after --until {selection.until}. Swap them."
        )
    connection = connect(warehouse, manifest)
    try:
        if selection:
            _refuse_unknown(connection, selection)
            _narrow(connection, selection)
        _keep_facts(connection, views)
        yield connection
    finally:
        connection.close()


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    known = {
        "topic": (selection.topics, "select distinct topic from topic_facts"),
        "provider": (
            selection.providers,
            "select distinct unnest([provider_name, provider_domain]) from articles",
        ),
        "collection": (selection.collections, "select distinct collection from documents"),
    }
    for name, (wanted, query) in known.items():
        for text in wanted:
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
            names = [row[0] for row in rows]
            there = ", ".join(map(printable, names[:LISTED]))
            more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
            hint = did_you_mean(closest(text, names, LISTED)) or (
                f"There are {there}{more}." if names else f"There is no {name} at all."
            )
            raise UsageError(f"--{name} {text}: no article has this {name}. {hint}")


def _narrow(connection: duckdb.DuckDBPyConnection, selection: Selection) -> None:
    """Put filtered tables in the place of the base views, and of the fact that tells lives apart.

    Observations stay of all ids that moves join with one that is selected, since a path may have been that of several articles:
    whose life is whose, `score_stretches` finds out.
    """
    connection.execute(
        """
        create temp table selected as
        with wanted as (
            select [lower(text) for text in $topics::varchar[]] as topics,
                   [lower(text) for text in $providers::varchar[]] as providers,
                   [lower(text) for text in $collections::varchar[]] as collections)
        select article_id from articles cross join wanted
        where ($since::date is null or (published_at at time zone 'UTC')::date >= $since)
          and ($until::date is null or (published_at at time zone 'UTC')::date <= $until)
          and (topics = [] or article_id in
               (select article_id from article_topics where list_contains(topics, lower(topic))))
          and (providers = [] or list_contains(providers, lower(provider_name))
               or list_contains(providers, lower(provider_domain)))
          and (collections = [] or list_contains(collections, lower(collection)))
        """,
        {
            "since": selection.since,
            "until": selection.until,
            "topics": list(selection.topics),
            "providers": list(selection.providers),
            "collections": list(selection.collections),
        },
    )
    connection.execute(
        """
        create temp table selected_ids as
        with recursive ids as (
            select article_id from selected
            union
            select other_id
            from ids
            join (select article_id, moved_from as other_id from observations where moved_from is not null
                  union all
                  select moved_from, article_id from observations where moved_from is not null) using (article_id))
        select article_id from ids
        """
    )
    chosen = "article_id in (from selected)"
    conditions = dict.fromkeys(_BY_ARTICLE, chosen) | dict.fromkeys(
        _BY_HISTORY, "article_id in (from selected_ids)"
    )
    conditions["related_matches"] = f"{chosen} and matched_article_id in (from selected)"
    conditions["documents"] = "document_id in (from selected)"
    conditions["rejections"] = conditions["other_documents"] = "false"
    if selection == Selection(collections=selection.collections):
        folders = ", ".join(f"lower({quoted(text)})" for text in selection.collections)
        conditions["documents"] = conditions["other_documents"] = (
            f"lower(collection) in ({folders})"
        )
        inside = f"document_id in (select document_id from all_documents where lower(collection) in ({folders}))"
        conditions["rejections"] = conditions["findings"] = inside
    for name in conditions:
        connection.execute(f"alter view {name} rename to all_{name}")
    for name, condition in reversed(conditions.items()):  # the fact after what it reads
        connection.execute(f"create view {name} as from all_{name} where {condition}")


def _keep_facts(connection: duckdb.DuckDBPyConnection, views: Collection[str] | None) -> None:
    """Compute each fact that views read once, since those of a report share most of them."""
    [(articles,)] = connection.execute("select count(*) from articles").fetchall()
    if articles > _STORED:
        return
    reports = [
        report
        for report in relations("reports", "computed")
        if views is None or report.name in views
    ]
    words = set(re.findall(r"\w+", " ".join(report.query for report in reports)))
    for relation in relations("views"):
        if relation.name not in words:
            continue
        connection.execute(f"create table kept as from {relation.name}; drop view {relation.name}")
        connection.execute(f"alter table kept rename to {relation.name}")
