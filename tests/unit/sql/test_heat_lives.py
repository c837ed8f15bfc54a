"""Lives of articles: what begins one, what ends it, and what follows a move."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import Seen, moved, scores, set_history, world


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with world() as connection:
        yield connection


def hours(name: str) -> str:
    return f"(epoch({name}) - epoch(timestamptz '2026-01-05 00:00:00+00')) / 3600"


def lives(memory: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Article, life, how it ended, and the heats with the hours from which they held."""
    return memory.execute(
        f"select article_id, life, ended, list(({hours('valid_from')}, heat) order by stretch)"
        " from score_stretches group by all order by all"
    ).fetchall()


def test_a_chain_of_moves_is_one_life_and_a_path_used_again_another(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    history = [*scores("p", [(0, 1, 1)]), *scores("q", [(0, 5, 1)])]
    steps = [("p", "a", 1), ("a", "b", 1), ("q", "a", 5), ("a", "c", 5), ("b", "p", 1)]
    for hour, (old, new, heat) in enumerate(steps, 1):
        history += moved(old, new, hour, heat, 1)
    set_history(memory, history, until=9)
    assert lives(memory) == [("c", 1, None, [(0.0, 5)]), ("p", 1, None, [(0.0, 1)])]


def test_two_files_that_change_places_keep_their_histories(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    swap = [Seen("a", 2, "moved_away"), Seen("b", 2, "moved_away")]
    swap += [
        Seen("a", 2, "moved", 5, 1, moved_from="b"),
        Seen("b", 2, "moved", 1, 1, moved_from="a"),
    ]
    set_history(memory, [*scores("a", [(0, 1, 1)]), *scores("b", [(1, 5, 1)]), *swap], until=9)
    assert lives(memory) == [("a", 1, None, [(1.0, 5)]), ("b", 1, None, [(0.0, 1)])]


def test_moves_from_or_to_nowhere_begin_and_end_lives(memory: duckdb.DuckDBPyConnection) -> None:
    history = [
        Seen("a", 0, "first", 1, 1),
        Seen("a", 2, "moved_away"),
        Seen("b", 3, "moved", 2, 1, moved_from="a"),
    ]
    history += [
        Seen("c", 0, "first", 3, 1),
        Seen("c", 4, "moved", 4, 1, moved_from="z"),
        Seen("c", 4, "moved_away"),
    ]
    set_history(memory, history, until=9)
    assert lives(memory) == [
        ("a", 1, "moved_away", [(0.0, 1)]),
        ("b", 1, None, [(3.0, 2)]),
        ("c", 1, "replaced", [(0.0, 3)]),
        ("c", 2, "moved_away", [(4.0, 4)]),
    ]


def test_commit_times_that_go_back_or_are_equal_end_nothing_before_it_began(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    set_history(
        memory,
        [*scores("a", [(5, 1, 1), (3, 2, 1), (5, 3, 1), (6, 4, 1)]), Seen("a", 4, "deleted")],
        until=4,
    )
    assert memory.execute(
        f"select heat, {hours('valid_from')}, {hours('valid_to')}, hours from score_stretches"
        " order by stretch"
    ).fetchall() == [
        (1, 5.0, 5.0, 0.0),
        (2, 5.0, 5.0, 0.0),
        (3, 5.0, 6.0, 1.0),
        (4, 6.0, 6.0, 0.0),
    ]
    assert memory.execute(
        "select hours_above_baseline, is_censored, last_excess from heat_lifecycle"
    ).fetchall() == [(1.0, True, 3)]


def test_a_source_is_known_until_its_newest_revision(memory: duckdb.DuckDBPyConnection) -> None:
    set_history(memory, scores("a", [(5, 1, 1)]), until=7.5)
    assert memory.execute(
        "select hours, hours_known from heat_history join heat_lifecycle using (article_id)"
    ).fetchall() == [(2.5, 2.5)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "write", "content", "move", "swap", "delete"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.none() | st.integers(-2, 2),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=200, deadline=None)
def test_lives_agree_with_a_walk_through_the_files(
    memory: duckdb.DuckDBPyConnection, steps: list[tuple[str, int, int, int | None]]
) -> None:
    """Four paths; a file is a list of the hours at which its scores changed, with its scores."""
    files: dict[str, list[tuple[float, str, int | None]]] = {}
    scored: dict[str, int | None] = {}
    ended: list[tuple[str, str | None, list[tuple[float, str, int | None]]]] = []
    used: set[str] = set()
    history: list[Seen] = []

    def arrive(
        path: str, file: list[tuple[float, str, int | None]], hour: float, heat: int | None
    ) -> None:
        files[path], scored[path] = file, heat
        used.add(path)
        state = "suppressed" if heat == -1 else "unscored" if heat is None or heat < 0 else "scored"
        step = (hour, state, heat if state == "scored" else None)
        if not file or file[-1][1:] != step[1:]:
            file.append(step)

    for hour, (what, one, two, heat) in enumerate(steps):
        old, new = f"p{one}", f"p{two}"
        if what == "write":
            change = "scores" if old in files else "revived" if old in used else "first"
            history.append(Seen(old, hour, change, heat, 1))
            arrive(old, files.get(old, []), hour, heat)
        elif what == "content" and old in files:
            history.append(Seen(old, hour, "content", scored[old], 1))
        elif what == "delete" and old in files:
            history.append(Seen(old, hour, "deleted"))
            ended.append((old, "deleted", files.pop(old)))
        elif what == "move" and old in files and new not in files:
            history += moved(old, new, hour, heat, 1)
            arrive(new, files.pop(old), hour, heat)
        elif what == "swap" and old in files and new in files and old != new:
            first, second = files.pop(old), files.pop(new)
            history += [Seen(old, hour, "moved_away"), Seen(new, hour, "moved_away")]
            history += [
                Seen(old, hour, "moved", heat, 1, moved_from=new),
                Seen(new, hour, "moved", heat, 1, moved_from=old),
            ]
            arrive(new, first, hour, heat)
            arrive(old, second, hour, heat)
    set_history(memory, history, until=len(steps))
    expected = sorted([*ended, *((path, None, file) for path, file in files.items())], key=repr)
    found = memory.execute(
        f"select article_id, ended, list(({hours('valid_from')}, heat_state, heat) order by"
        " stretch), life, sum(observations)"
        " from score_stretches group by article_id, ended, life"
    ).fetchall()
    assert sorted([row[:3] for row in found], key=repr) == expected
    assert sum(row[4] for row in found) == sum(
        seen.change not in ("deleted", "moved_away") for seen in history
    )
    for path in {row[0] for row in found}:
        assert sorted(row[3] for row in found if row[0] == path) == list(
            range(1, 1 + sum(row[0] == path for row in found))
        )
