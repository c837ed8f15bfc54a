"""The queries of the derived tables: the files in `sql/`."""

from pathlib import Path


def query(name: str, **words: str) -> str:
    """Return the text of a query, with `words` in the place of their names in braces."""
    path = Path(__file__).parent / "sql" / f"{name}.sql"
    return path.read_text(encoding="utf-8").format(**words)
