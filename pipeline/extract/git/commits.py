"""The history of a repository: what each commit did to the files of a source.

Commits are followed by their first parents: what a merge brings counts when it is merged, as the
site saw it.
"""

import os
import subprocess
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from pipeline.errors import SourceError
from pipeline.extract.git.process import ask, reason_of, running
from pipeline.extract.git.repository import Repository
from pipeline.extract.source import is_document, text_of_name

Kind = Literal["added", "changed", "deleted", "moved", "moved_away"]
LATEST = (2**63 - 1) // 10**9
"""The last second that 64 bits of nanoseconds can tell (2262); a commit may claim a later one."""


class Event(Struct, frozen=True, gc=False, array_like=True):
    """What a commit did to a file.

    `at` is the index of the commit in its window, `blob` the new content, `origin` the path that
    the file moved from.
    """

    at: int
    kind: Kind
    blob: str | None = None
    origin: str | None = None


class Window(Struct, frozen=True):
    """Commits in a row (hash and time in seconds since 1970), and what they did, by path."""

    commits: list[tuple[str, int]]
    events: dict[str, list[Event]]

    def size(self) -> int:
        """Return the number of events."""
        return sum(map(len, self.events.values()))


def windows(source: Repository, since: str | None, size: int) -> Iterator[Window]:
    """Yield the history after a commit, or all of it, in windows of about `size` events.

    Raises SourceError if git fails.
    """
    commits: list[tuple[str, int]] = []
    events: dict[str, list[Event]] = {}
    count = 0
    for commit, changes in _log(source, since):
        added = list(_events(len(commits), changes))
        if not added:
            continue
        commits.append(commit)
        for path, event in added:
            events.setdefault(path, []).append(event)
        count += len(added)
        if count >= size:
            yield Window(commits, events)
            commits, events, count = [], {}, 0
    if commits:
        yield Window(commits, events)


def follows(source: Repository, commit: str) -> bool:
    """Return whether first parents lead back to a commit; false after a forced push."""
    if commit == source.commit:
        return True
    span = f"{commit}..{source.commit}"
    listed = ask(source.directory, "rev-list", "--first-parent", "--boundary", span)
    boundary = [line for line in (listed or b"").split() if line.startswith(b"-")]
    return boundary == [b"-" + commit.encode()]


def refuse_shallow(source: Repository) -> None:
    """Raise SourceError if the clone is shallow: its oldest commit would seem to add all."""
    if ask(source.directory, "rev-parse", "--is-shallow-repository") == b"true\n":
        raise SourceError(
            f"{source.directory}: is a shallow clone, its history is cut off."
            " Fetch it (git fetch --unshallow) or say --no-history."
        )


class _Change(Struct, frozen=True, gc=False):
    path: str
    old: str | None
    new: str | None


_Commit = tuple[tuple[str, int], list[_Change]]
"""Hash and time of a commit, and the changes of documents that the source wants."""


def _log(source: Repository, since: str | None) -> Iterator[_Commit]:
    """Yield each commit, oldest first."""
    span = f"{since}..{source.commit}" if since else source.commit
    options = (
        "--first-parent -m --reverse --raw -z --no-abbrev --no-renames --no-ext-diff --no-notes"
    )
    inside = ["--", f":(top,literal){source.folder}"] if source.folder else ["--"]
    arguments = ("log", *options.split(), "--format=%H %ct", span, *inside)
    with running(source.directory, *arguments, stderr=subprocess.PIPE) as process:
        yield from _parsed(source, _tokens(process))


def _tokens(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    assert process.stdout and process.stderr
    rest = b""
    while chunk := process.stdout.read1(1 << 20):  # type: ignore[attr-defined]
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if process.wait():
        reason = reason_of(process.stderr.read())
        raise SourceError(f"git log failed ({reason}). Check the repository: git fsck.")


def _parsed(source: Repository, tokens: Iterator[bytes]) -> Iterator[_Commit]:
    prefix = os.fsencode(source.folder) + b"/" if source.folder else b""
    changes: list[_Change] = []
    commit = None
    for token in tokens:
        token = token.lstrip(b"\n")
        if token[:1] == b":":
            old_mode, new_mode, old, new, _ = token.split(b" ")
            path = text_of_name(os.fsdecode(next(tokens).removeprefix(prefix)))
            before = old.decode() if old_mode.startswith(b":100") else None
            after = new.decode() if new_mode.startswith(b"100") else None
            if before != after and source.wants(path) and is_document(path):
                changes.append(_Change(path, before, after))
        elif token:
            if commit:
                yield commit, changes
            name, _, seconds = token.decode().partition(" ")
            commit, changes = (name, min(int(seconds), LATEST)), []
    if commit:
        yield commit, changes


def _events(at: int, changes: list[_Change]) -> Iterator[tuple[str, Event]]:
    """Yield the changes of a commit as events: a new path with the blob of a lost one moved."""
    changes = sorted(changes, key=lambda change: change.path)
    gone: dict[str, list[str]] = {}
    for change in changes:
        if change.old and not change.new:
            gone.setdefault(change.old, []).append(change.path)
    origins = {
        change.path: gone[change.new].pop(0)
        for change in changes
        if change.new and not change.old and gone.get(change.new)
    }
    left = set(origins.values())
    for change in changes:
        if change.new is None:
            yield change.path, Event(at, "moved_away" if change.path in left else "deleted")
        elif change.old is not None:
            yield change.path, Event(at, "changed", change.new)
        elif change.path in origins:
            yield change.path, Event(at, "moved", change.new, origins[change.path])
        else:
            yield change.path, Event(at, "added", change.new)
