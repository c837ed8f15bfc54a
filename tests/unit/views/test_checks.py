"""Checks: thresholds and levels from `pipeline.toml`, the same for runs and for `pipeline check`;
text, JSON and JUnit.
"""

import datetime as dt
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.errors import CheckFailed, UsageError
from pipeline.operations.check_results import checks_junit, checks_text
from pipeline.settings import load_settings
from pipeline.views.checks import CheckResult, run_checks
from pipeline.views.relations import Relation, relations
from tests.support.command import call
from tests.support.world import NOW, World, article

BAD = "---\ntitle: [\n---\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("built"))
    world.write(
        {
            "a.md": article(quality="300", provider="{name: N}"),
            "b.md": article(),
            "x.md": BAD,
            "y.md": BAD,
        }
    )
    world.run()
    return world


def counts(world: World, **chosen: float | str) -> dict[str, int]:
    with world.connect() as connection:
        return {
            result.name: result.count
            for result in run_checks(connection, chosen)
            if result.level != "off"
        }


@pytest.mark.parametrize(
    ("check", "threshold", "passes", "fails", "rows"),
    [
        ("files_rejected", "max_rejected_files", 2, 1.5, 2),
        ("scores_out_of_range", "max_score", 300, 299, 1),
        ("scores_out_of_range", "max_score", "off", 0, 2),
        ("articles_without_provider", "max_without_provider_percent", 50, 49.9, 1),
    ],
)
def test_rows_count_from_the_threshold_on(
    built: World, check: str, threshold: str, passes: float | str, fails: float, rows: int
) -> None:
    assert counts(built, **{threshold: passes})[check] == 0
    assert counts(built, **{threshold: fails})[check] == rows


def test_thresholds_of_time_and_of_unscored_articles(world: World) -> None:
    world.write(
        {
            "a.md": "---\ntitle: A\nquality: 1\npublishedDateTime: 2025-12-31T03:04:05Z\n---\n",
            "b.md": "---\ntitle: B\npublishedDateTime: 2999-01-01T00:00:00Z\n---\n",
        }
    )
    world.run()
    assert counts(world)["published_in_the_future"] == 1
    assert counts(world, max_days_ahead="off")["published_in_the_future"] == 0
    assert counts(world, max_days_ahead=1e300)["published_in_the_future"] == 0
    assert counts(world, max_days_ahead=-1e6)["published_in_the_future"] == 2
    assert counts(world)["sources_gone_quiet"] == 0
    assert counts(world, max_days_without_article=2)["sources_gone_quiet"] == 0
    assert counts(world, max_days_without_article=1.99)["sources_gone_quiet"] == 1
    assert counts(world, max_unscored_percent=50)["articles_unscored"] == 0
    assert counts(world, max_unscored_percent=49)["articles_unscored"] == 1


def test_every_threshold_is_used_and_its_name_is_its_own() -> None:
    checks = relations("checks")
    names = [name for check in checks for name in check.thresholds] + [
        check.name for check in checks
    ]
    assert len(names) == len(set(names))
    for check in checks:
        for name, threshold in check.thresholds.items():
            assert f"${name}::double" in check.query and threshold.about
        assert check.query.count("$") == check.query.count("::double") - check.query.count(
            "100.0::double"
        )


def test_a_threshold_is_read_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "few.sql"
    path.write_text(
        "-- One row per x: y.\n--   threshold most = 2.5: Most\n--   threshold least = off:"
        " Least\n--   a: A\nselect 1 as a\n"
    )
    relation = Relation.load(path)
    assert {name: (t.default, t.about) for name, t in relation.thresholds.items()} == {
        "most": (2.5, "Most"),
        "least": (None, "Least"),
    }
    assert relation.columns == {"a": "A"}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"max_rejected": 1},
            r"max_rejected: not a threshold or a check\. Thresholds are"
            r" .*max_rejected_files.*checks are .*files_rejected",
        ),
        (
            {"max_rejected_files": "many"},
            r"max_rejected_files: not a threshold \(got 'many', expected a number or off\)",
        ),
        ({"max_rejected_files": float("nan")}, "max_rejected_files: not a threshold \\(got nan"),
        ({"max_rejected_files": 10**400}, "not a threshold"),
        (
            {"files_rejected": "fatal"},
            r"files_rejected: not a level \(got 'fatal', expected error, warn, off\)",
        ),
        ({"files_rejected": 1}, "files_rejected: not a level \\(got 1,"),
    ],
)
def test_mistakes_say_what_is_known(
    built: World, chosen: dict[str, float | str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        counts(built, **chosen)
    with pytest.raises(UsageError, match=message):
        built.run(checks=chosen)


@pytest.mark.parametrize(
    "text", ["[checks]\nmax_rejected_files = true\n", "[checks.deep]\nx = 1\n", "checks = 3\n"]
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pipeline.toml").write_text(text)
    with pytest.raises(UsageError, match=r"pipeline\.toml: checks = .* does not fit"):
        load_settings(environment={}, file=tmp_path / "pipeline.toml")


def test_a_run_has_the_levels_and_thresholds_of_its_settings(world: World) -> None:
    world.write({"a.md": article(), "x.md": BAD})
    with pytest.raises(CheckFailed, match=r"checks: 1 failed \(files_rejected 1 rows\)"):
        world.run(checks={"files_rejected": "error"})
    assert not (world.warehouse / "CURRENT").exists()
    result = world.run(
        checks={"files_rejected": "error", "max_rejected_files": 1, "articles_unscored": "off"}
    )
    found = {check.name: (check.level, check.rows) for check in result.checks}
    assert found["files_rejected"] == ("error", 0) and "articles_unscored" not in found


def test_check_takes_pipeline_toml(built: World, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    assert call("check", "-w", built.warehouse, folder=tmp_path).returncode == 0
    file.write_text(
        '[checks]\nmax_rejected_files = 1\nfiles_rejected = "error"\nscores_out_of_range ='
        ' "off"\nmax_score = 10\n'
    )
    done = call("check", "-w", built.warehouse, folder=tmp_path)
    assert done.returncode == 4
    lines = done.stdout.splitlines()
    assert "FAILED  files_rejected: 2 rows. " in done.stdout and any(
        "path=x.md, line_number=2" in line for line in lines
    )
    assert "[max_rejected_files = 1]" in done.stdout
    assert [line for line in lines if line.startswith("off     scores_out_of_range: not run. ")]
    as_json = {
        row["name"]: row
        for row in json.loads(
            call("check", "--json", "-w", built.warehouse, folder=tmp_path).stdout
        )
    }
    assert as_json["files_rejected"]["failed"] and as_json["files_rejected"]["thresholds"] == {
        "max_rejected_files": 1.0
    }
    assert (
        call("check", "--format", "json", "-w", built.warehouse, folder=tmp_path).stdout
        == json.dumps(list(as_json.values()), indent=2) + "\n"
    )
    assert (
        "max_rejected_files = 1, files_rejected = error"
        in call("status", "-w", built.warehouse, folder=tmp_path).stdout
    )
    file.write_text("[checks]\ncolour = 1\n")
    for command in (["check"], ["run", built.site]):
        done = call(*command, "-w", built.warehouse, folder=tmp_path)
        assert done.returncode == 2 and "colour: not a threshold or a check" in done.stderr
    assert call("check", "--format", "yaml", "-w", built.warehouse).returncode == 2
    assert call("check", "--format", "junit", "--json", "-w", built.warehouse).returncode == 2


def test_junit_has_a_test_case_for_each_check(built: World, tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(
        '[checks]\nfiles_rejected = "error"\nmax_score = 50\nrows_have_article = "off"\n'
    )
    done = call("check", "--format", "junit", "-w", built.warehouse, folder=tmp_path)
    assert done.returncode == 4
    root = ElementTree.fromstring(done.stdout)
    total = str(len(relations("checks")))
    assert (root.tag, root.attrib) == (
        "testsuites",
        {"name": "pipeline check", "tests": total, "failures": "1", "errors": "0", "skipped": "2"},
    )
    [suite] = root
    properties, *cases = suite
    assert [case.tag for case in cases] == ["testcase"] * int(total)
    assert {p.attrib["name"]: p.attrib["value"] for p in properties}["max_score"] == "50"
    assert {p.attrib["name"]: p.attrib["value"] for p in properties}[
        "max_days_without_article"
    ] == "off"
    outcome = {
        case.attrib["name"]: [(part.tag, dict(part.attrib), part.text) for part in case]
        for case in cases
    }
    [(tag, attributes, rows)] = outcome["files_rejected"]
    assert (tag, attributes["type"]) == ("failure", "rows") and attributes["message"].startswith(
        "2 rows. One row per file that"
    )
    assert rows is not None and [line.partition(",")[0] for line in rows.splitlines()] == [
        "path=x.md",
        "path=y.md",
    ]
    [skipped, out] = outcome["scores_out_of_range"]
    assert (
        skipped[0] == "skipped"
        and skipped[1]["message"].startswith("warned: 1 row. ")
        and "path=a.md" in str(out[2])
    )
    assert outcome["rows_have_article"] == [("skipped", {"message": "off by setting"}, None)]
    assert outcome["counts_match_rows"] == []


def test_no_character_breaks_the_xml() -> None:
    nasty = "".join(map(chr, range(0x20))) + "\x7f\x85\ud800\udfff\ufffe\uffff\u2028]]>&<\"'é🦊"
    result = CheckResult(
        "nasty", "error", "One row per x.", 12, [{"path": nasty, "long": "x" * 100}]
    )
    text = checks_junit([result])
    assert text.isascii()
    [failure] = ElementTree.fromstring(text).iter("failure")
    assert (
        failure.text is not None
        and failure.text.count("x") > 80
        and failure.text.endswith("\n... and 11 more")
    )
    assert (
        "\\x00" in failure.text
        and "\\ud800" in failure.text
        and "\\uffff" in failure.text
        and "]]>&<\"'é🦊" in failure.text
    )
    assert "\\x00" in checks_text([result]) and "\x00" not in checks_text([result])


def test_a_run_that_nothing_changed_for_reads_no_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write({"a.md": article()})
    world.run()
    subprocess.run(["sleep", "0.05"], check=True)
    world.run(now=NOW + dt.timedelta(hours=1))
    monkeypatch.setattr(
        "pipeline.views.checks.relations", lambda *levels: pytest.fail("a check was read")
    )
    assert world.run(now=NOW + dt.timedelta(hours=2)).record.outcome == "unchanged"
