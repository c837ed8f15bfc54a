"""The rows of the views that a report shows, with what a reader needs to judge them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
from msgspec import Struct

from pipeline.report.sections import Chart, Report, Section
from pipeline.views.catalog import Row, column_comments, fetch, fetch_records
from pipeline.views.relations import Relation, relations


class Picture(Struct, frozen=True):
    """What a chart draws: rows as records, and the SQL that selects them if not the view's."""

    chart: Chart
    records: list[dict[str, Any]]
    query: str = ""


class Figure(Struct, frozen=True):
    """One section with its first rows; `total` is the number of rows that the view has."""

    section: Section
    names: list[str] = []
    rows: list[Row] = []
    total: int = 0
    about: str = ""
    described: dict[str, str] = {}
    sql: str = ""
    picture: Picture | None = None
    note: str = ""

    @property
    def is_list_of_facts(self) -> bool:
        """Whether the only row is shown as names and values, one below the other."""
        return len(self.rows) == 1 and not self.section.columns


class Basis(Struct, frozen=True):
    """What all figures of a report rest on: articles, their range of days (UTC), the clock."""

    filters: str
    """How the articles were selected, for people; empty if all were."""
    articles: int
    with_quality: int
    with_heat: int
    shown: int
    first_day: dt.date | None
    last_day: dt.date | None
    as_of: dt.datetime | None

    def words(self) -> str:
        """Return denominators and range in a line."""
        if not self.articles:
            return "No articles."
        days = "of unknown day"
        if self.first_day:
            days = f"dated {self.first_day} to {self.last_day} (UTC)"
        scores = f"{self.with_quality:,} with a quality score, {self.with_heat:,} with heat"
        return f"{self.articles:,} articles {days}: {scores}, {self.shown:,} shown by the site."


def basis(connection: duckdb.DuckDBPyConnection, filters: str = "") -> Basis:
    """Return what the figures of a connection rest on; `filters` selected its articles."""
    [row] = connection.execute(
        """
        select count(*), count(quality), count(heat), count(*) filter (is_published),
               min(day), max(day), (select as_of from report_clock)
        from article_facts
        """
    ).fetchall()
    return Basis(filters, *row)


def figures(
    connection: duckdb.DuckDBPyConnection,
    report: Report,
    *,
    limit: int | None,
    pictures: bool = False,
) -> list[Figure]:
    """Return the report's sections, each with at most `limit` rows (None: all of them)."""
    create_computed(connection, [report])
    known = {view.name: view for view in relations("reports", "computed")}
    descriptions, parts = column_comments(connection), []
    for section in report.sections:
        view, limited = known[section.view], f"from {section.view}"
        if limit is not None:
            limited += (f" order by {section.order}" if section.order else "") + f" limit {limit}"
        names, rows = fetch(connection, limited)
        total, picture, note = len(rows), None, ""
        if total == limit:
            [(total,)] = connection.execute(f"select count(*) from {view.name}").fetchall()
        if rows:
            picture = _picture(connection, section, view) if pictures else None
            note = _note(connection, view)
        about = view.comment, descriptions[view.name], view.query
        parts.append(Figure(section, names, rows, total, *about, picture, note))
    return parts


def create_computed(connection: duckdb.DuckDBPyConnection, reports: Sequence[Report]) -> None:
    """Create the relations that Python computes, if a section of the reports shows them."""
    views = {section.view for report in reports for section in report.sections}
    if "near_titles" in views:
        from pipeline.report.near_titles import create_near_titles

        create_near_titles(connection)


def _picture(
    connection: duckdb.DuckDBPyConnection, section: Section, view: Relation
) -> Picture | None:
    """Return what the section's chart draws; None without a chart or without rows to draw."""
    chart = section.chart
    if chart is None:
        return None
    query, fields = view.companion("chart"), ", ".join(chart.fields())
    if query is None and (chart.where or chart.order):
        where = f"\nwhere {chart.where}" if chart.where else ""
        order = f"\norder by {chart.order}" if chart.order else ""
        query = f"select {fields}\nfrom {view.name}{where}{order}\nlimit {chart.limit}"
    sql = query or f"select {fields} from {view.name} limit {chart.limit}"
    records = [
        {name: json_value(value) for name, value in record.items()}
        for record in fetch_records(connection, sql)
    ]
    if chart.kind in ("band", "lines"):  # a row without a time has no place on a line
        records = [record for record in records if record[chart.x] is not None]
    return Picture(chart, records, query or "") if records else None


def _note(connection: duckdb.DuckDBPyConnection, view: Relation) -> str:
    """Return the section's sentence of figures; empty if there is nothing to say."""
    query = view.companion("note")
    rows = connection.execute(query).fetchall() if query else []
    return " ".join(text for (text,) in rows if text)


def json_value(value: Any) -> Any:
    """Return a value as a chart's JSON holds it."""
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def displayed(figure: Figure) -> tuple[list[str], list[Row]]:
    """Return the columns for people, in the section's order, and their rows."""
    names: Sequence[str] = figure.section.columns or figure.names
    positions = [figure.names.index(name) for name in names]
    return list(names), [tuple(row[at] for at in positions) for row in figure.rows]
