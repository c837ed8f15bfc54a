"""Git as a source: the files of one commit of a local repository, without a checkout.

Addresses are `git+file:///path/to/repository[#ref[:path]]`; the path may be a folder, a file or a
glob (`*`, `?`, `[…]`, `**`).
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from pipeline.errors import SourceError, UsageError
from pipeline.extract.git.process import answer, ask, blobs, lacks, run_git
from pipeline.extract.source import (
    Entry,
    Listing,
    Loaded,
    NamedSource,
    is_document,
    named,
    sidecar_kind,
    text_of_name,
    too_large,
)
from pipeline.schema.documents import Rejection

SCHEME = "git+file:"


class Repository(NamedSource, frozen=True):
    """The files at a commit of a repository that lie below `folder` and match `pattern`, if any."""

    directory: str
    """Directory of the repository."""
    commit: str
    """Full hash of the commit that the ref named when the run began."""
    folder: str = ""
    """Path in the repository that paths of the source begin at; empty = all of it."""
    pattern: str = ""
    """A regular expression for paths below the folder; empty = any."""

    @classmethod
    def parse(cls, text: str) -> "Repository":
        """Return the source that `[name=]git+file:///path[#ref[:path]]` names.

        Its default name is that of the folder. Raises UsageError for anything that is not such an
        address, SourceError if the repository, ref or path does not exist.
        """
        name, _, address = text.rpartition(f"={SCHEME}") if f"={SCHEME}" in text else ("", "", text)
        address = address if address.startswith(SCHEME) else SCHEME + address
        parts = urlsplit(address)
        directory = unquote(parts.path)
        is_local = parts.netloc in ("", "localhost") and directory.startswith("/")
        if not is_local or parts.query or "/" in name:
            raise UsageError(
                f"{text!r}: not the address of a local repository (expected"
                " [NAME=]git+file:///PATH[#REF[:FOLDER]]). Clone a remote one first."
            )
        ref, _, inside = unquote(parts.fragment).partition(":")
        _require_repository(directory)
        commit = _resolve(directory, ref)
        folder, pattern = _split(directory, commit, inside.strip("/"))
        own = PurePosixPath(directory.removesuffix("/.git")).name.removesuffix(".git") or "root"
        name = name or PurePosixPath(folder).name or own
        return cls(name, address, directory, commit, folder, pattern)

    def list(self, *, with_times: bool = True) -> Listing:
        """List documents and sidecars of the commit, without times; hidden ones are left out."""
        listing = Listing([], [], {})
        options, tree = ("-r", "-z", "-l", "--full-tree"), f"{self.commit}:{self.folder}"
        listed = answer(self.directory, "ls-tree", *options, tree)
        for line in listed.split(b"\0")[:-1]:
            head, _, raw_path = line.partition(b"\t")
            mode, _, blob, size = head.split()
            path = text_of_name(os.fsdecode(raw_path))
            if mode == b"160000":
                if not _is_hidden(path) and not self.pattern:
                    listing.rejected[path] = _SUBMODULE
            elif not self.wants(path):
                continue
            elif mode == b"120000":
                listing.rejected[path] = _LINK
            elif size == b"-":
                raise SourceError(lacks(self.directory, blob.decode()))
            else:
                entry = Entry(path, int(size), 0, 0, blob.decode())
                (listing.entries if is_document(path) else listing.sidecars).append(entry)
        return listing.in_order()

    def wants(self, path: str) -> bool:
        """Return whether a path below the folder is one of the source's files."""
        if _is_hidden(path) or (self.pattern and not re.fullmatch(self.pattern, path)):
            return False
        return is_document(path) or sidecar_kind(path) is not None

    def read(
        self, entries: Iterable[Entry], limit: int
    ) -> Iterator[tuple[Entry, Loaded | Rejection]]:
        """Read files of at most `limit` bytes, one by one."""
        wanted = list(entries)
        fitting = (entry.version for entry in wanted if entry.size <= limit)
        with blobs(self.directory, fitting, limit) as contents:
            for entry in wanted:
                content = next(contents) if entry.size <= limit else too_large(entry.size, limit)
                if isinstance(content, bytes):
                    yield entry, Loaded(content, entry.mtime_ns, entry.ctime_ns, False)
                else:
                    yield entry, content


_SUBMODULE = Rejection(
    "read",
    "submodule",
    "this is a submodule: its files lie in another repository. Name that as a source of its own,"
    " or a folder of this one.",
)
_LINK = Rejection(
    "read",
    "not_a_file",
    "this is a symbolic link. Its target is read where it lies, if it lies in the source.",
)


def is_address(text: str) -> bool:
    """Return whether a source is named by the address of a repository."""
    return text.startswith("git+") or re.match(r"[^/=]*=git\+", text) is not None


def address_of(text: str, ref: str) -> str:
    """Return the address of `[name=]path`, a folder or file of a repository, at a ref.

    The repository may be bare. Raises SourceError if the path is not in a repository.
    """
    if is_address(text):
        raise UsageError(f"--git: {text} is an address already. Put the ref into it: #REF.")
    name, path = named(text)
    directory = os.path.realpath(path)
    start = directory if os.path.isdir(directory) else os.path.dirname(directory)
    if not os.path.exists(directory):
        raise SourceError(
            f"{path}: there is no such folder or file. Name a repository, or a folder of one that"
            " is checked out."
        )
    _require_repository(start)
    top = start
    if answer(start, "rev-parse", "--is-bare-repository").strip() != b"true":
        top = os.fsdecode(answer(start, "rev-parse", "--show-toplevel").rstrip(b"\n"))
    inside = os.path.relpath(directory, top)
    fragment = "" if ref == "HEAD" else quote(ref, safe="/")
    fragment += "" if inside == "." else f":{quote(inside)}"
    name = name or os.path.basename(directory).removesuffix(".git") or "root"
    return f"{name}={SCHEME}//{quote(top)}" + (f"#{fragment}" if fragment else "")


def _split(directory: str, commit: str, inside: str) -> tuple[str, str]:
    """Split a path in a commit into the folder before the first glob, and a pattern."""
    parts = inside.split("/") if inside else []
    first = next((at for at, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    folder, rest = "/".join(parts[:first]), "/".join(parts[first:])
    if not folder:
        return "", _expression(rest)
    kind = ask(directory, "cat-file", "-t", f"{commit}:{folder}")
    if kind == b"blob\n" and not rest:
        above, _, name = folder.rpartition("/")
        return above, re.escape(name)
    if kind != b"tree\n":
        there = answer(directory, "ls-tree", "-z", "--name-only", commit).split(b"\0")[:-1]
        names = ", ".join(text_of_name(os.fsdecode(name)) for name in there[:20])
        raise SourceError(
            f"{directory}: commit {commit[:12]} has no folder {folder}."
            f" At its top are {names or 'no files'}."
        )
    return folder, _expression(rest)


def _expression(glob: str) -> str:
    """Return a glob as a regular expression; `**` is any number of folders."""
    if not glob:
        return ""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

    def expression(match: re.Match[str]) -> str:
        word = match[0]
        if word.startswith("[") and len(word) > 2:
            characters = re.escape(word[1:-1].lstrip("!^")).replace("\\-", "-")
            return f"[{'^' if word[1] in '!^' else ''}{characters}]"
        return words.get(word) or re.escape(word)

    pattern = re.sub(r"\*\*/|\*\*|\*|\?|\[[^]/]+\]|[^*?\[]+|\[", expression, glob)
    return pattern + ".*" if glob.endswith("/") else pattern


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path


def _resolve(directory: str, ref: str) -> str:
    """Return the full hash of the commit at a ref; without one of HEAD, or the only branch."""
    if commit := _commit(directory, ref or "HEAD"):
        return commit
    kinds = ("refs/heads", "refs/remotes", "refs/tags")
    names = answer(directory, "for-each-ref", "--format=%(refname:short)", *kinds).decode().split()
    branches = [name for name in names if not name.endswith("/HEAD")]
    if not ref and len(branches) == 1 and (commit := _commit(directory, branches[0])):
        return commit
    if not branches:
        raise SourceError(f"{directory}: the repository has no commit. Commit the articles first.")
    what = f"has no {ref!r}" if ref else "HEAD names no commit"
    raise SourceError(
        f"{directory}: {what}. It has {', '.join(branches[:20])}."
        " Name one: #REF in the address, or --git REF."
    )


def _commit(directory: str, ref: str) -> str | None:
    options = ("--verify", "--quiet", "--end-of-options")
    name = ask(directory, "rev-parse", *options, f"{ref}^{{commit}}")
    return name.decode().strip() if name else None


def _require_repository(directory: str) -> None:
    if not os.path.isdir(directory):
        raise SourceError(f"{directory}: there is no such folder. Name a repository.")
    done = run_git(directory, "rev-parse", "--git-dir")
    if not done.returncode:
        return
    fatal = re.search("^fatal: (.*)$", done.stderr.decode("utf-8", "replace"), re.MULTILINE)
    reason = fatal[1] if fatal else "git failed"
    if "dubious ownership" in reason:
        raise SourceError(
            f"{directory}: belongs to another user, and git does not read it for this one."
            f" Allow it: git config --global --add safe.directory {directory}"
        )
    raise SourceError(
        f"{directory}: not a git repository ({reason}). Name one, or run without --git."
    )
