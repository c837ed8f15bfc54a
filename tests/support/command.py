"""The command `pipeline` in a process of its own."""

import os
import subprocess
import tempfile
from pathlib import Path

from tests.support.launcher import launch

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.environ.get("HOME", "/"),
    "COLUMNS": "120",
    "LANG": "C.UTF-8",
}


def call(
    *arguments: str | Path, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; returns its exit status and what it wrote on its streams."""
    words = list(map(str, arguments))
    with (
        open(os.devnull) as nothing,
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
    ):
        streams = [nothing.fileno(), output.fileno(), errors.fileno()]
        process = launch(
            words, streams=streams, environment=ENVIRONMENT | environment, folder=folder
        )
        status = process.wait()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, status, output.read(), errors.read())
