"""What is killed: our server over either database, or the database under it."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

GONE_SECONDS = 10.0
PR_SET_CHILD_SUBREAPER = 36


class Victim(Protocol):
    """A running store; `murder` ends it with SIGKILL and returns when it serves again."""

    @property
    def server(self) -> Datastore:
        """The server that clients speak to: always on the same address."""

    def murder(self) -> None:
        """Kill, and start again."""

    def stop(self) -> None:
        """End it and remove its data."""


class KilledServer:
    """Our server is killed."""

    def __init__(self, endpoint_url: str | None = None, postgres: Postgres | None = None) -> None:
        self.server = Datastore(endpoint_url)
        self._postgres = postgres

    def murder(self) -> None:
        self.server.restart(kill=True)

    def stop(self) -> None:
        self.server.stop()
        if self._postgres is not None:
            self._postgres.stop()


class KilledDatabase:
    """PostgreSQL is killed, every process of it; our server has to find it again."""

    def __init__(self) -> None:
        with adopting():
            self._postgres = Postgres()
        self.server = Datastore(self._postgres.url("victim"))

    def murder(self) -> None:
        kill_cluster(self._postgres.pid)
        self._postgres.forget_pid()
        with adopting():
            self._postgres.start()

    def stop(self) -> None:
        self.server.stop()
        self._postgres.stop()


@contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of servers that are started meanwhile and put themselves in background.

    Only a parent can bury them: in a container without an init they would stay as zombies, which
    PostgreSQL takes for a server that still runs.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def kill_cluster(postmaster: int) -> None:
    """Kill a PostgreSQL server and all its processes at once, and wait until they are gone."""
    os.kill(postmaster, signal.SIGSTOP)  # so that it starts no more of them
    children = [int(pid) for pid in _listed(f"/proc/{postmaster}/task/{postmaster}/children")]
    for pid in (*children, postmaster):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(postmaster, 0)
    deadline = time.monotonic() + GONE_SECONDS
    while any(map(_lives, children)):
        assert time.monotonic() < deadline, f"processes {children} do not go"
        time.sleep(0.01)


def _listed(path: str) -> list[str]:
    return Path(path).read_text().split()


def _lives(pid: int) -> bool:
    """Say whether a process still runs: its shared memory goes with the last one."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def sqlite() -> Victim:
    return KilledServer()


def postgresql() -> Victim:
    cluster = Postgres()
    return KilledServer(cluster.url("victim"), cluster)


def database() -> Victim:
    return KilledDatabase()


VICTIMS = {
    "server on sqlite": sqlite,
    "server on postgresql": postgresql,
    "postgresql itself": database,
}


async def murder(victim: Victim) -> None:
    """Kill and restart, off the loop."""
    await asyncio.to_thread(victim.murder)
