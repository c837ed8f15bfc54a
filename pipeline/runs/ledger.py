"""The ledger: what became of every file since the published snapshot, in nine words that sum."""

from collections import Counter

from msgspec import Struct

from pipeline.load.manifest import FileState


class Ledger(Struct):
    """Files by what changed; all but `deleted` sum to the files seen. A rejected or skipped file counts as that alone."""

    new: int = 0
    content: int = 0
    score_only: int = 0
    secured_only: int = 0
    moved: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0


class Reckoning(Struct):
    """A ledger of one source, and what is behind it."""

    ledger: Ledger
    moves: dict[str, str]
    """New path by old path."""
    edited: list[str]
    """Paths of articles whose content changed."""
    ended: list[str]
    """Paths where an article was that is gone, or is no article any more."""
    changes: Counter[str]
    """Files by what changed, in the ledger's words: only those that this run found changed."""


def reckon(
    before: list[FileState],
    read: list[FileState],
    unchanged: list[FileState],
    deleted: list[FileState],
) -> Reckoning:
    """Compare files read with their state before; a new path with the bytes of one that is gone has moved."""
    old = {state.path: state for state in before}
    gone: dict[str, list[str]] = {}
    for state in deleted:
        if state.raw_hash:
            gone.setdefault(state.raw_hash, []).append(state.path)
    counted: Counter[str] = Counter(_plain(state) or "unchanged" for state in unchanged)
    moves: dict[str, str] = {}
    edited: list[str] = []
    changes: Counter[str] = Counter()
    for state in sorted(read, key=lambda state: state.path):
        then = old.get(state.path)
        word = _plain(state)
        if word is None and then is None and gone.get(state.raw_hash or ""):
            moves[gone[state.raw_hash or ""].pop(0)] = state.path
            word = "moved"
        word = word or _change(then, state)
        counted[word] += 1
        if word != "unchanged" and (
            then is None or then.raw_hash is None or then.raw_hash != state.raw_hash
        ):
            changes[word] += 1
        if word == "content" and state.status == "article":
            edited.append(state.path)
    ended = [state.path for state in deleted if state.path not in moves]
    ended += [
        state.path for state in read if state.status in ("other", "skipped") and state.path in old
    ]
    lost = len(deleted) - len(moves)
    changes["deleted"] += lost
    return Reckoning(Ledger(deleted=lost, **counted), moves, edited, ended, changes)


def _plain(state: FileState) -> str | None:
    return state.status if state.status in ("rejected", "skipped") else None


def _change(before: FileState | None, now: FileState) -> str:
    if before is None or before.content_hash is None:
        return "new" if before is None else "content"
    if before.raw_hash == now.raw_hash:
        return "unchanged"
    if before.content_hash != now.content_hash:
        return "content"
    return "secured_only" if before.score_hash == now.score_hash else "score_only"
