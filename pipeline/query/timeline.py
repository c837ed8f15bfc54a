"""The life of one article: what its observations and content changes tell, over all of its paths."""

import datetime as dt
import re
from itertools import accumulate, pairwise
from typing import Any

import duckdb
import msgspec
from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.text import printable
from pipeline.text import table as as_table
from pipeline.transform.urls import canonical_url
from pipeline.views.catalog import connect

ENDS = ("deleted", "moved_away")
BARS = "▁▂▃▄▅▆▇█"
CELLS = 60
"""Width of the picture of heat, in characters."""
LISTED = 5
"""Candidates that an error names."""


class Change(Struct):
    """A field of the content that an observation changed, as text; null = none."""

    field: str
    old: str | None
    new: str | None


class Observation(Struct):
    """One change of the article; scores are null after an end."""

    observed_at: dt.datetime
    change: str
    path: str
    quality: int | None
    heat: int | None
    published: bool | None
    revision: str
    fields: list[Change]


class Life(Struct):
    """One article from first sight to the last change, under all of its paths; `article_id` is the last one."""

    article_id: str
    source: str
    path: str
    title: str | None
    url: str | None
    observations: list[Observation]
    known_until: dt.datetime
    """Time of the newest revision of the source: as far as anybody has looked."""
    is_unreadable: bool
    """Whether the file cannot be read as it is now: the last observation is of an earlier version."""

    @property
    def is_over(self) -> bool:
        """Whether the article is gone."""
        return self.observations[-1].change in ENDS


def life_of(warehouse: Warehouse, wanted: str) -> Life:
    """The life of the article that an article_id or its beginning, a URL, a title or a path or its end names, where that is one.

    Raises UsageError where there is no such article, or several.
    """
    with connect(warehouse) as connection:
        last = _followed(connection, _found(connection, wanted))
        observations = _observations(connection, last)
        [(source, path)] = connection.execute(
            "select source, path from observations where article_id = $1 order by sequence desc limit 1",
            [last],
        ).fetchall()
        here = connection.execute(
            "select title, url from articles where article_id = $1", [last]
        ).fetchone()
        [(known_until, is_unreadable)] = connection.execute(
            """
            select greatest(max(observed_at), (select max(observed_at) from observations where article_id = $2)),
                   exists (from rejections where document_id = $2)
            from revisions where source = $1
            """,
            [source, last],
        ).fetchall()
    title, url = here or (None, None)
    return Life(last, source, path, title, url, observations, known_until, is_unreadable)


def as_object(life: Life) -> Any:
    """The life as JSON has it."""
    return msgspec.to_builtins(life)


def as_text(life: Life, width: int | None) -> str:
    """The life as a person reads it: who it is, a picture of heat, a timeline."""
    seen = [one for one in life.observations if one.change not in ENDS]
    scores = sum(one.change in ("scores", "content_and_scores") for one in seen)
    contents = sum(one.change in ("content", "content_and_scores") for one in seen)
    first, last = life.observations[0], life.observations[-1]
    state = (
        f"{last.change.replace('_', ' ')} {_time(last.observed_at)}"
        if life.is_over
        else _scores(last)
    )
    lines = [
        printable(life.title or life.path),
        *([f"  {printable(life.url)}"] if life.url else []),
        f"  {printable(life.path)} in {printable(life.source)}, article {life.article_id}",
        f"  Now: {state}.",
        f"  First seen {_time(first.observed_at)}; changes of scores: {scores:,}, of content: {contents:,}.",
        *(
            [
                "  The file cannot be read as it is now (see pipeline rejects): this is what was seen last."
            ]
            if life.is_unreadable
            else []
        ),
        *_paths(life.observations),
        "",
        *_picture(life),
        as_table(
            ["time (UTC)", "change", "quality", "heat", "shown", "revision"],
            [
                (
                    _time(one.observed_at),
                    one.change.replace("_", " "),
                    one.quality,
                    "suppressed" if one.heat == -1 else one.heat,
                    None if one.published is None else "yes" if one.published else "no",
                    one.revision[:12]
                    if re.fullmatch("[0-9a-f]{40,}", one.revision)
                    else one.revision,
                )
                for one in life.observations
            ],
            width,
            limit=None,
        ).rstrip("\n"),
    ]
    changed = [(one, change) for one in life.observations for change in one.fields]
    if changed:
        lines += ["", "What changed in the content:"]
        room = max(20, (width - 24) // 2) if width else 1_000
        for one, change in changed:
            lines.append(
                f"  {_time(one.observed_at)}  {change.field}: {_short(change.old, room)} → {_short(change.new, room)}"
            )
    return "\n".join(lines) + "\n"


def _found(connection: duckdb.DuckDBPyConnection, wanted: str) -> str:
    """The article_id that a text names."""
    url = canonical_url(wanted) if re.match(r"[a-z]+://", wanted) else None
    ways = {
        "select article_id from observations where article_id = $1": [wanted],
        "select article_id from articles where $1 in (url, original_url, web_url, amp_url, cdn_amp_url) or url = $2": [
            wanted,
            url,
        ],
        "select article_id from observations where path = $1": [wanted],
        "select article_id from articles where lower(title) = lower($1)": [wanted],
        "select article_id from observations where length($1) >= 6 and starts_with(article_id, $1)": [
            wanted
        ],
        "select article_id from observations where ends_with(path, '/' || $1)": [
            wanted.removeprefix("./")
        ],
        "select article_id from observations where ends_with($1, '/' || path)": [wanted],
    }
    for query, parameters in ways.items():
        found = sorted({str(row[0]) for row in connection.execute(query, parameters).fetchall()})
        lives = sorted({_followed(connection, article) for article in found})
        if len(lives) > 1:
            names = connection.execute(
                "select distinct article_id, source, path from observations"
                " where article_id in (select unnest($1)) order by all limit $2",
                [lives, LISTED],
            ).fetchall()
            told = "; ".join(
                f"{article} ({printable(path)} in {printable(source)})"
                for article, source, path in names
            )
            raise UsageError(
                f"{printable(wanted)}: names {len(lives)} articles. Say which, by article_id: {told}."
            )
        if lives:
            return lives[0]
    near = connection.execute(
        """
        select path from (select distinct path from observations)
        where jaro_winkler_similarity(path, $1) > 0.7
        order by jaro_winkler_similarity(path, $1) desc, path limit 3
        """,
        [wanted],
    ).fetchall()
    there = ", ".join(printable(path) for (path,) in near)
    raise UsageError(
        f"{printable(wanted)}: there is no such article. Name an article_id, a URL, a title or a path"
        + (f", such as {there}." if there else ".")
    )


def _followed(connection: duckdb.DuckDBPyConnection, article: str) -> str:
    """The article_id that an article has at last: where it moved away at the end, that of the path it moved to."""
    seen = set()
    while article not in seen:
        seen.add(article)
        query = """
            select later.article_id from observations as later
            join (select * from observations where article_id = $1 order by sequence desc limit 1) as last
              on later.moved_from = last.article_id and later.revision = last.revision and last.change = 'moved_away'
        """
        if moved := connection.execute(query, [article]).fetchone():
            article = str(moved[0])
    return article


def _observations(connection: duckdb.DuckDBPyConnection, article: str) -> list[Observation]:
    """All observations of a life, oldest first: before a move those of the path it came from."""
    found: list[Observation] = []
    until: int | None = None
    while True:
        rows = connection.execute(
            """
            select sequence, observed_at, change, path, quality, heat, published, revision, moved_from
            from observations where article_id = $1 and coalesce(sequence <= $2, true) order by sequence desc
            """,
            [article, until],
        ).fetchall()
        origin = None
        for _, observed_at, change, path, quality, heat, published, revision, moved_from in rows:
            changes = (
                _changes(connection, article, revision) if change.startswith("content") else []
            )
            found.append(
                Observation(observed_at, change, path, quality, heat, published, revision, changes)
            )
            if moved_from is not None:
                before = connection.execute(
                    "select sequence - 1 from observations where article_id = $1 and revision = $2 and change = 'moved_away'",
                    [moved_from, revision],
                ).fetchone()
                if before:
                    origin = moved_from, int(before[0])
                    break
        if origin is None:
            return found[::-1]
        article, until = origin


def _changes(connection: duckdb.DuckDBPyConnection, article: str, revision: str) -> list[Change]:
    query = "select field, old_value, new_value from content_changes where article_id = $1 and revision = $2 order by field"
    return [Change(*row) for row in connection.execute(query, [article, revision]).fetchall()]


def _paths(observations: list[Observation]) -> list[str]:
    """Where the article was before it moved."""
    pairs = pairwise(observations)
    return [
        f"  Until {_time(new.observed_at)} it was {printable(old.path)}."
        for old, new in pairs
        if old.path != new.path
    ]


def _picture(life: Life) -> list[str]:
    """Heat up to the end of what is known as bars, the highest of each stretch of time; the latest time so far counts."""
    observations = life.observations
    times = list(accumulate((one.observed_at.timestamp() for one in observations), max))
    end_of_all = times[-1] if life.is_over else max(times[-1], life.known_until.timestamp())
    if len({one.heat for one in observations}) < 2 or times[0] == end_of_all:
        return []
    cells: list[list[int | None]] = [[] for _ in range(CELLS)]
    gone = [False] * CELLS
    for one, start, end in zip(observations, times, [*times[1:], end_of_all], strict=True):
        first, last = (
            min(CELLS - 1, max(0, int((at - times[0]) / (end_of_all - times[0]) * CELLS)))
            for at in (start, end)
        )
        for at in range(first, last + 1):
            gone[at] = one.change in ENDS
            cells[at].append(one.heat if one.heat is not None and one.heat >= 0 else None)
    heats = [heat for cell in cells for heat in cell if heat is not None]
    if not heats:
        return []
    low, high = min(heats), max(heats)

    def bar(cell: list[int | None], is_gone: bool) -> str:
        hottest = max((heat for heat in cell if heat is not None), default=None)
        if hottest is None:
            return " " if is_gone else "·"
        return BARS[(hottest - low) * (len(BARS) - 1) // max(1, high - low)]

    bars = "".join(map(bar, cells, gone))
    return [
        f"  heat  {bars}",
        f"        {_day(times[0])}{_day(end_of_all):>{CELLS - 10}}",
        f"        lowest {low:,}, highest {high:,}; a bar is the highest of its stretch of time,",
        "        · is suppressed or unscored, a blank is gone",
        "",
    ]


def _scores(one: Observation) -> str:
    heat = (
        "suppressed"
        if one.heat == -1
        else f"heat {one.heat:,}"
        if one.heat is not None
        else "no heat"
    )
    quality = f"quality {one.quality:,}" if one.quality is not None else "no quality"
    shown = {
        True: "shown on the site",
        False: "not shown on the site",
        None: "not said whether it is shown",
    }[one.published]
    return f"{quality}, {heat}, {shown}"


def _day(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d}"


def _time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def _short(text: str | None, room: int) -> str:
    if text is None:
        return "(none)"
    text = printable(text)
    return text if len(text) <= room else text[: room - 1] + "…"
