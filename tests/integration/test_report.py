"""`pipeline report` in a terminal, as Markdown, CSV and JSON."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from pipeline.errors import UsageError
from pipeline.load.warehouse import Warehouse
from pipeline.report import compose
from pipeline.report.sections import all_reports
from pipeline.report.selection import Selection
from pipeline.report.text.terminal import BAR, bars, sparkline
from pipeline.report.words import display_text, label
from pipeline.sample import write_site
from pipeline.views.relations import relations
from tests.support.command import ENVIRONMENT, call
from tests.support.world import NOW, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("report"))
    write_site(world.site, 300, 5)
    world.run(now=NOW)
    return world


def test_every_report_view_is_in_a_report_once() -> None:
    shown = [section.view for report in all_reports().values() for section in report.sections]
    assert len(shown) == len(set(shown))
    assert set(shown) - {"near_titles"} == {relation.name for relation in relations("reports")}
    for relation in relations("reports"):
        assert relation.name in [
            section.view for section in all_reports()[relation.path.parent.name].sections
        ]


@pytest.mark.parametrize("report", all_reports().values(), ids=lambda report: report.name)
def test_sections_name_columns_that_their_views_have(world: World, report: object) -> None:
    from pipeline.report.figures import displayed, figures
    from pipeline.report.sections import Report
    from pipeline.report.selection import selected

    assert isinstance(report, Report)
    with selected(Warehouse(world.warehouse), Selection()) as connection:
        for figure in figures(connection, report, limit=5, pictures=True):
            displayed(figure)
            assert figure.section.bar is None or figure.section.bar in figure.names
            chart = figure.section.chart
            if chart and figure.picture:
                fields = {
                    chart.x,
                    chart.y,
                    chart.low,
                    chart.high,
                    chart.series,
                    chart.color,
                    *chart.tips,
                } - {None}
                assert fields <= set(figure.picture.records[0])


def test_a_chart_draws_what_its_keys_or_the_query_beside_its_view_select(world: World) -> None:
    from pipeline.report.figures import Picture, figures
    from pipeline.report.selection import selected

    def picture(view: str) -> Picture:
        [found] = [figure.picture for figure in parts if figure.section.view == view]
        assert found is not None
        return found

    fields = "mean_quality, provider, mean_low, mean_high, scored, shrunken_mean, rank"
    with selected(Warehouse(world.warehouse), Selection()) as connection:
        parts = figures(connection, all_reports()["quality"], limit=3, pictures=True)
        ranked = connection.execute(
            f"select {fields} from quality_by_provider where rank <= 15 order by rank"
        ).fetchall()
        bins = connection.execute("select low, articles from quality_histogram").fetchall()
    drawn = picture("quality_by_provider")
    assert [tuple(record.values()) for record in drawn.records] == ranked and ranked
    assert drawn.query == (
        f"select {fields}\nfrom quality_by_provider\nwhere rank <= 15\norder by rank\nlimit 2000"
    )
    months = picture("quality_by_month")
    assert months.query.startswith("-- One row per month: mean quality")
    assert all((record["mean_low"] is None) == (record["scored"] < 5) for record in months.records)
    columns = picture("quality_histogram")
    assert columns.query == ""
    assert [(record["low"], record["articles"]) for record in columns.records] == bins


@pytest.mark.parametrize("name", [*all_reports(), "all"])
def test_a_terminal_gets_tables_that_fit(world: World, name: str) -> None:
    reports = compose.reports_of(name)
    for width in (80, 132):
        text = compose.as_text(
            Warehouse(world.warehouse), reports, Selection(), "table", width=width
        )
        for line in text.splitlines():
            assert cell_len(line) <= max(width, 110), line  # questions are sentences; tables fit
            assert "─" not in line or cell_len(line) <= width
    for report in reports:
        for section in report.sections:
            assert section.title in text and section.question.split()[-1] in text


def test_figures_state_their_basis_and_filters(world: World) -> None:
    done = call("report", "quality", "--collection", "news", "-w", world.warehouse)
    assert done.returncode == 0, done.stderr
    [(articles, scored, hot, shown)] = world.rows(
        "select count(*), count(quality), count(heat), count(*) filter (is_published) from"
        " article_facts where collection = 'news'"
    )
    lines = done.stdout.splitlines()
    told = " ".join(lines[1:6])
    assert lines[0] == "QUALITY" and f"{articles} articles dated 20" in told
    assert (
        f"(UTC): {scored} with a quality score, {hot} with heat, {shown} shown by the site." in told
    )
    assert "Only articles in collection news." in lines
    assert any(
        line.endswith(f"--format csv --collection news -w {world.warehouse}")
        for line in lines
        if line.startswith("... ")
    )


def test_csv_is_one_file_per_view(world: World, tmp_path: Path) -> None:
    done = call("report", "all", "--format", "csv", "-o", tmp_path / "out", "-w", world.warehouse)
    assert done.returncode == 0
    views = [section.view for report in all_reports().values() for section in report.sections]
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted(views)
    with (tmp_path / "out" / "quality_by_provider.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = world.rows("select provider, articles from quality_by_provider")
    assert [(row["provider"], int(row["articles"])) for row in rows] == expected
    done = call(
        "report", "quality", "--view", "quality_by_topic", "--format", "csv", "-w", world.warehouse
    )
    assert len(list(csv.reader(io.StringIO(done.stdout)))) == 1 + len(
        world.rows("from quality_by_topic")
    )
    assert call("report", "quality", "--format", "csv", "-w", world.warehouse).returncode == 2


def test_json_has_every_row_with_its_description(world: World) -> None:
    done = call("report", "coverage", "--format", "json", "-w", world.warehouse)
    found = json.loads(done.stdout)
    assert found["basis"]["articles"] == world.rows("select count(*) from articles")[0][0]
    [report] = found["reports"]
    sections = {section["view"]: section for section in report["sections"]}
    assert len(sections["publishing_rhythm"]["rows"]) == 168
    for section in sections.values():
        if section["rows"]:
            assert set(section["columns"]) == set(section["rows"][0])


def test_markdown(world: World, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    assert (
        call("report", "heat", "--format", "md", "-o", path, "-w", world.warehouse).returncode == 0
    )
    text = path.read_text()
    assert (
        text.startswith("# Heat\n")
        and "## Hottest now" in text
        and "| title | heat excess | heat | quality |" in text
    )
    assert "The first 10 of " in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["heats"],
            "heats: no such report. Choose one of quality, heat, coverage, health, all.",
        ),
        (["quality", "--view", "heat_now"], "--view heat_now: is in report heat, not in quality."),
        (
            ["quality", "--view", "qualty_by_month"],
            "--view qualty_by_month: report quality has no such view. Did you mean"
            " quality_by_month",
        ),
        (
            ["quality", "--format", "xml"],
            "--format xml: unknown. Choose one of table, md, csv, json, html.",
        ),
        (["quality", "--since", "soon"], "--since soon: not a day (expected YYYY-MM-DD, UTC)."),
        (
            ["quality", "--topic", "Nothing"],
            "--topic Nothing: no article has this topic. There are ",
        ),
    ],
)
def test_usage_errors_say_what_there_is(world: World, arguments: list[str], message: str) -> None:
    done = call("report", *arguments, "-w", world.warehouse)
    assert done.returncode == 2 and message in done.stderr


def test_the_ending_of_a_file_says_its_format(world: World, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "quality.md"
    assert (
        call(
            "report", "quality", "--collection", "_news", "-o", path, "-w", world.warehouse
        ).returncode
        == 0
    )
    assert path.read_text().startswith("# Quality\n")
    done = call("report", "quality", "-o", tmp_path, "-w", world.warehouse)
    assert done.returncode == 2
    assert f"{tmp_path}: is a folder (expected a file). Name a file with -o." in done.stderr


def test_bars_and_sparklines() -> None:
    assert bars([4, 2, 0, 1 / 32]) == ["█" * BAR, "█" * (BAR // 2), "", "▏"]
    assert bars([]) == [] and bars([0, -1]) == ["", ""]
    assert (
        sparkline([0, None, 7]) == "▁ █" and sparkline([3, 3]) == "▁▁" and sparkline([None]) == ""
    )


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("articles", 1234567, "1,234,567"),
        ("top_provider_share", 0.1234, "12.3 %"),
        ("published_rate", 1.0, "100.0 %"),
        ("mean_quality", 12.345, "12.3"),
        ("hhi", 0.061, "0.06"),
        ("mean_heat", 1234.5, "1,234"),
        ("span_hours", 2.04, "2.0 h"),
        ("age_hours", 240.0, "10 days"),
        ("month", dt.date(2024, 1, 1), "2024-01"),
        ("day", dt.date(2024, 1, 1), "2024-01-01"),
        (
            "at",
            dt.datetime(2024, 1, 1, 23, 59, 59, tzinfo=dt.timezone(dt.timedelta(hours=-1))),
            "2024-01-02 00:59",
        ),
        ("is_open", True, "yes"),
        ("paths", ["a", "b"], "a, b"),
        ("title", "a\x1b[31mb", "a\\x1b[31mb"),
        ("title", None, ""),
    ],
)
def test_values_as_people_read_them(name: str, value: object, text: str) -> None:
    assert display_text(name, value) == text


def test_labels() -> None:
    assert [label(name) for name in ("mean_quality", "hhi", "span_hours", "width_px")] == [
        "mean quality",
        "HHI",
        "span",
        "width (px)",
    ]


def test_an_unknown_view_is_refused_in_python_too() -> None:
    with pytest.raises(UsageError, match="no such report"):
        compose.reports_of("none")


@pytest.mark.parametrize("style", ["table", "md", "json", "html"])
def test_articles_that_have_nothing_but_a_title(tmp_path: Path, style: str) -> None:
    bare = World(tmp_path)
    bare.write({f"{number}.md": f"---\ntitle: Title {number}\n---\n" for number in range(3)})
    bare.run()
    done = call("report", "all", "--format", style, "-w", bare.warehouse)
    assert (done.returncode, done.stderr) == (0, "")
    assert style == "json" or "No article has both heat and quality." in done.stdout


def test_files_of_the_working_directory_do_not_stand_in_for_ours(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.py").write_text("raise SystemExit('not this one')")
    program = "import sys; sys.path.remove(''); from pipeline.cli import entry; entry()"
    arguments = ["report", "heat", "--format", "html", "-o", "heat.html", "-w", world.warehouse]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "") and (
        tmp_path / "heat.html"
    ).stat().st_size > 500_000


def test_places_that_cannot_be_written_are_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = call(
        "report", "quality", "--format", "csv", "-o", tmp_path / "file", "-w", world.warehouse
    )
    assert done.returncode == 1 and done.stderr.startswith(
        f"pipeline: {tmp_path}/file/quality_summary.csv: cannot be written ("
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_pipe_is_written_as_it_is(world: World) -> None:
    """As UTF-8, whatever the locale; `/dev/stdout` leads to a pipe that has no path."""
    command = [sys.executable, "-m", "pipeline", "report", "quality", "-o", "/dev/stdout"]
    latin = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*command, "-w", world.warehouse],
        env=ENVIRONMENT | latin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "") and "█" in done.stdout
