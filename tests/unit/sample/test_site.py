"""The sample corpus: same bytes for a seed, every defect in 200 articles, and that `data/raw` is
what it writes.
"""

import subprocess
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.sample import write_history, write_site
from tests.support.world import World

ROOT = Path(__file__).parents[3]

RULES = {
    "boolean_as_text": 0,
    "byte_order_mark": 1,
    "carriage_return": 1,
    "date_without_time": 1,
    "date_without_zone": 1,
    "decimal_number": 1,
    "duplicate_key": 1,
    "invalid_date": 1,
    "invalid_number": 3,
    "invalid_url": 1,
    "mojibake": 1,
    "not_utf8": 1,
    "null_topic": 1,
    "number_as_text": 1,
    "scalar_list": 1,
    "single_item": 1,
    "unquoted_colon": 1,
    "wrong_type": 1,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    write_site(tmp_path / "one", 40, 5)
    write_site(tmp_path / "two", 40, 5)
    write_site(tmp_path / "three", 40, 6)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != contents(tmp_path / "three")


def test_a_small_site_is_the_beginning_of_a_large_one(tmp_path: Path) -> None:
    write_site(tmp_path / "small", 20, 5)
    write_site(tmp_path / "large", 30, 5)
    assert contents(tmp_path / "small").items() <= contents(tmp_path / "large").items()


def test_the_shipped_site_is_what_the_sample_writes(tmp_path: Path) -> None:
    write_site(tmp_path / "raw", 200, 0)
    assert contents(tmp_path / "raw") == contents(ROOT / "data" / "raw")


def test_200_articles_hold_every_defect_and_every_table(world: World) -> None:
    result = world.run(sources=(str(ROOT / "data" / "raw"),))
    assert (result.record.articles, result.record.other, result.record.skipped) == (195, 9, 2)
    assert result.rejections == {
        "alias_bomb": 1,
        "bad_yaml": 1,
        "nesting_bomb": 1,
        "nul_bytes": 1,
        "unclosed_fence": 1,
    }
    assert {rule: result.findings.get(rule, 0) for rule in RULES} == RULES
    assert all(result.tables[name] for name in set(result.tables) - {"secured", "content_changes"})
    assert world.rows("select count(*) from articles where title = '2020'") == [(1,)]
    assert dict(
        world.rows("select format, count(*) from documents where status = 'article' group by all")
    ) == {
        "yaml": 193,
        "toml": 1,
        "json": 1,
    }
    assert world.rows(
        "select count(*) from articles where secured_bytes <> 272 or secured_iv_bytes <> 16"
    ) == [(0,)]


def test_one_file_in_20000_is_too_large(tmp_path: Path) -> None:
    write_site(tmp_path / "site", 780, 1)
    large = [path for path in (tmp_path / "site").rglob("*.md") if path.stat().st_size > 10_000_000]
    assert len(large) == 1 and large[0].stat().st_blocks * 512 < 100_000


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        write_site(tmp_path, 1, 0)
    assert contents(tmp_path) == {"mine.md": b"mine"}


def test_a_history_has_every_kind_of_change(world: World, tmp_path: Path) -> None:
    """The same seed gives the same commits; a site's history ends, comes back, moves and breaks."""
    for name in ("one", "two"):
        assert write_history(tmp_path / name, 60, 100, 3) == 100
    first, second = (
        subprocess.run(
            ["git", "-C", tmp_path / name, "rev-parse", "main"], capture_output=True, check=True
        ).stdout
        for name in ("one", "two")
    )
    assert first == second
    world.run(sources=(f"git+file://{tmp_path / 'one'}",))
    changes = dict(world.rows("select change, count(*) from observations group by all"))
    assert changes.keys() == {
        "first",
        "scores",
        "content",
        "deleted",
        "revived",
        "moved",
        "moved_away",
    }
    assert changes["first"] >= 55 and changes["scores"] > 100
    assert world.rows(
        "select count(*), min(secured_only) >= 0, sum(rejected) > 0 from revisions"
    ) == [(100, True, True)]
    assert world.rows("select max(heat - quality) > 20, min(heat) from observations") == [
        (True, -1)
    ]
    with pytest.raises(UsageError, match="not empty"):
        write_history(tmp_path / "one", 1, 1, 0)
