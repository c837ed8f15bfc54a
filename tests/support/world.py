"""A site written from texts, a run over it, and the real corpora where they exist."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from pipeline.load.warehouse import Warehouse
from pipeline.runs import run
from pipeline.runs.record import RunResult
from pipeline.settings import load_settings
from pipeline.views.catalog import connect

SHARED = Path(__file__).parents[3] / "shared" / "corpus"
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


class World:
    """A site and its warehouse in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.site, self.warehouse = folder / "site", folder / "warehouse"
        self.site.mkdir(parents=True)
        self._reader: duckdb.DuckDBPyConnection | None = None
        self._read_state: object = None

    def write(self, files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = self.site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.site

    def run(self, **settings: object) -> RunResult:
        now = settings.pop("now", NOW)
        dry_run, full = bool(settings.pop("dry_run", False)), bool(settings.pop("full", False))
        flags = {
            "sources": (str(self.site),),
            "warehouse": str(self.warehouse),
            "workers": 1,
            **settings,
        }
        return run.run(load_settings(flags, environment={})[0], now=now, dry_run=dry_run, full=full)  # type: ignore[arg-type]

    def connect(self) -> duckdb.DuckDBPyConnection:
        return connect(Warehouse(self.warehouse))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return the rows of a query on what is published; connect again only after a change."""
        state = self._state()
        if self._reader is None or state != self._read_state:
            self.close()
            self._reader, self._read_state = self.connect(), state
        return self._reader.execute(sql).fetchall()

    def close(self) -> None:
        """Close the connection of `rows`."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _state(self) -> object:
        """What a connection shows: the published snapshot and the records of runs."""
        records = (self.warehouse / "runs").glob("*.json")
        return _status(self.warehouse / "CURRENT"), sorted((str(p), _status(p)) for p in records)


def _status(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def after(hours: int) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


def article(**fields: str) -> str:
    """A small article; a field given replaces or adds lines of the front matter."""
    lines = {"title": "Plain title", "quality": "50", "heat": "50", "published": "true", **fields}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "---\n"


def corpus(name: str) -> Path:
    """A real corpus beside the checkout; skips where it is not."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the corpus {name} is not beside this checkout")
    return path
