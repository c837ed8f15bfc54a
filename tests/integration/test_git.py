"""Repositories as sources: real ones, made here; their rows equal those of a checkout."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError, UsageError
from pipeline.extract.folder import Folder
from pipeline.extract.git.repository import Repository, address_of
from pipeline.load.manifest import HISTORY
from pipeline.load.warehouse import Warehouse
from pipeline.query.defects import rejection_lines, rejections
from pipeline.runs.run import forget
from pipeline.settings import load_settings
from tests.support.command import call
from tests.support.repos import GIT, Repo
from tests.support.warehouses import tables
from tests.support.world import NOW, World, article


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
