"""Git as a source: the files of one commit, straight from the object store of a local repository, without a checkout.

Addresses are `git+file:///path/to/repository[#ref[:path]]`; the path may be a folder, a file or a glob (`*`, `?`, `[…]`, `**`).
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from pipeline.errors import SourceError, UsageError
from pipeline.extract.git.process import answer, ask, blobs, lacks, run_git
from pipeline.extract.source import (
    Entry,
    Listing,
    Loaded,
    document_id,
    is_document,
    is_sidecar,
    named,
    text_of_name,
    too_large,
)
from pipeline.schema.documents import Rejection

SCHEME = "git+file:"


class Repository(Struct, frozen=True):
    """The files at a commit of a repository, below `folder` and of a name that matches `pattern`, where it has one."""

    name: str
    root: str
    """Its address."""
    place: str
    """Where the repository lies."""
    commit: str
    """Full hash of the commit that the ref named when the run began."""
    folder: str = ""
    """Path in the repository that paths of the source begin at; empty = all of it."""
    pattern: str = ""
    """A regular expression for paths below the folder; empty = any."""

    @classmethod
    def parse(cls, text: str) -> "Repository":
        """The source that `[name=]git+file:///path[#ref[:path]]` means; by default it is named after the folder.

        Raises UsageError for an address that is none, SourceError for a repository, ref or path that is not there.
        """
        name, _, address = text.rpartition(f"={SCHEME}") if f"={SCHEME}" in text else ("", "", text)
        address = address if address.startswith(SCHEME) else SCHEME + address
        parts = urlsplit(address)
        place = unquote(parts.path)
        if (
            parts.netloc not in ("", "localhost")
            or not place.startswith("/")
            or parts.query
            or "/" in name
        ):
            raise UsageError(
                f"{text!r}: is no address of a local repository. Clone it, and write [NAME=]git+file:///PATH[#REF[:FOLDER]]."
            )
        ref, _, inside = unquote(parts.fragment).partition(":")
        _refuse_no_repository(place)
        commit = _resolve(place, ref)
        folder, pattern = _split(place, commit, inside.strip("/"))
        own = (
            PurePosixPath(folder).name
            or PurePosixPath(place.removesuffix("/.git")).name.removesuffix(".git")
            or "root"
        )
        return cls(name or own, address, place, commit, folder, pattern)

    @property
    def address(self) -> str:
        """What names it on a command line, after its name."""
        return self.root

    def document_id(self, path: str) -> str:
        """Identity of the file at `path`: the same as in a checkout that is a source of the same name."""
        return document_id(self.name, path)

    def list(self, *, with_times: bool = True) -> Listing:
        """All documents and sidecars of the commit; hidden files and folders are left out. Times are not known here: 0."""
        entries: list[Entry] = []
        sidecars: list[Entry] = []
        rejected: dict[str, Rejection] = {}
        found = answer(
            self.place, "ls-tree", "-r", "-z", "-l", "--full-tree", f"{self.commit}:{self.folder}"
        )
        for line in found.split(b"\0")[:-1]:
            about, _, raw_path = line.partition(b"\t")
            mode, _, blob, size = about.split()
            path = text_of_name(os.fsdecode(raw_path))
            if not self.wants(path) and mode != b"160000":
                continue
            if mode == b"160000":
                if not _is_hidden(path) and not self.pattern:
                    rejected[path] = _SUBMODULE
            elif mode == b"120000":
                rejected[path] = _LINK
            elif size == b"-":
                raise SourceError(lacks(self.place, blob.decode()))
            else:
                listed = entries if is_document(path) else sidecars
                listed.append(Entry(path, int(size), 0, 0, blob.decode()))
        entries.sort(key=lambda entry: entry.path)
        sidecars.sort(key=lambda entry: entry.path)
        return Listing(entries, sidecars, rejected)

    def wants(self, path: str) -> bool:
        """Whether a path below the folder is one of the source's files."""
        if _is_hidden(path):
            return False
        if self.pattern and not re.fullmatch(self.pattern, path):
            return False
        return is_document(path) or is_sidecar(path)

    def read(
        self, entries: Iterable[Entry], limit: int
    ) -> Iterator[tuple[Entry, Loaded | Rejection]]:
        """Read files of at most `limit` bytes, one by one."""
        asked = list(entries)
        fitting = (entry.version for entry in asked if entry.size <= limit)
        with blobs(self.place, fitting, limit) as contents:
            for entry in asked:
                content = next(contents) if entry.size <= limit else too_large(entry.size, limit)
                loaded = (
                    content
                    if isinstance(content, Rejection)
                    else Loaded(content, entry.mtime_ns, entry.ctime_ns, False)
                )
                yield entry, loaded


_SUBMODULE = Rejection(
    "read",
    "submodule",
    "this is a submodule: its files lie in another repository. Name that as a source of its own, or a folder of this one.",
)
_LINK = Rejection(
    "read",
    "not_a_file",
    "this is a symbolic link. Its target is read where it lies, if it lies in the source.",
)


def is_address(text: str) -> bool:
    """Whether a source is named by the address of a repository."""
    return text.startswith("git+") or re.match(r"[^/=]*=git\+", text) is not None


def address_of(text: str, ref: str) -> str:
    """The address of `[name=]path`, a folder or file of a repository (checked out or bare), at a ref.

    Raises SourceError where the path is in no repository.
    """
    if is_address(text):
        raise UsageError(f"--git: {text} is an address already. Put the ref into it: #REF.")
    name, path = named(text)
    place = os.path.realpath(path)
    start = place if os.path.isdir(place) else os.path.dirname(place)
    if not os.path.exists(place):
        raise SourceError(
            f"{path}: there is no such folder or file. Name a repository, or a folder of one that is checked out."
        )
    _refuse_no_repository(start)
    bare = answer(start, "rev-parse", "--is-bare-repository").strip() == b"true"
    top = (
        start if bare else os.fsdecode(answer(start, "rev-parse", "--show-toplevel").rstrip(b"\n"))
    )
    inside = os.path.relpath(place, top)
    fragment = ("" if ref == "HEAD" else quote(ref, safe="/")) + (
        "" if inside == "." else f":{quote(inside)}"
    )
    address = f"{SCHEME}//{quote(top)}" + (f"#{fragment}" if fragment else "")
    return f"{name or os.path.basename(place).removesuffix('.git') or 'root'}={address}"


def _split(place: str, commit: str, inside: str) -> tuple[str, str]:
    """Folder and pattern of a path in a commit: what comes before the first glob, and the rest."""
    parts = inside.split("/") if inside else []
    plain = next((at for at, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    folder, rest = "/".join(parts[:plain]), "/".join(parts[plain:])
    if not folder:
        return "", _expression(rest)
    kind = ask(place, "cat-file", "-t", f"{commit}:{folder}")
    if kind == b"blob\n" and not rest:
        above, _, name = folder.rpartition("/")
        return above, re.escape(name)
    if kind != b"tree\n":
        there = answer(place, "ls-tree", "-z", "--name-only", commit).split(b"\0")[:-1]
        names = ", ".join(text_of_name(os.fsdecode(name)) for name in there[:20])
        raise SourceError(
            f"{place}: commit {commit[:12]} has no folder {folder}. At its top are {names or 'no files'}."
        )
    return folder, _expression(rest)


def _expression(glob: str) -> str:
    """A glob over paths as a regular expression; `**` stands for any number of folders. Empty for none."""
    if not glob:
        return ""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

    def part(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("[") and len(word) > 2:
            return f"[{'^' if word[1] in '!^' else ''}{re.escape(word[1:-1].lstrip('!^')).replace(chr(92) + '-', '-')}]"
        return words.get(word) or re.escape(word)

    return re.sub(r"\*\*/|\*\*|\*|\?|\[[^]/]+\]|[^*?\[]+|\[", part, glob) + (
        "" if not glob.endswith("/") else ".*"
    )


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path


def _resolve(place: str, ref: str) -> str:
    """The full hash of the commit that a ref names; without a ref HEAD, or the only branch where HEAD names none."""
    if found := _commit(place, ref or "HEAD"):
        return found
    names = (
        answer(
            place,
            "for-each-ref",
            "--format=%(refname:short)",
            "refs/heads",
            "refs/remotes",
            "refs/tags",
        )
        .decode()
        .split()
    )
    branches = [name for name in names if not name.endswith("/HEAD")]
    if not ref and len(branches) == 1 and (found := _commit(place, branches[0])):
        return found
    if not branches:
        raise SourceError(f"{place}: the repository has no commit. Commit the articles first.")
    what = f"has no {ref!r}" if ref else "HEAD names no commit"
    raise SourceError(
        f"{place}: {what}. It has {', '.join(branches[:20])}. Name one: #REF in the address, or --git REF."
    )


def _commit(place: str, ref: str) -> str | None:
    found = ask(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return found.decode().strip() if found else None


def _refuse_no_repository(place: str) -> None:
    if not os.path.isdir(place):
        raise SourceError(f"{place}: there is no such folder. Name a repository.")
    done = run_git(place, "rev-parse", "--git-dir")
    if not done.returncode:
        return
    reason = next(
        (
            line
            for line in done.stderr.decode("utf-8", "replace").splitlines()
            if line.startswith("fatal: ")
        ),
        "git failed",
    )
    reason = reason.removeprefix("fatal: ")
    if "dubious ownership" in reason:
        raise SourceError(
            f"{place}: belongs to another user, and git does not read it for this one. Allow it: git config --global --add"
            f" safe.directory {place}"
        )
    raise SourceError(f"{place}: is no git repository ({reason}). Name one, or run without --git.")
