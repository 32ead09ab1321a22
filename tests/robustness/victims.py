"""What is killed: our server over either database, or the database under it."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.robustness import network
from tests.robustness.network import BadNetwork, LostPrimary, Pooled
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

GONE_SECONDS = 10.0
FROZEN_SECONDS = 6.0
STOPPED_SECONDS = 1.0
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


class BadDatabase:
    """PostgreSQL goes away in some manner and comes back; our server has to find it again."""

    def __init__(self, fault: Callable[[Postgres], None]) -> None:
        self._fault = fault
        with adopting():
            self.postgres = Postgres()
        self.server = Datastore(self.postgres.url("victim"))

    def murder(self) -> None:
        self._fault(self.postgres)

    def stop(self) -> None:
        self.server.stop()
        self.postgres.stop()


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
    children = children_of(postmaster)
    for pid in (*children, postmaster):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(postmaster, 0)
    deadline = time.monotonic() + GONE_SECONDS
    while any(map(_lives, children)):
        assert time.monotonic() < deadline, f"processes {children} do not go"
        time.sleep(0.01)


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in listed.split()]


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


def killed(postgres: Postgres) -> None:
    """Kill the database with SIGKILL, and start it again."""
    kill_cluster(postgres.pid)
    postgres.forget_pid()
    with adopting():
        postgres.start()


def frozen(postgres: Postgres) -> None:
    """Stop every process of the database with SIGSTOP for longer than anybody waits."""
    with freezing(postgres):
        time.sleep(FROZEN_SECONDS)


def stopped(postgres: Postgres) -> None:
    """Stop the database without ceremony, and start it again after a while."""
    postgres.shut("immediate")
    time.sleep(STOPPED_SECONDS)
    postgres.start()


def restarted(postgres: Postgres) -> None:
    """Restart the database in order, which ends all its sessions."""
    postgres.restart("fast")


@contextmanager
def freezing(postgres: Postgres) -> Iterator[None]:
    """Freeze a database: its connections stay, and nobody answers."""
    postmaster = postgres.pid
    os.kill(postmaster, signal.SIGSTOP)
    pids = [*children_of(postmaster), postmaster]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


VICTIMS: dict[str, Callable[[], Victim]] = {
    "server on sqlite": sqlite,
    "server on postgresql": postgresql,
    "postgresql killed": partial(BadDatabase, killed),
    "postgresql frozen": partial(BadDatabase, frozen),
    "postgresql stopped": partial(BadDatabase, stopped),
    "postgresql restarted": partial(BadDatabase, restarted),
    "network to postgresql cut": partial(BadNetwork, network.cut),
    "network to postgresql reset": partial(BadNetwork, network.reset),
    "network to postgresql slowed": partial(BadNetwork, network.slowed),
    "server behind pgbouncer": partial(Pooled, pooler=False),
    "pgbouncer killed": partial(Pooled, pooler=True),
    "primary lost, standby promoted": LostPrimary,
}


async def murder(victim: Victim) -> None:
    """Kill and restart, off the loop."""
    await asyncio.to_thread(victim.murder)
