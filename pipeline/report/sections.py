"""Sections of reports in the order of reading, from `sql/reports/<subject>/report.toml`.

A section is a view as people see it: its file is `<view>.sql`. Beside it may lie
`<view>.chart.sql`, the rows that the section's chart draws if not those of the view, and
`<view>.note.sql`, a sentence of figures below the question.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

from pipeline.errors import SchemaError
from pipeline.views.relations import SUBJECTS, sql_folder

Kind = Literal["columns", "interval", "lines", "band", "heatmap", "scatter", "panels", "survival"]


class Chart(Struct, frozen=True, forbid_unknown_fields=True):
    """A chart of a view's rows, or of those that `<view>.chart.sql` selects.

    columns   a column from 0 to `y` over `x`
    interval  a point at `x` with the range `low` to `high`, one line for each `y`
    band      a line of `y` over the time `x`, with the range `low` to `high` if given
    lines     a line of `y` over the time `x` for each `series`
    heatmap   a field at `x` and `y`, coloured by `color`
    scatter   a point at `x` and `y`, sized by `color`
    panels    small multiples: for each `series` a line of steps of `y` over `x`
    survival  a line of steps of `y` over `x` with the range `low` to `high`, a tick if `color` > 0
    """

    kind: Kind
    about: str
    """What the chart shows, for those who cannot see it."""
    x: str
    y: str
    low: str | None = None
    high: str | None = None
    series: str | None = None
    color: str | None = None
    tips: tuple[str, ...] = ()
    """Further fields that a tooltip shows."""
    where: str | None = None
    """Condition in SQL for the view's rows that are drawn; by default all of them."""
    order: str | None = None
    """Order of the rows in SQL; by default that of the view."""
    limit: int = 2_000
    """Rows of the view drawn at most."""

    def fields(self) -> tuple[str, ...]:
        """Return the fields that the chart draws or shows, each once."""
        names = (self.series, self.x, self.y, self.low, self.high, self.color, *self.tips)
        return tuple(dict.fromkeys(name for name in names if name))


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """One view as people see it."""

    view: str
    title: str
    question: str
    """What the section answers, in a sentence or two."""
    columns: tuple[str, ...] = ()
    """Columns for people, in order; by default all. A single row of all is a list of facts."""
    order: str | None = None
    """Order of the rows for people, in SQL; by default that of the view."""
    bar: str | None = None
    """Column that a terminal shows as a bar."""
    empty: str = "Nothing to show."
    """What to say if there are no rows."""
    chart: Chart | None = None
    shown: int = 10
    """Rows shown at first."""


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """A report: sections under a title."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...] = field(name="section")


@cache
def all_reports() -> dict[str, Report]:
    """Return the reports by name, in the order of reading. Raises SchemaError as `load` does."""
    return {name: load(sql_folder() / "reports" / name / "report.toml") for name in SUBJECTS}


def load(path: Path) -> Report:
    """Read a report, named like its folder. Raises SchemaError with the file and the key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(content | {"name": path.parent.name}, Report)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"{path.parent.name}/{path.name}: is not a report ({error}). Correct the key."
        raise SchemaError(message) from error
