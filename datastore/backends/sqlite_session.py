"""A connection to a SQLite file: WAL, every commit an fsync of the log."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from datastore.backends import sqlite_upkeep
from datastore.backends.sqlite_transaction import LIST_SIZES, SqliteTransaction
from datastore.mvcc.backend import BackendBroken, BackendFailed, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from datastore.backends.sqlite_disk import Disk
    from datastore.mvcc.model import Row, State

BUSY_SECONDS = 5.0


class SqliteSession:
    """A connection of one thread."""

    def __init__(
        self,
        path: Path,
        member_id: int,
        clock: Callable[[], int],
        noticed: Callable[[int], None],
        disk: Disk,
    ) -> None:
        self._connection = connect(path)
        self._disk = disk
        self._transaction = SqliteTransaction(self._connection, member_id, clock, noticed, disk)
        self._opened = _Opened(self._connection, self._transaction)
        self.times = self._transaction.times

    def snapshot(self) -> _Opened:
        """Open a read-only view: the first read fixes it."""
        self._transaction.run("BEGIN")
        return self._opened

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment."""
        if 0 < len(keys) <= LIST_SIZES[-1]:
            return self._transaction.look(keys)
        with self.snapshot() as tx:
            return tx.state(), tx.live(keys)

    def live_row(self, key: bytes) -> Row | None:
        """Return the live row of a key, as of a moment within the call."""
        return self._transaction.live_row(key)

    def transaction(self) -> _Opened:
        """Open a write transaction."""
        if self._disk.broken:
            raise BackendBroken(self._disk.broken)
        self._disk.finish_copying(self._connection)
        self._disk.make_room(self._connection)
        self._transaction.run("BEGIN IMMEDIATE")
        return self._opened

    def last_batch(self) -> int:
        """Return the number of the last committed batch.

        When even that cannot be read, what is in memory (leases above all) may no longer be what is
        in the file: BackendBroken.
        """
        try:
            with self.transaction() as tx:
                if tx.told_by is not None:
                    batch, revision = tx.told_by
                    return batch if tx.state().revision == revision else 0
                rows = tx.execute(tx.statements.last_batch, id=tx.member_id)
                return int(rows[0][0])
        except BackendFailed as error:
            raise self._disk.distrust(f"it does not say what it has committed: {error}") from error

    def pages(self) -> tuple[int, int]:
        """Return the pages of the file, and those of them that are free."""
        run = self._transaction.run
        return run("PRAGMA page_count")[0][0], run("PRAGMA freelist_count")[0][0]

    def size(self) -> Size:
        """Return the bytes of the file's pages, and of those in use."""
        page = self._transaction.run("PRAGMA page_size")[0][0]
        total, unused = self.pages()
        return Size(page * total, page * (total - unused))

    def say_alive(self) -> None:
        """Nobody is there to be told."""

    def keep_lock(self, milliseconds: int) -> None:
        """Nobody is there to take it."""

    def give_back(self, pages: int) -> None:
        """Give so many free pages back to the file system, or as many as a short step can."""
        with self._disk.judged():
            sqlite_upkeep.give_back(self._connection, pages)

    def shrink(self) -> bool:
        """Give some free pages back: in the log alone, until the last are gone."""
        self._disk.make_room(self._connection)
        with self._disk.judged():
            more = sqlite_upkeep.shrink(self._connection)
        if not more:
            self.checkpoint()
        return more

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new file."""
        sqlite_upkeep.copy_to(self._connection, path)

    def look_at_disk(self) -> None:
        """Give the ballast up, or take it again."""
        self._disk.look(self._connection)

    def copy_log(self) -> None:
        """Copy the log into the file while others read and write."""
        self._disk.copy_log(self._connection)

    def checkpoint(self) -> None:
        """Copy the log into the file, all of it, and make it empty."""
        self._disk.checkpoint(self._connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Opened:
    """A transaction that has begun; one that nobody has committed is rolled back at the end."""

    __slots__ = ("_connection", "_transaction")

    def __init__(self, connection: sqlite3.Connection, transaction: SqliteTransaction) -> None:
        self._connection = connection
        self._transaction = transaction

    def __enter__(self) -> SqliteTransaction:
        return self._transaction

    def __exit__(self, *_: object) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection with the settings that every one needs."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=FAST")  # a page that is free is not written once more
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA cache_size=-16384")
    return connection
