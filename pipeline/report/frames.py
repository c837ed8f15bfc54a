"""Reports as frames, for Python programs and notebooks."""

from collections.abc import Sequence
from typing import Any

from pipeline.load.warehouse import Warehouse
from pipeline.query.frames import Kind, as_kind


def report_frames(
    warehouse: Warehouse,
    name: str,
    *,
    since: str | None = None,
    until: str | None = None,
    topics: Sequence[str] = (),
    providers: Sequence[str] = (),
    collections: Sequence[str] = (),
    kind: Kind = "pandas",
) -> dict[str, Any]:
    """Return the views of a report as frames by name, over the articles selected."""
    from pipeline.report.compose import reports_of
    from pipeline.report.figures import create_computed
    from pipeline.report.selection import Selection, selected
    from pipeline.settings import parse_day

    reports, names = reports_of(name), map(tuple, (topics, providers, collections))
    selection = Selection(parse_day("since", since), parse_day("until", until), *names)
    views = dict.fromkeys(section.view for report in reports for section in report.sections)
    with selected(warehouse, selection, views=views) as connection:
        create_computed(connection, reports)
        return {view: as_kind(connection.table(view).to_arrow_table(), kind) for view in views}
