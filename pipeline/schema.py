"""The tables of the warehouse: the only home of a column's name, type, unit, nullability and description.

A column is described once; a table is a list of column names and a key. Parquet field metadata, `COMMENT ON`, the README's
table of tables derive from here. Every table passes one gate, `Table.enforce`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from pipeline.errors import SchemaError

FEW = 50_000
"""Rows up to which Python finds repeated keys: `group_by` is four times faster on 300,000, and takes 40 ms to load."""

TEXT = pa.string()
INTEGER = pa.int64()
BOOLEAN = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True)
class Column:
    """One column: `description` is a sentence, `unit` a unit of measure, `origin` the front-matter path it comes from."""

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
        return pa.field(self.name, self.type, self.nullable, {key: text for key, text in facts.items() if text})

    @property
    def comment(self) -> str:
        """Description and unit in one line, as `COMMENT ON` shows them."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


@dataclass(frozen=True)
class Table:
    """One table: `grain` completes the sentence "one row per ..."; the key's columns are unique together and not null."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: bool = False

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema."""
        return pa.schema([column.field for column in self.columns], {"grain": f"One row per {self.grain}."})

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def from_rows(self, rows: list[tuple[Any, ...]]) -> pa.Table:
        """Rows, each with a value for every column in the table's order, as an Arrow table; raises SchemaError."""
        if not rows:
            return self.empty()
        if len(rows[0]) != len(self.columns):
            raise SchemaError(f"{self.name}: a row has {len(rows[0])} values (expected {len(self.columns)}). See schema.py.")
        arrays, failures = [], []
        for column, values in zip(self.columns, zip(*rows, strict=True), strict=True):
            try:
                arrays.append(pa.array(values, column.type))
            except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                failures.append(f"{column.name}: {error} (expected {column.type})")
        if failures:
            raise SchemaError(f"{self.name}: " + "; ".join(failures))
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def enforce(self, table: pa.Table) -> pa.Table:
        """The gate: exact columns, safe cast, no null where none is allowed, key unique.

        Raises SchemaError that lists every failure, the table's name first.
        """
        if set(table.column_names) != set(self.names):
            raise SchemaError(f"{self.name}: {self._difference(table.column_names)}")
        arrays, failures = [], []
        for column in self.columns:
            array = table[column.name]
            try:
                arrays.append(array if array.type == column.type else array.cast(column.type))
            except (pa.ArrowException, ValueError) as error:
                failures.append(f"{column.name}: {error} (expected {column.type})")
            if not column.nullable and array.null_count:
                failures.append(f"{column.name}: {array.null_count} nulls (expected none)")
        if failures:
            raise SchemaError(f"{self.name}: " + "; ".join(failures))
        table = pa.Table.from_arrays(arrays, schema=self.arrow)
        if duplicates := self._duplicate_keys(table):
            raise SchemaError(f"{self.name}: {duplicates} rows repeat a key ({', '.join(self.key)}; expected unique)")
        return table

    def empty(self) -> pa.Table:
        """The table without rows, typed."""
        return self.arrow.empty_table()

    def _duplicate_keys(self, table: pa.Table) -> int:
        if table.num_rows > FEW:
            return int(table.num_rows - table.group_by(list(self.key), use_threads=False).aggregate([]).num_rows)
        keys = [table[name].to_pylist() for name in self.key]
        return int(table.num_rows) - len(set(keys[0] if len(keys) == 1 else zip(*keys, strict=True)))

    def _difference(self, found: Iterable[str]) -> str:
        missing, unknown = set(self.names) - set(found), set(found) - set(self.names)
        return f"columns differ in name or order (missing {sorted(missing)}, not declared {sorted(unknown)}). See schema.py."


_COLUMNS = [
    Column("document_id", TEXT, "BLAKE2b of source name and path inside it, 16 hexadecimal characters"),
    Column("article_id", TEXT, "document_id of the article"),
    Column("source", TEXT, "Name of the source"),
    Column("path", TEXT, "Path inside the source, forward slashes"),
    Column("collection", TEXT, "First folder of the path without leading underscore; null at the top"),
    Column("position", INTEGER, "Place in the list, from 1"),
    # documents
    Column("format", TEXT, "Syntax of the front matter: yaml, toml, json; null without front matter"),
    Column("size_bytes", INTEGER, "Size of the file; null where it could not be read", "byte"),
    Column("modified_at", TIME, "Modification time of the file, cut to microseconds; null where it could not be read", "UTC"),
    Column("raw_hash", TEXT, "BLAKE2b of the file's bytes; null where they could not be read"),
    Column("content_hash", TEXT, "BLAKE2b of everything but secured, quality, heat, published"),
    Column("score_hash", TEXT, "BLAKE2b of quality, heat, published"),
    Column("status", TEXT, "article, other (front matter without a title), skipped (no front matter) or rejected"),
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
    Column("web_url", TEXT, "Address at the outlet or the site's own page, as given", origin="webUrl"),
    Column("amp_url", TEXT, "Address of the AMP version, as given", origin="ampWebUrl"),
    Column("cdn_amp_url", TEXT, "Address of the AMP version in a cache, as given", origin="cdnAmpWebUrl"),
    Column("provider_id", TEXT, "BLAKE2b of provider name and domain; null where neither is given"),
    Column("provider_name", TEXT, "Name of the outlet", origin="provider.name"),
    Column("provider_domain", TEXT, "Host name of the outlet", origin="provider.domain"),
    Column("author_name", TEXT, "Who wrote it", origin="author, author.name"),
    Column("author_url", TEXT, "Page of the author", origin="author.url"),
    Column("quality", INTEGER, "Quality score, 0 and up without an upper bound; null = unscored", "score", "quality"),
    Column("heat", INTEGER, "Heat score; -1 = suppressed, null = unscored", "score", "heat"),
    Column("published", BOOLEAN, "Whether the site shows it", origin="published"),
    Column("duration_seconds", INTEGER, "Running time of a video", "second", "length"),
    Column("topics", TEXTS, "Topics of the related item", origin="topics"),
    Column("topics_count", INTEGER, "Topics listed, null ones included", "topic"),
    Column("related_count", INTEGER, "Related items listed", "related item"),
    Column("images_count", INTEGER, "Own images listed", "image"),
    Column("findings_count", INTEGER, "Defects survived", "finding"),
    Column("secured_bytes", INTEGER, "Length of the decoded ciphertext", "byte", "secured"),
    Column("secured_iv_bytes", INTEGER, "Length of the decoded initialisation vector", "byte", "secured"),
    Column("secured_digest", TEXT, "BLAKE2b of the secured text, so that a change is seen", origin="secured"),
    Column("body_chars", INTEGER, "Length of the body", "character"),
    Column("extra", TEXT, "Fields that the contract does not know, as JSON; nested ones by dotted path"),
    # bodies, secured, other documents
    Column("body", TEXT, "Text after the front matter, stripped"),
    Column("secured", TEXT, "Ciphertext as given; only with keep_secured", origin="secured"),
    Column("kind", TEXT, "What it describes, from taxonomy, type or the folder"),
    Column("name", TEXT, "Name of what is described", origin="name"),
    Column("front_matter", TEXT, "Whole front matter without secured, as JSON"),
    # dimensions
    Column("domain", TEXT, "Host name as given"),
    Column("registered_domain", TEXT, "Registrable domain by the Public Suffix List; null when there is none"),
    Column("logo_url", TEXT, "Widest image of the organisation's sidecar"),
    Column("first_seen_at", TIME, "Earliest publication time that mentions it", "UTC"),
    Column("last_seen_at", TIME, "Latest publication time that mentions it", "UTC"),
    Column("articles_count", INTEGER, "Articles that mention it", "article"),
    Column("related_items_count", INTEGER, "Related items that mention it", "related item"),
    Column("topic_id", TEXT, "BLAKE2b of the topic's text; null for a null topic"),
    Column("topic", TEXT, "Topic as given; null where the list holds a null", origin="topics"),
    Column("slug", TEXT, "Topic in lower case with hyphens"),
    Column("parent", TEXT, "Parent topic, from the topic's sidecar", origin="_data/topics/*.yaml parent"),
    # related matches
    Column("matched_article_id", TEXT, "Our article with the same canonical URL; of several, the earliest published"),
    Column("candidates_count", INTEGER, "Our articles with that canonical URL", "article"),
    # images
    Column("owner", TEXT, "Whose image: article, provider, related or related_provider"),
    Column("owner_position", INTEGER, "Position of the related item that owns it; 0 for article and provider"),
    Column("width_px", INTEGER, "Width of the picture", "pixel", "width"),
    Column("height_px", INTEGER, "Height of the picture", "pixel", "height"),
    Column("is_cached", BOOLEAN, "Whether the site holds a copy of its own", origin="isCached"),
    Column("attribution", TEXT, "Whom to credit", origin="attribution"),
    # observations
    Column("observed_at", TIME, "Time of the run that saw the change", "UTC"),
    Column("revision", TEXT, "Run that saw the change"),
    Column("change", TEXT, "first (seen for the first time), scores (they differ from the row before) or moved"),
    Column("moved_from", TEXT, "article_id that the article had at its old path, where it moved"),
    # rejections and findings
    Column("stage", TEXT, "How far the file came: read, decode, fence, parse"),
    Column("code", TEXT, "Kind of failure"),
    Column("message", TEXT, "What is wrong and what to do"),
    Column("line_number", INTEGER, "Line in the file, from 1"),
    Column("column_number", INTEGER, "Column in the line, from 1", "character"),
    Column("line_text", TEXT, "The offending line; secured is blanked"),
    Column("rule", TEXT, "Kind of defect"),
    Column("field", TEXT, "Path of the value in the front matter, lists from 0; empty = the whole file"),
    Column("value", TEXT, "Value as found, as text; never of secured"),
    Column("action", TEXT, "What was done"),
    # sidecars
    Column("key", TEXT, "_id of the sidecar: a topic's slug or an organisation's domain", origin="_id"),
]
COLUMNS: dict[str, Column] = {column.name: column for column in _COLUMNS}


def _table(
    name: str,
    grain: str,
    key: str,
    columns: str,
    described: Mapping[str, str] | None = None,
    derived: bool = False,
    required: str = "",
) -> Table:
    """A table from names; `described` overrides a column's description where the table gives it another meaning."""
    keys, others = tuple(key.split()), (described or {})
    chosen = [
        replace(
            COLUMNS[column],
            nullable=column not in keys and column not in required.split(),
            description=others.get(column, COLUMNS[column].description),
        )
        for column in columns.split()
    ]
    return Table(name, grain, keys, tuple(chosen), derived)


_TABLES = [
    _table(
        "documents",
        "file seen",
        "document_id",
        "document_id source path collection format size_bytes modified_at raw_hash content_hash score_hash status part",
        required="source path status part",
    ),
    _table(
        "articles",
        "document with a title",
        "article_id",
        "article_id source path collection category type title excerpt published_at updated_at url original_url web_url"
        " amp_url cdn_amp_url provider_id provider_name provider_domain author_name author_url quality heat published"
        " duration_seconds topics_count related_count images_count findings_count secured_bytes secured_iv_bytes"
        " secured_digest body_chars extra",
        required="source path topics_count related_count images_count findings_count body_chars",
    ),
    _table(
        "bodies",
        "article with a body",
        "article_id",
        "article_id format body",
        {"format": "Syntax of the body by the file's name: markdown or html"},
        required="format body",
    ),
    _table("secured", "article whose ciphertext is kept (keep_secured)", "article_id", "article_id secured", required="secured"),
    _table(
        "other_documents",
        "document with front matter but no title (people, organisations, communities)",
        "document_id",
        "document_id source path collection kind name front_matter",
        required="source path front_matter",
    ),
    _table(
        "sidecars",
        "file of _data/topics or _data/organizations that describes a topic or an organisation",
        "document_id",
        "document_id source path kind key name parent domain logo_url",
        {"kind": "topic or organization"},
        required="source path kind",
    ),
    _table(
        "providers",
        "pair of provider name and domain, over articles and related items",
        "provider_id",
        "provider_id name domain registered_domain first_seen_at last_seen_at articles_count related_items_count logo_url",
        {"name": "Name of the outlet"},
        derived=True,
        required="articles_count related_items_count",
    ),
    _table(
        "topics",
        "topic of articles, related items or sidecars",
        "topic_id",
        "topic_id topic slug parent first_seen_at last_seen_at articles_count related_items_count",
        {"topic": "Topic as given"},
        derived=True,
        required="topic slug articles_count related_items_count",
    ),
    _table("article_topics", "article and position in its topics", "article_id position", "article_id position topic_id topic"),
    _table(
        "related",
        "article and position in its related items",
        "article_id position",
        "article_id position category type title excerpt published_at url original_url web_url amp_url cdn_amp_url provider_id"
        " provider_name provider_domain quality heat duration_seconds topics images_count",
        required="images_count",
    ),
    _table(
        "related_matches",
        "related item that is one of our articles, by canonical URL",
        "article_id position",
        "article_id position matched_article_id candidates_count",
        derived=True,
        required="matched_article_id candidates_count",
    ),
    _table(
        "images",
        "owner and position in its images",
        "article_id owner owner_position position",
        "article_id owner owner_position position url width_px height_px is_cached title attribution",
        {"url": "Where the picture lies, as given", "title": "Caption"},
    ),
    _table(
        "observations",
        "article and run in which its scores changed or its file moved; the first sight counts",
        "article_id revision",
        "article_id revision observed_at change moved_from quality heat published related_count content_hash",
        derived=True,
        required="observed_at change",
    ),
    _table(
        "rejections",
        "file that could not be read",
        "document_id",
        "document_id source path stage code message line_number column_number line_text",
        required="source path stage code message",
    ),
    _table(
        "findings",
        "defect that was survived",
        "document_id position",
        "document_id position article_id source path rule field value action line_number column_number",
        {"article_id": "document_id where the document is an article", "position": "Ordinal in the document, from 1"},
        required="source path rule field action",
    ),
]
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}

RUNS = Table(
    "runs",
    "run, from the records in runs/",
    ("run_id",),
    (
        Column("run_id", TEXT, "Start time and process id", nullable=False),
        Column("started_at", TIME, "Start of the run", "UTC"),
        Column("finished_at", TIME, "End of the run; null where it was killed", "UTC"),
        Column(
            "outcome",
            TEXT,
            "published, unchanged, rolled_back, forgotten, dry_run or failed; running where it was killed or still runs",
        ),
        Column("exit_code", INTEGER, "Exit status"),
        Column("message", TEXT, "Why it failed, or what it did beside reading sources, in one line"),
        Column("snapshot", TEXT, "Snapshot that readers saw after the run"),
        Column("files", INTEGER, "Files seen = articles + other + skipped + rejected", "file"),
        Column("articles", INTEGER, "Documents with a title", "file"),
        Column("other", INTEGER, "Documents with front matter but no title", "file"),
        Column("skipped", INTEGER, "Files without front matter", "file"),
        Column("rejected", INTEGER, "Files that could not be read", "file"),
        Column("findings", INTEGER, "Defects survived", "finding"),
        Column("new", INTEGER, "Files seen for the first time", "file"),
        Column("content", INTEGER, "Files whose content changed", "file"),
        Column("score_only", INTEGER, "Files whose scores changed and whose content did not", "file"),
        Column("secured_only", INTEGER, "Files in which only secured (or the layout) changed", "file"),
        Column("moved", INTEGER, "Files with the bytes of one that is gone", "file"),
        Column("deleted", INTEGER, "Files that are gone", "file"),
        Column("unchanged", INTEGER, "Files with the same bytes", "file"),
        Column("rebuilt", TEXT, "Why every part was built again, where that was so"),
        Column("seconds_scan", pa.float64(), "Listing the sources", "second"),
        Column("seconds_build", pa.float64(), "Reading, transforming and writing parts", "second"),
        Column("seconds_derive", pa.float64(), "Deriving tables over all parts", "second"),
        Column("seconds_check", pa.float64(), "Checks before publishing", "second"),
        Column("seconds_publish", pa.float64(), "Manifest, links and catalog", "second"),
        Column("seconds_gc", pa.float64(), "Removing snapshots and files that nobody needs", "second"),
        Column("seconds_total", pa.float64(), "Whole run", "second"),
        Column("peak_memory_bytes", INTEGER, "Largest resident size of any one process of the run", "byte"),
        Column("version", TEXT, "Version of the pipeline"),
    ),
    derived=True,
)
