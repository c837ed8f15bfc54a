"""Quote names, texts and paths for SQL."""

import re


def quoted(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: str, pattern: str = "") -> str:
    """Return the string literal of a path for DuckDB's readers, which expand * ? and [.

    They match the path itself, followed by a glob pattern such as `/*.json`.
    """
    return quoted(re.sub(r"([*?\[])", r"[\1]", path) + pattern)
