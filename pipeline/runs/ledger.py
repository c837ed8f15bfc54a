"""The ledger: how many files changed in which way since the published snapshot."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from pipeline.load.manifest import Counts, FileState
from pipeline.schema.changes import UNREADABLE, Change, Version, classify_file

NOT_ARTICLES = ("other", "skipped")
"""Status of files that can be read and hold no article."""


class Ledger(Struct, frozen=True):
    """Files by change; all but `deleted` sum to the files seen.

    A rejected or skipped file counts as that alone.
    """

    new: int = 0
    content: int = 0
    score_only: int = 0
    secured_only: int = 0
    moved: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0


class Reckoning(Struct, frozen=True):
    """The ledger of one source, and the changes behind it."""

    ledger: Ledger
    moves: Mapping[str, str] = {}
    """New path by old path."""
    edited: tuple[str, ...] = ()
    """Paths of articles whose content changed."""
    ended: tuple[str, ...] = ()
    """Paths of articles that are gone, or are not articles any more."""
    changes: Mapping[str, int] = {}
    """Files by change, only those with other bytes than before."""


def reckon(
    before: Iterable[FileState],
    read: Iterable[FileState],
    unchanged: Iterable[FileState],
    deleted: Sequence[FileState],
) -> Reckoning:
    """Classify the files read by their state before.

    A new path with the bytes of a deleted file has moved.
    """
    old = {state.path: state for state in before}
    gone: dict[str, list[str]] = {}
    for state in deleted:
        if state.raw_hash:
            gone.setdefault(state.raw_hash, []).append(state.path)
    counted = Counter(
        state.status if state.status in UNREADABLE else Change.UNCHANGED for state in unchanged
    )
    moves: dict[str, str] = {}
    edited: list[str] = []
    changes: Counter[str] = Counter()
    read = sorted(read, key=lambda state: state.path)
    for state in read:
        known = old.get(state.path)
        before_it = version_of(known) if known else None
        origins = gone.get(state.raw_hash or "") if known is None else None
        change = classify_file(before_it, version_of(state), is_moved=bool(origins))
        if change == Change.MOVED and origins:
            moves[origins.pop(0)] = state.path
        counted[change] += 1
        if change != Change.UNCHANGED and not (known and _has_same_bytes(known, state)):
            changes[change] += 1
        if change == Change.CONTENT and state.status == "article":
            edited.append(state.path)
    ended = [state.path for state in deleted if state.path not in moves]
    ended += [state.path for state in read if state.path in old and state.status in NOT_ARTICLES]
    counted[Change.DELETED] = changes[Change.DELETED] = len(deleted) - len(moves)
    ledger = Ledger(**{str(change): number for change, number in counted.items()})
    return Reckoning(ledger, moves, tuple(edited), tuple(ended), changes)


def _has_same_bytes(before: FileState, after: FileState) -> bool:
    """Return whether a file is as it was; if it was not read, by its size and time."""
    if before.raw_hash is None and after.raw_hash is None:
        kept = (before.size, before.mtime_ns, before.version)
        return kept == (after.size, after.mtime_ns, after.version)
    return before.raw_hash == after.raw_hash


def version_of(state: FileState) -> Version:
    """Return what classifies the content that a listing tells of."""
    return Version(state.status, state.content_hash, state.score_hash, state.raw_hash)


def ledger_of(counts: Counts) -> Ledger:
    """Return the ledger of a source that no snapshot had before: all of its files are new."""
    return Ledger(
        new=counts.articles + counts.other, rejected=counts.rejected, skipped=counts.skipped
    )


def total(ledgers: Iterable[Ledger]) -> Ledger:
    """Return the sum of some ledgers."""
    return Ledger(*map(sum, zip(*map(msgspec.structs.astuple, ledgers), strict=True)))
