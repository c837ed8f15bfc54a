"""Images of articles, of their providers, of related items and of those items' providers."""

from pipeline.schema.documents import Article, Image, SourceFile
from pipeline.transform.articles import Row


def rows(file: SourceFile, article: Article) -> list[Row]:
    """Return rows of `images`."""
    found: list[Row] = []
    if article.images:
        found += _of("article", 0, article.images, file.document_id)
    if article.provider and article.provider.images:
        found += _of("provider", 0, article.provider.images, file.document_id)
    for position, item in enumerate(article.related or (), 1):
        if item.images:
            found += _of("related", position, item.images, file.document_id)
        if item.provider and item.provider.images:
            found += _of("related_provider", position, item.provider.images, file.document_id)
    return found


def _of(owner: str, owner_position: int, images: list[Image], article_id: str) -> list[Row]:
    return [
        (
            article_id,
            owner,
            owner_position,
            position,
            image.url,
            image.width,
            image.height,
            image.is_cached,
            image.title,
            image.attribution,
        )
        for position, image in enumerate(images, 1)
    ]
