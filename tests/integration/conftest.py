"""Fixtures that several tests of the whole only read."""

import pytest

from tests.support.hostile import hostile_world
from tests.support.world import World


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> World:
    return hostile_world(tmp_path_factory.mktemp("hostile"))
