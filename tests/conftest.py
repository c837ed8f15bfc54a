"""Fixtures for every test: a site with its warehouse, and the real corpora where they exist."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.sample import write_site
from tests.support import launcher
from tests.support.world import World, corpus


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A site without files, for one test."""
    found = World(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What is published of a site without files; only to be read."""
    found = World(tmp_path_factory.mktemp("empty"))
    found.run(allow_empty=True)
    return found


@pytest.fixture(scope="session")
def six_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with so many files that a run can be met at work; to be linked to, never written."""
    folder = tmp_path_factory.mktemp("six_thousand") / "site"
    write_site(folder, 6_000, 1)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _end_of_launcher() -> Iterator[None]:
    yield
    launcher.stop()


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpack a real corpus once a session."""
    done: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if name not in done:
            folder = tmp_path_factory.mktemp("corpus") / name.partition(".")[0]
            with tarfile.open(corpus(name)) as archive:
                archive.extractall(folder, filter="data")
            done[name] = folder
        return done[name]

    return unpack
