"""Building on workers: what they load, and what the driver loads while they are busy."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor

from pipeline import stop
from pipeline.engine import run_tasks
from pipeline.plan import HistoryResult, HistoryTask, PartResult, PartTask, work

Progress = Callable[[int, int], None]


def build_parts(
    tasks: Sequence[PartTask | HistoryTask],
    workers: int,
    executor: Executor | None,
    pool: ProcessPoolExecutor | None,
    progress: Progress | None,
    retrying: Callable[[int], None],
    meanwhile: Callable[[], object],
) -> Iterator[PartResult | HistoryResult]:
    """Results of the tasks as they come.

    `progress` is called with documents done and in all, `retrying` with how many parts were lost, `meanwhile` once, when the
    workers are busy.
    """
    if pool is None:
        load_stages()  # before workers fork: they then need not import Arrow, each for itself
    total, done = sum(task.documents for task in tasks), 0
    if progress:
        progress(done, total)
    results = run_tasks(work, tasks, workers=workers, executor=executor, pool=pool, meanwhile=meanwhile, retrying=retrying)
    for result in results:
        done += result.documents
        if progress:
            progress(done, total)
        yield result


def load_stages() -> None:
    """Import what workers need."""
    with stop.held():
        import pipeline.build
        import pipeline.history  # noqa: F401


def load_late_stages() -> None:
    """Import what comes after building, while the workers build."""
    with stop.held():
        import pipeline.derive
        import pipeline.publication  # noqa: F401
