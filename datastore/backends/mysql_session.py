"""A MySQL connection of one thread, and the transactions on it.

Snapshots are REPEATABLE READ and fixed as they begin. Write transactions are READ COMMITTED: what
they read after they have the store's lock is all that came before.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from datastore.backends import mysql_upkeep
from datastore.backends.mysql_connection import (
    IDLE_SECONDS,
    MysqlConnection,
    Purpose,
    Trouble,
    said,
    translated,
)
from datastore.backends.mysql_transaction import SIZE, MysqlTransaction, named
from datastore.mvcc.backend import BackendDown, BackendFailed, Size
from datastore.mvcc.statement_times import StatementTimes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.mysql_polling import PolledStanding
    from datastore.backends.mysql_target import Target
    from datastore.mvcc.model import Row, State

READ = ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",)
WRITE = ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION")


class MysqlSession:
    """A connection that is made when it is needed, and again when it was lost."""

    def __init__(
        self,
        target: Target,
        lifeline: Lifeline,
        standing: PolledStanding,
        *,
        writer: bool = False,
    ) -> None:
        self._lifeline = lifeline
        lifeline.join(self)
        self._target = target
        self._standing = standing
        self._purpose: Purpose = "write" if writer else "read"
        self._connection: MysqlConnection | None = None
        self.times = StatementTimes(named)

    @contextmanager
    def snapshot(self) -> Iterator[MysqlTransaction]:
        """Open a read-only view of one state."""
        with self._begin(writes=False) as tx:
            yield tx

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment."""
        with self.snapshot() as tx:
            return tx.look(keys)

    @contextmanager
    def transaction(self) -> Iterator[MysqlTransaction]:
        """Open a write transaction."""
        with self._begin(writes=True) as tx:
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
        """Return the size of the tables and indexes, as far as InnoDB has counted them."""
        connection = self._connect()
        try:
            with translated(connection):
                allocated, unused = connection.exchange([SIZE])[0][0]
        finally:
            self._clean(connection)
        return Size(allocated, allocated - unused)

    def shrink(self) -> bool:
        """Write every table anew without its free space."""
        connection = self._connect()
        try:
            with translated(connection):
                mysql_upkeep.shrink(connection)
        finally:
            self.close()
        return False

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new SQLite file."""
        with self.snapshot() as tx:
            mysql_upkeep.copy_to(tx, path)

    def cut(self) -> None:
        """From another thread: end the wait for an answer that does not come."""
        connection = self._connection
        if connection is not None:
            connection.cut()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    @contextmanager
    def _begin(self, *, writes: bool) -> Iterator[MysqlTransaction]:
        connection = self._connect()
        begin = list(WRITE if writes else READ)
        if connection.patient:
            begin.insert(0, connection.patience(IDLE_SECONDS))
            connection.patient = False
        tx = MysqlTransaction(connection, self._standing, begin, self.times, writes=writes)
        try:
            yield tx
        except BaseException:
            self._abandon(tx, connection)
            raise
        if not tx.ended:
            self._abandon(tx, connection)

    def _connect(self) -> MysqlConnection:
        if self._lifeline.away:
            raise BackendDown("the database does not answer")
        if self._connection is None:
            try:
                self._connection = MysqlConnection(self._target, self._purpose)
            except Trouble as error:
                raise BackendDown(said(error)) from error
        return self._connection

    def _abandon(self, tx: MysqlTransaction, connection: MysqlConnection) -> None:
        """End a transaction without a commit; give up a connection that is broken."""
        if connection.open and not tx.ended:
            try:
                tx.roll_back()
            except (BackendDown, BackendFailed):
                connection.leave()
        self._clean(connection)

    def _clean(self, connection: MysqlConnection) -> None:
        if not connection.open:
            self.close()
