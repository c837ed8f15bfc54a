"""Another YAML 1.2 parser, py-yaml12, in the place of yaml-rs: whether it would do, should that be
given up.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract import syntax
from pipeline.extract.frontmatter import read
from pipeline.schema.documents import Document, Rejection

ROOT = Path(__file__).parents[3]


def files() -> dict[str, bytes]:
    folder = ROOT / "data" / "raw"
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".html"))
    return {path.stem: path.read_bytes() for path in paths if path.stat().st_size < 10_000_000}


def test_it_gives_the_same_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for a key that stands twice (it takes the last), and an integer of more than 64 bits (it
    makes a float of it).

    It unfolds aliases without a limit: the alias bomb takes 14 GB, so it is not given that one.
    """
    yaml12 = pytest.importorskip("yaml12", reason="py-yaml12 is not installed")

    def loads(text: str, **_: Any) -> Any:
        try:
            return yaml12.parse_yaml(text)
        except ValueError as error:  # in the form of yaml-rs, which syntax.py reads
            position = re.fullmatch(
                r"YAML parse error: (.*) at byte \d+ line (\d+) column (\d+)", str(error)
            )
            assert position is not None
            reason, line, column = position.groups()
            raise ValueError(
                f"YAML parse error at line {line}, column {column}\n{reason}"
            ) from error

    assert yaml12.parse_yaml("a: &a [x]\nb: [*a, *a]") == {"a": ["x"], "b": [["x"], ["x"]]}
    contents = files()
    expected = {name: read(raw) for name, raw in contents.items()}
    [bomb] = [name for name in contents if _kind(expected[name]) == "alias_bomb"]
    del contents[bomb]
    monkeypatch.setattr(syntax, "_loads", loads)
    found = {name: read(raw) for name, raw in contents.items()}
    differing = {name for name in contents if _values(found[name]) != _values(expected[name])}
    assert len(contents) > 200
    assert {(_kind(expected[name]), _kind(found[name])) for name in differing} == {
        ("duplicate_key", "article"),
        ("invalid_number", "decimal_number"),
    }
    assert len(differing) == 2


def _values(document: Document | Rejection) -> object:
    """What is stored of a document; of a rejection its code and position, without its words."""
    if isinstance(document, Rejection):
        return document.code, document.line, document.column
    return (document.article, document.metadata, document.extra, document.body, document.findings)


def _kind(document: Document | Rejection) -> str:
    if isinstance(document, Rejection):
        return document.code
    return next((finding.rule for finding in document.findings), "article")
