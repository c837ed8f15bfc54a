"""Commands in processes of their own, forked from one that has imported what they need.

A command spends 0.2 s on imports before it does anything. A fork of a process that has done so has
streams, arguments,
environment, folder and exit status of its own like any other, and a signal ends it like any other.
"""

import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
MESSAGE_BYTES = 1 << 17


class Launched:
    """A process that was started; `returncode` is None until it is known to have ended."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.returncode = pid, None
        self._channel = channel

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while the process runs."""
        with suppress(BlockingIOError):
            return self._ended(socket.MSG_DONTWAIT)
        return None

    def wait(self) -> int:
        """Wait for the end; returns the exit status, negative for a signal."""
        return self._ended(0)

    def kill(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _ended(self, flags: int) -> int:
        if self.returncode is None:
            self.returncode = int(self._channel.recv(MESSAGE_BYTES, flags))
            self._channel.close()
        return self.returncode


def launch(
    arguments: Sequence[str],
    *,
    streams: Sequence[int],
    environment: Mapping[str, str],
    folder: Path | None = None,
    before: str = "",
) -> Launched:
    """Start `pipeline` with arguments.

    `streams` are its standard input, output and error; `before` is a statement that runs first.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        request = [list(arguments), dict(environment), str(folder or Path.cwd()), before]
        socket.send_fds(_server()[1], [json.dumps(request).encode()], [*streams, theirs.fileno()])
    return Launched(int(ours.recv(MESSAGE_BYTES)), ours)


@cache
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process to fork from, started at the first command."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT)
    return process, ours


def stop() -> None:
    """End the process to fork from, if there is one."""
    if _server.cache_info().currsize:
        process, requests = _server()
        requests.close()
        process.wait()
        _server.cache_clear()


def _serve(requests: socket.socket) -> None:
    """Fork a process for each request; a process between waits for it and tells how it ended."""
    for module in pkgutil.walk_packages([str(ROOT / "pipeline")], "pipeline."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in ("duckdb", "pyarrow.compute", "pyarrow.parquet"):
        import_module(name)
    while True:
        request, handles, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 4)
        _reap(0 if not request else os.WNOHANG)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            _watch(json.loads(request), handles)
        for handle in handles:
            os.close(handle)


def _reap(flags: int) -> None:
    """Wait for watchers, so that their processor time counts."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, flags) != (0, 0):
            pass


def _watch(request: list[object], handles: list[int]) -> None:
    *streams, channel = handles
    pid = os.fork()
    if pid == 0:
        os.close(channel)
        _run(*request, streams)  # type: ignore[arg-type]
    for stream in streams:
        os.close(stream)
    os.write(channel, str(pid).encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # nobody waits any more
        os.write(channel, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(
    arguments: list[str],
    environment: dict[str, str],
    folder: str,
    before: str,
    streams: list[int],
) -> None:
    for number, (stream, name) in enumerate(
        zip(streams, ("stdin", "stdout", "stderr"), strict=True)
    ):
        os.dup2(stream, number)
        mode = "w" if number else "r"
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in streams:
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = arguments
    exec(before)
    runpy.run_module("pipeline", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
