"""Rows that belong to a file itself: documents, articles, bodies, secured, other documents, rejections, findings."""

import datetime as dt
from typing import Any

import msgspec

from pipeline.schema.documents import (
    Article,
    Author,
    Document,
    Finding,
    Rejection,
    Related,
    SourceFile,
    dotted,
)
from pipeline.transform import scalars, urls

Row = tuple[Any, ...]
"""A row of a table: its values in the order of the table's columns, see `schema.py`. Dicts would cost a tenth of a build."""


def document_row(file: SourceFile, document: Document | Rejection) -> Row:
    """One row of `documents`."""
    read = document if isinstance(document, Document) else None
    return (
        file.document_id,
        file.source,
        file.path,
        collection(file.path),
        read.format if read else None,
        file.size,
        file.mtime_us,
        file.raw_hash,
        read.content_hash if read else None,
        read.score_hash if read else None,
        status_of(document),
        file.part,
    )


def status_of(document: Document | Rejection) -> str:
    """article, other, skipped or rejected."""
    if isinstance(document, Rejection):
        return "rejected"
    if document.article is not None:
        return "article"
    return "skipped" if document.format is None else "other"


def collection(path: str) -> str | None:
    """First folder without leading underscore, as static site generators name collections."""
    folder, slash, _ = path.partition("/")
    return folder.lstrip("_") or folder if slash else None


def article_row(file: SourceFile, document: Document, article: Article, url: str | None) -> Row:
    """One row of `articles`."""
    provider, author = article.provider, article.author
    data_bytes, vector_bytes = (
        scalars.secured_lengths(article.secured) if article.secured else (None, None)
    )
    name, domain = (provider.name, provider.domain) if provider else (None, None)
    return (
        file.document_id,
        file.source,
        file.path,
        collection(file.path),
        article.category,
        article.type,
        article.title,
        article.excerpt,
        article.published_at,
        article.updated_at,
        url,
        article.original_url,
        article.web_url,
        article.amp_web_url,
        article.cdn_amp_web_url,
        scalars.provider_id(name, domain),
        name,
        domain,
        author.name if isinstance(author, Author) else author,
        author.url if isinstance(author, Author) else None,
        article.quality,
        article.heat,
        article.published,
        seconds(article.length),
        len(article.topics or ()),
        len(article.related or ()),
        len(article.images or ()),
        len(document.findings),
        data_bytes,
        vector_bytes,
        scalars.identity(article.secured) if article.secured else None,
        len(document.body),
        json_text(document.extra) if document.extra else None,
    )


def seconds(length: dt.timedelta | None) -> int | None:
    """Whole seconds of a duration."""
    return None if length is None else int(length.total_seconds())


def json_text(value: Any) -> str:
    """Compact JSON; keys that are no text and values that JSON does not know are written as text."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return msgspec.json.encode(_plain(value)).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bool, float)):
        return value
    try:
        return str(value)
    except ValueError:
        return "integer of thousands of digits"


def body_row(file: SourceFile, document: Document) -> Row:
    """One row of `bodies`."""
    html = file.path.lower().endswith((".html", ".htm"))
    return (file.document_id, "html" if html else "markdown", document.body)


def other_row(file: SourceFile, metadata: dict[str, Any]) -> Row:
    """One row of `other_documents`."""
    kind, name = metadata.get("taxonomy") or metadata.get("type"), metadata.get("name")
    return (
        file.document_id,
        file.source,
        file.path,
        collection(file.path),
        kind if isinstance(kind, str) else collection(file.path),
        name
        if isinstance(name, str)
        else None
        if name is None or isinstance(name, (dict, list))
        else str(_plain(name)),
        json_text(metadata),
    )


def rejection_row(file: SourceFile, rejection: Rejection) -> Row:
    """One row of `rejections`."""
    return (
        file.document_id,
        file.source,
        file.path,
        rejection.stage,
        rejection.code,
        rejection.message,
        rejection.line,
        rejection.column,
        rejection.line_text,
    )


def finding_rows(file: SourceFile, findings: list[Finding], *, of_article: bool) -> list[Row]:
    """Rows of `findings`, in the order found."""
    return [
        (
            file.document_id,
            position,
            file.document_id if of_article else None,
            file.source,
            file.path,
            finding.rule,
            finding.field,
            finding.value,
            finding.action,
            finding.line,
            finding.column,
        )
        for position, finding in enumerate(findings, 1)
    ]


def choose_url(
    item: Article | Related, path: tuple[str | int, ...], document: Document
) -> str | None:
    """The canonical URL, of the first usable one; one that is unusable or disagrees leaves a finding in `document`."""
    if (
        item.original_url is None
        and item.amp_web_url is None
        and item.cdn_amp_web_url is None
        and item.web_url is not None
        and (only := urls.canonical_url(item.web_url)) is not None
    ):
        return only
    chosen, given = None, None
    for key, url in (
        ("originalUrl", item.original_url),
        ("webUrl", item.web_url),
        ("ampWebUrl", item.amp_web_url),
        ("cdnAmpWebUrl", item.cdn_amp_web_url),
    ):
        if not url or url == given:
            continue
        canonical = urls.canonical_url(url)
        if canonical is None:
            rule, action = "invalid_url", "not used"
        elif chosen is None:
            chosen, given = canonical, url
            continue
        elif urls.same_page(chosen, canonical, amp="amp" in key.lower()):
            continue
        else:
            rule, action = "url_disagreement", f"canonical is {chosen}"
        where = (*path, key)
        document.findings = [
            *document.findings,
            Finding(rule, dotted(where), url, action, *document.where(where)),
        ]
    return chosen
