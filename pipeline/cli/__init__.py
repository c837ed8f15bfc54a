"""The command line: parse, call one function, print. Heavy imports happen inside the commands."""

import io
import os
import signal
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy comes with Arrow; its idle threads cost start-up time and memory

from pipeline.cli import build, inspect, keep
from pipeline.cli.options import app
from pipeline.errors import PipelineError

__all__ = ["app", "build", "entry", "inspect", "keep"]


def _stop(number: int, _: object) -> None:
    """A clean stop: the lock is freed, the run's record says so, what is published stays."""
    signal.signal(number, signal.SIG_IGN)
    print("pipeline: stopped; the published snapshot is as it was.", file=sys.stderr)
    raise SystemExit(128 + number)


def entry() -> None:
    """Run the command line; errors of ours are one line on standard error."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _run_app()
    try:
        sys.stdout.flush()
    except OSError:
        code = code or 1
    sys.stderr.flush()
    os._exit(code)  # everything is closed and written: taking the interpreter apart would cost a tenth of a second


def _run_app() -> int:
    try:
        app()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except PipelineError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1
    return 0
