"""A MySQL or MariaDB connection as every part of the backend needs it, and what its errors mean.

Several statements go in one exchange, because each costs a round trip: `exchange` sends them and
returns the rows of each. The driver writes values into the statements, bytes as hexadecimal
literals, which no mode or character set of the database can read otherwise.

A session whose peer has frozen or gone is ended by the database in about 5 s (MariaDB's
idle_transaction_timeout, MySQL's wait_timeout), so that it cannot keep
the store's lock.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT, COMMAND, CR, ER

from datastore.backends.lifeline import shut
from datastore.backends.mysql_rows import FastResult
from datastore.mvcc.backend import BackendDown, BackendFailed, BackendFull, Overtaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datastore.backends.mysql_target import Node, Target

Purpose = Literal["read", "write", "work"]
Trouble = pymysql.MySQLError
CONNECT_SECONDS = 5.0
LOCK_SECONDS = 5
IDLE_SECONDS = 5  # in a transaction
MORE_SECONDS = 300  # the same, for one that is about very many rows
READ_SECONDS = 60
READ_BYTES = 256 << 10  # of an answer, at once: each read gives the interpreter's lock away
_CHECKREAD, _NO_SPACE, _TABLE_FULL = 1020, 1021, 1114
_QUERY_INTERRUPTED, _STATEMENT_TIMEOUT, _EXECUTION_TIME = 1317, 1969, 3024
_SHUTDOWN, _KILLED, _INACTIVE = 1053, 1927, 4031
_UNKNOWN_COMMAND = 1047  # what a Galera node says that is cut off from the others
_READ_ONLY = {1290, 1792, 1836}  # to write on a replica
_AGAIN = {
    ER.LOCK_WAIT_TIMEOUT,
    ER.LOCK_DEADLOCK,
    _CHECKREAD,
    _QUERY_INTERRUPTED,
    _STATEMENT_TIMEOUT,
    _EXECUTION_TIME,
}
_GONE = {
    0,  # the driver's own, of a connection that it has closed already
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    CR.CR_CONN_HOST_ERROR,
    CR.CR_CONNECTION_ERROR,
    ER.CON_COUNT_ERROR,
    _SHUTDOWN,
    _KILLED,
    _INACTIVE,
    _UNKNOWN_COMMAND,
    *_READ_ONLY,
}
_NODE = (
    "SELECT @@max_allowed_packet",
    "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'",
    "SHOW GLOBAL STATUS LIKE 'wsrep_ready'",
)
_IN_STEP = (  # a transaction begins when its node has what was committed at others before
    "SET SESSION wsrep_sync_wait = 1, wsrep_dirty_reads = OFF, wsrep_trx_fragment_size = 0",
)
_EVERY = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}, lock_wait_timeout = {LOCK_SECONDS}",
    "SET SESSION time_zone = '+00:00', max_sort_length = 8192, net_read_timeout = 5",
)
_READER = {
    True: f"SET SESSION max_statement_time = {READ_SECONDS}",
    False: f"SET SESSION max_execution_time = {READ_SECONDS * 1000}",
}
_DIALECT = {
    True: "SET SESSION max_recursive_iterations = 100000",
    False: "SET SESSION cte_max_recursion_depth = 100000, information_schema_stats_expiry = 0",
}
_IDLE = {  # MySQL has none for transactions alone, but a writer is never idle for so long
    True: "SET SESSION net_write_timeout = 5, idle_transaction_timeout = {}",
    False: "SET SESSION net_write_timeout = 5, wait_timeout = {}",
}
_SQL_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)")  # MariaDB 10 says 5.5.5 first


class MysqlConnection(Connection):  # type: ignore[misc]  # the driver is not typed
    """A connection that can be cut from another thread; `galera`: to a cluster's node."""

    def __init__(self, target: Target, node: Node, purpose: Purpose = "work") -> None:
        """Connect; the driver's errors are raised as they are.

        A statement that reads for clients is limited in time, and so is the idleness of one who
        writes for them; other work is not.
        """
        self.galera = False  # as far as is known
        super().__init__(
            host=node.host,
            port=node.port,
            unix_socket=target.socket or None,
            user=target.user,
            password=target.password.encode(),
            database=target.database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            sql_mode=_SQL_MODE,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=CONNECT_SECONDS,
            client_flag=CLIENT.MULTI_STATEMENTS,
            program_name="tapir",
            ssl=target.tls if target.tls_needed else None,
            ssl_disabled=target.tls is None,
        )
        self.mariadb = "MariaDB" in self.get_server_info()
        limits = {"read": _READER[self.mariadb], "write": self.patience(IDLE_SECONDS)}
        own = [limits[purpose]] if purpose in limits else []
        self.exchange([*_EVERY, _DIALECT[self.mariadb], *own])
        self._learn()
        self.prepared: dict[str, int] = {}  # the numbers of its prepared statements, by text
        self.patient = False  # a transaction may be idle for longer than usual
        self._rfile = self._sock.makefile("rb", READ_BYTES)
        self._read_timeout = None  # a statement may take its time: whoever cannot wait cuts

    def _learn(self) -> None:
        """Ask what the node is; the driver's error for one that is cut off from its cluster."""
        packet, cluster, ready = self.exchange(_NODE)
        self.longest_packet = int(packet[0][0])
        self.galera = any(value == "ON" for _, value in cluster)
        if not self.galera:
            return
        if any(value != "ON" for _, value in ready):
            self.leave()
            raise pymysql.OperationalError(
                _UNKNOWN_COMMAND, "this node of the cluster is not ready"
            )
        self.exchange(_IN_STEP)

    @property
    def version(self) -> tuple[int, int]:
        """The version of the database, (0, 0) if it does not look like one."""
        found = _VERSION.match(self.get_server_info())
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return bool(self._secure)

    def patience(self, seconds: int) -> str:
        """Return the statement that lets a transaction be idle for so long."""
        return _IDLE[self.mariadb].format(seconds)

    def exchange(self, statements: Sequence[str]) -> list[Sequence[Any]]:
        """Send statements together and return the rows of each; an error ends them.

        `done` counts those that were answered before an error. To a cluster's node each is sent by
        itself: MariaDB forgets, between the statements of a message, that it has ended their
        transaction in favour of another node's, and does the rest outside of any.
        """
        self.done = 0
        if self.galera and len(statements) > 1:
            return self._one_by_one(statements)
        text = ";".join(statements)
        if len(text) > getattr(self, "longest_packet", len(text)):
            raise BackendFailed(
                f"a statement of {len(text)} bytes is longer than the database's "
                f"max_allowed_packet ({self.longest_packet}): raise that"
            )
        self._execute_command(COMMAND.COM_QUERY, text.encode("utf-8", "surrogateescape"))
        found: list[Sequence[Any]] = []
        more = True
        while more:
            self._result = result = FastResult(self)
            result.read()
            found.append(result.rows or ())
            self.done += 1
            more = result.has_next
        return found

    def _one_by_one(self, statements: Sequence[str]) -> list[Sequence[Any]]:
        found: list[Sequence[Any]] = []
        for done, statement in enumerate(statements):
            try:
                found += self.exchange([statement])
            finally:
                self.done += done
        return found

    def cut(self) -> None:
        """From a thread that does not own the connection: whoever waits on it gets an error."""
        with suppress(OSError, AttributeError):  # of one that is closed already
            shut(self._sock.fileno())

    def leave(self) -> None:
        """Close it, in whatever state it is."""
        with suppress(Trouble):
            self.close()


def code_of(error: Exception) -> int:
    """Return the number of an error; 0 for one of the driver itself."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def said(error: Exception) -> str:
    """Return an error in one line, with its number."""
    text = " ".join(str(error.args[-1] if error.args else error).split())
    return f"{text} ({code_of(error)})" if code_of(error) else text or "connection lost"


def lost(connection: MysqlConnection, error: Exception) -> bool:
    """Say whether the connection is gone, or of no use: it may not have noticed."""
    if code_of(error) in _GONE and connection.open:
        connection.leave()
    return not connection.open


def translate(connection: MysqlConnection, error: Exception) -> Exception:
    """Return the error of the backend protocol for one of the driver."""
    if lost(connection, error) or code_of(error) in _AGAIN:
        overtaken = code_of(error) == ER.LOCK_DEADLOCK
        return (Overtaken if overtaken else BackendDown)(said(error))
    full = code_of(error) in (_NO_SPACE, _TABLE_FULL)
    return (BackendFull if full else BackendFailed)(said(error))


@contextmanager
def translated(connection: MysqlConnection) -> Iterator[None]:
    """Turn the driver's errors into those of the backend protocol."""
    try:
        yield
    except Trouble as error:
        raise translate(connection, error) from error
