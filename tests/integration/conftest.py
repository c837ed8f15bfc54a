"""Fixtures that several tests of the whole only read."""

from pathlib import Path

import pytest

from tests.support.hostile import hostile_world
from tests.support.repos import Repo
from tests.support.world import World


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> World:
    return hostile_world(tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "site.git")
