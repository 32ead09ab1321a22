"""A PostgreSQL connection of one thread, and transactions in pipeline mode on it.

Statements of a transaction are pipelined: one exchange to begin, lock and prefetch, one to write
and commit. A session whose peer has frozen or gone is ended by the server in about 5 s
(`_SESSION`), so that it cannot keep the lock; only COMMIT may take as long as it takes. Plans are
kept to index walks in key order: a generic plan that sorts or hashes a whole table for the sake of
one page would be a cliff.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus

from datastore.backends import postgres_upkeep
from datastore.backends.postgres_lifeline import Lifeline, cut
from datastore.backends.postgres_statements import PostgresStatements
from datastore.backends.transaction import SqlTransaction
from datastore.mvcc.backend import BackendDown, BackendFailed, CommitUnknown, Prefetch, Size, Wanted
from datastore.mvcc.model import Head, Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Table

    from datastore.backends.statements import Prepared

CHANNEL = "tapir"
CONNECT_SECONDS = 5
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
)
_AGAIN = (
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.SerializationFailure,
    pg.DeadlockDetected,
    pg.ReadOnlySqlTransaction,
)
_SESSION = """
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '5s';
SET tcp_keepalives_idle = 2;
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 5000;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
"""
_statements = PostgresStatements()
log = logging.getLogger(__name__)
logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of errors that we raise anyway


def connect(conninfo: str) -> psycopg.Connection:
    """Open a connection with the settings that every one needs."""
    connection = psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=5_000,
        application_name="tapir",
    )
    connection.execute(_SESSION)
    return connection


def lost(connection: psycopg.Connection, error: psycopg.Error) -> bool:
    """Say whether the connection is gone; it may not have noticed what the error tells it."""
    fatal = error.diag.severity_nonlocalized in ("FATAL", "PANIC")
    if fatal:
        connection.close()
    return fatal or connection.closed


@contextmanager
def translated(connection: psycopg.Connection) -> Iterator[None]:
    """Turn the driver's errors into those of the backend protocol."""
    try:
        yield
    except psycopg.Error as error:
        gone = lost(connection, error) or isinstance(error, _AGAIN)
        raise (BackendDown if gone else BackendFailed)(" ".join(str(error).split())) from error


class PostgresTransaction(SqlTransaction):
    """A transaction in pipeline mode: `send` only queues, `run` waits for its rows."""

    def __init__(
        self, connection: psycopg.Connection, pipeline: psycopg.Pipeline, member_id: int
    ) -> None:
        self.statements = _statements
        self.member_id = member_id
        self.ended = False
        self._connection = connection
        self._pipeline = pipeline
        self._events = False

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        with translated(self._connection):
            return self.queue(sql, params).fetchall()

    def send(self, prepared: Prepared, **values: Any) -> None:
        """Queue a statement."""
        with translated(self._connection):
            self.queue(prepared.sql, prepared.bind(values))

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows from one array a column."""
        self._events = self._events or table.name == "history"
        columns = [list(column) for column in zip(*rows, strict=True)]
        with translated(self._connection):
            self.queue(_statements.inserts[table.name, replace], columns)

    def allocated(self) -> int:
        """Return the bytes of the tables, their indexes and their large values: asked for."""
        return int(self.run(SIZE)[0][0])

    def begin(self) -> None:
        """Take the store's lock."""
        self.send(_statements.lock_meta)

    def prefetch(self, wanted: Wanted) -> Prefetch:
        """Take the lock and read what the batch names, in one exchange."""
        self.begin()
        with translated(self._connection):
            heads = self._queue_among("heads", wanted.keys)
            values = self._queue_among("key_values", wanted.value_keys)
            leases = self._queue_among("leases", wanted.leases)
        state = self.state()
        with translated(self._connection):
            return Prefetch(
                state,
                {row[1]: Head._make(row) for row in heads.fetchall()} if heads else {},
                dict(values.fetchall()) if values else {},
                {row[0]: Lease._make(row) for row in leases.fetchall()} if leases else {},
            )

    def commit(self, batch: int, revision: int) -> None:
        """Make it durable; other servers hear of it if there is an event for their watchers."""
        self.send(_statements.set_batch, member=self.member_id, number=batch)
        if self._events:
            with translated(self._connection):
                self.queue("SELECT pg_notify(%b, %b)", (CHANNEL, str(revision)))
        self.commit_plain()

    def commit_plain(self) -> None:
        """Commit; CommitUnknown when the connection broke before the answer."""
        try:
            self.queue("COMMIT")
            self._pipeline.sync()
            self.ended = True
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            raise (CommitUnknown if lost(self._connection, error) else BackendFailed)(
                said
            ) from error

    def queue(self, sql: str, params: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Send a statement without waiting for it."""
        return self._connection.cursor(binary=True).execute(sql, params or None)

    def _queue_among(self, kind: str, wanted: Collection[Any]) -> psycopg.Cursor[Any] | None:
        if not wanted:
            return None
        prepared = _statements.among(kind, 0)
        return self.queue(prepared.sql, prepared.bind({"values": list(wanted)}))


class PostgresSession:
    """A connection that is made when it is needed, and again when it was lost."""

    def __init__(
        self,
        conninfo: str,
        member_id: int,
        lifeline: Lifeline,
        connected: Callable[[int], None] | None = None,
    ) -> None:
        self._lifeline = lifeline
        lifeline.join(self)
        self._conninfo = conninfo
        self._member_id = member_id
        self._connected = connected
        self._connection: psycopg.Connection | None = None

    @contextmanager
    def snapshot(self) -> Iterator[PostgresTransaction]:
        """Open a read-only view of one state."""
        with self._begin(READ) as tx:
            yield tx

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Open a write transaction."""
        with self._begin(WRITE) as tx:
            yield tx

    def last_batch(self) -> int:
        """Return, under the lock, the number of this server's last committed batch."""
        with self.transaction() as tx:
            tx.begin()
            rows = tx.execute(tx.statements.last_batch, id=self._member_id)
            return int(rows[0][0]) if rows else -1

    def size(self) -> Size:
        """Return the size of the tables, their indexes and their large values."""
        with self.snapshot() as tx:
            size = int(tx.run(SIZE)[0][0])
        return Size(size, size)

    def shrink(self) -> bool:
        """Write every table anew without its free space; who needs a table waits meanwhile."""
        connection = self._connect()
        with translated(connection):
            postgres_upkeep.shrink(connection)
        return False

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new SQLite file."""
        with self.snapshot() as tx:
            postgres_upkeep.copy_to(tx, path)

    def cut(self) -> None:
        """From another thread: end the wait for an answer that does not come."""
        connection = self._connection
        if connection is not None:
            cut(connection)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _begin(self, statement: str) -> Iterator[PostgresTransaction]:
        connection = self._connect()
        tx: PostgresTransaction | None = None
        try:
            with translated(connection), connection.pipeline() as pipeline:
                tx = PostgresTransaction(connection, pipeline, self._member_id)
                tx.queue(statement)
                yield tx
                if not tx.ended:
                    tx.queue("ROLLBACK")
        except BackendDown as error:
            if tx is None or not tx.ended:
                raise
            # Leaving the pipeline asks the database once more: what is committed stays so.
            log.info("connection lost after the end of a transaction error=%s", error)
        finally:
            self._clean(connection)

    def _connect(self) -> psycopg.Connection:
        if self._lifeline.away:
            raise BackendDown("the database does not answer")
        if self._connection is None:
            try:
                self._connection = connect(self._conninfo)
            except psycopg.Error as error:
                raise BackendDown(" ".join(str(error).split())) from error
            if self._connected:
                self._connected(self._connection.info.backend_pid)
        return self._connection

    def _clean(self, connection: psycopg.Connection) -> None:
        """End a transaction that an error left open; give up a connection that is broken."""
        if connection.closed:
            self.close()
        elif connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                self.close()
