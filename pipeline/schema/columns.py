"""The columns of the warehouse: the only home of a column's name, type, unit, description and front-matter path.

A column is described once; the tables of `schema.py` are made of them.
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
    """One column: `description` is a sentence, `unit` a unit of measure, `origin` the front-matter path it comes from
    (several with commas, list items as `[]`); without one the pipeline makes it.
    """

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    origin: str = ""
    nullable: bool = True

    @property
    def field(self) -> pa.Field:
        """The Arrow field, carrying description, unit and origin as metadata."""
        facts = {"description": self.description, "unit": self.unit, "origin": self.origin}
        return pa.field(
            self.name, self.type, self.nullable, {key: text for key, text in facts.items() if text}
        )

    @property
    def comment(self) -> str:
        """Description and unit in one line, as `COMMENT ON` shows them."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


_COLUMNS = [
    Column(
        "document_id", TEXT, "BLAKE2b of source name and path inside it, 16 hexadecimal characters"
    ),
    Column("article_id", TEXT, "document_id of the article"),
    Column("source", TEXT, "Name of the source"),
    Column("path", TEXT, "Path inside the source, forward slashes"),
    Column(
        "collection", TEXT, "First folder of the path without leading underscore; null at the top"
    ),
    Column("position", INTEGER, "Place in the list, from 1"),
    # documents
    Column(
        "format", TEXT, "Syntax of the front matter: yaml, toml, json; null without front matter"
    ),
    Column("size_bytes", INTEGER, "Size of the file; null where it could not be read", "byte"),
    Column(
        "modified_at",
        TIME,
        "Modification time of the file, cut to microseconds; null where it could not be read",
        "UTC",
    ),
    Column("raw_hash", TEXT, "BLAKE2b of the file's bytes; null where they could not be read"),
    Column("content_hash", TEXT, "BLAKE2b of everything but secured, quality, heat, published"),
    Column(
        "score_hash", TEXT, "BLAKE2b of quality, heat, published", origin="quality, heat, published"
    ),
    Column(
        "status",
        TEXT,
        "article, other (front matter without a title), skipped (no front matter) or rejected",
    ),
    Column("part", TEXT, "Part that holds the document's rows"),
    # what articles and related items share
    Column("category", TEXT, "Kind of content, such as news or games", origin="category"),
    Column("type", TEXT, "Form of content, such as article or video", origin="type"),
    Column("title", TEXT, "Headline", origin="title"),
    Column("excerpt", TEXT, "First sentences, or the outlet's summary", origin="excerpt"),
    Column("published_at", TIME, "When the outlet published it", "UTC", "publishedDateTime"),
    Column("updated_at", TIME, "When the outlet last changed it", "UTC", "updatedDateTime"),
    Column(
        "url",
        TEXT,
        "Canonical URL: the first usable of original, web, AMP and AMP-cache URL, unwrapped, without tracking",
        origin="originalUrl, webUrl, ampWebUrl, cdnAmpWebUrl",
    ),
    Column("original_url", TEXT, "Address at the outlet, as given", origin="originalUrl"),
    Column(
        "web_url", TEXT, "Address at the outlet or the site's own page, as given", origin="webUrl"
    ),
    Column("amp_url", TEXT, "Address of the AMP version, as given", origin="ampWebUrl"),
    Column(
        "cdn_amp_url",
        TEXT,
        "Address of the AMP version in a cache, as given",
        origin="cdnAmpWebUrl",
    ),
    Column(
        "provider_id",
        TEXT,
        "BLAKE2b of provider name and domain; null where neither is given",
        origin="provider.name, provider.domain",
    ),
    Column("provider_name", TEXT, "Name of the outlet", origin="provider.name"),
    Column("provider_domain", TEXT, "Host name of the outlet", origin="provider.domain"),
    Column("author_name", TEXT, "Who wrote it", origin="author, author.name"),
    Column("author_url", TEXT, "Page of the author", origin="author.url"),
    Column(
        "quality",
        INTEGER,
        "Quality score, 0 and up without an upper bound; null = unscored",
        "score",
        "quality",
    ),
    Column("heat", INTEGER, "Heat score; -1 = suppressed, null = unscored", "score", "heat"),
    Column("published", BOOLEAN, "Whether the site shows it", origin="published"),
    Column("duration_seconds", INTEGER, "Running time of a video", "second", "length"),
    Column("topics", TEXTS, "Topics of the related item", origin="topics"),
    Column("topics_count", INTEGER, "Topics listed, null ones included", "topic", "topics"),
    Column("related_count", INTEGER, "Related items listed", "related item", "related"),
    Column("images_count", INTEGER, "Own images listed", "image", "images"),
    Column("findings_count", INTEGER, "Defects survived", "finding"),
    Column("secured_bytes", INTEGER, "Length of the decoded ciphertext", "byte", "secured"),
    Column(
        "secured_iv_bytes",
        INTEGER,
        "Length of the decoded initialisation vector",
        "byte",
        "secured",
    ),
    Column(
        "secured_digest",
        TEXT,
        "BLAKE2b of the secured text, so that a change is seen",
        origin="secured",
    ),
    Column("body_chars", INTEGER, "Length of the body", "character"),
    Column(
        "extra", TEXT, "Fields that the contract does not know, as JSON; nested ones by dotted path"
    ),
    # bodies, secured, other documents
    Column("body", TEXT, "Text after the front matter, stripped"),
    Column("secured", TEXT, "Ciphertext as given; only with keep_secured", origin="secured"),
    Column(
        "kind",
        TEXT,
        "What it describes, from taxonomy, type or the folder",
        origin="taxonomy, type",
    ),
    Column("name", TEXT, "Name of what is described", origin="name"),
    Column("front_matter", TEXT, "Whole front matter without secured, as JSON"),
    # dimensions
    Column("domain", TEXT, "Host name as given"),
    Column(
        "registered_domain",
        TEXT,
        "Registrable domain by the Public Suffix List; null when there is none",
    ),
    Column("logo_url", TEXT, "Widest image of the organisation's sidecar"),
    Column("first_seen_at", TIME, "Earliest publication time that mentions it", "UTC"),
    Column("last_seen_at", TIME, "Latest publication time that mentions it", "UTC"),
    Column("articles_count", INTEGER, "Articles that mention it", "article"),
    Column("related_items_count", INTEGER, "Related items that mention it", "related item"),
    Column(
        "topic_id", TEXT, "BLAKE2b of the topic's text; null for a null topic", origin="topics[]"
    ),
    Column("topic", TEXT, "Topic as given; null where the list holds a null", origin="topics[]"),
    Column("slug", TEXT, "Topic in lower case with hyphens"),
    Column("parent", TEXT, "Parent topic, from the topic's sidecar"),
    # related matches
    Column(
        "matched_article_id",
        TEXT,
        "Our article with the same canonical URL; of several, the earliest published",
    ),
    Column("candidates_count", INTEGER, "Our articles with that canonical URL", "article"),
    # images
    Column("owner", TEXT, "Whose image: article, provider, related or related_provider"),
    Column(
        "owner_position",
        INTEGER,
        "Position of the related item that owns it; 0 for article and provider",
    ),
    Column("width_px", INTEGER, "Width of the picture", "pixel", "width"),
    Column("height_px", INTEGER, "Height of the picture", "pixel", "height"),
    Column("is_cached", BOOLEAN, "Whether the site holds a copy of its own", origin="isCached"),
    Column("attribution", TEXT, "Whom to credit", origin="attribution"),
    # observations
    Column("observed_at", TIME, "Time of the commit, or of the run that saw the change", "UTC"),
    Column("revision", TEXT, "Commit (its hash) or run (its run_id) that brought the change"),
    Column(
        "sequence",
        INTEGER,
        "Ordinal in the order of the history, from 1: times of commits may go back",
    ),
    Column(
        "change",
        TEXT,
        "first, scores, content, content_and_scores, moved (from another path), moved_away (to one), deleted or revived",
    ),
    Column("blob", TEXT, "Git's name of the version; null of runs and of ends"),
    Column("moved_from", TEXT, "article_id that the article had at its old path, where it moved"),
    # revisions
    Column("new", INTEGER, "Files seen for the first time, or again after they were gone", "file"),
    Column("content", INTEGER, "Files whose content changed, and maybe their scores", "file"),
    Column("score_only", INTEGER, "Files whose scores changed and whose content did not", "file"),
    Column("secured_only", INTEGER, "Files in which only secured (or the layout) changed", "file"),
    Column("moved", INTEGER, "Files with the bytes of one that is gone", "file"),
    Column("deleted", INTEGER, "Files that are gone", "file"),
    Column("skipped", INTEGER, "Files without front matter", "file"),
    Column("rejected", INTEGER, "Files that could not be read", "file"),
    # content changes
    Column(
        "old_value", TEXT, "Value before, as text or JSON, cut after 1,000 characters; null = none"
    ),
    Column("new_value", TEXT, "Value after, likewise"),
    # rejections and findings
    Column("stage", TEXT, "How far the file came: read, decode, fence, parse"),
    Column("code", TEXT, "Kind of failure"),
    Column("message", TEXT, "What is wrong and what to do"),
    Column("line_number", INTEGER, "Line in the file, from 1"),
    Column("column_number", INTEGER, "Column in the line, from 1", "character"),
    Column("line_text", TEXT, "The offending line; secured is blanked"),
    Column("rule", TEXT, "Kind of defect"),
    Column(
        "field", TEXT, "Path of the value in the front matter, lists from 0; empty = the whole file"
    ),
    Column("value", TEXT, "Value as found, as text; never of secured"),
    Column("action", TEXT, "What was done"),
    # sidecars
    Column(
        "key", TEXT, "_id of the sidecar: a topic's slug or an organisation's domain", origin="_id"
    ),
]
COLUMNS: dict[str, Column] = {column.name: column for column in _COLUMNS}
