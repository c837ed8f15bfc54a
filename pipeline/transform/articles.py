"""Rows of a file itself: documents, articles, bodies, other documents, rejections, findings."""

import datetime as dt
from operator import attrgetter
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
"""The values of a row in the order of the table's columns, which tests compare by name.

Rows with names would cost a tenth of a build.
"""
FILE = attrgetter("document_id", "source", "path")
_HEAD = attrgetter("category", "type", "title", "excerpt", "published_at")
_ADDRESSES = attrgetter("original_url", "web_url", "amp_web_url", "cdn_amp_web_url")
_SCORES = attrgetter("quality", "heat", "published")
_DIGESTS = attrgetter("content_hash", "score_hash")
_FINDING = attrgetter("rule", "field", "value", "action", "line", "column")
_REJECTION = attrgetter("stage", "code", "message", "line", "column", "line_text")


def document_row(file: SourceFile, document: Document | Rejection) -> Row:
    """Return one row of `documents`."""
    read = document if isinstance(document, Document) else None
    return (
        *FILE(file),
        collection(file.path),
        read.format if read else None,
        file.size,
        file.mtime_us,
        file.raw_hash,
        *(_DIGESTS(read) if read else (None, None)),
        status_of(document),
        file.part,
    )


def status_of(document: Document | Rejection) -> str:
    """Return article, other, skipped or rejected."""
    if isinstance(document, Rejection):
        return "rejected"
    if document.article is not None:
        return "article"
    return "skipped" if document.format is None else "other"


def collection(path: str) -> str | None:
    """Return the first folder without leading underscore, as site generators name collections."""
    folder, slash, _ = path.partition("/")
    return folder.lstrip("_") or folder if slash else None


def article_row(file: SourceFile, document: Document, article: Article, url: str | None) -> Row:
    """Return one row of `articles`."""
    provider, author = article.provider, article.author
    secured = article.secured
    data_bytes, vector_bytes = scalars.secured_lengths(secured) if secured else (None, None)
    name, domain = (provider.name, provider.domain) if provider else (None, None)
    return (
        *FILE(file),
        collection(file.path),
        *_HEAD(article),
        article.updated_at,
        url,
        *_ADDRESSES(article),
        scalars.provider_id(name, domain),
        name,
        domain,
        author.name if isinstance(author, Author) else author,
        author.url if isinstance(author, Author) else None,
        *_SCORES(article),
        seconds(article.length),
        len(article.topics or ()),
        len(article.related or ()),
        len(article.images or ()),
        len(document.findings),
        data_bytes,
        vector_bytes,
        scalars.identity(secured) if secured else None,
        len(document.body),
        json_text(document.extra) if document.extra else None,
    )


def seconds(length: dt.timedelta | None) -> int | None:
    """Return the whole seconds of a duration."""
    return None if length is None else int(length.total_seconds())


def json_text(value: Any) -> str:
    """Return compact JSON; keys and values that JSON does not know become text."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return msgspec.json.encode(_json_value(value)).decode()


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(_json_value(key)): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_json_value(item) for item in value]
    if value is None or isinstance(value, (str, bool, float)):
        return value
    try:
        return str(value)
    except ValueError:
        return "integer of thousands of digits"


def body_row(file: SourceFile, document: Document) -> Row:
    """Return one row of `bodies`."""
    html = file.path.lower().endswith((".html", ".htm"))
    return (file.document_id, "html" if html else "markdown", document.body)


def other_row(file: SourceFile, metadata: dict[str, Any]) -> Row:
    """Return one row of `other_documents`."""
    kind, name = metadata.get("taxonomy") or metadata.get("type"), metadata.get("name")
    return (
        *FILE(file),
        collection(file.path),
        kind if isinstance(kind, str) else collection(file.path),
        None if name is None or isinstance(name, (dict, list)) else str(_json_value(name)),
        json_text(metadata),
    )


def rejection_row(file: SourceFile, rejection: Rejection) -> Row:
    """Return one row of `rejections`."""
    return (*FILE(file), *_REJECTION(rejection))


def finding_rows(file: SourceFile, findings: list[Finding], *, of_article: bool) -> list[Row]:
    """Return rows of `findings` in their order."""
    identity, source, path = FILE(file)
    article_id = identity if of_article else None
    return [
        (identity, position, article_id, source, path, *_FINDING(finding))
        for position, finding in enumerate(findings, 1)
    ]


def choose_url(
    item: Article | Related, path: tuple[str | int, ...], document: Document
) -> str | None:
    """Return the canonical URL of the first usable address.

    One that is not usable or disagrees leaves a finding in `document`.
    """
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
