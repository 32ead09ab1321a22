"""What is between our server and PostgreSQL (a network that is cut, reset or slow, or PgBouncer),
and which of several PostgreSQLs it is.
"""

import time
from collections.abc import Callable

from tests.support.datastore import Datastore
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import Postgres
from tests.support.replicated import Replicated
from tests.support.tcp_proxy import TcpProxy

CUT_SECONDS = 7.0  # the database ends a transaction that nobody goes on with after 5
RESET_SECONDS = 1.0
SLOW_SECONDS = 3.0
DELAY_SECONDS = 0.05


class BadNetwork:
    """The network between server and database has a fault, and is mended."""

    def __init__(self, fault: Callable[[TcpProxy], None]) -> None:
        self._fault = fault
        self._postgres = Postgres()
        self._proxy = TcpProxy(self._postgres.port)
        url = self._postgres.url("victim")
        self.server = Datastore(url.replace(f":{self._postgres.port}/", f":{self._proxy.port}/"))

    def murder(self) -> None:
        """Cut, wait, mend."""
        self._fault(self._proxy)
        self._proxy.mend()

    def stop(self) -> None:
        """End all of it."""
        self.server.stop()
        self._proxy.stop()
        self._postgres.stop()


class Pooled:
    """Our server behind PgBouncer: it is killed, or PgBouncer is restarted under it."""

    def __init__(self, *, pooler: bool) -> None:
        self._kills_pooler = pooler
        self._postgres = Postgres()
        self._pooler = PgBouncer(self._postgres.port)
        self.server = Datastore(self._pooler.url(self._postgres.url("victim")))

    def murder(self) -> None:
        """Kill, and start again."""
        if self._kills_pooler:
            self._pooler.restart()
        else:
            self.server.restart(kill=True)

    def stop(self) -> None:
        """End all of it."""
        self.server.stop()
        self._pooler.stop()
        self._postgres.stop()


class LostPrimary:
    """The primary is lost with all its sessions, and its synchronous standby promoted."""

    def __init__(self) -> None:
        self._cluster = Replicated()
        self.server = Datastore(self._cluster.url)

    def murder(self) -> None:
        """Fail over, and set up a new standby."""
        self._cluster.fail_over()

    def stop(self) -> None:
        """End all of it."""
        self.server.stop()
        self._cluster.stop()


def cut(proxy: TcpProxy) -> None:
    """Let nothing through, and close nothing."""
    proxy.hold()
    time.sleep(CUT_SECONDS)


def reset(proxy: TcpProxy) -> None:
    """Close every connection, and take none for a while."""
    proxy.reset()
    time.sleep(RESET_SECONDS)


def slowed(proxy: TcpProxy) -> None:
    """Delay everything."""
    proxy.slow(DELAY_SECONDS)
    time.sleep(SLOW_SECONDS)
