"""Run a plain function over tasks, on any `concurrent.futures.Executor`.

A killed worker breaks a process pool; the tasks that are missing then run again on a fresh one.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pipeline.errors import PipelineError
from pipeline.process import signals
from pipeline.process.imports import postpone_pandas

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 3


def available_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _enter_worker(driver: int | None) -> None:
    """Set up a worker; Linux kills it when its parent ends, in whatever way.

    `driver` is the process that forked this one; it may have ended already.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver gets it too, and ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.unblock()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if driver is not None and os.getppid() != driver:
            os._exit(1)
    postpone_pandas()
    gc.disable()  # what a task leaves behind is freed by reference counting


def _new_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool that forks if no other Python thread could hold a lock; else a server forks.

    DuckDB's threads do not count: they are idle, and a worker uses none of them. The server itself
    watches the driver.
    """
    methods = multiprocessing.get_all_start_methods()
    method, driver = "forkserver" if "forkserver" in methods else "spawn", None
    if "fork" in methods and threading.active_count() == 1:
        method, driver = "fork", os.getpid()
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(workers, context, _enter_worker, (driver,))


def start_workers(workers: int) -> ProcessPoolExecutor | None:
    """Start workers (0 = one per processor) before their tasks are known; None for one alone."""
    count = workers or available_processors()
    if count <= 1:
        return None
    pool = _new_pool(count)
    with signals.held():
        pool.submit(available_processors)  # a first task, so that the processes start
    return pool


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int = 0,
    executor: Executor | None = None,
    pool: ProcessPoolExecutor | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    retrying: Callable[[int], None] = lambda tasks: None,
) -> Iterator[Result]:
    """Yield results as they come, in any order.

    Without `executor`, tasks run on `pool`, workers that `start_workers` has started, or on
    `workers` new processes (0 = one per processor). `meanwhile` is called once the workers are
    busy, `retrying` with how many tasks were lost with a killed worker. Raises PipelineError if
    workers are killed again and again, and whatever `function` raises.
    """
    if executor is not None:
        submitted = [executor.submit(function, task) for task in tasks]
        meanwhile()
        yield from (future.result() for future in as_completed(submitted))
        return
    workers = min(workers or available_processors(), len(tasks))
    if workers <= 1 and pool is None:
        meanwhile()
        yield from map(function, tasks)
        return
    missing = list(range(len(tasks)))
    for attempt in range(ATTEMPTS):
        if pool is None or attempt:
            pool = _new_pool(workers)
        try:
            with signals.held():
                futures = {pool.submit(function, tasks[at]): at for at in missing}
            if not attempt:
                meanwhile()
            for future in as_completed(futures):
                result = future.result()
                missing.remove(futures[future])
                yield result
            return
        except BrokenProcessPool:
            retrying(len(missing))
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    raise PipelineError(
        f"workers: {len(missing)} parts were lost {ATTEMPTS} times (a worker was killed; out of"
        " memory?). Use fewer --workers."
    )
