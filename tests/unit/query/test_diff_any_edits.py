"""After any edits, a comparison says what the ledger of the run and every row say."""

import itertools
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import (
    CHILDREN,
    FIELDS,
    KINDS,
    Diff,
)
from pipeline.runs.record import RunResult
from pipeline.views.catalog import connect
from tests.support.diffs import compare, published
from tests.support.world import World, after, article

EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "add",
                "copy",
                "title",
                "heat",
                "unscore",
                "secured",
                "topics",
                "related",
                "images",
                "body",
                "move",
                "delete",
                "touch",
            ]
        ),
        st.integers(0, 10**6),
    ),
    max_size=8,
)


@given(st.lists(EDITS, min_size=1, max_size=3), st.integers(2, 9))
@settings(max_examples=10, deadline=None)
def test_after_any_edits_the_counts_are_those_of_the_ledger(
    rounds: list[list[tuple[str, int]]], part_size: int
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        world, fresh = World(folder), itertools.count(100)
        world.write({f"_news/{number:02}.md": page(number, number) for number in range(12)})
        ids = [published(world, part_size=part_size)]
        for hour, edits in enumerate(rounds, 1):
            for edit, number in edits:
                apply(world, edit, number, next(fresh))
            result = world.run(now=after(hour), part_size=part_size)
            ids.append(str(result.record.snapshot))
            assert compare(world, *ids[-2:]).counts == expected_counts(result)
        found, back = compare(world, ids[0], ids[-1]), compare(world, ids[-1], ids[0])
        assert without_moves(found) == differences(world, ids[0], ids[-1])
        assert without_moves(back) == differences(world, ids[-1], ids[0])
        assert back.counts == found.counts | {
            "added": found.counts["removed"],
            "removed": found.counts["added"],
        }
    finally:
        shutil.rmtree(folder)


def expected_counts(result: RunResult) -> dict[str, int]:
    ledger = result.ledger
    changed = ledger.content + ledger.score_only + ledger.secured_only
    return {
        "added": ledger.new,
        "removed": ledger.deleted,
        "changed": changed,
        "moved": ledger.moved,
    }


Fates = tuple[set[str], set[str], dict[str, set[str]]]
"""Paths that are gone, paths that are new, and the fields of those that changed."""


def without_moves(found: Diff) -> Fates:
    """What a comparison says, a move being a removal and an addition."""
    paths = {
        kind: {change.path for change in found.changes if change.change == kind} for kind in KINDS
    }
    origins = {str(change.moved_from) for change in found.changes if change.change == "moved"}
    fields = {
        change.path: set(change.fields) for change in found.changes if change.change == "changed"
    }
    return paths["removed"] | origins, paths["added"] | paths["moved"], fields


def differences(world: World, before: str, later: str) -> Fates:
    """The same by reading every row of both snapshots, without regard to files."""
    old, new = contents(world, before), contents(world, later)
    fields = {
        path: {name for name in new[path] if old[path][name] != new[path][name]}
        for path in old.keys() & new.keys()
    }
    return (
        old.keys() - new.keys(),
        new.keys() - old.keys(),
        {path: names for path, names in fields.items() if names},
    )


def contents(world: World, snapshot: str) -> dict[str, dict[str, object]]:
    warehouse = Warehouse(world.warehouse)
    found: dict[str, dict[str, object]] = {}
    with connect(warehouse, warehouse.manifest(snapshot)) as connection:
        for path, *cells in connection.execute(
            f"select path, {', '.join(FIELDS)} from articles"
        ).fetchall():
            found[path] = dict(zip(FIELDS, cells, strict=True)) | {field: [] for field in CHILDREN}
        for field, (table, _) in CHILDREN.items():
            query = (
                f"select path, child.* from {table} as child join articles using (article_id)"
                " order by all"
            )
            for path, *cells in connection.execute(query).fetchall():
                rows = found[path][field]
                assert isinstance(rows, list)
                rows.append(cells)
    return found


def page(number: int, mark: int, **fields: str) -> str:
    lines = {
        "title": f"T{mark}",
        "topics": f"[AI, T{number % 3}]",
        "images": "[{url: /i}]",
        "related": f"[{{title: r{number % 4}, provider: {{name: P}}, images: [{{url: /i}}]}}]",
        **fields,
    }
    return article(**lines) + f"Body {number}\n"


def apply(world: World, edit: str, number: int, mark: int) -> None:
    """One edit; `mark` is new each time, so that an edit never restores what was there before."""
    paths = sorted(world.site.rglob("*.md"))
    path = paths[number % len(paths)] if paths else world.site / "_news" / "first.md"
    if edit == "add" or not paths:
        world.write({f"_news/{number % 100:02}-{mark}.md": page(number, mark)})
    elif edit == "copy":
        world.write({f"_{number % 2}/{mark}.md": path.read_bytes()})
    elif edit == "title":
        path.write_text(page(number, mark))
    elif edit == "heat":
        change_line(path, "heat", str(mark))
    elif edit == "unscore":
        change_line(path, "heat", f"null\nrank: {mark}")
    elif edit == "secured":
        change_line(path, "published", f'true\nsecured: "{mark:04};{mark:04}"')
    elif edit == "topics":
        change_line(path, "topics", f"[AI, M{mark}]")
    elif edit == "related":
        change_line(path, "related", f"[{{title: r, images: [{{url: /{mark}}}]}}]")
    elif edit == "images":
        change_line(path, "images", f"[{{url: /{mark}}}]")
    elif edit == "body":
        path.write_text(path.read_text().rpartition("---\n")[0] + f"---\nBody {mark}\n")
    elif edit == "move":
        target = world.site / f"_moved{number % 2}" / f"{number % 50}-{mark}.md"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    elif edit == "delete" and len(paths) > 1:
        path.unlink()
    elif edit == "touch":
        os.utime(path, (number, number))


def change_line(path: Path, key: str, value: str) -> None:
    """Replace the field's line, and drop what an earlier edit put behind it."""
    lines = path.read_text().split("\n")
    added = {"heat": "rank", "published": "secured"}.get(key, "-")
    kept = [line for line in lines if not line.startswith(f"{added}: ")]
    path.write_text(
        "\n".join(f"{key}: {value}" if line.startswith(f"{key}: ") else line for line in kept)
    )
