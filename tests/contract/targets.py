"""What the contract suite runs against: every backend and front of ours, and a real etcd."""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.mariadb import Mariadb
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres

REAL_ETCD = "real-etcd"
OTHER_FRONT = "sqlite-grpcio"
OTHER_BACKEND = "postgresql-native"
THIRD_BACKEND = "mysql-native"


class Server(Protocol):
    """A running server of either kind."""

    @property
    def address(self) -> str:
        """host:port."""

    @property
    def endpoint(self) -> str:
        """The client URL."""

    def restart(self, kill: bool = False) -> None:
        """End it, by SIGKILL or politely, and serve the same data on the same port."""

    def stop(self) -> None:
        """End it and remove its data."""


Launch = Callable[[Sequence[str]], Server]


class Launcher:
    """Starts servers of one target, each on an empty store.

    A PostgreSQL cluster and a MariaDB server are started once, when first needed. `pooled`: servers
    reach PostgreSQL through PgBouncer in transaction mode.
    """

    def __init__(self, *, pooled: bool = False) -> None:
        self._pooled = pooled
        self._pooler: PgBouncer | None = None
        self._databases = itertools.count(1)
        self._postgres: Postgres | None = None
        self._mariadb: Mariadb | None = None
        self._starters: dict[str, Launch] = {
            OTHER_FRONT: partial(self._start_sqlite, "grpcio"),
            "sqlite-native": partial(self._start_sqlite, "native"),
            OTHER_BACKEND: partial(self._start_postgresql, "native"),
            THIRD_BACKEND: partial(self._start_mysql, "native"),
            REAL_ETCD: Etcd,
        }

    def start(self, target: str, flags: Sequence[str] = ()) -> Server:
        """Start a server of the named target with `flags` appended to its command line."""
        return self._starters[target](flags)

    def stop(self) -> None:
        """End the databases that were started."""
        for database in (self._pooler, self._postgres, self._mariadb):
            if database is not None:
                database.stop()

    @staticmethod
    def _start_sqlite(front: str, flags: Sequence[str]) -> Server:
        return Datastore(flags=[*_front(front), *flags])

    def _start_postgresql(self, front: str, flags: Sequence[str]) -> Server:
        self._postgres = self._postgres or Postgres()
        url = self._postgres.url(f"contract{next(self._databases)}")
        if self._pooled:
            self._pooler = self._pooler or PgBouncer(self._postgres.port)
            url = self._pooler.url(url)
        return Datastore(url, [*_front(front), *flags])

    def _start_mysql(self, front: str, flags: Sequence[str]) -> Server:
        self._mariadb = self._mariadb or Mariadb()
        url = self._mariadb.url(f"contract{next(self._databases)}")
        return Datastore(url, [*_front(front), *flags])


def _front(name: str) -> tuple[str, str]:
    return ("--grpc-front", name)


TARGETS = [OTHER_FRONT, "sqlite-native", OTHER_BACKEND, THIRD_BACKEND, REAL_ETCD]
