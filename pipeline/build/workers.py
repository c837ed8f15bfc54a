"""Building on workers: what they load, and what the driver loads while they are busy."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor

from pipeline.build.tasks import HistoryResult, HistoryTask, PartResult, PartTask
from pipeline.process import signals
from pipeline.process.pool import run_tasks

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
    results = run_tasks(
        work,
        tasks,
        workers=workers,
        executor=executor,
        pool=pool,
        meanwhile=meanwhile,
        retrying=retrying,
    )
    for result in results:
        done += result.documents
        if progress:
            progress(done, total)
        yield result


def load_stages() -> None:
    """Import what workers need."""
    with signals.held():
        import pipeline.build.history
        import pipeline.build.part  # noqa: F401


def work(task: PartTask | HistoryTask) -> PartResult | HistoryResult:
    """Build a part, or read a history: what a worker runs. The driver need not load what that takes."""
    if isinstance(task, PartTask):
        from pipeline.build.part import build_part

        return build_part(task)
    from pipeline.build.history import read_history

    return read_history(task)
