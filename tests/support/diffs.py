"""Snapshots that are published in turn and compared."""

from pipeline.load.warehouse import Warehouse
from pipeline.query.diff import (
    Diff,
    diff,
)
from tests.support.world import World, after


def published(world: World, hours: int = 0, **settings: object) -> str:
    """Run, and name the snapshot."""
    name = world.run(now=after(hours), **settings).record.snapshot
    assert name
    return name


def compare(world: World, before: str, later: str) -> Diff:
    return diff(Warehouse(world.warehouse), before, later)
