"""What a report is made of: sections in the order of reading, each with its view, the columns for people, the picture."""

from typing import Literal

from msgspec import Struct

Kind = Literal["columns", "interval", "lines", "band", "heatmap", "scatter", "panels", "survival"]


class Chart(Struct, frozen=True):
    """A picture of a view's rows; field names are those of the query, by default the view itself.

    columns   a column from 0 to `y` over `x`
    interval  a point at `x` with the range `low` to `high`, one line for each `y`
    band      a line of `y` over the time `x`, with the range `low` to `high` where given
    lines     a line of `y` over the time `x` for each `series`
    heatmap   a field at `x` and `y`, coloured by `color`
    scatter   a point at `x` and `y`, sized by `color`
    panels    small multiples: for each `series` a line of steps of `y` over `x`
    survival  a line of steps of `y` over `x` with the range `low` to `high`, and a tick where `color` is above 0
    """

    kind: Kind
    about: str
    """What the picture shows, for those who cannot see it."""
    x: str
    y: str
    low: str | None = None
    high: str | None = None
    series: str | None = None
    color: str | None = None
    tips: tuple[str, ...] = ()
    """Further fields that a tooltip tells."""
    query: str | None = None
    most: int = 2_000
    """Rows drawn at most, where the chart has no query of its own."""


class Section(Struct, frozen=True):
    """One view as people read it."""

    view: str
    title: str
    question: str
    """What the section answers, in a sentence or two."""
    columns: tuple[str, ...] = ()
    """Columns for people, in order; all of them where none are named. A single row is shown as a list of facts."""
    order: str | None = None
    """Order of the rows for people, in SQL; by default that of the view."""
    bar: str | None = None
    """Column that a terminal shows as a bar."""
    empty: str = "Nothing to show."
    """What to say where there are no rows."""
    chart: Chart | None = None
    shown: int = 10
    """Rows that are shown before somebody asks for more."""
    note: str | None = None
    """Query for a sentence that tells the section's main figures, shown below the question; null = nothing to tell."""


class Report(Struct, frozen=True):
    """A report: sections under a title."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...]
