"""Sidecars of `_data/`: what a site says about its topics and organisations."""

from typing import Any

from pipeline.schema.documents import SourceFile
from pipeline.transform.articles import FILE, Row


def row(file: SourceFile, kind: str, data: dict[str, Any]) -> Row:
    """Return one row of `sidecars`; `kind` is topic or organization."""
    return (
        *FILE(file),
        kind,
        _text(data.get("_id")),
        _text(data.get("name")),
        _text(data.get("parent")),
        _text(data.get("domain")),
        _widest(data.get("images")),
    )


def _text(value: Any) -> str | None:
    return _digits(value) if isinstance(value, (str, int, float)) and value != "" else None


def _digits(value: str | float) -> str | None:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python converts
        return None


def _widest(images: Any) -> str | None:
    """Return the URL of the widest image; of texts the first."""
    best: tuple[int, str] | None = None
    for image in images if isinstance(images, list) else [images]:
        url = image.get("url") if isinstance(image, dict) else image
        width = image.get("width") if isinstance(image, dict) else 0
        pixels = width if isinstance(width, int) else 0
        if isinstance(url, str) and url and (best is None or pixels > best[0]):
            best = (pixels, url)
    return best and best[1]
