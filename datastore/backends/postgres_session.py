"""A session of PostgreSQL: how a transaction begins and ends there."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from datastore.backends import postgres_upkeep
from datastore.backends.looks import LookStatements
from datastore.backends.postgres_connection import PostgresConnection, connect, said, translated
from datastore.backends.postgres_surplus import PAGES, SAMPLE, Room, moving, percent_of, room_of
from datastore.backends.postgres_transaction import SIZE, PostgresTransaction, named
from datastore.backends.shared_session import SharedSession
from datastore.mvcc.backend import BackendDown, Size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
log = logging.getLogger(__name__)


class PostgresSession(SharedSession[PostgresConnection, PostgresTransaction]):
    """See `SharedSession`."""

    _looks = LookStatements(PostgresTransaction.statements)

    def __init__(
        self,
        database: Database,
        lifeline: Lifeline,
        standing: Standing,
        *,
        writer: bool = False,
    ) -> None:
        super().__init__(lifeline, standing, named, database.pulse)
        self._database = database
        self._writer = writer
        self._prologue = database.prologue(writer=writer) if database.pooled else ""

    def size(self) -> Size:
        """Return the size of the tables, their indexes and their large values."""
        if self._alone:
            rows = self._timed("size", SIZE)
        else:
            with self.snapshot() as tx:
                rows = tx.run(SIZE)
        size = int(rows[0][0])
        return Size(size, size)

    def shrink(self) -> bool:
        """Write every table anew without its free space; who needs a table waits meanwhile."""
        connection = self._connect()
        with translated(connection):
            postgres_upkeep.shrink(connection, self._database)
        return False

    def sweep(self, deleted: int) -> bool:
        """Make the room of deleted rows usable again, if they are many; say whether it was done."""
        connection = self._connect()
        with translated(connection):
            return postgres_upkeep.sweep(connection, self._database, deleted)

    def room(self) -> Room:
        """Return how much room there is in the file of history."""
        with self.snapshot() as tx:
            pages = int(tx.run(PAGES)[0][0])
            percent = percent_of(pages)
            rows, size = tx.run(SAMPLE, (percent,))[0]
        return room_of(pages, rows, size, percent)

    def move(self, first: int, end: int) -> None:
        """Write the rows of some pages of history anew, elsewhere."""
        with self.transaction() as tx:
            tx.begin()
            tx.queue(moving(first, end))
            tx.commit_plain()

    def vacuum_history(self) -> None:
        """Make room of what is deleted, and cut off the end of the file if it is free."""
        connection = self._connect()
        with translated(connection):
            postgres_upkeep.vacuum(connection, self._database, ("history",))

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new SQLite file."""
        with self.snapshot() as tx:
            postgres_upkeep.copy_to(tx, path)

    @property
    def _alone(self) -> bool:
        """Behind a pooler each transaction begins with the session's settings."""
        return not self._prologue

    def _asked(self, sql: str, params: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = self._connect()
        try:
            with translated(connection):
                cursor = connection.cursor(binary=True).execute(sql, params or None)
                return cursor.fetchall() if cursor.description else ()
        finally:
            self._clean(connection)

    @contextmanager
    def _begin(self, *, writes: bool) -> Iterator[PostgresTransaction]:
        connection = super()._connect()
        tx: PostgresTransaction | None = None
        try:
            with translated(connection), connection.pipelined(stay=self._writer) as pipeline:
                tx = PostgresTransaction(
                    connection, pipeline, self._standing, self.times, writes=writes
                )
                tx.queue(WRITE if writes else READ)
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

    def _connect(self) -> PostgresConnection:
        """Return the connection, for what is no transaction: some of that cannot be pipelined."""
        connection = super()._connect()
        connection.leave_pipeline()
        return connection

    def _connected(self) -> PostgresConnection:
        try:
            return connect(self._database, writer=self._writer)
        except psycopg.Error as error:
            raise BackendDown(said(error)) from error

    def _clean(self, connection: psycopg.Connection) -> None:
        """End a transaction that an error left open; give up a connection that is broken."""
        if connection.closed:
            self.close()
        elif connection.info.transaction_status != TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                self.close()
