"""Follow one article through its history: scores and content, over all of its paths."""

import datetime as dt
import re
from itertools import accumulate, pairwise
from typing import Any

import duckdb
import msgspec
from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.text import closest, did_you_mean, printable, table
from pipeline.transform.urls import canonical_url
from pipeline.views.catalog import connect

ENDS = ("deleted", "moved_away")
BARS = "▁▂▃▄▅▆▇█"
CELLS = 60
"""Width of the picture of heat, in characters."""
LISTED = 5
"""Articles that an error lists."""
MATCHES = (
    ("observations", "article_id = text"),
    (
        "articles",
        "text in (articles.url, original_url, web_url, amp_url, cdn_amp_url)"
        " or articles.url = canonical",
    ),
    ("observations", "path = text"),
    ("articles", "lower(title) = lower(text)"),
    ("observations", "length(text) >= 6 and starts_with(article_id, text)"),
    ("observations", "ends_with(path, '/' || text)"),
    ("observations", "ends_with(text, '/' || path)"),
    ("articles", "length(text) >= 3 and contains(lower(title), lower(text))"),
)
"""What a name may be, the most exact first: the relation and the condition to look it up."""


class Change(Struct):
    """A field of the content that changed, as text; None = absent."""

    field: str
    old: str | None
    new: str | None


class Observation(Struct):
    """One observed change of the article; scores are None once it is gone."""

    observed_at: dt.datetime
    change: str
    path: str
    quality: int | None
    heat: int | None
    published: bool | None
    revision: str
    fields: list[Change]


class Timeline(Struct):
    """One article from the first observation to the last, under all of its paths.

    `article_id` and `path` are the last ones.
    """

    article_id: str
    source: str
    path: str
    title: str | None
    url: str | None
    observations: list[Observation]
    known_until: dt.datetime
    """Time of the newest revision of the source."""
    is_unreadable: bool
    """Whether the file cannot be read now, so that the last observation is of an older version."""

    @property
    def is_over(self) -> bool:
        """Whether the article is gone."""
        return self.observations[-1].change in ENDS


def timeline(warehouse: Warehouse, name: str) -> Timeline:
    """Return the timeline of the article that a name fits.

    A name is an article_id or its beginning, a URL, a title or part of it, a path or its end.
    Raises UsageError if it fits no article or several.
    """
    with connect(warehouse) as connection:
        article = _find(connection, name.removeprefix("./"))
        observations = _observations(connection, article)
        [(source, path, title, url)] = connection.execute(
            "select source, observations.path, title, url from observations"
            " left join (select article_id, title, url from articles) using (article_id)"
            " where article_id = $1 limit 1",
            [article],
        ).fetchall()
        [(known_until, is_unreadable)] = connection.execute(
            """
            select greatest(max(observed_at),
                            (select max(observed_at) from observations where article_id = $2)),
                   exists (from rejections where document_id = $2)
            from revisions where source = $1
            """,
            [source, article],
        ).fetchall()
    return Timeline(article, source, path, title, url, observations, known_until, is_unreadable)


def timeline_object(article: Timeline) -> Any:
    """Return the timeline as JSON has it."""
    return msgspec.to_builtins(article)


def timeline_text(article: Timeline, width: int | None) -> str:
    """Return the timeline for people: which article, a picture of heat, a table of changes."""
    present = [one.change for one in article.observations if one.change not in ENDS]
    scores = sum(change in ("scores", "content_and_scores") for change in present)
    contents = sum(change in ("content", "content_and_scores") for change in present)
    first, last = article.observations[0], article.observations[-1]
    state = _scores(last)
    if article.is_over:
        state = f"{last.change.replace('_', ' ')} {_time(last.observed_at)}"
    lines = [
        printable(article.title or article.path),
        *([f"  {printable(article.url)}"] if article.url else []),
        f"  {printable(article.path)} in {printable(article.source)}, article {article.article_id}",
        f"  Now: {state}.",
        f"  First seen {_time(first.observed_at)};"
        f" changes of scores: {scores:,}, of content: {contents:,}.",
    ]
    if article.is_unreadable:
        lines.append(
            "  The file cannot be read now (see `pipeline rejects`);"
            " this is the last version that could be read."
        )
    lines += [
        f"  Until {_time(new.observed_at)} its path was {printable(old.path)}."
        for old, new in pairwise(article.observations)
        if old.path != new.path
    ]
    names = ["time (UTC)", "change", "quality", "heat", "published", "revision"]
    rows = [_row(one) for one in article.observations]
    lines += ["", *_picture(article), table(names, rows, width, limit=None).rstrip("\n")]
    changes = [(one.observed_at, change) for one in article.observations for change in one.fields]
    if changes:
        lines += ["", "Changes of content:"]
    room = max(20, (width - 24) // 2) if width else 1_000
    lines += [
        f"  {_time(at)}  {change.field}: {_short(change.old, room)} → {_short(change.new, room)}"
        for at, change in changes
    ]
    return "\n".join(lines) + "\n"


def _row(one: Observation) -> tuple[str | int | None, ...]:
    published = None if one.published is None else "yes" if one.published else "no"
    is_commit = re.fullmatch("[0-9a-f]{40,}", one.revision)
    return (
        _time(one.observed_at),
        one.change.replace("_", " "),
        one.quality,
        "suppressed" if one.heat == -1 else one.heat,
        published,
        one.revision[:12] if is_commit else one.revision,
    )


def _find(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the article_id that a name fits; raise UsageError if it fits none or several."""
    url = canonical_url(name) if re.match(r"[a-z]+://", name) else None
    for relation, condition in MATCHES:
        query = f"""
            with wanted as (select $1::varchar as text, $2::varchar as canonical)
            select distinct article_id from {relation}, wanted where {condition} order by 1
        """
        articles = [row[0] for row in connection.execute(query, [name, url]).fetchall()]
        if len(articles) <= LISTED:
            articles = sorted({_last_id(connection, article) for article in articles})
        if len(articles) > 1:
            raise UsageError(_ambiguous(connection, name, articles))
        if articles:
            return str(articles[0])
    rows = connection.execute(
        "select distinct path from observations union select distinct title from articles"
    ).fetchall()
    hint = did_you_mean(closest(name, [row[0] for row in rows if row[0]]))
    raise UsageError(
        f"{printable(name)}: there is no such article."
        f" {hint or 'Name an article_id, a URL, a path, a title or part of it.'}"
    )


def _ambiguous(connection: duckdb.DuckDBPyConnection, name: str, articles: list[str]) -> str:
    rows = connection.execute(
        """
        select distinct article_id, title, observations.path, observations.source
        from observations left join articles using (article_id)
        where article_id in (select unnest($1)) order by title, 3, 4, 1 limit $2
        """,
        [articles, LISTED],
    ).fetchall()
    lines = [
        f"\n  {article}  {printable(title) + '  ' if title else ''}{printable(path)} in {source}"
        for article, title, path, source in rows
    ]
    if len(articles) > len(rows):
        lines.append(f"\n  and {len(articles) - len(rows):,} more")
    return (
        f"{printable(name)}: fits {len(articles):,} articles."
        f" Give more of the title or path, or an article_id:{''.join(lines)}"
    )


def _last_id(connection: duckdb.DuckDBPyConnection, article: str) -> str:
    """Return the last article_id of an article: it changes when its path does."""
    seen = set()
    while article not in seen:
        seen.add(article)
        query = """
            with last as (
                from observations where article_id = $1 order by sequence desc limit 1)
            select later.article_id
            from observations as later
            join last on later.moved_from = last.article_id and later.revision = last.revision
            where last.change = 'moved_away'
        """
        if moved := connection.execute(query, [article]).fetchone():
            article = str(moved[0])
    return article


def _observations(connection: duckdb.DuckDBPyConnection, article: str) -> list[Observation]:
    """Return all observations, oldest first; before a move those of the former path."""
    observations: list[Observation] = []
    until: int | None = None
    while True:
        rows = connection.execute(
            """
            select observed_at, change, path, quality, heat, published, revision,
                   array(select {'field': field, 'old': old_value, 'new': new_value}
                         from content_changes as changes
                         where changes.article_id = here.article_id
                           and changes.revision = here.revision and here.change like 'content%'
                         order by field),
                   moved_from,
                   (select sequence - 1 from observations as left_from
                    where left_from.article_id = here.moved_from
                      and left_from.revision = here.revision and change = 'moved_away')
            from observations as here
            where article_id = $1 and coalesce(sequence <= $2, true)
            order by sequence desc
            """,
            [article, until],
        ).fetchall()
        for *values, moved_from, before in rows:
            record = dict(zip(Observation.__struct_fields__, values, strict=True))
            observations.append(msgspec.convert(record, Observation))
            if before is not None:
                article, until = moved_from, before
                break
        else:
            return observations[::-1]


def _picture(article: Timeline) -> list[str]:
    """Draw heat as bars, each the highest of its stretch of time, up to the newest revision.

    Times may go back, as those of commits do; then the latest so far counts.
    """
    observations = article.observations
    times = list(accumulate((one.observed_at.timestamp() for one in observations), max))
    start, end = times[0], times[-1]
    if not article.is_over:
        end = max(end, article.known_until.timestamp())
    if len({one.heat for one in observations}) < 2 or start == end:
        return []
    heats: list[list[int]] = [[] for _ in range(CELLS)]
    is_gone = [False] * CELLS
    for one, *stretch in zip(observations, times, [*times[1:], end], strict=True):
        first, last = (
            min(CELLS - 1, max(0, int((at - start) / (end - start) * CELLS))) for at in stretch
        )
        for cell in range(first, last + 1):
            is_gone[cell] = one.change in ENDS
            heats[cell] += [one.heat] if one.heat is not None and one.heat >= 0 else []
    if not any(heats):
        return []
    low, high = min(map(min, filter(None, heats))), max(map(max, filter(None, heats)))

    def bar(cell: list[int], gone: bool) -> str:
        if not cell:
            return " " if gone else "·"
        return BARS[(max(cell) - low) * (len(BARS) - 1) // max(1, high - low)]

    return [
        f"  heat  {''.join(map(bar, heats, is_gone))}",
        f"        {_day(start)}{_day(end):>{CELLS - 10}}",
        f"        lowest {low:,}, highest {high:,}; a bar is the highest of its stretch of time,",
        "        · suppressed or unscored, blank: gone",
        "",
    ]


def _scores(one: Observation) -> str:
    heat = "no heat" if one.heat is None else f"heat {one.heat:,}"
    quality = "no quality" if one.quality is None else f"quality {one.quality:,}"
    published = {True: "published", False: "not published", None: "publication not stated"}
    return f"{quality}, {'suppressed' if one.heat == -1 else heat}, {published[one.published]}"


def _day(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d}"


def _time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def _short(text: str | None, room: int) -> str:
    if text is None:
        return "(none)"
    text = printable(text)
    return text if len(text) <= room else text[: room - 1] + "…"
