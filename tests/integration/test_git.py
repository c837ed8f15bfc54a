"""Repositories as sources: real ones, made here; their rows equal those of a checkout, their
history a slow reading of each version.
"""

import io
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.build import history
from pipeline.errors import SourceError, UsageError
from pipeline.extract.folder import Folder
from pipeline.extract.git.repository import Repository, address_of
from pipeline.load.manifest import HISTORY
from pipeline.load.warehouse import Warehouse
from pipeline.query.defects import rejection_lines, rejections
from pipeline.runs import backlog
from pipeline.runs.run import forget
from pipeline.schema.documents import Document, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.settings import load_settings
from pipeline.transform import documents
from tests.support.command import call
from tests.support.repos import GIT, Repo
from tests.support.world import NOW, World, article, corpus


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "site.git")


def tables(world: World, *, without: set[str] = frozenset()) -> dict[str, list[tuple[object, ...]]]:  # type: ignore[assignment]
    """All rows of tables; not the part that holds them, nor when a folder's file was written."""
    found = {}
    with world.connect() as connection:
        for name in set(TABLES) - without:
            columns = ", ".join(
                column
                for column in TABLES[name].names
                if column not in ("part", *(without & {"modified_at"}))
            )
            found[name] = connection.execute(
                f"select {columns} from {name} order by all"
            ).fetchall()
    return found


def test_a_commit_gives_the_rows_of_its_checkout(world: World, repo: Repo, tmp_path: Path) -> None:
    """Names, ids and rows are those of a folder of the same name; only times differ: the last
    change of each file.
    """
    files: dict[str | bytes, Any] = {
        "_news/a.md": article(topics="[AI]"),
        "_news/b b.md": article(title="B", secured="YQ==;YQ=="),
        "_news/.hidden.md": article(),
        ".github/c.md": article(),
        "_data/topics/ai.yaml": "_id: ai\nname: AI\nparent: Tech\n",
        "_data/organizations/x.example.md": "---\n_id: x.example\nname: X\n---\n",
        "about.html": "---\nlayout: page\n---\n<p>",
        "broken.md": "---\ntitle: [\n---\n",
        "plain.md": "hello\n",
        "picture.png": b"\x89PNG",
    }
    repo.commit(files)
    second = repo.commit({"_news/b b.md": article(title="B2"), "_news/new.md": article()})
    checkout = tmp_path / "checkout" / "site"
    subprocess.run([*GIT, "clone", "-q", repo.path, checkout], check=True)
    folder = World(tmp_path / "folder")
    folder.run(sources=(str(checkout),))
    result = world.run(sources=(repo.address,))
    assert result.record.files == 7 and result.record.rejected == 1
    left_out = {*HISTORY, "modified_at"}
    assert tables(world, without=left_out) == tables(folder, without=left_out)
    times = dict(world.rows("select path, epoch(modified_at)::bigint from documents"))
    assert (
        times["_news/a.md"] == repo.clock - 7_200
        and times["_news/b b.md"] == times["_news/new.md"] == repo.clock
    )
    assert world.run(sources=(repo.address,)).record.outcome == "unchanged"
    assert dict(world.rows("select path, revision from observations where sequence = 2")) == {
        "_news/b b.md": second
    }


def test_a_folder_may_become_a_repository(world: World, repo: Repo, tmp_path: Path) -> None:
    """What runs saw before the first commit stays; from there on the commits tell."""
    site = tmp_path / "folder" / "site"
    site.mkdir(parents=True)
    (site / "a.md").write_text(article(heat="10"))
    world.run(sources=(str(site),), now=NOW.replace(year=2020, month=1))
    (site / "a.md").write_text(article(heat="20"))
    world.run(sources=(str(site),), now=NOW)
    repo.commit({"a.md": article(heat="20")})
    last = repo.commit({"a.md": article(heat="30")})
    world.run(sources=(repo.address,))
    rows = world.rows(
        "select sequence, change, heat, revision = $$"
        + last
        + "$$ from observations order by sequence"
    )
    assert rows == [(1, "first", 10, False), (2, "scores", 20, False), (3, "scores", 30, True)]


def slow_history(repo: Repo, branch: str) -> dict[str, list[tuple[Any, ...]]]:
    """Each article's observations by `git show` of each version and PyYAML: (commit, change, moved
    from, quality, heat, published).
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    content: dict[str, Any] = {}
    before: dict[str, str] = {}
    for commit in repo.git("rev-list", "--first-parent", "--reverse", branch).split():
        listed = [
            line.split("\t")
            for line in repo.git("ls-tree", "-r", "--full-tree", commit).splitlines()
        ]
        now = {path: about.split()[2] for about, path in listed if path.endswith(".md")}
        gone = sorted(before.keys() - now.keys())
        moves: dict[str, str] = {}
        for path in sorted(now.keys() - before.keys()):
            if origin := next(
                (one for one in gone if before[one] == now[path] and one not in moves.values()),
                None,
            ):
                moves[path] = origin
        for path in gone:
            if path in found and found[path][-1][1] not in ("deleted", "moved_away"):
                change = "moved_away" if path in moves.values() else "deleted"
                found[path].append((commit, change, None, None, None, None))
        for path, blob in sorted(now.items()):
            if before.get(path) == blob:
                continue
            try:
                _, front, body = (repo.git("show", f"{commit}:{path}") + "\n").split("---\n", 2)
                data = yaml.load(front, Loader=yaml.CSafeLoader)
            except (ValueError, yaml.YAMLError):
                continue
            scores = tuple(data.pop(key, None) for key in ("quality", "heat", "published"))
            data.pop("secured", None)
            last = found.get(path, [None])[-1]
            is_over = last is not None and last[1] in ("deleted", "moved_away")
            if path in moves:
                change = "moved"
            elif last is None:
                change = "first"
            elif is_over:
                change = "revived"
            else:
                differs = (content[path] != (data, body), last[3:] != scores)
                change = {
                    (True, True): "content_and_scores",
                    (True, False): "content",
                    (False, True): "scores",
                }.get(differs, "")
            if change:
                found.setdefault(path, []).append((commit, change, moves.get(path), *scores))
            content[path] = (data, body)
        before = now
    return found


def page(chance: random.Random, number: int) -> str:
    return article(
        title=f"Title {number} {chance.choice('ab')}",
        heat=str(chance.choice([-1, 50, 51, 70])),
        published=chance.choice(["true", "false"]),
        secured=f"{chance.choice(['YQ==', 'Yg=='])};YQ==",
    )


def busy(repo: Repo, seed: int, commits: int = 40) -> None:
    """A history of 20 articles: edits, deletes, revivals, moves, a merge, broken versions in the
    middle.
    """
    chance = random.Random(seed)
    paths = [f"_news/{number:02}.md" for number in range(20)]
    now: dict[str, str] = {path: page(chance, at) for at, path in enumerate(paths)}
    repo.commit(dict(now))
    repo.git("branch", "side")
    for step in range(commits):
        changed: dict[str | bytes, Any] = {}
        for path in chance.sample(paths, 3):
            event = chance.choice(["edit", "edit", "edit", "delete", "break", "move"])
            if event == "edit" or path not in now:
                now[path] = page(chance, paths.index(path))
                changed[path] = now[path]
            elif event == "delete":
                del now[path]
                changed[path] = None
            elif event == "break":
                now[path] = f"---\ntitle: [{chance.random()}\n---\n"
                changed[path] = now[path]
            else:
                free = [
                    other
                    for other in [*paths, "_old/a.md", "_old/b.md"]
                    if other not in now and other not in changed
                ]
                if free:
                    target = chance.choice(free)
                    now[target] = now.pop(path)
                    changed[target], changed[path] = now[target], None
        if step == commits // 2:
            repo.commit({"_news/side.md": article(heat="60")}, branch="side")
            repo.commit({"_news/side.md": article(heat="61")}, branch="side")
            now["_news/side.md"] = article(heat="61")
            repo.commit({**changed, "_news/side.md": now["_news/side.md"]}, merge="side")
        elif changed:
            repo.commit(changed)


def observed(world: World) -> dict[str, list[tuple[Any, ...]]]:
    rows = world.rows(
        """
        select path, revision, change,
               (select any_value(path) from observations as other
                where other.article_id = one.moved_from),
               quality, heat, published
        from observations as one order by path, sequence
        """
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    for path, *rest in rows:
        found.setdefault(str(path), []).append(tuple(rest))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_history_equals_a_slow_reading_of_each_version(world: World, repo: Repo, seed: int) -> None:
    busy(repo, seed)
    world.run(sources=(repo.address,))
    slow = slow_history(repo, "main")
    assert observed(world) == slow
    changes = Counter(row[1] for rows in slow.values() for row in rows)
    assert {"first", "scores", "content", "deleted", "revived"} <= changes.keys() and len(
        slow
    ) >= 20
    side = [row[0] for row in slow["_news/side.md"]]
    assert len(side) >= 1 and repo.git("rev-list", "--parents", "-1", side[0]).count(" ") == 2, (
        "a merge brings what it merges"
    )


@pytest.mark.parametrize("step", [1, 7])
def test_many_runs_see_what_one_run_sees(
    world: World, repo: Repo, tmp_path: Path, step: int
) -> None:
    """Read commit by commit, or all at once: the same rows in every table."""
    busy(repo, 5, commits=20)
    commits = repo.git("rev-list", "--first-parent", "--reverse", "main").split()
    for commit in [*commits[::step], commits[-1]]:
        repo.git("update-ref", "refs/heads/main", commit)
        world.run(sources=(repo.address,), auto_gc=False)
    whole = World(tmp_path / "whole")
    whole.run(sources=(repo.address,))
    assert tables(world) == tables(whole)
    assert world.rows("select count(*) > 5 from content_changes") == [(True,)]


def test_runs_that_are_killed_lose_and_double_nothing(
    world: World, repo: Repo, tmp_path: Path
) -> None:
    """New commits, a run killed with its workers at some moment, and so on: in the end, what one
    run sees of everything.
    """
    busy(repo, 8)
    commits = repo.git("rev-list", "--first-parent", "--reverse", "main").split()
    chance = random.Random(8)
    killed = 0
    for commit in commits[:: len(commits) // 12]:
        repo.git("update-ref", "refs/heads/main", commit)
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            repo.address,
            "-w",
            str(world.warehouse),
            "--workers",
            "2",
            "--quiet",
        ]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            process.wait(chance.uniform(0.2, 0.9))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed >= 3
    repo.git("update-ref", "refs/heads/main", commits[-1])
    world.run(sources=(repo.address,))
    whole = World(tmp_path / "whole")
    whole.run(sources=(repo.address,))
    assert tables(world) == tables(whole)


def test_a_long_history_is_read_in_windows(
    world: World, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(repo, 6)
    world.run(sources=(repo.address,))
    monkeypatch.setattr(backlog, "WINDOW", 10)
    parts = World(tmp_path / "parts")
    parts.run(sources=(repo.address,), workers=2)
    assert tables(world) == tables(parts)


def test_each_version_is_read_once(
    world: World, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal contents are parsed once, wherever and however often they come up; then nothing is."""
    for heat in (50, 51, 50, 51, 50, 52):
        repo.commit({"a.md": article(heat=str(heat)), "b.md": article(heat=str(heat), title="B")})
    repo.commit({"a.md": None, "moved.md": article(heat="52")})
    parsed: list[bytes] = []

    def counting(raw: bytes, *, strict: bool) -> object:
        parsed.append(raw)
        return real(raw, strict=strict)

    real = history.read_safely
    monkeypatch.setattr(history, "read_safely", counting)
    monkeypatch.setattr(
        backlog, "SMALL", 1
    )  # a task for each file, but for those that a move joins
    monkeypatch.setattr(backlog, "LARGE", 1)
    world.run(sources=(repo.address,))
    assert len(parsed) == len(set(parsed)) == 6
    parsed.clear()
    repo.commit({"b.md": article(heat="53", title="B")})
    world.run(sources=(repo.address,))
    assert parsed == [article(heat="53", title="B").encode()]


def test_a_surprise_in_an_old_version_does_not_stop_the_run(
    world: World, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs what changed in that version, field by field, and nothing else."""
    for title in ("A", "boom", "C", "D"):
        repo.commit({"a.md": article(title=title)})

    def fragile(file: SourceFile, document: Document | Rejection, **options: bool) -> object:
        if isinstance(document, Document) and document.article and document.article.title == "boom":
            raise ZeroDivisionError("what nobody foresaw")
        return real(file, document, **options)

    real = documents.document_rows
    monkeypatch.setattr(documents, "document_rows", fragile)
    world.run(sources=(repo.address,))
    assert world.rows("select change from observations order by sequence") == [
        ("first",),
        ("content",),
        ("content",),
        ("content",),
    ]
    assert world.rows("select old_value, new_value from content_changes") == [("C", "D")]


def test_content_that_changed_is_told_by_field(world: World, repo: Repo) -> None:
    repo.commit({"a.md": article(title="Old", topics="[AI, Chips]")})
    second = repo.commit(
        {
            "a.md": article(
                title="New", topics="[AI, Sea]", provider="{name: P, domain: p.example}"
            )
            + "Text\n"
        }
    )
    world.run(sources=(repo.address,))
    assert world.rows(
        "select revision, field, old_value, new_value from content_changes order by field"
    ) == [
        (second, "body", None, "Text"),
        (second, "provider_domain", None, "p.example"),
        (second, "provider_name", None, "P"),
        (second, "title", "Old", "New"),
        (second, "topics", '["Chips"]', '["Sea"]'),
    ]


def test_revisions_count_every_file_in_the_ledgers_words(world: World, repo: Repo) -> None:
    repo.commit(
        {
            "a.md": article(secured="YQ==;YQ=="),
            "b.md": article(),
            "c.md": "hello",
            "d.md": "---\n",
            "e.txt": "no article",
        }
    )
    repo.commit({"e.txt": "a commit that changes no article is no revision"})
    repo.commit(
        {
            "a.md": article(secured="Yg==;YQ=="),
            "b.md": article(heat="51"),
            "c.md": None,
            "d.md": article(),
        }
    )
    repo.commit({"a.md": article(title="T"), "b.md": None, "moved.md": article(heat="51")})
    repo.commit({"a.md": article(title="T")}, modes={"a.md": "100755"})
    world.run(sources=(repo.address,))
    columns = "new, content, score_only, secured_only, moved, deleted, rejected, skipped"
    assert world.rows(f"select sequence, {columns} from revisions order by sequence") == [
        (1, 2, 0, 0, 0, 0, 0, 1, 1),
        (2, 0, 1, 1, 1, 0, 1, 0, 0),
        (3, 0, 1, 0, 0, 1, 0, 0, 0),
    ]


def test_times_that_go_back_do_not_change_the_order(world: World, repo: Repo) -> None:
    for heat, at in (
        (50, 1_700_000_000),
        (51, 1_600_000_000),
        (52, 1_600_000_000),
        (53, 99_999_999_999_999),
    ):
        repo.commit({"a.md": article(heat=str(heat))}, at=at)
    world.run(sources=(repo.address,))
    assert world.rows("select heat from observations order by sequence") == [
        (50,),
        (51,),
        (52,),
        (53,),
    ]
    assert world.rows("select max(observed_at)::varchar from observations") == [
        ("2262-04-11 23:47:16+00",)
    ]


def test_only_first_parents_are_history(world: World, repo: Repo) -> None:
    """What happened on a branch before it was merged was not on the site."""
    repo.commit({"a.md": article(heat="1")})
    repo.git("branch", "side")
    repo.commit({"a.md": article(heat="2")}, branch="side")
    repo.commit({"a.md": article(heat="3")}, branch="side")
    main = repo.commit({"b.md": article()})
    world.run(sources=(repo.address,))
    merge = repo.commit({"a.md": article(heat="3")}, merge="side")
    world.run(sources=(repo.address,))
    assert world.rows(
        "select path, heat, revision from observations where sequence = 2 or path = 'b.md'"
        " order by path"
    ) == [
        ("a.md", 3, merge),
        ("b.md", 50, main),
    ]


def test_a_forced_push_tells_the_history_anew(world: World, repo: Repo) -> None:
    first = repo.commit({"a.md": article(heat="1")})
    repo.commit({"a.md": article(heat="2"), "b.md": article()})
    world.run(sources=(repo.address,))
    repo.git("update-ref", "refs/heads/main", first)
    repo.commit({"a.md": article(heat="9")})
    result = world.run(sources=(repo.address,))
    assert result.record.message == (
        "history of site was rewritten; it is read again from the first commit"
    )
    assert world.rows("select path, change, heat from observations order by path, sequence") == [
        ("a.md", "first", 1),
        ("a.md", "scores", 9),
    ]
    assert world.rows("select count(*) from revisions") == [(2,)]
    repo.git("update-ref", "-d", "refs/heads/main")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    repo.commit({"a.md": article(heat="10")})
    world.run(sources=(repo.address,))
    assert world.rows("select change, heat from observations") == [("first", 10)]


def test_without_history_a_repository_is_like_a_folder(world: World, repo: Repo) -> None:
    repo.commit({"a.md": article(heat="1")})
    repo.commit({"a.md": article(heat="2")})
    world.run(sources=(repo.address,), history=False)
    assert world.rows("select heat, blob is null from observations") == [(2, True)]
    repo.commit({"a.md": article(heat="3")})
    world.run(sources=(repo.address,), history=False)
    assert world.rows("select heat from observations order by sequence") == [(2,), (3,)]
    world.run(sources=(repo.address,))
    assert world.rows("select heat, blob is null from observations order by sequence") == [
        (1, False),
        (2, False),
        (3, False),
    ]
    repo.commit({"a.md": None})
    world.run(sources=(repo.address,), history=False, allow_empty=True)
    assert world.rows("select change from observations order by sequence desc limit 1") == [
        ("deleted",)
    ]


def test_sources_keep_their_histories_apart(world: World, repo: Repo) -> None:
    """A folder beside a repository; one of them forgotten."""
    world.write({"x.md": article()})
    repo.commit({"a.md": article(heat="1")})
    both = (f"git={repo.address}", f"folder={world.site}")
    world.run(sources=both)
    repo.commit({"a.md": article(heat="2")})
    world.write({"x.md": article(heat="70")})
    world.run(sources=(f"folder={world.site}",), now=NOW.replace(hour=4))
    assert world.rows("select source, heat from observations order by all") == [
        ("folder", 50),
        ("folder", 70),
        ("git", 1),
    ]
    world.run(sources=both, now=NOW.replace(hour=5))
    assert world.rows(
        "select source, heat from observations where source = 'git' order by all"
    ) == [("git", 1), ("git", 2)]
    forget(
        load_settings({"warehouse": str(world.warehouse)}, environment={})[0],
        "git",
        now=NOW.replace(hour=6),
    )
    assert world.rows(
        "select distinct source from observations union select source from revisions"
    ) == [("folder",)]


def test_names_that_no_file_system_takes(world: World, repo: Repo) -> None:
    names: list[str | bytes] = [
        "x" * 300 + ".md",
        "a\nb.md",
        "'; drop table articles; --.md",
        "é😀.md",
        b"\xff.md",
        "con:.md",
        "A.md",
        "a.md",
    ]
    repo.commit({name: article() for name in names})
    world.run(sources=(repo.address,))
    found = {row[0] for row in world.rows("select path from articles")}
    assert found == {name if isinstance(name, str) else "\ufffdff.md" for name in names}
    assert world.rows("select count(*) from observations") == [(8,)]


def test_what_is_no_file_is_refused_by_name(world: World, repo: Repo, tmp_path: Path) -> None:
    other = repo.commit({"a.md": article(), "big.md": "---\ntitle: " + "x" * 5_000 + "\n---\n"})
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    modes: dict[str | bytes, str] = {"theme": "160000", "link.md": "120000"}
    repo.commit({"theme": other, "link.md": "a.md", "lfs.md": pointer}, modes=modes)
    repo.commit({"link.md": article()})
    repo.commit({"link.md": "a.md"}, modes=modes)
    result = world.run(sources=(repo.address,), max_file_bytes=4_000)
    assert result.record.articles == 1
    assert dict(world.rows("select path, code from rejections")) == {
        "theme": "submodule",
        "link.md": "not_a_file",
        "lfs.md": "lfs_pointer",
        "big.md": "too_large",
    }
    assert world.rows("select path, change from observations order by path, sequence") == [
        ("a.md", "first"),
        ("link.md", "first"),
        ("link.md", "deleted"),
    ]


def test_a_shallow_clone_has_no_history(world: World, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.md": article(heat="1")})
    repo.commit({"a.md": article(heat="2")})
    clone = tmp_path / "shallow"
    subprocess.run(
        [*GIT, "clone", "-q", "--bare", "--depth=1", f"file://{repo.path}", clone], check=True
    )
    with pytest.raises(SourceError, match=r"shallow clone.*--unshallow.*--no-history"):
        world.run(sources=(f"git+file://{clone}",))
    world.run(sources=(f"git+file://{clone}",), history=False)
    assert world.rows("select heat from articles") == [(2,)]


def test_a_partial_clone_is_refused(world: World, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.md": article(heat="1")})
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    subprocess.run(
        [*GIT, "clone", "-q", "--bare", "--filter=blob:none", f"file://{repo.path}", clone],
        check=True,
    )
    repo.path.rename(tmp_path / "gone.git")  # so that no version of git can fetch what lacks
    with pytest.raises(SourceError, match="partial"):
        world.run(sources=(f"git+file://{clone}",))


def test_a_lost_object_is_told(world: World, repo: Repo) -> None:
    repo.commit({"a.md": article(heat="1")})
    repo.commit({"a.md": article(heat="2")})
    blob = repo.git("rev-parse", "main~1:a.md")
    packs = list((repo.path / "objects" / "pack").glob("*.pack"))
    for pack in packs:
        moved = pack.rename(repo.path / pack.name)
        pack.with_suffix(".idx").unlink(missing_ok=True)
        with moved.open("rb") as content:
            subprocess.run(
                [*GIT, "-C", repo.path, "unpack-objects", "-q"], stdin=content, check=True
            )
    (repo.path / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError, match=f"lacks object {blob}.*git fsck"):
        world.run(sources=(repo.address,))


def test_refs_and_folders_and_globs(world: World, repo: Repo) -> None:
    repo.commit(
        {
            "_news/2021/a.md": article(),
            "_news/2022/b.md": article(),
            "_news/c.md": article(),
            "about.md": article(),
        }
    )
    repo.git("tag", "v1")
    repo.commit({"_news/d.md": article()}, branch="feature/x")

    def paths(fragment: str) -> list[str]:
        world.run(sources=(f"site={repo.address}{fragment}",), history=False)
        return [str(path) for (path,) in world.rows("select path from articles order by path")]

    assert paths("") == ["_news/2021/a.md", "_news/2022/b.md", "_news/c.md", "about.md"]
    assert paths("#v1:_news") == ["2021/a.md", "2022/b.md", "c.md"]
    assert paths("#feature/x:_news") == ["d.md"]
    assert paths("#:_news/*.md") == ["c.md"]
    assert paths("#:_news/**/*.md") == ["2021/a.md", "2022/b.md", "c.md"]
    assert paths("#:_news/202[12]/?.md") == ["2021/a.md", "2022/b.md"]
    assert paths("#:_news/202[!1]/*") == ["2022/b.md"]
    assert paths("#:about.md") == ["about.md"]
    assert paths(f"#{repo.git('rev-parse', 'main')}:_news/2021") == ["a.md"]
    for fragment, words in {
        "#nope": "has no 'nope'. It has feature/x, main, v1",
        "#main:nope": "has no folder nope. At its top are _news, about.md",
        "#-x": "has no '-x'",
    }.items():
        with pytest.raises(SourceError, match=words):
            paths(fragment)


def test_where_a_rejection_is(world: World, repo: Repo) -> None:
    repo.commit({"_news/x/bad.md": "---\ntitle: [\n---\n", "_news/x/good.md": article()})
    for fragment, place in {
        "": "#HEAD:_news/x/bad.md",
        "#main:_news": "#main:_news/x/bad.md",
        "#:_news/*/*.md": "#HEAD:_news/x/bad.md",
    }.items():
        world.run(sources=(f"site={repo.address}{fragment}",))
        [line, *_] = rejection_lines(rejections(Warehouse(world.warehouse)))
        assert line.startswith(f"{repo.address}{place}:")


def test_a_variable_names_repositories_by_line(repo: Repo) -> None:
    sources = f"{repo.address}#main:_news\n/srv/site"
    settings, _ = load_settings(environment={"PIPELINE_SOURCES": sources})
    assert settings.sources == (f"{repo.address}#main:_news", "/srv/site")


def test_plain_paths(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"_news/a.md": article(), "my site/b.md": article()})
    clone = tmp_path / "clone"
    subprocess.run([*GIT, "clone", "-q", repo.path, clone], check=True)
    assert address_of(str(repo.path), "HEAD") == f"site=git+file://{repo.path}"
    assert address_of(str(clone / "my site"), "v/1") == f"my site=git+file://{clone}#v/1:my%20site"
    assert address_of(f"n={clone}", "main") == f"n=git+file://{clone}#main"
    source = Repository.parse(address_of(str(clone / "my site"), "HEAD"))
    assert (source.name, source.folder) == ("my site", "my site")
    assert source.document_id("b.md") == Folder("my site", str(clone / "my site")).document_id(
        "b.md"
    )
    with pytest.raises(SourceError, match="not a git repository"):
        address_of(str(tmp_path), "HEAD")
    with pytest.raises(SourceError, match="no such folder"):
        address_of(str(tmp_path / "nope"), "HEAD")
    for wrong in (
        "git+https://site.example/x",
        "git+file:relative",
        "git+file://host/x",
        "git+ssh://host/x",
    ):
        with pytest.raises(
            UsageError, match=r"expected \[NAME=\]git\+file:///PATH.*Clone a remote"
        ):
            Repository.parse(wrong)


def test_a_branch_that_head_does_not_name(world: World, repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no commit"):
        world.run(sources=(repo.address,))
    repo.commit({"a.md": article()}, branch="other")
    world.run(sources=(repo.address,))
    repo.commit({"a.md": article()}, branch="third")
    with pytest.raises(
        SourceError, match="HEAD names no commit. It has other, third".replace(".", r"\.")
    ):
        world.run(sources=(repo.address,))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_a_repository_of_another_user(world: World, repo: Repo) -> None:
    repo.commit({"a.md": article()})
    subprocess.run(["chown", "-R", "12345", repo.path], check=True)
    with pytest.raises(SourceError, match=r"belongs to another user.*safe.directory"):
        world.run(sources=(repo.address,))


def test_neither_a_hook_nor_settings_lead_elsewhere(
    world: World, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment as git gives it to hooks, and settings that change what its commands print."""
    repo.commit({"a.md": article()})
    repo.commit({"_news/b.md": article()})
    for name, value in {
        "log.diffMerges": "off",
        "log.showRoot": "false",
        "log.showSignature": "true",
        "diff.renames": "copies",
    }.items():
        repo.git("config", name, value)
    for name, value in {
        "GIT_DIR": "elsewhere.git",
        "GIT_INDEX_FILE": "index",
        "GIT_LITERAL_PATHSPECS": "1",
    }.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    assert world.run(sources=(repo.address,)).record.articles == 2
    assert world.rows("select path, change from observations order by path") == [
        ("_news/b.md", "first"),
        ("a.md", "first"),
    ]
    world.run(sources=(f"{repo.address}#:_news",))
    assert world.rows("select path from observations where source = '_news'") == [("b.md",)]


def test_the_command_line(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.md": article(heat="1")})
    repo.commit({"a.md": article(heat="2")})
    for arguments in (
        ["run", str(repo.path), "--git"],
        ["run", "--git", str(repo.path)],
        ["run", "--git", "main", str(repo.path)],
    ):
        place = tmp_path / str(len(arguments[1]) + arguments.index("--git"))
        done = call(*arguments, "-w", str(place))
        assert done.returncode == 0 and f"Read 1 file from git+file://{repo.path}" in done.stdout, (
            done.stderr
        )
    done = call("run", str(repo.path), "--git", "-w", str(place), "--no-history")
    assert done.returncode == 0
    done = call("run", str(repo.path), "--git", "nope", "-w", str(place))
    assert done.returncode == 1 and "has no 'nope'. It has main." in done.stderr


def test_the_real_history(world: World, tmp_path: Path) -> None:
    """2,488 commits of a robot: each count is that of an independent reading of the repository."""
    place = tmp_path / "news.git"
    subprocess.run(
        [*GIT, "clone", "-q", "--bare", corpus("powerapps-news.bundle"), place], check=True
    )
    world.run(sources=(f"git+file://{place}",), workers=2)
    totals = (
        "count(*), sum(new), sum(content), sum(score_only), sum(secured_only), sum(moved + deleted"
        " + rejected + skipped)"
    )
    assert world.rows(f"select {totals} from revisions") == [(2_488, 674, 156, 2_114, 4_012, 0)]
    assert dict(world.rows("select change, count(*) from observations group by all")) == {
        "first": 674,
        "content": 55,
        "content_and_scores": 101,
        "scores": 2_114,
    }
    assert world.rows("select count(*), count(*) filter (heat = quality) from articles") == [
        (674, 672)
    ]
    assert world.run(sources=(f"git+file://{place}",)).record.outcome == "unchanged"
    paths = [
        path
        for (path,) in world.rows(
            "select path from observations group by path order by count(*) desc, path limit 20"
        )
    ]
    found = observed(world)
    for path in map(str, paths):
        assert [row for row in found[path] if row[1] != "content"] == slow_scores(place, path)


def slow_scores(place: Path, path: str) -> list[tuple[Any, ...]]:
    """When the scores of a file that never moves or ends changed, by git and PyYAML from each
    version.
    """

    def git(*arguments: str, lines: str = "") -> bytes:
        command = [*GIT, "-C", place, *arguments]
        return subprocess.run(command, input=lines.encode(), check=True, capture_output=True).stdout

    found: list[tuple[Any, ...]] = []
    content = None
    log = ("log", "--first-parent", "--reverse", "--format=%H", "main", "--", path)
    commits = git(*log).decode().split()
    names = "".join(f"{commit}:{path}\n" for commit in commits)
    versions = io.BytesIO(git("cat-file", "--batch", lines=names))
    for commit in commits:
        size = int(versions.readline().split()[2])
        version = versions.read(size + 1).decode()
        data = yaml.load(version.split("---\n", 2)[1], Loader=yaml.CSafeLoader)
        del data["secured"]
        scores = tuple(data.pop(key, None) for key in ("quality", "heat", "published"))
        if not found or found[-1][3:] != scores:
            change = "first" if not found else "scores" if data == content else "content_and_scores"
            found.append((commit, change, None, *scores))
        content = data
    return found
