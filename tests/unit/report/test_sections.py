"""Reports as data: `report.toml` beside the SQL, its errors, and the queries beside a view."""

from pathlib import Path

import pytest

from pipeline.errors import SchemaError
from pipeline.report.sections import Chart, Report, Section, all_reports, load
from pipeline.views.relations import SUBJECTS, relations, sql_folder


def written(folder: Path, text: str) -> Path:
    path = folder / "heat" / "report.toml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_a_report_is_read_in_order(tmp_path: Path) -> None:
    text = """
        title = "Heat"
        lead = "What is hot."
        [[section]]
        view = "b"
        title = "B"
        question = "Which?"
        columns = ["x", "y"]
        shown = 12
        [section.chart]
        kind = "lines"
        about = "X by day."
        x = "day"
        y = "x"
        series = "topic"
        tips = ["x", "n"]
        limit = 5
        [[section]]
        view = "a"
        title = "A"
        question = "What?"
    """
    chart = Chart("lines", "X by day.", "day", "x", series="topic", tips=("x", "n"), limit=5)
    assert load(written(tmp_path, text)) == Report(
        "heat",
        "Heat",
        "What is hot.",
        (
            Section("b", "B", "Which?", ("x", "y"), chart=chart, shown=12),
            Section("a", "A", "What?"),
        ),
    )
    assert chart.fields() == ("topic", "day", "x", "n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", r"Invalid value \(at end of document\)"),
        ("title = 'T'\nlead = 'L'\nsections = []", "unknown field `sections`"),
        ("title = 'T'\nlead = 'L'", "missing required field `section`"),
        (
            "title = 'T'\nlead = 'L'\n[[section]]\nview = 'v'\ntitle = 1\nquestion = 'Q'",
            r"Expected `str`, got `int` - at `\$\.section\[0\]\.title`",
        ),
        (
            "title = 'T'\nlead = 'L'\n[[section]]\nview = 'v'\ntitle = 'S'\nquestion = 'Q'\n"
            "chart = {kind = 'pie', about = 'P', x = 'a', y = 'b'}",
            r"Invalid enum value 'pie' - at `\$\.section\[0\]\.chart\.kind`",
        ),
    ],
)
def test_what_is_not_a_report_is_named_with_file_and_key(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(SchemaError, match=rf"^heat/report\.toml: is not a report \(.*{reason}"):
        load(written(tmp_path, text))


def test_every_folder_of_reports_is_one_subject_with_a_report() -> None:
    folders = {path.name for path in (sql_folder() / "reports").iterdir()}
    assert folders == set(SUBJECTS) == all_reports().keys()


def test_queries_beside_a_view_belong_to_a_section_and_keep_the_form() -> None:
    sections = {section.view: section for one in all_reports().values() for section in one.sections}
    views = {view.path: view for view in relations("reports")}
    paths = sorted((sql_folder() / "reports").rglob("*.*.sql"))
    assert paths
    for path in paths:
        name, kind = path.stem.split(".")
        view = views[path.with_name(f"{name}.sql")]
        query = view.companion(kind)
        assert kind in ("chart", "note") and query and query.startswith("-- One row per "), path
        assert "select *" not in query and "\t" not in query, path
        chart = sections[name].chart
        if kind == "chart":
            assert chart is not None and not chart.where and not chart.order, path
    assert views[sql_folder() / "reports/heat/heat_now.sql"].companion("chart") is None
