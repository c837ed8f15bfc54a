"""Bad input in whole runs: its rows and findings, and the files beside it are loaded."""

import os
from pathlib import Path

import pytest

from pipeline.build.part import build_part
from pipeline.build.tasks import Options, PartTask
from pipeline.extract.folder import Folder, read_file
from tests.support.bad_input import REJECTED, REPAIRED
from tests.support.world import World, article


def test_every_rejection_is_a_row_and_the_file_beside_is_loaded(world: World) -> None:
    world.write({f"_news/{name}.md": case.content for name, case in REJECTED.items()})
    world.write({"_news/good.md": article()})
    record = world.run().record
    assert (record.files, record.articles, record.rejected) == (len(REJECTED) + 1, 1, len(REJECTED))
    rows = {
        str(path): (stage, code, line, column, text, message)
        for path, stage, code, line, column, text, message in world.rows(
            "select path, stage, code, line_number, column_number, line_text, message"
            " from rejections"
        )
    }
    assert rows.keys() == {f"_news/{name}.md" for name in REJECTED}
    for name, case in REJECTED.items():
        *position, text, message = rows[f"_news/{name}.md"]
        assert position == [case.stage, case.code, case.line, case.column]
        assert str(text or "").startswith(case.line_begins or "")
        assert (text is None) == (case.line_begins is None)
        assert str(message).endswith(".")
    assert "s3cret" not in str(rows)
    assert world.rows("select path from articles") == [("_news/good.md",)]


def test_every_finding_is_a_row_and_its_article_has_the_values(world: World) -> None:
    world.write({f"_news/{name}.md": case.content for name, case in REPAIRED.items()})
    world.write({"_news/good.md": article()})
    record = world.run().record
    assert (record.articles, record.rejected) == (len(REPAIRED) + 1, 0)
    with world.connect() as connection:
        for name, case in REPAIRED.items():
            path = {"path": f"_news/{name}.md"}
            found = connection.execute(
                "select rule, field, value, action, line_number, column_number"
                " from findings where path = $path order by position",
                path,
            ).fetchall()
            assert found == [
                (row.rule, row.field, row.value, row.action, row.line, row.column)
                for row in case.findings
            ]
            columns = ", ".join(["findings_count", *case.columns])
            [row] = connection.execute(
                f"select {columns} from articles where path = $path", path
            ).fetchall()
            assert row == (len(case.findings), *case.columns.values())
        assert connection.execute(
            "select findings_count from articles where path = '_news/good.md'"
        ).fetchall() == [(0,)]


def test_strict_repairs_nothing(world: World) -> None:
    world.write(
        {
            "colon.md": "---\ntitle: a: b\n---\n",
            "latin.md": b"---\ntitle: caf\xe9\n---\n",
            "twice.md": "---\ntitle: a\ntitle: b\n---\n",
            "moji.md": '---\ntitle: "itâ€™s"\nheat: "33"\nexcerpt: ""\n---\n',
        }
    )
    world.run(strict=True)
    assert world.rows(
        "select path, code, line_number, column_number from rejections order by path"
    ) == [
        ("colon.md", "bad_yaml", 2, 9),
        ("latin.md", "not_utf8", 2, 11),
        ("twice.md", "bad_yaml", 3, 1),
    ]
    assert world.rows("select title, heat, excerpt from articles") == [("itâ€™s", None, "")]
    assert world.rows("select rule, action from findings order by rule") == [
        ("empty_string", "kept as found"),
        ("mojibake", "kept as found"),
        ("number_as_text", "set to null"),
    ]


def test_too_large(world: World) -> None:
    world.write({"big.md": article(excerpt="x" * 500), "good.md": article()})
    world.run(max_file_bytes=300)
    [row] = world.rows("select path, stage, code, message from rejections")
    assert row[:3] == ("big.md", "read", "too_large")
    assert "(limit 300)" in str(row[3])
    assert world.rows("select path from articles") == [("good.md",)]


def test_a_file_that_stays_too_large_is_no_change(world: World) -> None:
    site = world.write({"big.md": article(excerpt="x" * 500), "good.md": article()})
    world.run(max_file_bytes=300)
    again = world.run(max_file_bytes=300)
    assert (again.record.outcome, again.ledger.rejected) == ("unchanged", 1)
    (site / "big.md").write_text(article(excerpt="x" * 600))
    changed = world.run(max_file_bytes=300)
    assert changed.record.outcome == "published"
    assert world.rows("select sequence, rejected from revisions order by 1") == [(1, 1), (2, 1)]


def test_vanished_while_reading(world: World) -> None:
    source = Folder.parse(str(world.write({"a.md": article(), "gone.md": article()})))
    entries = source.list().entries
    task = PartTask("site/0000", source, entries, world.warehouse, Options())
    (world.site / "gone.md").unlink()
    result = build_part(task)
    assert {
        name: file.rows
        for name, file in result.tables.items()
        if name in ("articles", "rejections", "documents")
    } == {
        "articles": 1,
        "documents": 2,
        "rejections": 1,
    }
    failure = read_file(str(world.site), "gone.md", 100)
    assert not isinstance(failure, tuple)
    assert failure.code == "vanished"


def test_permission_denied(world: World) -> None:
    other = World(
        world.site.parent / "other"
    )  # a run loads modules, and another user may not reach the interpreter's
    other.write({"a.md": article(provider="{name: P, domain: p.example.com}")})
    other.run()
    world.write({"closed.md": article(), "shut/a.md": article(), "good.md": article()})
    for path in [world.site, *world.site.parents]:
        if path.stat().st_mode & 0o005 != 0o005:
            path.chmod(0o755)
    (world.site / "closed.md").chmod(0)
    (world.site / "shut").chmod(0)
    world.warehouse.mkdir()
    world.warehouse.chmod(0o777)
    me = os.geteuid()
    try:
        if me == 0:
            os.seteuid(65534)
        if not os.access(world.site / "good.md", os.R_OK, effective_ids=True):
            pytest.skip("the temporary folder is closed to other users")
        world.run()
    finally:
        os.seteuid(me)
        (world.site / "shut").chmod(0o755)
    assert world.rows("select path, stage, code from rejections order by path") == [
        ("closed.md", "read", "permission_denied"),
        ("shut/", "read", "permission_denied"),
    ]
    assert world.rows("select path from articles") == [("good.md",)]


def test_what_is_no_file_does_not_hold_the_run_up(world: World) -> None:
    world.write({"good.md": article()})
    os.mkfifo(world.site / "pipe.md")
    (world.site / "loop").symlink_to(world.site)
    (world.site / "dangling.md").symlink_to("nowhere.md")
    result = world.run()
    assert result.rejections == {"not_a_file": 1, "vanished": 1}
    assert result.tables["articles"] == 1


def test_odd_names(world: World) -> None:
    names = [
        "'; drop table articles; --.md",
        "new\nline.md",
        "emoji \U0001f525.md",
        "[1]*?.md",
        "back\\slash.md",
        "%s {}.md",
    ]
    world.write({name: article(heat="hot") for name in names})
    raw = os.fsencode(world.site) + b"/caf\xe9.md"
    Path(os.fsdecode(raw)).write_text(article())
    result = world.run()
    assert result.record.rejected == 0
    assert {row[0] for row in world.rows("select path from articles")} == {*names, "caf\ufffde9.md"}
