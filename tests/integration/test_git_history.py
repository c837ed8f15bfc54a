"""History of repositories: it equals a slow reading of each version, however many runs read it."""

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
from pipeline.runs import backlog
from pipeline.schema.documents import Document, Rejection, SourceFile
from pipeline.transform import documents
from tests.support.repos import GIT, Repo
from tests.support.warehouses import tables
from tests.support.world import World, article, corpus


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
