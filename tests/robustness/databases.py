"""What happens to the database under our servers: killed, frozen, stopped, restarted."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

GONE_SECONDS = 10.0
FROZEN_SECONDS = 6.0
STOPPED_SECONDS = 1.0
PR_SET_CHILD_SUBREAPER = 36


def adopted_postgres() -> Postgres:
    """Start a PostgreSQL that `kill_postgres` can bury."""
    with adopting():
        return Postgres()


def kill_postgres(postgres: Postgres) -> None:
    """Kill the database with SIGKILL, and start it again."""
    kill_cluster(postgres.pid)
    postgres.forget_pid()
    with adopting():
        postgres.start()


def freeze_postgres(postgres: Postgres) -> None:
    """Stop every process of the database with SIGSTOP for longer than anybody waits."""
    with freezing(postgres):
        time.sleep(FROZEN_SECONDS)


def stop_postgres(postgres: Postgres) -> None:
    """Stop the database without ceremony, and start it again after a while."""
    postgres.shut("immediate")
    time.sleep(STOPPED_SECONDS)
    postgres.start()


def restart_postgres(postgres: Postgres) -> None:
    """Restart the database in order, which ends all its sessions."""
    postgres.restart("fast")


def kill_mariadb(mariadb: Mariadb) -> None:
    """Kill the database with SIGKILL, and start it again."""
    mariadb.restart(signal.SIGKILL)


def freeze_mariadb(mariadb: Mariadb) -> None:
    """Stop the database with SIGSTOP for longer than anybody waits."""
    os.kill(mariadb.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(mariadb.pid, signal.SIGCONT)


def stop_mariadb(mariadb: Mariadb) -> None:
    """Kill the database, and start it again after a while."""
    mariadb.shut(signal.SIGKILL)
    time.sleep(STOPPED_SECONDS)
    mariadb.start()


def restart_mariadb(mariadb: Mariadb) -> None:
    """Restart the database in order, which ends all its sessions."""
    mariadb.restart(signal.SIGTERM)


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
