"""Call git: its command line, its environment, and the contents of its objects."""

import os
import re
import subprocess
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from subprocess import DEVNULL, PIPE, Popen

from pipeline.errors import SourceError
from pipeline.extract.source import too_large
from pipeline.schema.documents import Rejection

AHEAD = 100
"""Objects requested before the first is read: git works meanwhile. Their names fit into a pipe."""
_ELSEWHERE = re.compile(
    "GIT_(DIR|WORK_TREE|INDEX_FILE|NAMESPACE|PREFIX|COMMON_DIR|OBJECT_DIRECTORY|EXTERNAL_DIFF|DIFF_OPTS|[A-Z]+_PATHSPECS)"
)
"""Variables that lead git to elsewhere or change its answer."""
_SETTINGS = {
    "core.quotePath": "false",
    "core.fsmonitor": "false",
    "log.showSignature": "false",
    "log.showRoot": "true",
    "log.diffMerges": "first-parent",
}
"""What the settings of a user may change."""


def blobs(
    repository: str, names: Iterable[str], limit: int
) -> "closing[Generator[bytes | Rejection, None, None]]":
    """Return the contents of blobs in order; a rejection for one of more than `limit` bytes.

    Git ends when the context does.
    """
    return closing(_contents(repository, iter(names), limit))


def _contents(
    repository: str, names: Iterator[str], limit: int
) -> Generator[bytes | Rejection, None, None]:
    pending = deque(islice(names, AHEAD))
    if not pending:
        return
    with running(repository, "cat-file", "--batch", stdin=PIPE, stderr=DEVNULL) as process:
        assert process.stdin and process.stdout
        requests, answers = process.stdin, process.stdout
        try:
            requests.write("".join(f"{name}\n" for name in pending).encode())
            requests.flush()
            while pending:
                name = pending.popleft()
                header = answers.readline().split()
                if len(header) != 3:
                    raise SourceError(lacks(repository, name))
                size = int(header[2])
                if size <= limit:
                    content: bytes | Rejection = (raw := answers.read(size + 1)[:-1])
                    if len(raw) < size:
                        what = f"git stopped in the middle of object {name}"
                        raise SourceError(f"{repository}: {what}. Check it: git fsck.")
                else:
                    content = too_large(size, limit)
                    for at in range(0, size + 1, 1 << 20):
                        answers.read(min(1 << 20, size + 1 - at))
                if following := next(names, None):
                    requests.write(f"{following}\n".encode())
                    requests.flush()
                    pending.append(following)
                yield content
        except BrokenPipeError as error:
            what = "git ended before all objects were read. Check the repository: git fsck."
            raise SourceError(f"{repository}: {what}") from error


@contextmanager
def running(
    repository: str, *arguments: str, stdin: int | None = None, stderr: int
) -> Iterator["Popen[bytes]"]:
    """Yield a git whose output is read while it works; it ends when the block does."""
    words = [*command(repository), *arguments]
    with Popen(words, stdin=stdin, stdout=PIPE, stderr=stderr, env=environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def lacks(repository: str, name: str) -> str:
    """Return the message for an object that a repository lacks."""
    return (
        f"{repository}: lacks object {name}, as partial clones do, or is damaged. Fetch everything"
        " (git fetch --refetch, git clone without --filter) or check it (git fsck)."
    )


def command(repository: str) -> list[str]:
    """Return the words that every call of git in a repository begins with."""
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return ["git", "--no-pager", *settings, "-C", repository]


def environment() -> dict[str, str]:
    """Return the environment without what leads git elsewhere, to the network or to a question."""
    kept = {name: value for name, value in os.environ.items() if not _ELSEWHERE.fullmatch(name)}
    return kept | {
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def run_git(repository: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Call git. Raises SourceError if it is not installed."""
    try:
        return subprocess.run(
            [*command(repository), *arguments], capture_output=True, env=environment(), check=False
        )
    except FileNotFoundError as error:
        raise SourceError("git: is not installed. Install it to read repositories.") from error


def ask(repository: str, *arguments: str) -> bytes | None:
    """Return what git prints; None if it fails."""
    done = run_git(repository, *arguments)
    return None if done.returncode else done.stdout


def answer(repository: str, *arguments: str) -> bytes:
    """Return what git prints. Raises SourceError if it fails."""
    done = run_git(repository, *arguments)
    if done.returncode:
        raise SourceError(
            f"{repository}: git {arguments[0]} failed ({reason_of(done.stderr)})."
            " Check the repository: git fsck."
        )
    return done.stdout


def reason_of(stderr: bytes) -> str:
    """Return the last line that git printed when it failed."""
    return stderr.decode("utf-8", "replace").strip().split("\n")[-1].removeprefix("fatal: ")
