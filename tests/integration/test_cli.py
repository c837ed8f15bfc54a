"""The command line in processes of its own: exit status, what goes to which stream, formats."""

import datetime as dt
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline import cli
from tests.support.command import ENVIRONMENT, call
from tests.support.world import World, article


@pytest.fixture
def built(world: World) -> World:
    world.write(
        {
            "_news/a.md": article(heat='"33"', topics="[AI]"),
            "_news/b.md": article(),
            "_news/bad.md": "---\ntitle: [\n---\n",
        }
    )
    world.run()
    return world


def test_the_table_of_options_has_help_for_each_and_none_that_no_command_takes() -> None:
    folder = Path(cli.__file__).parent
    table = tomllib.loads((folder / "options.toml").read_text(encoding="utf-8"))
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert set(re.findall(r'\b(?:option|argument)\("([a-z_.]+)"\)', code)) == table.keys()
    assert all(entry["help"].endswith(".") for entry in table.values())


def test_help_names_every_exit_status() -> None:
    done = call("--help")
    assert done.returncode == 0
    for words in (
        "0 done",
        "1 failed",
        "2 usage",
        "3 too many rejections",
        "4 a check failed",
        "5 another run",
    ):
        assert words in " ".join(done.stdout.split())
    assert call().returncode == 2
    assert call("--version").stdout.startswith("pipeline 0.")


def test_run_ends_with_a_summary_that_adds_up(world: World) -> None:
    world.write(
        {
            "a.md": article(),
            "person.md": "---\nname: Ada\n---\n",
            "README.md": "# hello\n",
            "bad.md": "---\n",
        }
    )
    done = call("run", world.site, "-w", world.warehouse)
    assert (done.returncode, done.stderr) == (0, "")
    numbers = [
        int(line.split()[0])
        for line in done.stdout.splitlines()
        if line.startswith("  ") and line.split()[0].isdigit()
    ]
    assert numbers == [1, 1, 1, 1, 4]
    assert "unclosed_fence 1" in done.stdout and "pipeline rejects" in done.stdout
    again = call("run", world.site, "-w", world.warehouse)
    assert "Nothing changed: snapshot" in again.stdout
    dry = call("run", world.site, "-w", world.warehouse, "--dry-run", "--full")
    assert "Dry run: nothing published" in dry.stdout


def test_run_as_json_is_one_object(world: World) -> None:
    world.write({"a.md": article(), "bad.md": "---\n"})
    done = call("run", world.site, "-w", world.warehouse, "--json")
    found = json.loads(done.stdout)
    assert found["documents"] == {
        "files": 2,
        "articles": 1,
        "other": 0,
        "skipped": 0,
        "rejected": 1,
    }
    assert (found["outcome"], found["published"], found["rejections_by_code"]) == (
        "published",
        True,
        {"unclosed_fence": 1},
    )
    assert found["tables"]["articles"] == 1 and found["seconds"]["total"] > 0


def test_quiet_prints_nothing(world: World) -> None:
    world.write({"a.md": article()})
    done = call("run", world.site, "-w", world.warehouse, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_exit_status(world: World, built: World) -> None:
    site, place = built.site, built.warehouse
    assert call("run", "/nowhere", "-w", place).returncode == 1
    assert call("run", site, "-w", place, "--workers", "many").returncode == 2
    assert call("run", site, "-w", place, "--max-rejects", "some").returncode == 2
    assert call("run", site, "-w", place, "--max-rejects", "0").returncode == 3
    assert call("query", "select 1", "-w", world.site).returncode == 1
    assert call("query", "-w", place).returncode == 2
    assert call("query", "select nothing", "-w", place).returncode == 1
    assert call("query", "select 1", "--format", "yaml", "-w", place).returncode == 2
    assert call("schema", "nothing").returncode == 2
    assert call("check", "-w", place).returncode == 0
    failed = call("run", "/nowhere", "-w", place)
    assert (
        failed.stdout == ""
        and failed.stderr.startswith("pipeline: /nowhere: there is no such folder")
        and "Traceback" not in failed.stderr
    )


def test_a_warehouse_that_cannot_be_written(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article()})
    (tmp_path / "file").write_text("")
    done = call("run", world.site, "-w", tmp_path / "file" / "warehouse")
    assert (
        done.returncode == 1
        and "cannot be written" in done.stderr
        and "Traceback" not in done.stderr
    )


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("csv", 'path,n,list,at\n_news/a.md,33,"[""x""]",2024-01-02T00:00:00Z\n'),
        (
            "json",
            '[{"path": "_news/a.md", "n": 33, "list": ["x"], "at": "2024-01-02T00:00:00Z"}]\n',
        ),
        ("jsonl", '{"path": "_news/a.md", "n": 33, "list": ["x"], "at": "2024-01-02T00:00:00Z"}\n'),
        (
            "md",
            '| path | n | list | at |\n| --- | --- | --- | --- |\n| _news/a.md | 33 | ["x"] |'
            " 2024-01-02 00:00:00 |\n",
        ),
    ],
)
def test_query_formats(built: World, style: str, text: str) -> None:
    sql = (
        "select path, heat as n, ['x'] as list, timestamptz '2024-01-02 00:00:00+00' as at from"
        " articles where heat = 33"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "query", sql, "--format", style, "-w", built.warehouse],
        capture_output=True,
        env=ENVIRONMENT,
        check=True,
    )
    assert done.stdout.decode() == text


def test_query_reads_files_and_writes_files(built: World, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select count(*) as n from articles;\n")
    assert "2" in call("query", "-f", tmp_path / "q.sql", "-w", built.warehouse).stdout
    assert (
        call(
            "query",
            "-f",
            tmp_path / "q.sql",
            "-w",
            built.warehouse,
            "-o",
            tmp_path / "out.csv",
            "--format",
            "csv",
        ).stdout
        == ""
    )
    assert (tmp_path / "out.csv").read_bytes() == b"n\r\n2\r\n"
    call(
        "query",
        "-f",
        tmp_path / "q.sql",
        "-w",
        built.warehouse,
        "-o",
        tmp_path / "out.parquet",
        "--format",
        "parquet",
    )
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [{"n": 2}]


def test_rejects_and_findings_are_places_to_jump_to(built: World) -> None:
    done = call("rejects", "-w", built.warehouse, folder=built.site)
    assert done.stdout.splitlines() == [
        "_news/bad.md:2:8: unclosed bracket '['. Correct the line. [bad_yaml]",
        "    title: [",
        "           ^",
    ]
    found = call("findings", "-w", built.warehouse, folder=built.site)
    assert found.stdout.splitlines() == [
        "1 finding in 1 file",
        "",
        "rule             field   findings",
        "─────────────────────────────────",
        "number_as_text   heat           1",
        "",
        "_news/a.md:4:7: heat: '33' read as 33 [number_as_text]",
    ]
    assert call("findings", "--rule", "mojibake", "-w", built.warehouse).stdout == ""
    assert (
        json.loads(call("rejects", "--json", "-w", built.warehouse).stdout)[0]["code"] == "bad_yaml"
    )


def test_findings_of_all_items_of_a_list_are_counted_together(world: World) -> None:
    items = "".join(f"- title: {number}\n  heat: '33'\n" for number in range(3))
    world.write({"a.md": f"---\ntitle: A\nrelated:\n{items}---\n"})
    world.run()
    lines = call("findings", "-w", world.warehouse).stdout.splitlines()
    assert ["number_as_text", "related[].heat", "3"] in [line.split() for line in lines]


def test_findings_and_diff_list_some_lines_and_all_when_asked(world: World) -> None:
    world.write({f"{number:02}.md": article(heat="'33'") for number in range(25)})
    world.run()
    world.write({f"{number:02}.md": article(heat="'34'", title="New") for number in range(24)})
    world.run(now=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))
    lines = call("findings", "-w", world.warehouse).stdout.splitlines()
    assert lines[0] == "25 findings in 25 files" and len(lines) == 6 + 20 + 1
    assert lines[4].split() == ["number_as_text", "heat", "25"]
    assert lines[-1] == "... 5 more findings; --all prints them"
    assert len(call("findings", "--all", "-w", world.warehouse).stdout.splitlines()) == 6 + 25
    assert len(json.loads(call("findings", "--json", "-w", world.warehouse).stdout)) == 25
    lines = call("diff", "-w", world.warehouse).stdout.splitlines()
    assert lines[:6] == [
        "0 added, 0 removed, 24 changed, 0 moved (25 articles before, 25 after)",
        "",
        "field   articles",
        "────────────────",
        "title         24",
        "heat          24",
    ]
    assert len(lines) == 9 + 20 + 1 and lines[-1] == "... 4 more articles; --all prints them"
    assert len(call("diff", "--all", "-w", world.warehouse).stdout.splitlines()) == 9 + 24
    assert len(json.loads(call("diff", "--json", "-w", world.warehouse).stdout)["changes"]) == 24
    lines = call("snapshots", "-w", world.warehouse).stdout.splitlines()
    assert lines[2].startswith("current ") and lines[3].startswith(" ") and len(lines) == 4
    rows = json.loads(call("snapshots", "--format", "json", "-w", world.warehouse).stdout)
    assert [row[""] for row in rows] == ["current", None]


def test_a_path_that_ends_in_another_format_is_refused(built: World, tmp_path: Path) -> None:
    place, folder = ("-w", built.warehouse), tmp_path / "out"
    folder.mkdir()
    for command, path, message in [
        (
            ("query", "select 1"),
            "x.db",
            ".db is not the ending of an output format (expected .csv,",
        ),
        (("query", "select 1", "--format", "csv"), "x.json", "ends in .json, which is not csv"),
        (("report", "heat"), "x.csv", ".csv is not the ending of an output format (expected .md,"),
        (("report", "heat", "--format", "md"), "x.html", "ends in .html, which is not md"),
        (("schema",), "x.yaml", ".yaml is not the ending of an output format (expected .csv,"),
    ]:
        done = call(*command, "-o", folder / path, *(() if command == ("schema",) else place))
        assert done.returncode == 2 and message in done.stderr, done.stderr
    assert list(folder.iterdir()) == []
    for name, content in [("x.csv", b"n\r\n1\r\n"), ("x.jsonl", b'{"n": 1}\n'), ("x", None)]:
        assert call("query", "select 1 as n", "-o", folder / name, *place).returncode == 0
        assert (folder / name).read_bytes() == (content or "n\n─\n1\n".encode())
    assert call("schema", "-o", folder / "s.csv").returncode == 0
    assert (folder / "s.csv").read_bytes().startswith(b"name,kind,one row per,key,columns\r\n")


def test_names_cannot_move_the_cursor(world: World) -> None:
    world.write({"a\x1b[2J\nb.md": "---\n"})
    world.run()
    lines = call("rejects", "-w", world.warehouse).stdout.splitlines()
    assert lines[0].endswith(
        "a\\x1b[2J\\nb.md:1:1: the front matter opens on line 1 and never closes. Add a line"
        " `---` after the last field. [unclosed_fence]"
    )


def test_status_shows_settings_with_their_origin(built: World, tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text("part_size = 100\nstrict = true\n")
    done = call(
        "status",
        "-w",
        built.warehouse,
        folder=tmp_path,
        PIPELINE_WORKERS="3",
        PIPELINE_STRICT="false",
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["part_size", "100", "pipeline.toml"] in lines
    assert ["workers", "3", "PIPELINE_WORKERS"] in lines
    assert ["warehouse", str(built.warehouse), "flag"] in lines
    assert "published" in done.stdout
    assert (
        json.loads(call("status", "--json", "-w", built.warehouse).stdout)["tables"]["articles"][
            "rows"
        ]
        == 2
    )
    empty = call("status", "-w", tmp_path / "none")
    assert empty.returncode == 0 and "nothing published yet" in empty.stdout


def test_check_prints_the_offending_rows(built: World) -> None:
    done = call("check", "-w", built.warehouse)
    assert "warned  files_rejected: 1 row." in done.stdout and "path=_news/bad.md" in done.stdout
    assert {
        row["name"] for row in json.loads(call("check", "--json", "-w", built.warehouse).stdout)
    } >= {
        "files_rejected",
        "counts_match_rows",
    }


def test_schema_prints_tables_and_columns() -> None:
    assert "article_id" in call("schema", "articles", "--format", "csv").stdout
    assert "other_documents" in call("schema").stdout
    assert "attention_share" in call("schema", "coverage_by_topic").stdout


def test_a_closed_pipe_is_no_error(built: World) -> None:
    script = (
        f"{sys.executable} -m pipeline query 'select unnest(range(200000))' --format csv -w"
        f" '{built.warehouse}' | head -1"
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "query 'from articles' --format csv",
        "export articles -o -",
        "export articles --format xlsx -o -",
        "status",
        "schema",
    ],
)
def test_a_closed_stdout_is_like_dev_null(built: World, words: str, tmp_path: Path) -> None:
    for closed in (">&-", "<&- >&-"):
        command = f"'{sys.executable}' -m pipeline {words} {closed}"
        environment = ENVIRONMENT | {"PIPELINE_WAREHOUSE": str(built.warehouse)}
        done = subprocess.run(
            command,
            shell=True,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    command = f"'{sys.executable}' -m pipeline query 'select nix' 2>&-"
    done = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
