"""Turn documents into rows, and rows into tables that have passed the gate of `schema.table`."""

import itertools
from collections.abc import Iterable

import pyarrow as pa

from pipeline.schema.documents import Document, Extracted, Rejection, SourceFile
from pipeline.schema.tables import TABLES
from pipeline.transform import articles, images, related, sidecars, topics
from pipeline.transform.articles import Row

Frames = dict[str, pa.Table]

PART_TABLES = tuple(name for name, table in TABLES.items() if not table.derived)
"""Tables whose rows depend on their own document alone."""
BATCH = 2_000
"""Documents whose rows wait to become Arrow columns: few, so that memory is used again."""


def transform(
    documents: Iterable[Extracted], *, keep_bodies: bool = True, keep_secured: bool = False
) -> Frames:
    """Return the tables of some documents, with rows in the order of the documents."""
    batches: dict[str, list[pa.Table]] = {name: [] for name in PART_TABLES}
    waiting = iter(documents)
    while batch := list(itertools.islice(waiting, BATCH)):
        rows: dict[str, list[Row]] = {name: [] for name in PART_TABLES}
        for file, document in batch:
            for name, added in rows_or_rejection(
                file, document, keep_bodies=keep_bodies, keep_secured=keep_secured
            ):
                rows[name].extend(added)
        for name, batch_rows in rows.items():
            if batch_rows:
                batches[name].append(TABLES[name].from_rows(batch_rows))
    return {
        name: TABLES[name].enforce(pa.concat_tables(parts)) if parts else TABLES[name].empty()
        for name, parts in batches.items()
    }


def rows_or_rejection(
    file: SourceFile, document: Document | Rejection, *, keep_bodies: bool, keep_secured: bool
) -> list[tuple[str, list[Row]]]:
    """Return the rows of one document by table; those of a rejection if an error comes up."""
    try:
        return document_rows(file, document, keep_bodies=keep_bodies, keep_secured=keep_secured)
    except Exception as error:  # one file's surprise must not stop the others
        return document_rows(
            file, Rejection.surprise(error), keep_bodies=keep_bodies, keep_secured=keep_secured
        )


def document_rows(
    file: SourceFile, document: Document | Rejection, *, keep_bodies: bool, keep_secured: bool
) -> list[tuple[str, list[Row]]]:
    """Return the rows of one document by table."""
    if isinstance(document, Rejection):
        return [
            ("documents", [articles.document_row(file, document)]),
            ("rejections", [articles.rejection_row(file, document)]),
        ]
    if file.sidecar == "topic":
        return _sidecar_rows(file, "topic", document)
    rows: list[tuple[str, list[Row]]] = []
    if article := document.article:
        url = articles.choose_url(article, (), document)
        if article.related:
            rows.append(("related", related.rows(file, document, article)))
        rows.append(("articles", [articles.article_row(file, document, article, url)]))
        if article.topics:
            rows.append(("article_topics", topics.rows(file, article)))
        if image_rows := images.rows(file, article):
            rows.append(("images", image_rows))
        if document.body and keep_bodies:
            rows.append(("bodies", [articles.body_row(file, document)]))
        if article.secured and keep_secured:
            rows.append(("secured", [(file.document_id, article.secured)]))
    elif document.metadata is not None:
        rows.append(("other_documents", [articles.other_row(file, document.metadata)]))
        if file.sidecar:
            rows.append(("sidecars", [sidecars.row(file, file.sidecar, document.metadata)]))
    if document.findings:
        of_article = article is not None
        findings = articles.finding_rows(file, document.findings, of_article=of_article)
        rows.append(("findings", findings))
    rows.append(("documents", [articles.document_row(file, document)]))
    return rows


def _sidecar_rows(file: SourceFile, kind: str, document: Document) -> list[tuple[str, list[Row]]]:
    """Return the rows of a file that describes a topic: it is not one of the documents."""
    if document.metadata is None:
        return [("findings", articles.finding_rows(file, document.findings, of_article=False))]
    return [("sidecars", [sidecars.row(file, kind, document.metadata)])]
