"""The Data Package of a snapshot: `frictionless validate` accepts it, and it comes and goes with
its snapshot.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.load.datapackage import descriptor
from pipeline.load.manifest import PartFile
from pipeline.load.retention import sweep
from pipeline.load.warehouse import Warehouse
from pipeline.runs.maintenance import roll_back
from pipeline.sample.site import write_site
from pipeline.schema.tables import TABLES
from tests.support.world import NOW, World, article

HOUR = dt.timedelta(hours=1)


def package(world: World) -> Path:
    return world.warehouse / "current" / "datapackage.json"


def validated(path: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and report of `frictionless validate`."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        from frictionless.console import console

        patch.chdir(path.parent.resolve())
        done = CliRunner().invoke(console, ["validate", path.name, "--json"])
    report: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, report


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("sampled"))
    write_site(world.site, 120, 1)
    world.write(
        {
            "_news/nulls.md": '---\ntitle: "nan"\nexcerpt: NaT\ntopics: [null, "", nan]\n---\n',
            "_news/odd.md": (
                '---\ntitle: "a, \\"b\\" \\n =cmd() 😀 שלום"\nquality: 9223372036854775807\nheat:'
                " -1\n---\n"
            ),
        }
    )
    world.run(part_size=50, keep_secured=True, max_rejects="100%")
    return world


def test_frictionless_accepts_every_file(sampled: World) -> None:
    status, report = validated(package(sampled))
    assert (status, report["valid"], report["stats"]["errors"], report["warnings"]) == (
        0,
        True,
        0,
        [],
    )
    rows = {task["name"]: task["stats"].get("rows", 0) for task in report["tasks"]}
    assert (
        sum(rows[name] for name in rows if name.startswith("articles-"))
        == sampled.rows("select count(*) from articles")[0][0]
    )


CONNECTED = ("documents", "providers", "topics", "articles", "article_topics")
"""Tables that are damaged, and those that they refer to."""


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        ("name", "incorrect-label"),
        ("type", "type-error"),
        ("required", "constraint-error"),
        ("key", "primary-key"),
        ("reference", "foreign-key"),
    ],
)
def test_frictionless_finds_what_is_wrong(sampled: World, damage: str, error: str) -> None:
    found = json.loads(package(sampled).read_bytes())
    articles = next(resource for resource in found["resources"] if resource["table"] == "articles")
    topics = next(
        resource for resource in found["resources"] if resource["table"] == "article_topics"
    )
    fields = {field["name"]: field for field in articles["schema"]["fields"]}
    if damage == "name":
        fields["title"]["name"] = "headline"
    elif damage == "type":
        fields["title"]["type"] = "integer"
    elif damage == "required":
        fields["author_name"]["constraints"] = {"required": True}
    elif damage == "key":
        topics["schema"]["primaryKey"] = ["article_id"]
    else:
        topics["schema"]["foreignKeys"][0]["reference"]["resource"] = "articles-2"
    found["resources"] = [
        resource for resource in found["resources"] if resource["table"] in CONNECTED
    ]
    path = package(sampled).resolve().with_name("damaged.json")
    try:
        path.write_text(json.dumps(found))
        status, report = validated(path)
    finally:
        path.unlink()
    errors = {found["type"] for task in report["tasks"] for found in task["errors"]}
    assert status == 1 and error in errors


def test_it_lists_each_file_once_but_secured(sampled: World) -> None:
    found = json.loads(package(sampled).read_bytes())
    listed = [resource["path"] for resource in found["resources"]]
    folder = package(sampled).parent
    there = {f"{path.parent.name}/{path.name}" for path in folder.glob("*/*.parquet")}
    assert (
        len(listed)
        == len(set(listed))
        == len({resource["name"] for resource in found["resources"]})
    )
    assert (
        there - set(listed)
        == {f"secured/{path.name}" for path in (folder / "secured").iterdir()}
        != set()
    )
    assert set(listed) <= there
    assert not any("secured" in resource["table"] for resource in found["resources"])


def test_schema_and_references_are_those_of_the_tables(sampled: World) -> None:
    found = json.loads(package(sampled).read_bytes())
    resources = {resource["name"]: resource for resource in found["resources"]}
    for resource in resources.values():
        table = TABLES[resource["table"]]
        assert [field["name"] for field in resource["schema"]["fields"]] == list(table.names)
        assert resource["schema"]["primaryKey"] == list(table.key)
        for key in resource["schema"].get("foreignKeys", []):
            target = TABLES[resources[key["reference"]["resource"]]["table"]]
            assert (tuple(key["fields"]), target.name) in [
                (to.columns, to.table) for to in table.references
            ]
            assert key["reference"]["fields"] == list(target.key)
    first, second = resources["article_topics-1"], resources["article_topics-2"]
    assert [key["reference"]["resource"] for key in first["schema"]["foreignKeys"]] == [
        "articles-1",
        "topics",
    ]
    assert (
        "description" in first["schema"]["fields"][0]
        and "description" not in second["schema"]["fields"][0]
    )
    assert "foreignKeys" not in resources["providers"]["schema"]
    assert found["version"] == Warehouse(sampled.warehouse).current_id()
    assert found["created"] == "2026-01-02T03:04:05Z" and found["sources"] == [{"title": "site"}]
    assert "licenses" not in found and str(sampled.site) not in package(sampled).read_text()


def test_tables_without_rows_are_described(world: World) -> None:
    world.site.mkdir(exist_ok=True)
    world.run(allow_empty=True)
    status, report = validated(package(world))
    assert (status, report["stats"]["errors"]) == (0, 0) and len(report["tasks"]) == len(TABLES) - 1


def test_names_of_sources_cannot_break_it(world: World) -> None:
    odd = world.site.with_name("o'dd \"😀; drop")
    world.site.rename(odd)
    world.site = odd
    world.write({"a.md": article()})
    world.run()
    assert json.loads(package(world).read_bytes())["sources"] == [{"title": odd.name}]
    assert validated(package(world))[0] == 0


def test_the_same_snapshot_has_the_same_bytes(sampled: World) -> None:
    script = (
        "import sys; from pipeline.load.datapackage import descriptor; from"
        " pipeline.load.warehouse import Warehouse\n"
        "sys.stdout.buffer.write(descriptor(Warehouse(sys.argv[1]).manifest()))"
    )
    command = [sys.executable, "-c", script, str(sampled.warehouse)]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
    )
    assert package(sampled).read_bytes() == done.stdout


def test_a_run_without_changes_leaves_it(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    before = os.stat(package(world))
    assert world.run(now=NOW + HOUR).record.outcome == "unchanged"
    after = os.stat(package(world))
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def two_snapshots(world: World) -> tuple[bytes, Path]:
    """Two snapshots; the descriptor of the first one, and where it lies."""
    world.write({"a.md": article()})
    world.run()
    text, path = package(world).read_bytes(), package(world).resolve()
    world.write({"b.md": article()})
    world.run(now=NOW + HOUR)
    assert package(world).read_bytes() != text == path.read_bytes()
    return text, path


def test_going_back_brings_it_back(world: World) -> None:
    text, path = two_snapshots(world)
    roll_back(Warehouse(world.warehouse), "previous", now=NOW + 2 * HOUR)
    assert package(world).read_bytes() == text and package(world).resolve() == path


def test_a_snapshot_of_an_older_version_gets_one(world: World) -> None:
    text, path = two_snapshots(world)
    path.unlink()
    roll_back(Warehouse(world.warehouse), "previous", now=NOW + 2 * HOUR)
    assert package(world).read_bytes() == text


def test_a_run_mends_what_an_older_version_published(world: World) -> None:
    world.write({"a.md": article()})
    world.run()
    text = package(world).read_bytes()
    package(world).resolve().unlink()
    mark = world.warehouse / ".catalog.json"
    seal = json.loads(mark.read_text())
    del seal["package"]
    mark.write_text(json.dumps(seal))
    assert world.run(now=NOW + HOUR).record.outcome == "unchanged"
    assert json.loads(package(world).read_bytes())["resources"] == json.loads(text)["resources"]


def test_it_goes_with_its_snapshot(world: World) -> None:
    _, path = two_snapshots(world)
    sweep(Warehouse(world.warehouse), 1, 0, NOW + 5 * HOUR)
    assert not path.parent.exists() and package(world).exists()


def test_hundreds_of_parts_refer_to_their_own(sampled: World) -> None:
    manifest = Warehouse(sampled.warehouse).manifest()
    files = {"articles": 300, "article_topics": 300, "related": 300}
    for name, count in files.items():
        manifest.tables[name] = [
            PartFile(f"{at:024x}.parquet", 1, 1, f"site/{at}") for at in range(count)
        ]
    found = {
        resource["name"]: resource for resource in json.loads(descriptor(manifest))["resources"]
    }
    lines = descriptor(manifest).decode().splitlines()
    assert sum(line.startswith('{"name":') for line in lines) == len(found), "a line each"
    for number in (1, 150, 300):
        keys = found[f"article_topics-{number}"]["schema"]["foreignKeys"]
        assert [key["reference"]["resource"] for key in keys] == [f"articles-{number}", "topics"]
    assert "foreignKeys" not in found["related_matches"]["schema"], "one file refers to 300"
