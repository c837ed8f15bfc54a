"""Articles written back as front-matter files, from which a run gives the same rows.

Equal are the rows of articles, article_topics, related, images and bodies, but for what no file can give back: `findings_count`
(what was repaired is in order now) and, where `secured` is not asked for, `secured_bytes`, `secured_iv_bytes` and
`secured_digest`. `extra` has the same fields, in another order where a list had null items. Of documents, format (all is
YAML), size, times and hashes differ. What a run with --strict kept as found is repaired by a run without.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb
from msgspec import Struct

from pipeline.errors import UsageError, WarehouseError
from pipeline.export.articles import Whole
from pipeline.export.formats.yaml import front_matter_text
from pipeline.extract.folder import file_at
from pipeline.load.files import flush_all, replace_file


class WrittenBack(Struct, frozen=True):
    """What was written: files, and the sources that they stem from with the folder of each."""

    files: int
    folders: dict[str, Path]


def write(articles: Iterable[Whole], folder: Path, sources: list[str]) -> WrittenBack:
    """Write each article at its own path: below `folder`, where there are several sources below a folder for each.

    A file that is there is replaced. Raises UsageError for a path that would leave the folder, WarehouseError where nothing
    can be written.
    """
    folders = {source: folder / source if len(sources) > 1 else folder for source in sources}
    for source, place in folders.items():
        _refuse_leaving(folder, place, source)
    count = 0
    safe: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(
            f"{folder}: cannot be made ({error.strerror}). Choose another folder."
        ) from error
    for article in articles:
        root = folders[article.source]
        place = Path(os.fsdecode(file_at(str(root), article.path)))
        parent = str(place.parent)
        if parent not in safe or _has_dots(article.path):
            _refuse_leaving(root, place, article.path)
            safe.add(parent)
        replace_file(place, text(article).encode(), flush=False)
        count += 1
    flush_all(folder)
    return WrittenBack(count, folders)


def text(article: Whole) -> str:
    """The whole file."""
    body = f"\n{article.body}\n" if article.body else ""
    return f"---\n{front_matter_text(article.front_matter)}---\n{body}"


def _has_dots(path: str) -> bool:
    return not {"", ".", ".."}.isdisjoint(path.split("/"))


def _refuse_leaving(folder: Path, place: Path, path: str) -> None:
    """Raise UsageError for a path with `..`, a whole path, or one that a link leads elsewhere."""
    inside = os.path.realpath(folder)
    leads = os.path.realpath(place.parent if place != folder else place)
    if _has_dots(path) or "\0" in path or os.path.commonpath([inside, leads]) != inside:
        raise UsageError(
            f"{path!r}: leads out of {folder}, so nothing more is written. Choose other articles with --where."
        )


def refuse_lost_bodies(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise UsageError where articles had a body that the warehouse does not keep."""
    [(lost,)] = connection.execute(
        f"select count(*) from articles semi join (\n{query}\n) using (article_id) where body_chars > 0"
        " and article_id not in (select article_id from bodies)"
    ).fetchall()
    if lost:
        raise UsageError(
            f"articles: {lost:,} had a body that was not kept. Run with --bodies --full first."
        )
