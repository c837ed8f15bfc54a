"""The tables of the warehouse: the only home of a table's grain, key, references and nulls.

A column is described once, in `columns.py`; a table is a list of column names and a key. Parquet
metadata, `COMMENT ON`, the data dictionary and the data package derive from here. Every table
passes one gate, `Table.enforce`.
"""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from pipeline.schema.columns import COLUMNS, TEXT, Column, integer, text, time
from pipeline.schema.table import Reference, Table

__all__ = ["COLUMNS", "RUNS", "TABLES", "Column", "Reference", "Table"]


def _table(
    name: str,
    grain: str,
    key: str,
    columns: str,
    described: Mapping[str, str] | None = None,
    derived: bool = False,
    required: str = "",
    references: str = "",
    origins: Mapping[str, str] | None = None,
    within: str = "",
) -> Table:
    """Return a table made of columns by name.

    `described` and `origins` override the description and front-matter path of a column that means
    something else here; `within` leads to all paths; `references` lists `column:table`, several
    columns of one reference joined by a plus.
    """
    keys, others, paths = tuple(key.split()), (described or {}), (origins or {})
    chosen = [
        replace(
            COLUMNS[column],
            nullable=column not in keys and column not in required.split(),
            description=others.get(column, COLUMNS[column].description),
            origin=_within(within, paths.get(column, COLUMNS[column].origin)),
        )
        for column in columns.split()
    ]
    pointing = tuple(
        Reference(tuple(left.split("+")), table)
        for left, table in (pair.split(":") for pair in references.split())
    )
    return Table(name, grain, keys, tuple(chosen), derived, pointing)


def _within(prefix: str, origin: str) -> str:
    return ", ".join(f"{prefix}{path}" for path in origin.split(", ")) if origin else ""


_TABLES = [
    _table(
        "documents",
        "file seen",
        "document_id",
        "document_id source path collection format size_bytes modified_at raw_hash content_hash"
        " score_hash status part",
        required="source path status part",
    ),
    _table(
        "articles",
        "document with a title",
        "article_id",
        "article_id source path collection category type title excerpt published_at updated_at"
        " url original_url web_url"
        " amp_url cdn_amp_url provider_id provider_name provider_domain author_name author_url"
        " quality heat published"
        " duration_seconds topics_count related_count images_count findings_count secured_bytes"
        " secured_iv_bytes"
        " secured_digest body_chars extra",
        required="source path topics_count related_count images_count findings_count body_chars",
        references="article_id:documents provider_id:providers",
    ),
    _table(
        "bodies",
        "article with a body",
        "article_id",
        "article_id format body",
        {"format": "Syntax of the body by the file's name: markdown or html"},
        required="format body",
        references="article_id:articles",
    ),
    _table(
        "secured",
        "article whose ciphertext is kept (keep_secured)",
        "article_id",
        "article_id secured",
        required="secured",
        references="article_id:articles",
    ),
    _table(
        "other_documents",
        "document with front matter but no title (people, organisations, communities)",
        "document_id",
        "document_id source path collection kind name front_matter",
        required="source path front_matter",
        references="document_id:documents",
    ),
    _table(
        "sidecars",
        "file of _data/topics or _data/organizations that describes a topic or an organisation",
        "document_id",
        "document_id source path kind key name parent domain logo_url",
        {"kind": "topic or organization"},
        origins={
            "kind": "",
            "parent": "parent",
            "domain": "domain",
            "logo_url": "images[].url, images[]",
        },
        required="source path kind",
    ),
    _table(
        "providers",
        "pair of provider name and domain, over articles and related items",
        "provider_id",
        "provider_id name domain registered_domain first_seen_at last_seen_at articles_count"
        " related_items_count logo_url",
        {"name": "Name of the outlet"},
        derived=True,
        required="articles_count related_items_count",
        origins={
            "name": "provider.name, related[].provider.name",
            "domain": "provider.domain, related[].provider.domain",
            "registered_domain": "provider.domain, related[].provider.domain",
            "first_seen_at": "publishedDateTime, related[].publishedDateTime",
            "last_seen_at": "publishedDateTime, related[].publishedDateTime",
            "logo_url": "_data/organizations/*.md images[].url",
        },
    ),
    _table(
        "topics",
        "topic of articles, related items or sidecars",
        "topic_id",
        "topic_id topic slug parent first_seen_at last_seen_at articles_count related_items_count",
        {"topic": "Topic as given"},
        derived=True,
        required="topic slug articles_count related_items_count",
        origins={
            "topic": "topics[], related[].topics[], _data/topics/*.yaml name,"
            " _data/topics/*.yaml _id",
            "slug": "topics[], related[].topics[], _data/topics/*.yaml name, _data/topics/*.yaml"
            " _id",
            "parent": "_data/topics/*.yaml parent",
            "first_seen_at": "publishedDateTime, related[].publishedDateTime",
            "last_seen_at": "publishedDateTime, related[].publishedDateTime",
        },
    ),
    _table(
        "article_topics",
        "article and position in its topics",
        "article_id position",
        "article_id position topic_id topic",
        references="article_id:articles topic_id:topics",
    ),
    _table(
        "related",
        "article and position in its related items",
        "article_id position",
        "article_id position category type title excerpt published_at url original_url web_url"
        " amp_url cdn_amp_url provider_id"
        " provider_name provider_domain quality heat duration_seconds topics images_count",
        required="images_count",
        references="article_id:articles provider_id:providers",
        origins={"topics": "topics[]"},
        within="related[].",
    ),
    _table(
        "related_matches",
        "related item that is one of our articles, by canonical URL",
        "article_id position",
        "article_id position matched_article_id candidates_count",
        derived=True,
        required="matched_article_id candidates_count",
        references="article_id+position:related matched_article_id:articles",
    ),
    _table(
        "images",
        "owner and position in its images",
        "article_id owner owner_position position",
        "article_id owner owner_position position url width_px height_px is_cached title"
        " attribution",
        {"url": "Where the picture lies, as given", "title": "Caption"},
        references="article_id:articles",
        origins={"url": "url"},
        within="images[].",
    ),
    _table(
        "observations",
        "change of an article: of its scores, its content or its path; the first sight and the"
        " end count",
        "article_id sequence",
        "article_id sequence source path revision observed_at change moved_from quality heat"
        " published related_count content_hash"
        " blob",
        {
            "quality": "Quality after the change; null after the end",
            "heat": "Heat after the change, -1 = suppressed; null after the end",
            "published": "Whether the site shows it after the change; null after the end",
        },
        derived=True,
        required="source path revision observed_at change",
    ),
    _table(
        "content_changes",
        "article, revision and field of its front matter (or body) that the revision changed",
        "article_id revision field",
        "article_id revision field old_value new_value",
        {"field": "Column of articles; or topics, related, images, body"},
        derived=True,
    ),
    _table(
        "revisions",
        "source and revision: commit or run that changed its files",
        "source revision",
        "source revision sequence observed_at new content score_only secured_only moved deleted"
        " rejected skipped",
        {"sequence": "Ordinal among the revisions of the source, from 1"},
        derived=True,
        required="sequence observed_at new content score_only secured_only moved deleted"
        " rejected skipped",
    ),
    _table(
        "rejections",
        "file that could not be read",
        "document_id",
        "document_id source path stage code message line_number column_number line_text",
        required="source path stage code message",
        references="document_id:documents",
    ),
    _table(
        "findings",
        "defect that was survived",
        "document_id position",
        "document_id position article_id source path rule field value action line_number"
        " column_number",
        {
            "article_id": "document_id where the document is an article",
            "position": "Ordinal in the document, from 1",
        },
        required="source path rule field action",
        references="article_id:articles",
    ),
]
TABLES: dict[str, Table] = {table.name: table for table in _TABLES}

RUNS = Table(
    "runs",
    "run, from the records in runs/",
    ("run_id",),
    (
        Column("run_id", TEXT, "Start time and process id", nullable=False),
        time("started_at", "Start of the run"),
        time("finished_at", "End of the run; null where it was killed"),
        text(
            "outcome",
            "published, unchanged, rolled_back, forgotten, dry_run or failed; running where it"
            " was killed or still runs",
        ),
        integer("exit_code", "Exit status"),
        text("message", "Why it failed, or what it did beside reading sources, in one line"),
        text("snapshot", "Snapshot that readers saw after the run"),
        integer("files", "Files seen = articles + other + skipped + rejected", "file"),
        integer("articles", "Documents with a title", "file"),
        integer("other", "Documents with front matter but no title", "file"),
        COLUMNS["skipped"],
        COLUMNS["rejected"],
        integer("findings", "Defects survived", "finding"),
        *(
            COLUMNS[name]
            for name in ("new", "content", "score_only", "secured_only", "moved", "deleted")
        ),
        integer("unchanged", "Files with the same bytes", "file"),
        text("rebuilt", "Why every part was built again, where that was so"),
        Column("seconds_scan", pa.float64(), "Listing the sources", "second"),
        Column("seconds_build", pa.float64(), "Reading, transforming and writing parts", "second"),
        Column("seconds_derive", pa.float64(), "Deriving tables over all parts", "second"),
        Column("seconds_check", pa.float64(), "Checks before publishing", "second"),
        Column("seconds_publish", pa.float64(), "Manifest, links and catalog", "second"),
        Column(
            "seconds_gc", pa.float64(), "Removing snapshots and files that nobody needs", "second"
        ),
        Column("seconds_total", pa.float64(), "Whole run", "second"),
        integer("peak_memory_bytes", "Largest resident size of any one process of the run", "byte"),
        text("version", "Version of the pipeline"),
    ),
    derived=True,
)
