"""Runs in processes of their own, and their workers."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.world import World


def full_run(world: World) -> subprocess.Popen[str]:
    """A build from scratch on two workers, under way."""
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        f"site={world.site}",
        "-w",
        str(world.warehouse),
        "--full",
        "--workers",
        "2",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_until(holds: Callable[[], bool]) -> bool:
    """Wait at most 20 seconds."""
    end = time.monotonic() + 20
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def workers_of(process: subprocess.Popen[Any]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    assert wait_until(lambda: process.poll() is not None or bool(children.read_text().strip()))
    assert process.poll() is None, "the run ended before it started workers"
    return [int(pid) for pid in children.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
