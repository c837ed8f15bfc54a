"""The documentation: everything public stands in it, the code writes its console blocks, and its
figures are those of the code.
"""

import re
from pathlib import Path

import duckdb
import pytest
import yaml

import pipeline
from docs._scripts import diagrams, flowchart
from pipeline import errors
from pipeline.export.export import MEMORY
from pipeline.extract.git.process import AHEAD
from pipeline.runs.backlog import WINDOW
from pipeline.schema.table import FEW
from pipeline.settings import Settings
from pipeline.transform.content_changes import LONGEST
from pipeline.transform.documents import BATCH
from pipeline.views import template
from pipeline.views.catalog import open_memory
from pipeline.views.dictionary.entries import entries
from pipeline.views.relations import relations

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
STORY_MEMBERS = (ROOT / "sql/views/story_members.sql").read_text()
WRITTEN = re.compile(r"<!-- \[\[\[cog\n.*?<!-- \[\[\[end\]\]\] -->\n", re.DOTALL)


def text(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_console_block_is_written_by_the_code(page: Path) -> None:
    by_hand = WRITTEN.sub("", page.read_text())
    assert "```console" not in by_hand and not re.search(r"^\$ ", by_hand, re.MULTILINE)


def test_every_query_of_the_pages_fits_the_tables() -> None:
    pages = "\n".join(page.read_text() for page in PAGES)
    queries = re.findall(r"^(?:\$ )?pipeline query \"([^\"]+)\"", pages, re.MULTILINE)
    queries += re.findall(r"`pipeline query \"([^\"]+)\"", pages)
    assert len(queries) >= 8
    with open_memory() as connection:
        template.fill(connection)
        failing = []
        for query in queries:
            try:
                connection.execute(f"explain {query}")
            except duckdb.Error as error:
                failing.append((query, str(error).splitlines()[0]))
    assert [query for query, _ in failing] == ["select titel from articles"], failing


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.encode()) <= 7_000
    links = re.findall(r"\]\((?!http)([^)#]+)", readme)
    assert len(links) > 15 and [link for link in links if not (ROOT / link).exists()] == []


def test_the_tree_in_the_readme_is_the_tree() -> None:
    [tree] = re.findall(
        r"```text\npipeline/\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    drawn = re.findall(r"^ *(\w+)/ ", tree, re.MULTILINE)
    rooms = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")}
    assert sorted(drawn) == sorted(rooms | {"sql", "tests", "docs", "tools", "benchmarks"})


def test_every_setting_and_exit_status_stands_in_the_reference() -> None:
    assert [
        name
        for name in Settings.__struct_fields__
        if f"| `{name}` |" not in text("reference/settings.md")
    ] == []
    statuses = set(re.findall(r"^\| (\d+) \|", text("reference/exit-statuses.md"), re.MULTILINE))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert {str(kind.exit_code) for kind in kinds} | {
        "0",
        "6",
        "7",
        "129",
        "130",
        "143",
    } == statuses


def test_every_check_stands_in_the_reference() -> None:
    page = text("reference/checks.md")
    assert [check.name for check in relations("checks") if f"| `{check.name}` |" not in page] == []


def test_every_table_and_view_stands_in_the_reference() -> None:
    pages = "\n".join(path.read_text() for path in (ROOT / "docs/reference/tables").glob("*.md"))
    headings = re.findall(r"^## (\w+)$", pages, re.MULTILINE)
    assert sorted(set(headings) - {"Lineage"}) == sorted(entries())


def test_every_public_name_stands_in_the_reference() -> None:
    named = re.findall(r"^\.\. auto\w+:: (\w+)$", text("reference/python.md"), re.MULTILINE)
    assert sorted(named) == sorted(set(pipeline.__all__) - {"__version__"})


@pytest.mark.parametrize("subject", ["", "facts", *diagrams.SUBJECTS])
def test_a_diagram_shows_every_relation_of_its_subject(subject: str) -> None:
    found = entries()
    if not subject:
        chart = diagrams.overview(found)
        names = [entry.name for entry in found.values() if entry.kind != "report"]
    elif subject == "facts":
        chart, names = (
            diagrams.of_facts(found),
            [e.name for e in found.values() if e.kind == "fact"],
        )
    else:
        chart = diagrams.of_subject(found, subject)
        names = [entry.name for entry in found.values() if entry.subject == subject]
    svg = flowchart.draw(chart)
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert [name for name in names if name not in shown] == []
    assert svg.count("<rect") == len(flowchart.parse(chart)[0])


def test_boxes_of_a_diagram_do_not_overlap_and_arrows_lead_right() -> None:
    boxes, arrows = flowchart.parse(
        'flowchart LR\n    a[(a)]\n    b["x<br/>y"]\n    a --> b\n    c --> b\n    a --> c'
    )
    svg = flowchart.draw(
        'flowchart LR\n    a[(a)]\n    b["x<br/>y"]\n    a --> b\n    c --> b\n    a --> c'
    )
    assert [box.lines for box in boxes.values()] == [["a"], ["x", "y"], ["c"]]
    assert arrows == [("a", "b"), ("c", "b"), ("a", "c")] and boxes["a"].is_table
    lefts = [float(x) for x in re.findall(r'<rect x="(\d+)"', svg)]
    assert lefts[0] < lefts[2] < lefts[1]
    with pytest.raises(ValueError, match="not a box or an arrow: nonsense here"):
        flowchart.parse("flowchart LR\n    nonsense here")


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["cff-version"], citation["version"]) == ("1.2.0", pipeline.__version__)
    assert citation["authors"] == [{"name": "The frontmatter-warehouse maintainers"}]


def test_the_changelog_keeps_its_form() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", name) for name in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", changelog, re.MULTILINE)) <= kinds


@pytest.mark.parametrize(
    "page",
    [
        "CONTRIBUTING.md",
        "SECURITY.md",
        "README.md",
        "docs/decisions.md",
        "docs/explanation/house.md",
    ],
)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"`([a-z_]+/[\w./<>-]*)`", (ROOT / page).read_text())
    patterns = [
        re.sub("<.*?>", "*", name) for name in named if not name.startswith(("data/", "current/"))
    ]
    missing = [
        pattern
        for pattern in patterns
        if not any(sorted(folder.glob(pattern.rstrip("/"))) for folder in (ROOT, ROOT / "pipeline"))
    ]
    assert missing == []


def test_the_questions_of_the_house_page_are_answered_by_files_of_the_tree() -> None:
    page = text("explanation/house.md")
    rows = re.findall(r"^\| ([^|]+\?) \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) > 20 and all("`" in answer for _, answer in rows)


def test_figures_of_the_decisions_are_those_of_the_code() -> None:
    page = " ".join(text("decisions.md").split())
    assert f"batches of {BATCH:,} documents" in page
    assert f"created: {len(relations('views', 'reports'))} views" in page
    assert f"up to {FEW:,} rows" in page
    assert f"More than {WINDOW:,} changes" in page
    assert f"requested {AHEAD} ahead" in page
    assert f"cut after {LONGEST:,} characters" in page
    assert f"a limit of {MEMORY} MB for each million rows" in page
    days, links = re.findall(r"within (\d+) days|more than (\d+) article", STORY_MEMBERS)
    assert f"within {days[0]} days" in page and f"more than {links[1]} others" in page
    assert f"the newest {Settings().keep_snapshots} snapshots" in page
