"""Read the bytes of one file into a Document or a Rejection.

Two paths lead to an article. The fast one parses YAML with yaml-rs and types it with msgspec: about
99 files in 100. What does not fit takes the exact one (`coerce.py`), value by value, with a second
reader that keeps every scalar as text.
"""

import json
import re
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import ValidationError

from pipeline.extract.coerce import MOJIBAKE_BYTES, ExactReader, text_of, unknown_fields
from pipeline.extract.syntax import Parsed, decode, load_yaml, split, visible
from pipeline.extract.times import reaches_the_edge_of_time
from pipeline.schema.documents import (
    KNOWN,
    Article,
    Document,
    Finding,
    Format,
    Rejection,
    dotted,
)
from pipeline.schema.positions import KeyPath

_LFS = b"version https://git-lfs.github.com/spec/"
_POINTER = Rejection(
    "fence",
    "lfs_pointer",
    "this is a pointer of Git LFS, the article lies elsewhere."
    " Run `git lfs pull` and read the checkout.",
)
_NO_FINDINGS: list[Finding] = []
_ARTICLE_KEYS = KNOWN[Article]


def read(raw: bytes, *, strict: bool = False) -> Document | Rejection:
    """Return the document that a file's bytes hold; `strict` repairs nothing.

    A file without front matter gives a Document whose format is None.
    """
    decoded = decode(raw, strict=strict)
    if isinstance(decoded, Rejection):
        return decoded
    text, findings = decoded
    parted = split(text)
    if parted is None:
        return _POINTER if raw.startswith(_LFS) else Document(format=None)
    if isinstance(parted, Rejection):
        return parted
    syntax, front_matter, body = parted
    if syntax == "yaml":
        loaded = load_yaml(front_matter, strict=strict)
    else:
        loaded = _load_toml(front_matter) if syntax == "toml" else _load_json(front_matter)
    if isinstance(loaded, Rejection):
        return loaded
    data, repaired, repairs = loaded
    if data is None:
        data = {}
    if not isinstance(data, dict):
        message = f"the front matter is a {type(data).__name__}, expected keys with values."
        advice, first = "Write `key: value` lines.", visible(front_matter.split("\n", 1)[0])
        return Rejection("parse", "not_a_mapping", f"{message} {advice}", 2, 1, first)
    document = Document(
        format=syntax,
        body=body.strip(),
        findings=[*findings, *repairs] if findings or repairs else _NO_FINDINGS,
        front_matter=repaired,
    )
    if "title" in data:
        suspicious = (
            not text.isascii()
            and MOJIBAKE_BYTES.search(raw if not findings else text.encode()) is not None
        )
        _read_article(document, data, suspicious=suspicious, strict=strict)
    else:
        document.metadata = without_secured(data)
    _digest(document, data)
    return document


def read_safely(raw: bytes, *, strict: bool = False) -> Document | Rejection:
    """Read like `read`, but return a rejection for an error that nobody foresaw, too."""
    try:
        return read(raw, strict=strict)
    except Exception as error:  # one file must not stop the others
        return Rejection.surprise(error)


def _read_article(
    document: Document, data: dict[str, Any], *, suspicious: bool, strict: bool
) -> None:
    unknown = [key for key in data if key not in _ARTICLE_KEYS]
    extra = {text_of(key): data[key] for key in unknown} if unknown else None
    try:
        article = None if suspicious else msgspec.convert(data, Article)
        if article is not None and reaches_the_edge_of_time(article):
            article = None
    except ValidationError:
        article = None
    if article is None:
        text = partial(_exact_text, document)
        reader = ExactReader(document.where, text, strict=strict, suspicious=suspicious)
        article = None if suspicious or strict else reader.article_but_for_empty(data)
        if article is None:
            article, extra = reader.article(data), unknown_fields(data) or None
        document.findings = document.findings + reader.findings
    document.article = article
    document.extra = without_secured(extra) if extra else None
    if article.title is None and not any(finding.field == "title" for finding in document.findings):
        document.findings = [*document.findings, _null(document, "missing_title", ("title",))]
    if article.topics and None in article.topics:
        nulls = [at for at, topic in enumerate(article.topics) if topic is None]
        added = [_null(document, "null_topic", ("topics", at)) for at in nulls]
        document.findings = document.findings + added


def _null(document: Document, rule: str, path: KeyPath) -> Finding:
    return Finding(rule, dotted(path), "null", "kept as null", *document.where(path))


def _exact_text(document: Document) -> Any:
    """Return the front matter with every scalar as the text in the file."""
    if document.format == "yaml":
        import yaml  # few files need it

        return yaml.load(document.front_matter, Loader=yaml.CBaseLoader)
    if document.format == "json":
        as_text: dict[str, Any] = {"parse_int": str, "parse_float": str, "parse_constant": str}
        return json.loads(document.front_matter, **as_text)
    return {}


def _load_toml(text: str) -> Parsed | Rejection:
    from pipeline.extract.toml import TomlHandler, error_position  # few sites need it

    try:
        data = TomlHandler().load(text)
    except (ValueError, RecursionError) as error:
        return _unreadable("toml", error, text, error_position(error, text))
    return data, text, []


def _load_json(text: str) -> Parsed | Rejection:
    from frontmatter.default_handlers import JSONHandler

    repeated: list[str] = []
    try:
        data = JSONHandler().load(text, object_pairs_hook=partial(_last_of_each, repeated))
        json.dumps(data, ensure_ascii=False).encode()  # lone surrogates
    except (ValueError, RecursionError) as error:
        position = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else None
        return _unreadable("json", error, text, position)
    findings = [Finding("duplicate_key", key, key, "the last one counts") for key in repeated]
    return data, text, findings


def _unreadable(
    syntax: Format, error: Exception, text: str, position: tuple[int, int] | None
) -> Rejection:
    """Return the rejection for an error at `position` in the front matter `text`."""
    code = "nesting_bomb" if isinstance(error, RecursionError) else f"bad_{syntax}"
    message = f"{syntax.upper()} cannot be read: {_without_position(error)}. Correct the line."
    if position is None:
        return Rejection("parse", code, message)
    line, column = position
    line_text = visible(text.split("\n")[line - 1])
    number = line if syntax == "json" else line + 1  # after the fence
    return Rejection("parse", code, message, number, column, line_text)


def _without_position(error: Exception) -> str:
    return re.sub(r"\s*\([^(]*(line|end of document)[^(]*\)$", "", str(error).split("\n", 1)[0])


def _last_of_each(repeated: list[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated += sorted({name for name in names if names.count(name) > 1})
    return fields


def without_secured(value: Any) -> Any:
    """Return the value without what any key called secured holds, at any depth."""
    if isinstance(value, dict):
        return {key: without_secured(item) for key, item in value.items() if not _is_secured(key)}
    return [without_secured(item) for item in value] if isinstance(value, list) else value


@lru_cache(maxsize=4096)
def _is_secured(key: Any) -> bool:
    return str(key).lower().rpartition(".")[2] == "secured"


def _digest(document: Document, data: dict[str, Any]) -> None:
    """Set the digests of content and scores; remove the volatile keys from `data`."""
    data.pop("secured", None)
    scores = (data.pop("quality", None), data.pop("heat", None), data.pop("published", None))
    try:
        content = msgspec.json.encode(data)
    except (TypeError, ValueError, RecursionError):
        content = document.front_matter.encode("utf-8", "backslashreplace")
    if document.body:
        content += document.body.encode()
    document.content_hash = blake2b(content, digest_size=8).hexdigest()
    if document.article is not None:
        document.score_hash = _score_digest(text_of(scores))


@lru_cache(maxsize=4096)
def _score_digest(scores: str) -> str:
    return blake2b(scores.encode("utf-8", "replace"), digest_size=8).hexdigest()
