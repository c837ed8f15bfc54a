"""Write articles back as front-matter files, from which a run gives the same rows.

The rows of articles, article_topics, related, images and bodies are equal, except for what no file
can restore: `findings_count` (repaired values are valid now) and, unless `secured` is exported,
`secured_bytes`, `secured_iv_bytes` and `secured_digest`. `extra` has the same fields, in another
order if a list had null items. In documents, format (all is YAML), size, times and hashes differ.
What a run with --strict left as it was is repaired by a run without.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb
from msgspec import Struct

from pipeline.errors import UsageError
from pipeline.export.articles import WholeArticle
from pipeline.export.formats.yaml import front_matter_text
from pipeline.extract.folder import file_at
from pipeline.load.files import flush_all, replace_file, reporting
from pipeline.text import counted


class WrittenFiles(Struct, frozen=True):
    """The number of files written, and the folder of each source."""

    files: int
    folders: dict[str, Path]


def write(articles: Iterable[WholeArticle], folder: Path, sources: list[str]) -> WrittenFiles:
    """Write each article at its own path below `folder`, in a folder per source if several.

    Existing files are replaced. Raises UsageError for a path that would leave the folder,
    WarehouseError if a file cannot be written.
    """
    folders = {source: folder / source if len(sources) > 1 else folder for source in sources}
    for source in sources:
        _check_inside(folder, folder, source)
    with reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
    count = 0
    checked: set[Path] = set()
    for article in articles:
        root = folders[article.source]
        path = Path(os.fsdecode(file_at(str(root), article.path)))
        if path.parent not in checked or _has_dots(article.path):
            _check_inside(root, path.parent, article.path)
            checked.add(path.parent)
        replace_file(path, file_text(article).encode(), flush=False)
        count += 1
    flush_all(folder)
    return WrittenFiles(count, folders)


def file_text(article: WholeArticle) -> str:
    """Return the content of an article's file."""
    body = f"\n{article.body}\n" if article.body else ""
    return f"---\n{front_matter_text(article.front_matter)}---\n{body}"


def _has_dots(path: str) -> bool:
    return not {"", ".", ".."}.isdisjoint(path.split("/"))


def _check_inside(folder: Path, parent: Path, name: str) -> None:
    """Raise UsageError for a name with `..`, an absolute one, or one that a link leads outside."""
    root = os.path.realpath(folder)
    inside = os.path.commonpath([root, os.path.realpath(parent)]) == root
    if _has_dots(name) or "\0" in name or not inside:
        raise UsageError(
            f"{name!r}: leads out of {folder}, so the export stopped. Choose other articles with"
            " --where."
        )


def require_bodies(connection: duckdb.DuckDBPyConnection, chosen: str) -> None:
    """Raise UsageError if chosen articles had a body that the warehouse did not keep."""
    [(lost,)] = connection.execute(
        f"select count(*) {chosen} where body_chars > 0"
        " and article_id not in (select article_id from bodies)"
    ).fetchall()
    if lost:
        raise UsageError(
            f"articles: the body of {counted(lost, 'article')} was not kept. Run with --bodies"
            " --full first."
        )
