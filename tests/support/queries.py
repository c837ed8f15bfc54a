"""Queries on a small warehouse."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.load.warehouse import Warehouse
from pipeline.query.session import (
    Answer,
    Session,
    Value,
)
from tests.support.world import World, article


def answers(
    sql: str,
    warehouse: Warehouse,
    parameters: Mapping[str, Value] | None = None,
    snapshot: str | None = None,
) -> list[Answer]:
    return list(Session(warehouse, snapshot).answers(sql, parameters))


def asked_world(folder: Path) -> World:
    """Two articles, Alpha with a topic and Beta."""
    world = World(folder)
    world.write(
        {
            "_news/a.md": article(title="Alpha", heat="7", topics="[AI]"),
            "_news/b.md": article(title="Beta", heat="40"),
        }
    )
    world.run()
    return world


def ask(world: World, sql: str, **parameters: object) -> list[tuple[object, ...]]:
    [answer] = answers(sql, Warehouse(world.warehouse), parameters)  # type: ignore[arg-type]
    return answer.rows
