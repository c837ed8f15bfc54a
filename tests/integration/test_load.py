"""Extract, transform and load give what a run gives, and each can be called alone."""

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import pipeline
from pipeline.errors import CheckFailed, SchemaError, TooManyRejections
from pipeline.schema.documents import Document, Rejection
from pipeline.schema.tables import TABLES
from tests.support.world import World, article

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data" / "raw"
OF_A_RUN = {"revision", "observed_at"}
"""Columns that tell runs apart."""
Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(warehouse: Path) -> Rows:
    """Return the rows of every table, sorted, without what tells runs apart."""
    with pipeline.connect(warehouse) as connection:
        return {
            name: sorted(
                connection.sql(
                    f"select {', '.join(c for c in table.names if c not in OF_A_RUN)} from {name}"
                ).fetchall(),
                key=repr,
            )
            for name, table in TABLES.items()
        }


def steps(source: Path | str, warehouse: Path, **settings: Any) -> pipeline.RunResult:
    frames = pipeline.transform(pipeline.extract(source))
    return pipeline.load(frames, warehouse=warehouse, **settings)


def test_the_three_steps_give_the_tables_of_a_run(tmp_path: Path) -> None:
    run = pipeline.run(RAW, warehouse=tmp_path / "run", workers=1)
    loaded = steps(RAW, tmp_path / "loaded")
    assert rows_of(tmp_path / "loaded") == rows_of(tmp_path / "run")
    assert loaded.ledger == run.ledger and loaded.published
    assert loaded.tables == run.tables and loaded.checks == run.checks
    assert [(entry.counts, entry.tallies) for entry in loaded.sources] == [
        (entry.counts, entry.tallies) for entry in run.sources
    ]
    assert parts(tmp_path / "loaded") == parts(tmp_path / "run")


def parts(warehouse: Path) -> set[str]:
    """Return the names of the part files: what is in them, but for times of runs."""
    tables = set(TABLES) - {"observations", "revisions"}
    return {path.name for name in tables for path in (warehouse / "parts" / name).iterdir()}


def test_extract_is_lazy_and_says_of_each_file_what_it_is(world: World) -> None:
    world.write(
        {"_news/a.md": article(), "_news/b.md": "---\ntitle: [a\n---\n", "c.md": "# Text\n"}
    )
    world.write({"_data/topics/ai.yaml": "name: AI\n"})
    items = pipeline.extract(world.site)
    file, document = next(items)
    assert (file.source, file.path, file.part) == ("site", "_news/a.md", "site/0000")
    assert isinstance(document, Document) and document.article is not None
    (world.site / "c.md").unlink()
    rejected, vanished, topic = items
    assert isinstance(rejected.document, Rejection) and rejected.document.code == "bad_yaml"
    assert isinstance(vanished.document, Rejection) and vanished.document.code == "vanished"
    assert topic.file.sidecar == "topic" and topic.document.metadata == {"name": "AI"}  # type: ignore[union-attr]
    with pytest.raises(pipeline.SourceError, match="there is no such folder or file"):
        pipeline.extract(world.site / "nothing")  # at once, not when it is read


def test_frames_are_tidy_and_backed_by_arrow(world: World) -> None:
    world.write({"a.md": article(heat='""', topics="[AI, Chips]")})
    frames = pipeline.transform(pipeline.extract(world.site))
    assert list(frames) == [name for name, table in TABLES.items() if not table.derived]
    assert all(
        list(frame.columns) == list(TABLES[name].names) and isinstance(dtype, pd.ArrowDtype)
        for name, frame in frames.items()
        for dtype in frame.dtypes
    )
    assert frames["article_topics"]["topic"].tolist() == ["AI", "Chips"]
    assert frames["articles"]["heat"].isna().tolist() == [True]


def test_loading_again_observes_what_changed(world: World) -> None:
    world.write({"a.md": article(), "b.md": article(title="Two")})
    first = steps(world.site, world.warehouse)
    world.write({"a.md": article(heat="90"), "c.md": article(title="Three")})
    (world.site / "b.md").unlink()
    second = steps(world.site, world.warehouse)
    assert (first.ledger.new, second.ledger.new) == (2, 1)
    assert (second.ledger.score_only, second.ledger.deleted) == (1, 1)
    assert world.rows("select path, change, heat from observations order by 1, sequence") == [
        ("a.md", "first", 50),
        ("a.md", "scores", 90),
        ("b.md", "first", 50),
        ("b.md", "deleted", None),
        ("c.md", "first", 50),
    ]
    third = steps(world.site, world.warehouse)
    assert third.record.outcome == "unchanged" and third.ledger.unchanged == 2


def test_sources_that_are_not_loaded_stay(world: World, tmp_path: Path) -> None:
    world.write({"a.md": article()})
    world.run()
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text(article(title="Two"))
    result = steps(other, world.warehouse)
    assert [entry.name for entry in result.sources] == ["other"] and result.ledger.new == 1
    assert world.rows("select source, path from articles order by 1") == [
        ("other", "b.md"),
        ("site", "a.md"),
    ]


def test_the_next_run_reads_a_loaded_source_again(world: World) -> None:
    world.write({"a.md": article(), "b.md": article(title="Two")})
    frames = pipeline.transform(pipeline.extract(world.site))
    frames["articles"]["title"] = "Changed in a notebook"
    pipeline.load(frames, warehouse=world.warehouse)
    result = world.run()
    assert result.record.rebuilt == "code changed" and result.ledger.unchanged == 2
    assert world.rows("select title from articles order by 1") == [("Plain title",), ("Two",)]
    assert world.run().record.outcome == "unchanged"


def test_a_table_that_is_missing_has_no_rows_and_frames_may_be_of_any_kind(world: World) -> None:
    world.write({"a.md": article(topics="[AI]") + "Body\n"})
    frames: dict[str, Any] = dict(pipeline.transform(pipeline.extract(world.site)))
    del frames["bodies"]
    frames["articles"] = pl.from_pandas(frames["articles"])
    frames["article_topics"] = frames["article_topics"].convert_dtypes(
        dtype_backend="numpy_nullable"
    )
    pipeline.load(frames, warehouse=world.warehouse)
    assert world.rows(
        "select title, topic from articles join article_topics using (article_id)"
    ) == [("Plain title", "AI")]
    assert world.rows("select count(*) from bodies") == [(0,)]


def test_all_failures_are_listed_before_anything_is_written(world: World) -> None:
    world.write({"a.md": article()})
    frames = pipeline.transform(pipeline.extract(world.site))
    frames["articles"] = frames["articles"].drop(columns="heat").assign(colour="red")
    frames["documents"]["part"] = None
    frames["documents"] = frames["documents"].assign(size_bytes="many")
    frames["topics"] = frames["rejections"]
    frames["nothing"] = frames["rejections"]
    with pytest.raises(SchemaError) as caught:
        pipeline.load(frames, warehouse=world.warehouse)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["documents", "articles", "topics", "nothing"]
    assert "size_bytes: Failed to parse string: 'many'" in lines[0]
    assert "part: 1 nulls (expected none)" in lines[0]
    assert "missing ['heat'], not declared ['colour']" in lines[1]
    assert lines[2].startswith("topics: is derived, leave it out. Tables to load are documents, ")
    assert lines[3].startswith("nothing: is not a table.")
    assert not world.warehouse.exists()


def broken(frames: dict[str, pd.DataFrame], way: str) -> None:
    documents = frames["documents"]
    if way == "empty":
        frames["documents"] = documents.iloc[:0]
    elif way == "part":
        documents["part"] = "elsewhere/0000"
    elif way == "id":
        documents["document_id"] = "0" * 16
    elif way == "key":
        frames["documents"] = pd.concat([documents, documents])


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (
            "empty",
            r"documents: has no rows .*\narticles: 1 rows of no document \(such as article_id",
        ),
        ("part", r"documents: part 'elsewhere/0000' of a\.md \(expected site/ and a name\)"),
        ("id", r"documents: document_id 0+ of site a\.md \(expected [0-9a-f]{16}\)"),
        ("key", r"documents: 1 rows repeat a key \(document_id; expected unique\)"),
    ],
)
def test_documents_that_do_not_fit_are_refused(world: World, way: str, message: str) -> None:
    world.write({"a.md": article()})
    frames = pipeline.transform(pipeline.extract(world.site))
    broken(frames, way)
    with pytest.raises(SchemaError, match=message):
        pipeline.load(frames, warehouse=world.warehouse)


def test_the_gates_of_a_run_hold(world: World) -> None:
    world.write({"a.md": article(), "b.md": "---\ntitle: [a\n---\n"})
    frames = pipeline.transform(pipeline.extract(world.site))
    with pytest.raises(TooManyRejections, match="1 of 2 files"):
        pipeline.load(frames, warehouse=world.warehouse, max_rejects=0)
    del frames["articles"]
    with pytest.raises(CheckFailed):
        pipeline.load(frames, warehouse=world.warehouse)
    assert not (world.warehouse / "CURRENT").exists()
    frames = pipeline.transform(pipeline.extract(world.site))
    tried = pipeline.load(frames, warehouse=world.warehouse, dry_run=True)
    assert tried.record.outcome == "dry_run" and tried.ledger.new == 1
    assert not (world.warehouse / "CURRENT").exists()
