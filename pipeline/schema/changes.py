"""Kinds of change: the one vocabulary of run ledgers, `revisions` and `observations`."""

from enum import StrEnum

from msgspec import Struct


class Change(StrEnum):
    """What happened to a file, or to the article in it, between two versions.

    A change of the scores alone counts as `score_only` among files and shows as `scores` in the
    observations of the article; both words are published.
    """

    NEW = "new"
    CONTENT = "content"
    SCORE_ONLY = "score_only"
    SECURED_ONLY = "secured_only"
    MOVED = "moved"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    FIRST = "first"
    REVIVED = "revived"
    SCORES = "scores"
    CONTENT_AND_SCORES = "content_and_scores"
    MOVED_AWAY = "moved_away"


FILE_CHANGES = (
    Change.NEW,
    Change.CONTENT,
    Change.SCORE_ONLY,
    Change.SECURED_ONLY,
    Change.MOVED,
    Change.DELETED,
    Change.UNCHANGED,
    Change.REJECTED,
    Change.SKIPPED,
)
"""What a run's ledger counts: every file as exactly one of these."""
REVISION_CHANGES = tuple(change for change in FILE_CHANGES if change != Change.UNCHANGED)
"""What a row of `revisions` counts."""
ENDS = (Change.DELETED, Change.MOVED_AWAY)
"""Observations after which there is no article at that path."""
UNREADABLE = (Change.REJECTED, Change.SKIPPED)
"""Files that count as this alone, whatever they were before."""


class Version(Struct, frozen=True, gc=False):
    """One content of a file, as far as a change is classified by it."""

    status: str
    content_hash: str | None = None
    scores: object = None
    """The scores, or a digest of them."""
    raw_hash: str | None = None


def classify_file(before: Version | None, after: Version, *, is_moved: bool = False) -> Change:
    """Return how a file changed; `before` is None if there was no file."""
    if after.status in UNREADABLE:
        return Change(after.status)
    if is_moved:
        return Change.MOVED
    if before is None:
        return Change.NEW
    if before.content_hash is None:  # it could not be read
        return Change.CONTENT
    if before.raw_hash is not None and before.raw_hash == after.raw_hash:
        return Change.UNCHANGED
    if before.content_hash != after.content_hash:
        return Change.CONTENT
    return Change.SECURED_ONLY if before.scores == after.scores else Change.SCORE_ONLY


def classify_article(
    *, is_moved: bool, is_known: bool, is_over: bool, scores_differ: bool, content_differs: bool
) -> Change | None:
    """Return what an observation of an article is; None if there is nothing to observe.

    `is_known` and `is_over` tell of its last observation: whether there is one, whether that was
    the end. `transform.observations.CHANGE` says the same in SQL.
    """
    if is_moved:
        return Change.MOVED
    if not is_known:
        return Change.FIRST
    if is_over:
        return Change.REVIVED
    if scores_differ and content_differs:
        return Change.CONTENT_AND_SCORES
    if scores_differ:
        return Change.SCORES
    return Change.CONTENT if content_differs else None
