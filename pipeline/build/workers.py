"""Run the tasks of a build on worker processes, and load what they need before they fork."""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from msgspec import Struct, structs

from pipeline.build.tasks import HistoryResult, HistoryTask, PartResult, PartTask
from pipeline.process import signals
from pipeline.process.pool import run_tasks, start_workers

Progress = Callable[[int, int], None]
Task = PartTask | HistoryTask
Result = PartResult | HistoryResult


class Workers(Struct, frozen=True):
    """What runs the tasks, and what is called with documents done and in all."""

    count: int = 0
    """Processes; 0 = one per processor."""
    executor: Executor | None = None
    """Runs the tasks instead of processes."""
    progress: Progress | None = None
    pool: ProcessPoolExecutor | None = None
    """Processes that have started already; they serve one call of `results`."""

    @contextmanager
    def started(self, *, early: bool) -> Iterator["Workers"]:
        """Yield these workers; `early` starts processes before their tasks are known.

        They fork before the driver lists files, and so do not share its memory of what it lists.
        """
        pool = None
        if early and self.executor is None:
            load_stages()
            pool = start_workers(self.count)
        try:
            yield structs.replace(self, pool=pool)
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def results(
        self,
        tasks: Sequence[Task],
        *,
        retrying: Callable[[int], None],
        meanwhile: Callable[[], object],
    ) -> Iterator[Result]:
        """Yield the results of tasks as they come.

        `retrying` is called with how many tasks were lost, `meanwhile` once the workers are busy.
        """
        if self.pool is None:
            load_stages()
        total, done = sum(task.documents for task in tasks), 0
        report = self.progress or (lambda done, total: None)
        report(done, total)
        for result in run_tasks(
            work,
            tasks,
            workers=self.count,
            executor=self.executor,
            pool=self.pool,
            meanwhile=meanwhile,
            retrying=retrying,
        ):
            done += result.documents
            report(done, total)
            yield result


def load_stages() -> None:
    """Import what workers need before they fork: each then need not import Arrow for itself."""
    with signals.held():
        import pipeline.build.history
        import pipeline.build.part  # noqa: F401


def work(task: Task) -> Result:
    """Build a part, or read a history: what a worker runs. The driver need not load either."""
    collecting = gc.isenabled()
    gc.disable()  # millions of small objects that all live until the rows are written
    try:
        if isinstance(task, PartTask):
            from pipeline.build.part import build_part

            return build_part(task)
        from pipeline.build.history import read_history

        return read_history(task)
    finally:
        if collecting:
            gc.enable()
