"""A PostgreSQL connection of one thread, and the transactions on it."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import TransactionStatus

from datastore.backends import postgres_upkeep
from datastore.backends.lifeline import Lifeline, cut
from datastore.backends.postgres_connection import connect, translated
from datastore.backends.postgres_transaction import SIZE, PostgresTransaction, named
from datastore.mvcc.backend import BackendDown, Size
from datastore.mvcc.statement_times import StatementTimes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing
    from datastore.mvcc.model import Row, State

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
log = logging.getLogger(__name__)


class PostgresSession:
    """A connection that is made when it is needed, and again when it was lost."""

    def __init__(
        self,
        database: Database,
        lifeline: Lifeline,
        standing: Standing,
        *,
        writer: bool = False,
    ) -> None:
        self._lifeline = lifeline
        lifeline.join(self)
        self._database = database
        self._writer = writer
        self._prologue = database.prologue(writer=writer) if database.pooled else ""
        self._standing = standing
        self._connection: psycopg.Connection | None = None
        self.times = StatementTimes(named)

    @property
    def pid(self) -> int:
        """The number of the database's process for the connection; 0 without one."""
        connection = self._connection
        return 0 if connection is None or connection.closed else connection.info.backend_pid

    @contextmanager
    def snapshot(self) -> Iterator[PostgresTransaction]:
        """Open a read-only view of one state."""
        with self._begin(READ) as tx:
            yield tx

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment."""
        with self.snapshot() as tx:
            return tx.state(), tx.live(keys)

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Open a write transaction."""
        with self._begin(WRITE) as tx:
            yield tx

    def last_batch(self) -> int:
        """Return, under the lock, the number of this server's last committed batch.

        CommitUnknown when another server has this one's row, and has overwritten it.
        """
        with self.transaction() as tx:
            tx.begin()
            rows = tx.execute(tx.statements.last_batch, id=self._standing.member_id)
            return self._standing.batch_of(rows[0][0] if rows else None)

    def size(self) -> Size:
        """Return the size of the tables, their indexes and their large values."""
        with self.snapshot() as tx:
            size = int(tx.run(SIZE)[0][0])
        return Size(size, size)

    def shrink(self) -> bool:
        """Write every table anew without its free space; who needs a table waits meanwhile."""
        connection = self._connect()
        with translated(connection):
            postgres_upkeep.shrink(connection, self._database)
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
                writes = statement is WRITE
                tx = PostgresTransaction(
                    connection, pipeline, self._standing, self.times, writes=writes
                )
                tx.queue(statement)
                if self._prologue:
                    tx.queue(self._prologue)
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
            self._connection = self._lifeline.connect(
                lambda: connect(self._database, writer=self._writer)
            )
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
