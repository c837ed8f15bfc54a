"""The command `pipeline` in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.environ.get("HOME", "/"),
    "COLUMNS": "120",
    "LANG": "C.UTF-8",
}


def call(
    *arguments: str | Path, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT | environment,
        check=False,
    )
