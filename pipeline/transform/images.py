"""Images of articles, of their providers, of related items and of those items' providers."""

from operator import attrgetter

from pipeline.schema.documents import Article, Image, SourceFile
from pipeline.transform.articles import Row

_IMAGE = attrgetter("url", "width", "height", "is_cached", "title", "attribution")


def rows(file: SourceFile, article: Article) -> list[Row]:
    """Return rows of `images`."""
    rows: list[Row] = []
    if article.images:
        rows += _of("article", 0, article.images, file.document_id)
    if article.provider and article.provider.images:
        rows += _of("provider", 0, article.provider.images, file.document_id)
    for position, item in enumerate(article.related or (), 1):
        if item.images:
            rows += _of("related", position, item.images, file.document_id)
        if item.provider and item.provider.images:
            rows += _of("related_provider", position, item.provider.images, file.document_id)
    return rows


def _of(owner: str, owner_position: int, images: list[Image], article_id: str) -> list[Row]:
    return [
        (article_id, owner, owner_position, position, *_IMAGE(image))
        for position, image in enumerate(images, 1)
    ]
