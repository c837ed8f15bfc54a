"""The command line: parse, call one function, print. Commands import what is heavy."""

import io
import os
import sys

from pipeline.cli import export, inspect, query, report, run, snapshots  # noqa: F401 (commands)
from pipeline.cli.options import app
from pipeline.errors import PipelineError
from pipeline.process import signals
from pipeline.process.imports import leave_out_pandas

__all__ = ["app", "entry"]


def entry() -> None:
    """Run the command line; print errors of ours as one line on standard error."""
    _fill_closed_streams()
    signals.listen()
    leave_out_pandas()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = _run_app()
    try:
        sys.stdout.flush()
    except OSError:
        code = code or 1
    sys.stderr.flush()
    # All is written and closed: taking the interpreter apart would cost a tenth of a second.
    os._exit(code)


def _fill_closed_streams() -> None:
    """Open the null device for standard streams that the caller closed.

    Else the next file to be opened takes the number of the stream, and is written to as output.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            while (opened := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            if opened > number:
                os.close(opened)
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _run_app() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except PipelineError as error:
        sys.stdout.flush()  # results come before the error also if both go to one file
        print(f"pipeline: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1
    except RuntimeError:
        if (status := signals.exit_status()) is None:
            raise
        return status
    return 0
