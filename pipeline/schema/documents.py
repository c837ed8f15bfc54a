"""The front-matter contract: what an article file may say, declared once as typed records.

Everything read from a file is a `Document` or a `Rejection`; nothing falls between. Names of fields
are the camel-case keys of the files in snake case, but for those that `rename` spells out. The
types are strict: a value of another type, or a nested field that is not declared, takes the exact
path (`extract/coerce.py`), which repairs it or sets it to None, says so in a `Finding`, and keeps
what is unknown as `extra`.
"""

import datetime as dt
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct, field
from msgspec.structs import fields

from pipeline.schema.positions import UNKNOWN, KeyPath, Location, Positions

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

Text = Annotated[str, Meta(min_length=1)]
Number = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
Moment = Annotated[dt.datetime, Meta(tz=True)]
Format = Literal["yaml", "toml", "json"]
Difference = tuple[str, str | None, str | None]
"""What changed in an article: field, value before, value after."""


class Image(Struct, rename="camel", gc=False, frozen=True, forbid_unknown_fields=True):
    """A picture of an article, a provider or a related item."""

    url: Text | None = None
    """Where the picture lies: absolute, or relative to the site."""
    width: Number | None = None
    """Width in pixels."""
    height: Number | None = None
    """Height in pixels."""
    is_cached: bool | None = None
    """Whether the site holds a copy of its own."""
    title: Text | None = None
    """Caption."""
    attribution: Text | None = None
    """Whom to credit."""


class Provider(Struct, rename="camel", gc=False, frozen=True, forbid_unknown_fields=True):
    """The outlet that published an article."""

    name: Text | None = None
    """Name as the outlet writes it; one domain (youtube.com) may stand for hundreds of names."""
    domain: Text | None = None
    """Host name without scheme."""
    images: list[Image] | None = None
    """Logos."""


class Author(Struct, rename="camel", gc=False, frozen=True, forbid_unknown_fields=True):
    """Who wrote an article, if a site says so."""

    name: Text | None = None
    """Full name."""
    url: Text | None = None
    """Page of the author."""


class Related(Struct, rename="camel", gc=False, frozen=True, forbid_unknown_fields=True):
    """An article of another outlet about the same story, listed inside an article."""

    title: Text | None = None
    """Headline."""
    excerpt: Text | None = None
    """First sentences, or the outlet's own summary."""
    published_at: Moment | None = field(name="publishedDateTime", default=None)
    """When the outlet published it."""
    original_url: Text | None = None
    """Address at the outlet, if it differs from webUrl."""
    web_url: Text | None = None
    """Address at the outlet."""
    amp_web_url: Text | None = None
    """Address of the AMP version at the outlet."""
    cdn_amp_web_url: Text | None = None
    """Address of the AMP version in a cache."""
    type: Text | None = None
    """article, video, ..."""
    category: Text | None = None
    """news, games, ..."""
    provider: Provider | None = None
    """The outlet."""
    quality: Number | None = None
    """Quality score; 0 and up, without an upper bound."""
    heat: Number | None = None
    """Heat score; -1 means suppressed."""
    length: dt.timedelta | None = None
    """Running time of a video, an ISO 8601 duration in the file."""
    topics: list[Text | None] | None = None
    """Topics in the order of the file."""
    images: list[Image] | None = None
    """Pictures in the order of the file."""


class Article(Struct, rename="camel", gc=False, frozen=True):
    """An article: front matter with a `title` key."""

    title: Text | None = None
    """Headline."""
    excerpt: Text | None = None
    """First sentences, or the outlet's own summary."""
    published_at: Moment | None = field(name="publishedDateTime", default=None)
    """When the outlet published it."""
    updated_at: Moment | None = field(name="updatedDateTime", default=None)
    """When the outlet last changed it."""
    original_url: Text | None = None
    """Address at the outlet."""
    web_url: Text | None = None
    """Address at the outlet, or the site's own page about it."""
    amp_web_url: Text | None = None
    """Address of the AMP version at the outlet."""
    cdn_amp_web_url: Text | None = None
    """Address of the AMP version in a cache."""
    type: Text | None = None
    """article, video, ..."""
    category: Text | None = None
    """news, games, ..."""
    quality: Number | None = None
    """Quality score; 0 and up, without an upper bound."""
    heat: Number | None = None
    """Heat score; -1 means suppressed, always with `published: false`."""
    published: bool | None = None
    """Whether the site shows the article."""
    length: dt.timedelta | None = None
    """Running time of a video, an ISO 8601 duration in the file."""
    provider: Provider | None = None
    """The outlet."""
    author: Author | Text | None = None
    """Who wrote it: a name, or a map with name and url."""
    topics: list[Text | None] | None = None
    """Topics in the order of the file."""
    related: list[Related] | None = None
    """Articles of other outlets about the same story."""
    images: list[Image] | None = None
    """Pictures in the order of the file."""
    secured: Text | None = None
    """Ciphertext, `base64;base64` (data; initialisation vector). Never decrypted, printed or
    exported."""


class SourceFile(Struct, frozen=True, gc=False):
    """A file as its source lists it."""

    source: str
    """Name of the source."""
    path: str
    """Path inside the source, with forward slashes; bytes that are not UTF-8 are spelled out."""
    document_id: str
    """16 hexadecimal characters: BLAKE2b of source and path."""
    part: str
    """Part that holds the file's rows."""
    sidecar: str | None = None
    """topic or organization, if the file describes one; None for others."""
    size: int | None = None
    """Size in bytes."""
    mtime_us: int | None = None
    """Modification time in microseconds since 1970."""
    raw_hash: str | None = None
    """16 hexadecimal characters: BLAKE2b of the bytes; None if they could not be read."""


class Finding(Struct, frozen=True, gc=False):
    """A defect that was survived."""

    rule: str
    """What kind of defect, in snake case."""
    field: str
    """Path of the value in the front matter, `related[0].title`; empty for the whole file."""
    value: str | None
    """The value in the file, as text; None for `secured`."""
    action: str
    """What was done about it."""
    line: int | None = None
    """Line in the file, from 1."""
    column: int | None = None
    """Column in the line, from 1, in characters."""


class Rejection(Struct, frozen=True, gc=False):
    """Why a file could not be read at all."""

    stage: Literal["read", "decode", "fence", "parse"]
    """How far the file came."""
    code: str
    """What kind of failure, in snake case."""
    message: str
    """What is wrong and what to do, in a sentence."""
    line: int | None = None
    """Line in the file, from 1."""
    column: int | None = None
    """Column in the line, from 1, in characters."""
    line_text: str | None = None
    """The line itself."""

    @classmethod
    def surprise(cls, error: Exception) -> "Rejection":
        """Return the rejection for an error that nobody foresaw."""
        what = f"{type(error).__name__}: {str(error)[:300]}"
        advice = "This is a defect of the pipeline: please report it with the file."
        return cls("parse", "internal_error", f"{what}. {advice}")


class Document(Struct, gc=False):
    """What one readable file says."""

    format: Format | None
    """Syntax of the front matter; None without front matter."""
    article: Article | None = None
    """The article; None for another kind of document."""
    metadata: dict[str, Any] | None = None
    """The front matter as read, of a document that is not an article; without `secured`."""
    extra: dict[str, Any] | None = None
    """Fields of an article that the contract does not know, by dotted path."""
    body: str = ""
    """Text after the front matter, stripped."""
    content_hash: str | None = None
    """Digest of everything but the volatile keys."""
    score_hash: str | None = None
    """Digest of quality, heat and published."""
    findings: list[Finding] = []
    """Defects survived."""
    front_matter: str = ""
    """The text of the front matter, in which defects are located."""
    positions: Positions | None = None
    """Positions of values in `front_matter`, once a defect has asked for one."""

    def where(self, path: KeyPath) -> Location:
        """Return line and column in the file of the value at `path`; UNKNOWN but for YAML."""
        if self.format != "yaml":
            return UNKNOWN
        if self.positions is None:
            self.positions = Positions(self.front_matter)
        line, column = self.positions.locate(path)
        return (line + 1 if line else None), column


class Extracted(NamedTuple):
    """A file of a source, and what it says or why it could not be read."""

    file: SourceFile
    """The file."""
    document: Document | Rejection
    """Its document, or its rejection."""


def dotted(path: KeyPath) -> str:
    """Return `related[0].title` for `("related", 0, "title")`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


KNOWN = {
    kind: frozenset(item.encode_name for item in fields(kind))
    for kind in (Article, Related, Provider, Author, Image)
}
NESTED: dict[Any, tuple[tuple[str, Any], ...]] = {
    Article: (("provider", Provider), ("author", Author), ("images", Image), ("related", Related)),
    Related: (("provider", Provider), ("images", Image)),
    Provider: (("images", Image),),
    Author: (),
    Image: (),
}
"""Where in a record other records stand."""
