"""The ledger: what became of every file since the published snapshot, in nine words that sum."""

from collections import Counter

from msgspec import Struct

from pipeline.manifest import FileState


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
    """A ledger and the moves behind it: new path by old path, per source."""

    ledger: Ledger
    moves: dict[str, str]


def reckon(before: list[FileState], read: list[FileState], unchanged: list[FileState], deleted: list[FileState]) -> Reckoning:
    """Compare files read with their state before; a new path with the bytes of one that is gone has moved."""
    old = {state.path: state for state in before}
    gone: dict[str, list[str]] = {}
    for state in deleted:
        if state.raw_hash:
            gone.setdefault(state.raw_hash, []).append(state.path)
    counted: Counter[str] = Counter(_plain(state) or "unchanged" for state in unchanged)
    moves: dict[str, str] = {}
    for state in sorted(read, key=lambda state: state.path):
        word = _plain(state)
        if word is None and state.path not in old and gone.get(state.raw_hash or ""):
            moves[gone[state.raw_hash or ""].pop(0)] = state.path
            word = "moved"
        counted[word or _change(old.get(state.path), state)] += 1
    return Reckoning(Ledger(deleted=len(deleted) - len(moves), **counted), moves)


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
