"""Rows that belong to a file itself: documents, articles, bodies, secured, other documents, rejections, findings."""

import datetime as dt
from typing import Any

import msgspec

from pipeline.documents import Article, Author, Document, Finding, Rejection, Related, SourceFile, dotted
from pipeline.transform import scalars

Row = dict[str, Any]


def document_row(file: SourceFile, document: Document | Rejection) -> Row:
    """One row of `documents`."""
    read = document if isinstance(document, Document) else None
    return {
        "document_id": file.document_id,
        "source": file.source,
        "path": file.path,
        "collection": collection(file.path),
        "format": read.format if read else None,
        "size_bytes": file.size,
        "modified_at": file.mtime_us,
        "raw_hash": file.raw_hash,
        "content_hash": read.content_hash if read else None,
        "score_hash": read.score_hash if read else None,
        "status": status_of(document),
        "part": file.part,
    }


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
    data_bytes, vector_bytes = scalars.secured_lengths(article.secured) if article.secured else (None, None)
    name, domain = (provider.name, provider.domain) if provider else (None, None)
    return {
        "article_id": file.document_id,
        "source": file.source,
        "path": file.path,
        "collection": collection(file.path),
        "category": article.category,
        "type": article.type,
        "title": article.title,
        "excerpt": article.excerpt,
        "published_at": article.published_at,
        "updated_at": article.updated_at,
        "url": url,
        "original_url": article.original_url,
        "web_url": article.web_url,
        "amp_url": article.amp_web_url,
        "cdn_amp_url": article.cdn_amp_web_url,
        "provider_id": scalars.provider_id(name, domain),
        "provider_name": name,
        "provider_domain": domain,
        "author_name": author.name if isinstance(author, Author) else author,
        "author_url": author.url if isinstance(author, Author) else None,
        "quality": article.quality,
        "heat": article.heat,
        "published": article.published,
        "duration_seconds": seconds(article.length),
        "topics_count": len(article.topics or ()),
        "related_count": len(article.related or ()),
        "images_count": len(article.images or ()),
        "findings_count": len(document.findings),
        "secured_bytes": data_bytes,
        "secured_iv_bytes": vector_bytes,
        "secured_digest": scalars.identity(article.secured) if article.secured else None,
        "body_chars": len(document.body),
        "extra": json_text(document.extra) if document.extra else None,
    }


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
    return {"article_id": file.document_id, "format": "html" if html else "markdown", "body": document.body}


def other_row(file: SourceFile, metadata: dict[str, Any]) -> Row:
    """One row of `other_documents`."""
    kind, name = metadata.get("taxonomy") or metadata.get("type"), metadata.get("name")
    return {
        "document_id": file.document_id,
        "source": file.source,
        "path": file.path,
        "collection": collection(file.path),
        "kind": kind if isinstance(kind, str) else collection(file.path),
        "name": name if isinstance(name, str) else None if name is None or isinstance(name, (dict, list)) else str(_plain(name)),
        "front_matter": json_text(metadata),
    }


def rejection_row(file: SourceFile, rejection: Rejection) -> Row:
    """One row of `rejections`."""
    return {
        "document_id": file.document_id,
        "source": file.source,
        "path": file.path,
        "stage": rejection.stage,
        "code": rejection.code,
        "message": rejection.message,
        "line_number": rejection.line,
        "column_number": rejection.column,
        "line_text": rejection.line_text,
    }


def finding_rows(file: SourceFile, findings: list[Finding], *, of_article: bool) -> list[Row]:
    """Rows of `findings`, in the order found."""
    return [
        {
            "document_id": file.document_id,
            "position": position,
            "article_id": file.document_id if of_article else None,
            "source": file.source,
            "path": file.path,
            "rule": finding.rule,
            "field": finding.field,
            "value": finding.value,
            "action": finding.action,
            "line_number": finding.line,
            "column_number": finding.column,
        }
        for position, finding in enumerate(findings, 1)
    ]


def choose_url(item: Article | Related, path: tuple[str | int, ...], document: Document) -> str | None:
    """The canonical URL, of the first usable one; one that is unusable or disagrees leaves a finding in `document`."""
    if (
        item.original_url is None
        and item.amp_web_url is None
        and item.cdn_amp_web_url is None
        and item.web_url is not None
        and (only := scalars.canonical_url(item.web_url)) is not None
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
        canonical = scalars.canonical_url(url)
        if canonical is None:
            rule, action = "invalid_url", "not used"
        elif chosen is None:
            chosen, given = canonical, url
            continue
        elif scalars.same_page(chosen, canonical, amp="amp" in key.lower()):
            continue
        else:
            rule, action = "url_disagreement", f"canonical is {chosen}"
        where = (*path, key)
        document.findings = [*document.findings, Finding(rule, dotted(where), url, action, *document.where(where))]
    return chosen
