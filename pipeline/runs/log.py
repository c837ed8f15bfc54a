"""The log of a run: `logs/<run id>.jsonl`, one JSON object per line."""

import datetime as dt
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec


class RunLog:
    """Events of one run, each written as it happens.

    Nothing is written until `open`: a run that finds nothing to do leaves only its record. A log
    that cannot be written, on a full disk, does not stop the run.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.path = folder / f"{run_id}.jsonl"
        self._run_id = run_id
        self._waiting: list[bytes] | None = []
        self._file: io.FileIO | None = None

    def event(self, event: str, **facts: Any) -> None:
        """Add a line: time, run, event and its facts."""
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        line = msgspec.json.encode({"at": at, "run": self._run_id, "event": event, **facts}) + b"\n"
        if self._waiting is not None:
            self._waiting.append(line)
        elif self._file is not None:
            with suppress(OSError):
                self._file.write(line)

    def open(self) -> None:
        """Write what waits; from now on events are written at once."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        with suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            self._file.write(b"".join(waiting))

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._file is not None:
            self._file.close()


def rotate(folder: Path, keep: int) -> int:
    """Remove all but the newest `keep` logs, and return how many were removed."""
    logs = sorted(folder.glob("*.jsonl"), reverse=True)[keep:]
    for path in logs:
        path.unlink(missing_ok=True)
    return len(logs)
