"""Compare two snapshots: articles added, removed, changed, moved, and the fields that differ.

Part files are immutable and named by their content. An article has one row of `articles` in each
snapshot; a row in a file that both snapshots list is the same in both. So the files that only one
of them lists hold every row that differs, also if it went from one part to another, and no other
file is read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from msgspec import Struct, field

from pipeline.errors import WarehouseError
from pipeline.load.manifest import Manifest, PartFile
from pipeline.load.retention import available, resolve
from pipeline.load.warehouse import Warehouse
from pipeline.schema.tables import TABLES
from pipeline.text import counted
from pipeline.text import table as as_table
from pipeline.views.catalog import base_view, open_memory

KINDS = ("added", "removed", "changed", "moved")
FIELDS = tuple(
    name for name in TABLES["articles"].names if name not in ("article_id", "source", "path")
)
CHILDREN = {
    "topics": ("article_topics", "count(*)"),
    "related": ("related", "count(*)"),
    "images": ("images", "count(*)"),
    "body": ("bodies", "sum(length(body))"),
}
"""Child tables as fields of an article, and how their rows are measured."""
LISTED = 20
"""Articles that the text lists unless all are wanted."""


class Article(Struct, frozen=True):
    """An article in one snapshot."""

    source: str
    path: str
    title: str | None


class Change(Struct, frozen=True):
    """One article that differs.

    `values` holds [old, new] by field: of child tables the number of rows, of `body` of characters.
    """

    change: str
    article_id: str
    source: str
    path: str
    title: str | None
    fields: list[str]
    values: dict[str, list[Any]]
    moved_from: str | None = None


class Diff(Struct, frozen=True):
    """Two snapshots compared; `changes` are in the order of `KINDS`, then of source and path."""

    before: str
    after: str
    articles_before: int
    articles_after: int
    counts: dict[str, int]
    changes: list[Change]


def diff(warehouse: Warehouse, before: str, after: str) -> Diff:
    """Compare two snapshots, each given by its id or the beginning of it.

    Raises UsageError if that fits none or several, WarehouseError if part files are missing.
    """
    old, new = (warehouse.manifest(resolve(warehouse, text)) for text in (before, after))
    connection = open_memory()
    try:
        changes = _Comparison(connection, warehouse, old, new).changes()
    except duckdb.Error as error:
        reason = str(error).split("\n", 1)[0]
        raise WarehouseError(
            f"{warehouse.root}: part files of snapshot {old.id} or {new.id} cannot be read"
            f" ({reason}). {available(warehouse)}"
        ) from error
    finally:
        connection.close()
    changes.sort(key=lambda change: (KINDS.index(change.change), change.source, change.path))
    counts = {kind: sum(change.change == kind for change in changes) for kind in KINDS}
    return Diff(old.id, new.id, old.rows("articles"), new.rows("articles"), counts, changes)


def diff_rows(result: Diff) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return column names and a row for each article that differs."""
    names = ["change", "path", "title", "fields", "moved_from", "source"]
    rows = [
        (c.change, c.path, c.title, ", ".join(c.fields), c.moved_from or "", c.source)
        for c in result.changes
    ]
    return names, rows


def diff_object(result: Diff) -> Any:
    """Return the comparison as JSON has it; times are ISO 8601 in UTC."""
    return msgspec.to_builtins(result)


def diff_line(result: Diff) -> str:
    """Return the comparison in one line."""
    articles = (
        f"{counted(result.articles_before, 'article')} before, {result.articles_after:,} after"
    )
    if not result.changes:
        return f"No article differs ({articles})."
    counts = ", ".join(f"{number:,} {kind}" for kind, number in result.counts.items())
    return f"{counts} ({articles})"


def diff_text(result: Diff, width: int | None, limit: int | None = LISTED) -> str:
    """Return the comparison for people: a summary by kind and field, a table of articles.

    The table has at most `limit` rows, None = all.
    """
    texts = [f"{diff_line(result)}\n"]
    fields = Counter(name for change in result.changes for name in change.fields)
    if fields:
        texts.append(as_table(["field", "articles"], fields.most_common(), width, limit=None))
    if result.changes:
        names, rows = diff_rows(result)
        texts.append(as_table(names, rows[:limit], width, limit=None))
        if limit is not None and len(rows) > limit:
            texts[-1] += f"... {len(rows) - limit:,} more articles; --all prints them\n"
    return "\n".join(texts)


class _Comparison(Struct):
    """A connection with the rows of the files that only one of two snapshots lists.

    Its schemas `before` and `after` have the tables in `tables`.
    """

    connection: duckdb.DuckDBPyConnection
    warehouse: Warehouse
    old: Manifest
    new: Manifest
    tables: set[str] = field(default_factory=set)
    removed: dict[str, Article] = field(default_factory=dict)
    """The articles that only the snapshot before has, by article_id."""
    added: dict[str, Article] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    """The old article_id by the new one of articles that moved."""

    def changes(self) -> list[Change]:
        """Return what differs, in no order."""
        self._create_views()
        if "articles" in self.tables:
            anti_join = "from {}.articles anti join {}.articles using (article_id)"
            self.removed = self._by_id(anti_join.format("before", "after"))
            self.added = self._by_id(anti_join.format("after", "before"))
        if self.removed and self.added:
            self._find_moves()
        self._pair()
        values = self._values()

        def change(kind: str, key: str, article: Article, moved_from: str | None = None) -> Change:
            fields = values.get(key, {})
            where = article.source, article.path, article.title
            return Change(kind, key, *where, list(fields), fields, moved_from)

        changed = [key for key in values if key not in self.moves]
        articles = self.added | self._articles(changed)
        added = [key for key in self.added if key not in self.moves]
        removed = self.removed.keys() - self.moves.values()
        return [
            *(change("added", key, self.added[key]) for key in added),
            *(change("removed", key, self.removed[key]) for key in removed),
            *(change("changed", key, articles[key]) for key in changed),
            *(
                change("moved", key, self.added[key], self.removed[old].path)
                for key, old in self.moves.items()
            ),
        ]

    def _create_views(self) -> None:
        self.connection.execute("create schema before; create schema after")
        children = [table for table, _ in CHILDREN.values()]
        for table in ("articles", "documents", "observations", *children):
            old_files, new_files = self.old.tables.get(table, []), self.new.tables.get(table, [])
            names = {file.file for file in old_files} & {file.file for file in new_files}
            removed = [file for file in old_files if file.file not in names]
            added = [file for file in new_files if file.file not in names]
            if not removed and not added:
                continue
            self._refuse_missing(self.old, table, removed)
            self._refuse_missing(self.new, table, added)
            for schema, files in (("before", removed), ("after", added)):
                view = base_view(self.warehouse, table, files or removed or added)
                self.connection.execute(
                    f"use memory.{schema}; {view}{'' if files else ' where false'}; use memory.main"
                )
            self.tables.add(table)

    def _refuse_missing(self, manifest: Manifest, table: str, files: list[PartFile]) -> None:
        for path in self.warehouse.part_paths(table, files):
            if not Path(path).is_file():
                raise WarehouseError(
                    f"{path}: this part of snapshot {manifest.id} is missing."
                    f" {available(self.warehouse, without=manifest.id)}"
                )

    def _articles(self, ids: list[str]) -> dict[str, Article]:
        """Return articles of the snapshot after.

        If only child rows differ, the article itself is in a file that both snapshots list.
        """
        condition = "where article_id in (select unnest($ids))"
        articles = {}
        if "articles" in self.tables and ids:
            articles = self._by_id(f"from after.articles {condition}", ids=ids)
        if others := [key for key in ids if key not in articles]:
            files = self.new.tables["articles"]
            self._refuse_missing(self.new, "articles", files)
            self.connection.execute(base_view(self.warehouse, "articles", files))
            articles |= self._by_id(f"from main.articles {condition}", ids=others)
        return articles

    def _by_id(self, relation: str, **parameters: list[str]) -> dict[str, Article]:
        query = f"select article_id, source, path, title {relation}"
        rows = self.connection.execute(query, parameters).fetchall()
        return {key: Article(*values) for key, *values in rows}

    def _find_moves(self) -> None:
        """Pair those that runs observed, then those of equal bytes in one source.

        The latter in the order of paths, as runs pair them.
        """
        if "observations" in self.tables:
            self.moves = self._observed_moves()
        origins: dict[tuple[str, str], list[str]] = {}
        for key, source, digest in self._digests(
            "before", self.removed.keys() - self.moves.values()
        ):
            origins.setdefault((source, digest), []).append(key)
        for key, source, digest in self._digests("after", self.added.keys() - self.moves.keys()):
            if candidates := origins.get((source, digest)):
                self.moves[key] = candidates.pop(0)

    def _observed_moves(self) -> dict[str, str]:
        """Follow articles back to where the snapshots part, then on to the snapshot after.

        Without a rollback one of the two directions is empty. Files of observations may be merged,
        so rows that both have do not count.
        """
        query = """
            select {}, {} from {}.observations
            anti join {}.observations using (article_id, revision)
            where moved_from is not null order by observed_at {}
        """
        origins = {key: key for key in self.removed}
        for direction in (
            ("article_id", "moved_from", "before", "after", "desc"),
            ("moved_from", "article_id", "after", "before", "asc"),
        ):
            for start, end in self.connection.execute(query.format(*direction)).fetchall():
                if start in origins:
                    origins[end] = origins.pop(start)
        return {key: origin for key, origin in origins.items() if key in self.added}

    def _digests(self, schema: str, ids: Iterable[str]) -> list[tuple[str, str, str]]:
        """Return article_id, source and digest of files, in the order of paths."""
        query = f"""
            select document_id, source, raw_hash from {schema}.documents
            where document_id in (select unnest($ids)) order by path
        """
        return self.connection.execute(query, {"ids": sorted(ids)}).fetchall()

    def _pair(self) -> None:
        """Create views `old_<table>` of the rows before, by the article_id after.

        The table `unpaired` has the articles that have no counterpart.
        """
        old, new = list(self.moves.values()), list(self.moves)
        unpaired = sorted((self.removed.keys() - old) | (self.added.keys() - new))
        self.connection.execute(
            "create table unpaired as select unnest($ids::varchar[]) as article_id",
            {"ids": unpaired},
        )
        self.connection.execute(
            "create table moves as"
            " select unnest($old::varchar[]) as old_id, unnest($new::varchar[]) as new_id",
            {"old": old, "new": new},
        )
        for table in self.tables & {"articles", *(table for table, _ in CHILDREN.values())}:
            self.connection.execute(
                f"create view old_{table} as select * exclude (old_id, new_id)"
                " replace (coalesce(new_id, article_id) as article_id)"
                f" from before.{table} left join moves on article_id = old_id"
            )

    def _values(self) -> dict[str, dict[str, list[Any]]]:
        """Return old and new value of each field that differs, by article_id."""
        values = dict(self._article_values()) if "articles" in self.tables else {}
        for name, (table, measure) in CHILDREN.items():
            if table in self.tables:
                for key, *measures in self._child_values(table, measure):
                    values.setdefault(key, {})[name] = measures
        return values

    def _article_values(self) -> Iterator[tuple[str, dict[str, list[Any]]]]:
        tests = [f'old."{name}" is distinct from new."{name}"' for name in FIELDS]
        cells = ", ".join(
            f'case when {test} then {{old: old."{name}", new: new."{name}"}} end'
            for name, test in zip(FIELDS, tests, strict=True)
        )
        self.connection.execute(
            f"select article_id, {cells}"
            " from old_articles as old join after.articles as new using (article_id)"
            f" where {' or '.join(tests)}"
        )
        while rows := self.connection.fetchmany(10_000):  # most of their cells are null
            for key, *pairs in rows:
                cells_of = zip(FIELDS, pairs, strict=True)
                yield key, {name: [*pair.values()] for name, pair in cells_of if pair is not None}

    def _child_values(self, table: str, measure: str) -> list[tuple[str, int, int]]:
        """Return article_id and the measures before and after, if rows of a child table differ."""
        columns = ", ".join(f'"{name}"' for name in TABLES[table].names)
        return self.connection.execute(
            f"""
            with old as (select {columns} from old_{table}),
                new as (select {columns} from after.{table}),
                differing as (
                    select article_id from (from old except from new)
                    union select article_id from (from new except from old)),
                before as (select article_id, {measure} as size from old group by all),
                after as (select article_id, {measure} as size from new group by all)
            select article_id, coalesce(before.size, 0)::bigint, coalesce(after.size, 0)::bigint
            from differing
            left join before using (article_id)
            left join after using (article_id)
            anti join unpaired using (article_id)
            """
        ).fetchall()
