"""The stores that the end-to-end tests run a cluster on, one row each in STORES.

A `Store` knows the flags of `tapir up` that choose it, how to make it stop answering for a while,
and how to list the keys in it with the store's own tools.
"""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.cluster import BIN, Cluster
from tests.support.etcd import Etcd
from tests.support.postgres import Postgres

KEYS_IN_SQL = "select resource, namespace, name from objects"
Row = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Store:
    """One store under a cluster.

    `interrupt` makes it stop answering and `resume` undoes that; `objects` lists (resource,
    namespace, name) of what it holds, read with the store's own client. `embedded` is
    true where `tapir up` runs the datastore itself.
    """

    flags: list[str]
    interrupt: Callable[[Cluster], None]
    resume: Callable[[Cluster], None]
    objects: Callable[[], list[Row]]
    embedded: bool = True


@contextmanager
def sqlite_store(directory: Path) -> Iterator[Store]:
    """The embedded datastore on its file; its process is what can stop answering."""

    def objects() -> list[Row]:
        with sqlite3.connect(directory / "data" / "cluster.db") as database:
            return list(database.execute(KEYS_IN_SQL))

    yield Store(
        flags=[],
        interrupt=lambda cluster: os.kill(datastore_pid(cluster), signal.SIGSTOP),
        resume=lambda cluster: os.kill(datastore_pid(cluster), signal.SIGCONT),
        objects=objects,
    )


@contextmanager
def postgres_store(directory: Path) -> Iterator[Store]:
    """The embedded datastore on a PostgreSQL of the test's own."""
    del directory
    with Postgres() as server:
        url = server.url("cluster")

        def objects() -> list[Row]:
            with psycopg.connect(url) as connection:
                return list(connection.execute(KEYS_IN_SQL))

        yield Store(
            flags=[f"--datastore={url}"],
            interrupt=lambda _: server.shut(),
            resume=lambda _: server.start(),
            objects=objects,
        )


@contextmanager
def etcd_store(directory: Path) -> Iterator[Store]:
    """A real etcd."""
    del directory
    with Etcd() as server:
        yield Store(
            flags=[f"--etcd-servers={server.endpoint}"],
            interrupt=lambda _: os.kill(server.pid, signal.SIGSTOP),
            resume=lambda _: os.kill(server.pid, signal.SIGCONT),
            objects=lambda: keys_by_etcdctl(server.endpoint),
            embedded=False,
        )


STORES: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    "sqlite": sqlite_store,
    "postgres": postgres_store,
    "etcd": etcd_store,
}


def keys_by_etcdctl(endpoint: str) -> list[Row]:
    """List a store's objects with etcdctl, as (resource, namespace, name); core resources only."""
    listed = subprocess.run(
        [BIN / "etcdctl", "--endpoints", endpoint, "get", "/registry", "--prefix", "--keys-only"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    parts = [key.split("/")[2:] for key in listed]
    rows: list[Row] = [(part[0], part[1], part[2]) for part in parts if len(part) == 3]
    return rows + [(part[0], None, part[1]) for part in parts if len(part) == 2]


def datastore_pid(cluster: Cluster) -> int:
    """The pid of the datastore that `cluster` runs as its child."""
    children = subprocess.run(
        ["ps", "--ppid", str(cluster.pid), "-o", "pid=,args="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    (line,) = [line for line in children if " datastore " in line]
    return int(line.split()[0])
