"""A session of MySQL: how a transaction begins and ends there.

Snapshots are REPEATABLE READ and fixed as they begin. Write transactions are READ COMMITTED: what
they read after they have the store's lock is all that came before.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from datastore.backends import mysql_upkeep
from datastore.backends.looks import LookStatements
from datastore.backends.mysql_connection import (
    IDLE_SECONDS,
    MysqlConnection,
    Purpose,
    Trouble,
    said,
    translated,
)
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_transaction import SIZE, MysqlTransaction, named
from datastore.backends.shared_session import SharedSession
from datastore.mvcc.backend import BackendDown, BackendFailed, Size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.mysql_target import Target
    from datastore.backends.standing import Standing

READ = ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",)
WRITE = ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION")


class MysqlSession(SharedSession[MysqlConnection, MysqlTransaction]):
    """See `SharedSession`."""

    _looks = LookStatements(MysqlTransaction.statements)

    def __init__(
        self,
        target: Target,
        lifeline: Lifeline,
        standing: Standing,
        *,
        writer: bool = False,
    ) -> None:
        super().__init__(lifeline, standing, named, target.pulse)
        self._target = target
        self._purpose: Purpose = "write" if writer else "read"

    def size(self) -> Size:
        """Return the size of the tables and indexes, as far as InnoDB has counted them."""
        allocated, unused = self._timed("size", SIZE)[0]
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

    def _asked(self, sql: str, params: Sequence[Any]) -> Sequence[Sequence[Any]]:
        connection = self._connect()
        try:
            with translated(connection):
                written = sql % tuple(map(connection.escape, params))
                return connection.exchange([written])[0]
        finally:
            self._clean(connection)

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

    def _connected(self) -> MysqlConnection:
        try:
            return connect(self._target, self._purpose)
        except Trouble as error:
            raise BackendDown(said(error)) from error

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
