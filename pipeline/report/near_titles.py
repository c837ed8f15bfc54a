"""Find titles that are nearly the same: texts taken over and retitled a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from pipeline.process.imports import postpone_pandas
from pipeline.views.relations import relations
from pipeline.views.template import comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Texts = NDArray[np.object_]
    Pairs = tuple[Numbers, Numbers, NDArray[np.float32]]
    """Positions of the first and the other text, and their scores."""

# A URL's versions count once for each title that they ever had, with the version that had it first.
_TITLES = """
    select member_id, title_key, first[1] as published_at, first[2] as article_id
    from (select member_id, title_key, min((published_at, article_id)) as first
          from title_keys join article_facts using (article_id)
          where published_at is not null
          group by member_id, title_key)
    order by first
"""
_BLOCK = 256
"""Titles compared with all others of their time at once: 20 MB of scores for 20,000 others."""
_KEPT = 1_000_000
"""Pairs above which those beyond `most` are dropped in between."""


def create_near_titles(
    connection: duckdb.DuckDBPyConnection,
    *,
    days: int = 7,
    score: float = 90,
    most: int = 10_000,
    workers: int = -1,
) -> None:
    """Create the relation `near_titles`, as `sql/computed/near_titles.sql` selects it.

    Its pairs are articles of different URLs, published within `days` of each other, whose titles
    are alike and not equal. Titles are compared as `title_keys` has them, by RapidFuzz's
    `token_sort_ratio`: 200 * length of the longest common subsequence / sum of the lengths, of the
    titles with their words sorted. Pairs of at least `score` (0 < score <= 100), one for each pair
    of URLs, the most alike first, at most `most`. Left out are articles without a time of
    publication, and pairs in which each title has a number that the other lacks: those are parts of
    a series (Episode 1, Episode 2). Only titles of neighbouring times and of lengths that can reach
    the score are compared, so the cost is articles times articles of two weeks; `workers` threads
    do it, -1 = one per processor.
    """
    postpone_pandas()
    pairs = _pairs(connection.sql(_TITLES).to_arrow_table(), days, score, most, workers)
    [view] = relations("computed")
    connection.register("title_pairs", pairs)
    connection.execute(f"create or replace table {view.name} as {view.query}")
    connection.unregister("title_pairs")
    connection.execute(";\n".join(comments(view.name, view.comment, view.columns, kind="table")))


def _pairs(titles: pa.Table, days: int, score: float, most: int, workers: int) -> pa.Table:
    """Return the pairs by rank: both article ids, the earlier first, and the rounded score."""
    pairs = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
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
        pairs.append((first[kept], other[kept], scores[kept]))
        if sum(len(scores) for *_, scores in pairs) > _KEPT:
            pairs = [_best(pairs, members, most)]
    [first, other, scores], ids = _best(pairs, members, most), titles["article_id"]
    return pa.table(
        {
            "rank": np.arange(len(scores)),
            "article_id": ids.take(first),
            "other_article_id": ids.take(other),
            "score": np.round(scores.astype(np.float64), 1),
        }
    )


def _alike(keys: list[str], buckets: Numbers, score: float, workers: int) -> Iterator[Pairs]:
    """Yield pairs of positions (first < other) whose titles reach the score, block by block.

    Both are in the same bucket or in successive ones. `buckets` must ascend. The words are sorted
    once here, so that the plain ratio gives the token sort ratio.
    """
    texts = np.array([" ".join(sorted(key.split())) for key in keys], dtype=object)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    # two lengths that differ by more than this factor cannot reach the score
    longer = (200 - score) / score
    for bucket in np.unique(buckets):
        start, end, after = np.searchsorted(buckets, [bucket, bucket + 1, bucket + 2])
        own = start + np.argsort(lengths[start:end], kind="stable")
        following = end + np.argsort(lengths[end:after], kind="stable")
        for at in range(0, len(own), _BLOCK):
            block = own[at : at + _BLOCK]
            shortest = np.floor(lengths[block[0]] / longer)
            longest = np.floor(lengths[block[-1]] * longer) + 1
            low, high = np.searchsorted(lengths[following], [shortest, longest])
            later = following[low:high]
            rows, columns, scores = _scored(texts[block], texts[later], score, workers)
            yield block[rows], later[columns], scores
            # of the own bucket only what is as long or longer, so that a pair comes once
            band = own[at : np.searchsorted(lengths[own], longest)]
            rows, columns, scores = _scored(texts[block], texts[band], score, workers)
            once = rows < columns
            one, two = block[rows[once]], band[columns[once]]
            yield np.minimum(one, two), np.maximum(one, two), scores[once]


def _scored(texts: Texts, others: Texts, score: float, workers: int) -> Pairs:
    """Return which text reaches the score with which other one, and their scores."""
    scores = process.cdist(
        texts, others, scorer=fuzz.ratio, score_cutoff=score, dtype=np.float32, workers=workers
    )
    rows, columns = np.nonzero(scores > 0)
    return rows, columns, scores[rows, columns]


def _codes(values: pa.ChunkedArray) -> Numbers:
    """Return a number for each distinct value."""
    return np.unique(values.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _best(blocks: list[Pairs], members: Numbers, most: int) -> Pairs:
    """Return the best pair of each two members, most alike first, then in order of time."""
    first, other, score = (np.concatenate(column) for column in zip(*blocks, strict=True))
    order = np.lexsort((other, first, -score))
    ends = np.sort(np.stack([members[first[order]], members[other[order]]]), axis=0)
    _, earliest = np.unique(ends, axis=1, return_index=True)
    chosen = order[np.sort(earliest)[:most]]
    return first[chosen], other[chosen], score[chosen]
