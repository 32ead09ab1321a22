"""Who suffers what: one table of our servers, on some database, and of a fault.

A new database is a class with `url(name)`, `port` and `stop()`, and a row or some here.
"""

import asyncio
import random
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from tests.robustness import databases, galera, network
from tests.robustness.network import NetworkFault
from tests.robustness.servers import freeze_one, kill_one
from tests.support.datastore import Datastore
from tests.support.galera import Galera
from tests.support.mariadb import Mariadb
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.replicated import Replicated
from tests.support.tcp_proxy import TcpProxy

STORE = "victim"

D = TypeVar("D", bound="Database")
ServerFault = Callable[[random.Random, Sequence[Datastore]], None]


class Stoppable(Protocol):
    """What is below the servers."""

    def stop(self) -> None:
        """End it, and remove its data."""


class Database(Stoppable, Protocol):
    """A database server of one's own."""

    port: int

    def url(self, database: str) -> str:
        """Return the URL of a database, which is created if need be."""


class Victim:
    """Servers on one database, each on the same address all the time, and what befalls them.

    The fault returns when everything is mended, but may leave servers dead until the next time.
    """

    def __init__(
        self, urls: Sequence[str | None], fault: ServerFault, below: Sequence[Stoppable] = ()
    ) -> None:
        """Start a server at each URL (None: a SQLite file); `below` ends after them, in order."""
        self._fault = fault
        self._below = below
        self.servers: list[Datastore] = []
        try:
            for number, url in enumerate(urls):
                self.servers.append(Datastore(url, ["--name", f"s{number}"]))
        except BaseException:
            self.stop()
            raise

    def suffer(self, chance: random.Random) -> None:
        """Do it."""
        self._fault(chance, self.servers)

    def ended(self) -> list[str]:
        """Say which servers ended by themselves: a fault kills them at most."""
        dead = [server for server in self.servers if not server.running]
        return [
            f"{server.address} ended with {server.end()}: {_last_line(server)}"
            for server in dead
            if server.end() != -signal.SIGKILL
        ]

    def stop(self) -> None:
        """End everything, and remove its data."""
        for each in (*self.servers, *self._below):
            each.stop()


def _last_line(server: Datastore) -> str:
    return (server.log.read_text(errors="replace").splitlines() or [""])[-1]


def on_sqlite() -> Victim:
    """Return one server with a file."""
    return Victim([None], kill_one)


def several(start: Callable[[], Database], count: int, fault: ServerFault) -> Victim:
    """Return servers that share a database, to one of which something happens."""
    database = start()
    return Victim([database.url(STORE)] * count, fault, [database])


def under(start: Callable[[], D], fault: Callable[[D], None], count: int = 2) -> Victim:
    """Return servers whose database something happens to."""
    database = start()
    return Victim([database.url(STORE)] * count, lambda *_: fault(database), [database])


def apart(start: Callable[[], Database], fault: NetworkFault, count: int = 2) -> Victim:
    """Return servers whose network to the database has a fault: that of one, or all."""
    database = start()
    url = database.url(STORE)
    proxies = [TcpProxy(database.port) for _ in range(count)]
    urls = [url.replace(f":{database.port}/", f":{proxy.port}/") for proxy in proxies]
    return Victim(
        urls, lambda chance, _: network.trouble(chance, proxies, fault), [*proxies, database]
    )


def pooled(*, pooler_dies: bool) -> Victim:
    """Return servers behind PgBouncer: one is killed, or PgBouncer is."""
    postgres = Postgres()
    pooler = PgBouncer(postgres.port)
    url = pooler.url(postgres.url(STORE))
    fault: ServerFault = (lambda *_: pooler.restart()) if pooler_dies else kill_one
    return Victim([url, url], fault, [pooler, postgres])


def failing_over() -> Victim:
    """Return servers whose primary is lost with all its sessions, and the standby promoted."""
    cluster = Replicated()
    return Victim([cluster.url] * 2, lambda *_: cluster.fail_over(), [cluster])


def on_galera(
    count: int, fault: Callable[[random.Random, Galera], None], *, apart: bool = True
) -> Victim:
    """Return servers each of which goes to a node of its own first, or all to one, and a fault."""
    cluster = Galera()
    urls = [cluster.url(STORE, first=number if apart else 0) for number in range(count)]
    return Victim(urls, lambda chance, _: fault(chance, cluster), [cluster])


VICTIMS: dict[str, Callable[[], Victim]] = {
    "server on sqlite": on_sqlite,
    "server on postgresql": partial(several, Postgres, 1, kill_one),
    "one of two on postgresql": partial(several, Postgres, 2, kill_one),
    "one of three on postgresql": partial(several, Postgres, 3, kill_one),
    "one of two on postgresql frozen": partial(several, Postgres, 2, freeze_one),
    "postgresql killed": partial(under, databases.adopted_postgres, databases.kill_postgres),
    "postgresql frozen": partial(under, databases.adopted_postgres, databases.freeze_postgres),
    "postgresql stopped": partial(under, Postgres, databases.stop_postgres),
    "postgresql restarted": partial(under, Postgres, databases.restart_postgres),
    "network to postgresql cut": partial(apart, Postgres, network.cut),
    "network to postgresql reset": partial(apart, Postgres, network.reset),
    "network to postgresql slowed": partial(apart, Postgres, network.slow),
    "one of two behind pgbouncer": partial(pooled, pooler_dies=False),
    "pgbouncer killed": partial(pooled, pooler_dies=True),
    "primary lost, standby promoted": failing_over,
    "server on mariadb": partial(several, Mariadb, 1, kill_one),
    "one of two on mariadb": partial(several, Mariadb, 2, kill_one),
    "one of three on mariadb": partial(several, Mariadb, 3, kill_one),
    "one of two on mariadb frozen": partial(several, Mariadb, 2, freeze_one),
    "mariadb killed": partial(under, Mariadb, databases.kill_mariadb),
    "mariadb frozen": partial(under, Mariadb, databases.freeze_mariadb),
    "mariadb stopped": partial(under, Mariadb, databases.stop_mariadb),
    "mariadb restarted": partial(under, Mariadb, databases.restart_mariadb),
    "network to mariadb cut": partial(apart, Mariadb, network.cut),
    "network to mariadb reset": partial(apart, Mariadb, network.reset),
    "network to mariadb slowed": partial(apart, Mariadb, network.slow),
    "galera node lost": partial(on_galera, 3, galera.lose_node),
    "galera node lost, servers on one": partial(on_galera, 2, galera.lose_node, apart=False),
    "galera node frozen": partial(on_galera, 3, galera.freeze_node),
}


async def murder(victim: Victim, chance: random.Random) -> None:
    """Let it happen, off the loop."""
    await asyncio.to_thread(victim.suffer, chance)
