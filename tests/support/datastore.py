"""Our datastore as a process of its own, which does what `python -m datastore` does, for tests
that speak gRPC to it.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support.forked import ForkedDatastore
from tests.support.ports import free_port
from tests.support.server_process import ServerDied, ServerProcess

REPOSITORY = Path(__file__).resolve().parents[2]
START_ATTEMPTS = 3  # another process may take the port between its choice and its use


class _Process(ServerProcess):
    """A datastore without TLS: a choice of cipher suites has to be known before gRPC is loaded."""

    def _spawn(self) -> ForkedDatastore:
        return ForkedDatastore(self._argv, self.log, self._environment)


class Datastore:
    """A running datastore over one database.

    `endpoint_url` is the database's URL; without one a SQLite file is made in a directory that
    goes away with the server. `flags` are appended to the command line, `{client-url}` in them
    is the URL that it serves. `kill` and `start` again serve the same database on a new port.
    """

    def __init__(self, endpoint_url: str | None = None, flags: Sequence[str] = ()) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tapir-datastore-")
        self.endpoint_url = endpoint_url or f"sqlite:///{self._directory.name}/store.db"
        self._flags = list(flags)
        self._process = self._start()

    @property
    def endpoint(self) -> str:
        """The client URL."""
        return self._process.endpoint

    @property
    def address(self) -> str:
        """host:port."""
        return self._process.address

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.running

    @property
    def log(self) -> Path:
        """The file with the server's output."""
        return self._process.log

    def start(self) -> None:
        """Serve the same database again, after `end` or `kill`."""
        self._process = self._start()

    def end(self) -> int:
        """Send SIGTERM, wait, and return the exit code; the database stays."""
        return self._process.stop()

    def kill(self) -> None:
        """Send SIGKILL and wait; the database stays."""
        self._process.kill()

    def restart(self, kill: bool = False) -> None:
        """End the server, by SIGKILL or politely, and serve the same data on the same port."""
        self._process.restart(kill)

    def stop(self) -> None:
        """End the server and remove what it was given here."""
        self._process.stop()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> ServerProcess:
        for attempt in range(START_ATTEMPTS):
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            argv = [
                *("--endpoint", self.endpoint_url),
                *("--listen-client-urls", url),
                *(flag.replace("{client-url}", url) for flag in self._flags),
            ]
            environment = {
                "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
            }
            process = _Process(argv, port, Path(self._directory.name) / "log", environment)
            try:
                process.wait()
            except ServerDied:
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                return process
        raise AssertionError("unreachable")
