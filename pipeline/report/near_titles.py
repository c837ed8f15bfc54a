"""Titles that are nearly the same: one text that an outlet took over and retitled a little, found by RapidFuzz."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from pipeline.process.imports import postpone_pandas
from pipeline.schema.columns import COLUMNS, Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Scores = NDArray[np.float32]
    Texts = NDArray[np.object_]

PAIR_COLUMNS: tuple[Column, ...] = (
    Column(
        "score",
        pa.float64(),
        "How alike the titles are: 100 = the same words in another order",
        "of 100",
        nullable=False,
    ),
    Column(
        "hours_apart",
        pa.float64(),
        "Time from the earlier to the later publication",
        "hour",
        nullable=False,
    ),
    Column(
        "same_provider",
        pa.bool_(),
        "Whether one provider has both; null where one of them names no provider",
    ),
    replace(COLUMNS["title"], description="Headline of the earlier article"),
    replace(COLUMNS["title"], name="other_title", description="Headline of the later article"),
    Column(
        "provider",
        pa.string(),
        "Outlet of the earlier article: name, or domain where it has no name",
    ),
    Column(
        "other_provider",
        pa.string(),
        "Outlet of the later article: name, or domain where it has no name",
    ),
    replace(
        COLUMNS["published_at"],
        description="When the earlier article was published",
        nullable=False,
    ),
    replace(
        COLUMNS["published_at"],
        name="other_published_at",
        description="When the later article was published",
        nullable=False,
    ),
    replace(
        COLUMNS["url"], description="Canonical URL of the earlier article; null where it has none"
    ),
    replace(
        COLUMNS["url"],
        name="other_url",
        description="Canonical URL of the later article; null where it has none",
    ),
    replace(
        COLUMNS["article_id"], description="document_id of the earlier article", nullable=False
    ),
    replace(
        COLUMNS["article_id"],
        name="other_article_id",
        description="document_id of the later article",
        nullable=False,
    ),
)
"""Columns of the pairs, in order."""

# A URL's versions count once for each title that they ever had, with the version that had it first.
_TITLES = """
    select member_id, title_key, chosen.article_id, chosen.title, chosen.provider_id, chosen.provider, chosen.url,
           chosen.published_at
    from (
        select member_id, title_key, arg_min(
                   {'article_id': article_id, 'title': title, 'provider_id': provider_id, 'provider': provider, 'url': url,
                    'published_at': published_at}, (published_at, article_id)) as chosen
        from title_keys join article_facts using (article_id)
        where published_at is not null
        group by member_id, title_key)
    order by chosen.published_at, chosen.article_id
"""
_BLOCK = 256  # titles that are compared with all others of their time at once: at most 20 MB of scores for 20,000 others
_KEPT = 1_000_000  # pairs above which those beyond `most` are thrown away in between


def near_titles(
    connection: duckdb.DuckDBPyConnection,
    *,
    days: int = 7,
    score: float = 90,
    most: int = 10_000,
    workers: int = -1,
) -> pa.Table:
    """The pairs of articles of different URLs whose titles are alike and not equal, published within `days` of each other.

    Titles are compared as `title_keys` has them, by RapidFuzz's `token_sort_ratio`: 200 * length of the longest common
    subsequence / sum of the lengths, of the titles with their words sorted. Pairs of at least `score` (0 < score <= 100), one
    for each pair of URLs, the most alike first, at most `most`. Left out are articles without a time of publication, and pairs
    in which each title has a number that the other lacks: those are parts of a series (Episode 1, Episode 2).
    Only titles of neighbouring times and of lengths that can reach the score are compared, so the cost is articles times
    articles of two weeks; `workers` threads do it, -1 = one per processor.
    """
    postpone_pandas()
    titles = connection.sql(_TITLES).to_arrow_table()
    found = _Pairs.none()
    members, keys = _codes(titles["member_id"]), _codes(titles["title_key"])
    times = titles["published_at"].cast(pa.int64()).to_numpy()
    texts, width = titles["title_key"].to_pylist(), days * 86_400_000_000
    numbers = [
        frozenset(word for word in text.split() if any(sign.isdigit() for sign in word))
        for text in texts
    ]
    for first, other, scores in _alike(texts, times // width, score, workers):
        kept = (
            (members[first] != members[other])
            & (keys[first] != keys[other])
            & (times[other] - times[first] <= width)
        )
        kept[kept] = [
            numbers[one] <= numbers[two] or numbers[one] >= numbers[two]
            for one, two in zip(first[kept].tolist(), other[kept].tolist(), strict=True)
        ]
        found = found.joined(first[kept], other[kept], scores[kept])
        if len(found.score) > _KEPT:
            found = found.best(members, most)
    return _table(titles, found.best(members, most))


def _alike(
    keys: list[str], buckets: Numbers, score: float, workers: int
) -> Iterator[tuple[Numbers, Numbers, Scores]]:
    """Pairs of positions (first < other) in equal or successive buckets whose titles reach the score, block by block.

    `buckets` must ascend. The words are sorted once here, so that the plain ratio gives the token sort ratio.
    """
    texts = np.array([" ".join(sorted(key.split())) for key in keys], dtype=object)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    longer = (
        200 - score
    ) / score  # two lengths that differ by more than this factor cannot reach the score
    for bucket in np.unique(buckets):
        start, end, after = np.searchsorted(buckets, [bucket, bucket + 1, bucket + 2])
        own = start + np.argsort(lengths[start:end], kind="stable")
        following = end + np.argsort(lengths[end:after], kind="stable")
        for at in range(0, len(own), _BLOCK):
            block = own[at : at + _BLOCK]
            shortest, longest = (
                np.floor(lengths[block[0]] / longer),
                np.floor(lengths[block[-1]] * longer) + 1,
            )
            low, high = np.searchsorted(lengths[following], [shortest, longest])
            rows, columns, scores = _scored(
                texts[block], texts[following[low:high]], score, workers
            )
            yield block[rows], following[low:high][columns], scores
            # of the own bucket only what is as long or longer, so that a pair comes once
            band = own[at : np.searchsorted(lengths[own], longest)]
            rows, columns, scores = _scored(texts[block], texts[band], score, workers)
            once = rows < columns
            one, two = block[rows[once]], band[columns[once]]
            yield np.minimum(one, two), np.maximum(one, two), scores[once]


def _scored(
    texts: Texts, others: Texts, score: float, workers: int
) -> tuple[Numbers, Numbers, Scores]:
    """Which text reaches the score with which other one."""
    scores = process.cdist(
        texts, others, scorer=fuzz.ratio, score_cutoff=score, dtype=np.float32, workers=workers
    )
    rows, columns = np.nonzero(scores > 0)
    return rows, columns, scores[rows, columns]


def _codes(values: pa.ChunkedArray) -> Numbers:
    """A number for each distinct value."""
    return np.unique(values.to_numpy(), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of positions with their scores, as columns."""

    first: Numbers
    other: Numbers
    score: Scores

    @classmethod
    def none(cls) -> _Pairs:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))

    def joined(self, first: Numbers, other: Numbers, score: Scores) -> _Pairs:
        return _Pairs(
            np.concatenate([self.first, first]),
            np.concatenate([self.other, other]),
            np.concatenate([self.score, score]),
        )

    def best(self, members: Numbers, most: int) -> _Pairs:
        """The best pair of each two members, the most alike first, at most `most`; equal scores in order of time."""
        order = np.lexsort((self.other, self.first, -self.score))
        ends = np.sort(np.stack([members[self.first[order]], members[self.other[order]]]), axis=0)
        _, earliest = np.unique(ends, axis=1, return_index=True)
        chosen = order[np.sort(earliest)[:most]]
        return _Pairs(self.first[chosen], self.other[chosen], self.score[chosen])


def _table(titles: pa.Table, pairs: _Pairs) -> pa.Table:
    """The pairs as PAIR_COLUMNS says."""
    first, other = titles.take(pairs.first), titles.take(pairs.other)
    apart = pc.subtract(
        other["published_at"].cast(pa.int64()), first["published_at"].cast(pa.int64())
    )
    columns = {
        "score": np.round(pairs.score.astype(np.float64), 1),
        "hours_apart": pc.divide(apart.cast(pa.float64()), 3_600_000_000.0),
        "same_provider": pc.equal(first["provider_id"], other["provider_id"]),
    }
    for name in ("title", "provider", "published_at", "url", "article_id"):
        columns |= {name: first[name], f"other_{name}": other[name]}
    return pa.table(
        [columns[column.name] for column in PAIR_COLUMNS],
        schema=pa.schema(
            [pa.field(column.name, column.type, column.nullable) for column in PAIR_COLUMNS]
        ),
    )
