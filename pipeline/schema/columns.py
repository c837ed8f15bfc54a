"""The columns of the warehouse: the only home of name, type, unit, description and origin.

A column is described once; the tables of `tables.py` are made of them.
"""

from dataclasses import dataclass

import pyarrow as pa

TEXT = pa.string()
INTEGER = pa.int64()
BOOLEAN = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True)
class Column:
    """One column: a sentence, a unit of measure, and where it comes from.

    `origin` is a path in the front matter (several with commas, list items as `[]`); a column
    without one is made by the pipeline.
    """

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    origin: str = ""
    nullable: bool = True

    @property
    def field(self) -> pa.Field:
        """The Arrow field, with description, unit and origin as metadata."""
        facts = {"description": self.description, "unit": self.unit, "origin": self.origin}
        return pa.field(
            self.name, self.type, self.nullable, {key: text for key, text in facts.items() if text}
        )

    @property
    def comment(self) -> str:
        """Description and unit in one line, for `COMMENT ON`."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


def text(name: str, description: str, origin: str = "") -> Column:
    """Return a column of text."""
    return Column(name, TEXT, description, "", origin)


def integer(name: str, description: str, unit: str = "", origin: str = "") -> Column:
    """Return a column of 64-bit integers."""
    return Column(name, INTEGER, description, unit, origin)


def time(name: str, description: str, origin: str = "") -> Column:
    """Return a column of times."""
    return Column(name, TIME, description, "UTC", origin)


_COLUMNS = [
    text("document_id", "BLAKE2b of source name and path inside it, 16 hexadecimal characters"),
    text("article_id", "document_id of the article"),
    text("source", "Name of the source"),
    text("path", "Path inside the source, forward slashes"),
    text("collection", "First folder of the path without leading underscore; null at the top"),
    integer("position", "Place in the list, from 1"),
    # documents
    text("format", "Syntax of the front matter: yaml, toml, json; null without front matter"),
    integer("size_bytes", "Size of the file; null where it could not be read", "byte"),
    time(
        "modified_at",
        "Modification time of the file, cut to microseconds; null where it could not be read",
    ),
    text("raw_hash", "BLAKE2b of the file's bytes; null where they could not be read"),
    text("content_hash", "BLAKE2b of everything but secured, quality, heat, published"),
    text("score_hash", "BLAKE2b of quality, heat, published", "quality, heat, published"),
    text(
        "status",
        "article, other (front matter without a title), skipped (no front matter) or rejected",
    ),
    text("part", "Part that holds the document's rows"),
    # what articles and related items share
    text("category", "Kind of content, such as news or games", "category"),
    text("type", "Form of content, such as article or video", "type"),
    text("title", "Headline", "title"),
    text("excerpt", "First sentences, or the outlet's summary", "excerpt"),
    time("published_at", "When the outlet published it", "publishedDateTime"),
    time("updated_at", "When the outlet last changed it", "updatedDateTime"),
    text(
        "url",
        "Canonical URL: the first usable of original, web, AMP and AMP-cache URL, unwrapped,"
        " without tracking",
        "originalUrl, webUrl, ampWebUrl, cdnAmpWebUrl",
    ),
    text("original_url", "Address at the outlet, as given", "originalUrl"),
    text("web_url", "Address at the outlet or the site's own page, as given", "webUrl"),
    text("amp_url", "Address of the AMP version, as given", "ampWebUrl"),
    text("cdn_amp_url", "Address of the AMP version in a cache, as given", "cdnAmpWebUrl"),
    text(
        "provider_id",
        "BLAKE2b of provider name and domain; null where neither is given",
        "provider.name, provider.domain",
    ),
    text("provider_name", "Name of the outlet", "provider.name"),
    text("provider_domain", "Host name of the outlet", "provider.domain"),
    text("author_name", "Who wrote it", "author, author.name"),
    text("author_url", "Page of the author", "author.url"),
    integer(
        "quality",
        "Quality score, 0 and up without an upper bound; null = unscored",
        "score",
        "quality",
    ),
    integer("heat", "Heat score; -1 = suppressed, null = unscored", "score", "heat"),
    Column("published", BOOLEAN, "Whether the site shows it", origin="published"),
    integer("duration_seconds", "Running time of a video", "second", "length"),
    Column("topics", TEXTS, "Topics of the related item", origin="topics"),
    integer("topics_count", "Topics listed, null ones included", "topic", "topics"),
    integer("related_count", "Related items listed", "related item", "related"),
    integer("images_count", "Own images listed", "image", "images"),
    integer("findings_count", "Defects survived", "finding"),
    integer("secured_bytes", "Length of the decoded ciphertext", "byte", "secured"),
    integer("secured_iv_bytes", "Length of the decoded initialisation vector", "byte", "secured"),
    text("secured_digest", "BLAKE2b of the secured text, so that a change is seen", "secured"),
    integer("body_chars", "Length of the body", "character"),
    text("extra", "Fields that the contract does not know, as JSON; nested ones by dotted path"),
    # bodies, secured, other documents
    text("body", "Text after the front matter, stripped"),
    text("secured", "Ciphertext as given; only with keep_secured", "secured"),
    text("kind", "What it describes, from taxonomy, type or the folder", "taxonomy, type"),
    text("name", "Name of what is described", "name"),
    text("front_matter", "Whole front matter without secured, as JSON"),
    # dimensions
    text("domain", "Host name as given"),
    text(
        "registered_domain", "Registrable domain by the Public Suffix List; null when there is none"
    ),
    text("logo_url", "Widest image of the organisation's sidecar"),
    time("first_seen_at", "Earliest publication time that mentions it"),
    time("last_seen_at", "Latest publication time that mentions it"),
    integer("articles_count", "Articles that mention it", "article"),
    integer("related_items_count", "Related items that mention it", "related item"),
    text("topic_id", "BLAKE2b of the topic's text; null for a null topic", "topics[]"),
    text("topic", "Topic as given; null where the list holds a null", "topics[]"),
    text("slug", "Topic in lower case with hyphens"),
    text("parent", "Parent topic, from the topic's sidecar"),
    # related matches
    text(
        "matched_article_id",
        "Our article with the same canonical URL; of several, the earliest published",
    ),
    integer("candidates_count", "Our articles with that canonical URL", "article"),
    # images
    text("owner", "Whose image: article, provider, related or related_provider"),
    integer(
        "owner_position", "Position of the related item that owns it; 0 for article and provider"
    ),
    integer("width_px", "Width of the picture", "pixel", "width"),
    integer("height_px", "Height of the picture", "pixel", "height"),
    Column("is_cached", BOOLEAN, "Whether the site holds a copy of its own", origin="isCached"),
    text("attribution", "Whom to credit", "attribution"),
    # observations
    time("observed_at", "Time of the commit, or of the run that saw the change"),
    text("revision", "Commit (its hash) or run (its run_id) that brought the change"),
    integer(
        "sequence", "Ordinal in the order of the history, from 1: times of commits may go back"
    ),
    text(
        "change",
        "first, scores, content, content_and_scores, moved (from another path), moved_away (to"
        " one), deleted or revived",
    ),
    text("blob", "Git's name of the version; null of runs and of ends"),
    text("moved_from", "article_id that the article had at its old path, where it moved"),
    # revisions
    integer("new", "Files seen for the first time, or again after they were gone", "file"),
    integer("content", "Files whose content changed, and maybe their scores", "file"),
    integer("score_only", "Files whose scores changed and whose content did not", "file"),
    integer("secured_only", "Files in which only secured (or the layout) changed", "file"),
    integer("moved", "Files with the bytes of one that is gone", "file"),
    integer("deleted", "Files that are gone", "file"),
    integer("skipped", "Files without front matter", "file"),
    integer("rejected", "Files that could not be read", "file"),
    # content changes
    text("old_value", "Value before, as text or JSON, cut after 1,000 characters; null = none"),
    text("new_value", "Value after, likewise"),
    # rejections and findings
    text("stage", "How far the file came: read, decode, fence, parse"),
    text("code", "Kind of failure"),
    text("message", "What is wrong and what to do"),
    integer("line_number", "Line in the file, from 1"),
    integer("column_number", "Column in the line, from 1", "character"),
    text("line_text", "The offending line; secured is blanked"),
    text("rule", "Kind of defect"),
    text("field", "Path of the value in the front matter, lists from 0; empty = the whole file"),
    text("value", "Value as found, as text; never of secured"),
    text("action", "What was done"),
    # sidecars
    text("key", "_id of the sidecar: a topic's slug or an organisation's domain", "_id"),
]
COLUMNS: dict[str, Column] = {column.name: column for column in _COLUMNS}
