"""Datastores that are forked from a process which has imported all that a datastore imports.

Importing takes three quarters of a second of CPU, and tests start hundreds of datastores; a fork
takes a few milliseconds. What runs is `python -m datastore`'s own `main`, in a process of its own
with its own pid, output and environment. That the command itself does the same is asked where
commands are tested (`tests/datastore/test_process.py` and others).
"""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import connection
from pathlib import Path

# What a server imports at its start at the latest.
PRELOADED = [
    "datastore.__main__",
    "datastore.server",
    "datastore.backends.mysql",
    "datastore.backends.postgres",
    "datastore.backends.sqlite",
    "datastore.migrations.steps",
    "alembic.command",
    "alembic.ddl.mysql",
    "alembic.ddl.postgresql",
    "alembic.ddl.sqlite",
    "uvloop",
    "h2corn",
    "pygrpc_native",
]
# An exit code can be read once; a start reads those of the processes before it too.
_reading = threading.Lock()


class ForkedDatastore:
    """A datastore with these arguments; it has what is used of a Popen."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.args = list(arguments)
        self._process = _context().Process(
            target=run, args=(list(arguments), log, dict(environment)), daemon=True
        )
        with _reading:
            self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with _reading:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code once it has ended."""
        connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)


def run(arguments: list[str], log: Path, environment: dict[str, str]) -> None:
    """Be a datastore: in the forked process."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number, source in enumerate((nothing, output, output)):
        os.dup2(source, number)
    os.environ.clear()
    os.environ.update(environment)
    from datastore.__main__ import main

    sys.exit(main(arguments))


@functools.cache
def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
