"""Figures: the rows of the views that a report shows, with what a reader needs to judge them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
from msgspec import Struct

from pipeline.report.sections import Chart, Report, Section
from pipeline.views.catalog import column_comments
from pipeline.views.relations import relations

Row = tuple[Any, ...]


class Picture(Struct, frozen=True):
    """What a chart draws: its description and its rows as records."""

    chart: Chart
    records: list[dict[str, Any]]


class Figure(Struct, frozen=True):
    """One section with its rows, at most as many as were asked for; `total` is how many the view has."""

    section: Section
    names: list[str]
    rows: list[Row]
    total: int
    about: str
    described: dict[str, str]
    sql: str
    picture: Picture | None = None
    note: str = ""

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]


class Basis(Struct, frozen=True):
    """What all figures of a report rest on: the articles counted, their range of days (UTC), and up to when it was looked."""

    articles: int
    with_quality: int
    with_heat: int
    shown: int
    first_day: dt.date | None
    last_day: dt.date | None
    as_of: dt.datetime | None

    def words(self) -> str:
        """Denominators and range in a line."""
        if not self.articles:
            return "No articles."
        days = (
            f"dated {self.first_day} to {self.last_day} (UTC)"
            if self.first_day
            else "of unknown day"
        )
        scores = f"{self.with_quality:,} with a quality score, {self.with_heat:,} with heat"
        return f"{self.articles:,} articles {days}: {scores}, {self.shown:,} shown by the site."


def basis(connection: duckdb.DuckDBPyConnection) -> Basis:
    """What the figures of a connection rest on."""
    [row] = connection.execute(
        """
        select count(*), count(quality), count(heat), count(*) filter (is_published), min(day), max(day),
               (select as_of from report_clock)
        from article_facts
        """
    ).fetchall()
    return Basis(*row)


def figures(
    connection: duckdb.DuckDBPyConnection,
    report: Report,
    *,
    limit: int | None,
    pictures: bool = False,
) -> list[Figure]:
    """The report's sections in order, each with at most `limit` rows (None: all of them)."""
    known = {relation.name: relation for relation in relations("views", "reports")}
    described_columns = column_comments(connection)
    found = []
    for section in report.sections:
        if section.view == "near_titles":
            about, described, sql = _near_titles(connection)
        else:
            about, described, sql = (
                known[section.view].comment,
                described_columns[section.view],
                known[section.view].query,
            )
        order = f" order by {section.order}" if section.order else ""
        names, rows = _ask(
            connection,
            f"from {section.view}" + (f"{order} limit {limit}" if limit is not None else ""),
        )
        total = len(rows)
        if limit is not None and total >= limit:
            [(total,)] = connection.execute(f"select count(*) from {section.view}").fetchall()
        picture = _picture(connection, section) if pictures and section.chart and rows else None
        found.append(
            Figure(
                section,
                names,
                rows,
                total,
                about,
                described,
                sql,
                picture,
                _note(connection, section) if rows else "",
            )
        )
    return found


def _near_titles(connection: duckdb.DuckDBPyConnection) -> tuple[str, dict[str, str], str]:
    """Compute `near_titles`, which SQL cannot; its description, as a view's header has it."""
    from pipeline.report.near_titles import PAIR_COLUMNS, near_titles

    connection.register("near_titles", near_titles(connection))
    about = "One row per pair of articles of different URLs whose titles are nearly the same, found by RapidFuzz."
    return about, {column.name: column.comment for column in PAIR_COLUMNS}, ""


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[Row]]:
    found = connection.execute(sql)
    return [column[0] for column in found.description or ()], found.fetchall()


def _picture(connection: duckdb.DuckDBPyConnection, section: Section) -> Picture | None:
    """The section's chart; None where its own query finds nothing to draw, though the view has rows."""
    assert section.chart is not None
    names, rows = _ask(
        connection, section.chart.query or f"from {section.view} limit {section.chart.most}"
    )
    records = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
    if section.chart.kind in ("band", "lines"):  # what has no time has no place on a line
        records = [record for record in records if record[section.chart.x] is not None]
    return Picture(section.chart, records) if records else None


def _note(connection: duckdb.DuckDBPyConnection, section: Section) -> str:
    """The section's sentence of figures; empty where there is nothing to tell."""
    found = connection.execute(section.note).fetchall() if section.note else []
    return " ".join(text for (text,) in found if text)


def _plain(value: Any) -> Any:
    """A value as a chart's JSON holds it."""
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def chosen(figure: Figure) -> tuple[list[str], list[Row]]:
    """The columns that people are shown, in the section's order."""
    wanted: Sequence[str] = figure.section.columns or figure.names
    places = [figure.names.index(name) for name in wanted]
    return list(wanted), [tuple(row[at] for at in places) for row in figure.rows]
