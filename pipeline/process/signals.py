"""Stop cleanly on Ctrl-C, SIGTERM and SIGHUP: lock freed, run recorded, snapshot kept."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STOPPING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_received: list[int] = []


def listen() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise SystemExit with 130, 143 and 129.

    Under nohup, SIGHUP stays ignored.
    """
    for number in _STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def exit_status() -> int | None:
    """Return 128 + the number of the signal that asked to stop; None if none did.

    DuckDB turns what a handler raises during a query into a RuntimeError: code that catches an
    error asks here what it means.
    """
    return 128 + _received[0] if _received else None


@contextmanager
def held() -> Iterator[None]:
    """Hold signals back until the block ends.

    What a handler raises in a fork's hooks is lost; in a C++ module that loads, it aborts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unblock() -> None:
    """Let signals through, in a process that was forked while they were held."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _stop(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    _received.append(number)
    with suppress(OSError):  # a terminal that is gone
        text = "pipeline: stopped; the published snapshot is as it was."
        print(text, file=sys.stderr, flush=True)
    raise SystemExit(128 + number)
