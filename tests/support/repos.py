"""Git repositories that tests make, without a working tree: any path and any time of a commit is
possible.
"""

import subprocess
from pathlib import Path

GIT = (
    "git",
    "-c",
    "user.name=Robot",
    "-c",
    "user.email=robot@site.example",
    "-c",
    "init.defaultBranch=main",
)
Content = str | bytes | None
"""What a file gets; None deletes it."""


class Repo:
    """A bare repository; commits go to a branch by `git fast-import`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run([*GIT, "init", "-q", "--bare", path], check=True)
        self.clock = 1_600_000_000

    @property
    def address(self) -> str:
        return f"git+file://{self.path}"

    def git(self, *arguments: str | Path) -> str:
        done = subprocess.run([*GIT, "-C", self.path, *arguments], check=True, capture_output=True)
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def commit(
        self,
        files: dict[str | bytes, Content],
        *,
        branch: str = "main",
        at: int | None = None,
        merge: str | None = None,
        modes: dict[str | bytes, str] | None = None,
    ) -> str:
        """Write, replace or delete files; returns the hash. Each commit is two hours after the one
        before.
        """
        self.clock = at if at is not None else self.clock + 7_200
        head = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        parts = [
            (
                f"commit refs/heads/{branch}\ncommitter Robot <robot@site.example> {self.clock}"
                " +0000\ndata 0\n"
            ).encode()
        ]
        parts += [f"from {head}\n".encode()] if head else []
        parts += [f"merge refs/heads/{merge}\n".encode()] if merge else []
        for path, content in files.items():
            quoted = _quoted(path.encode() if isinstance(path, str) else path)
            if content is None:
                parts.append(b"D " + quoted + b"\n")
                continue
            data = content.encode() if isinstance(content, str) else content
            mode = (modes or {}).get(path, "100644")
            if mode == "160000":
                parts.append(b"M 160000 " + data + b" " + quoted + b"\n")
            else:
                parts.append(
                    f"M {mode} inline ".encode()
                    + quoted
                    + f"\ndata {len(data)}\n".encode()
                    + data
                    + b"\n"
                )
        command = [*GIT, "-C", str(self.path), "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=b"".join(parts), check=True, capture_output=True)
        return self.git("rev-parse", f"refs/heads/{branch}")


def _quoted(path: bytes) -> bytes:
    inner = b"".join(
        b"\\%03o" % byte if byte < 32 or byte > 126 or byte in b'"\\' else bytes([byte])
        for byte in path
    )
    return b'"' + inner + b'"'
