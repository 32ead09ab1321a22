"""The disk under a SQLite file: what an error of it means, its ballast, and when it is broken.

* A full disk fails a statement or a COMMIT; SQLite has rolled back then, and nothing was written.
* An fsync that failed is another matter: the system may have dropped what it could not write and
  say nothing the next time, so what was committed before is in doubt too. Nothing is written after
  that: the server ends, and the next start finds in the log what really is on the disk.
* Any other error of input or output fails its transaction alone.

One `Disk` is shared by all sessions of a file.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from datastore.backends.ballast import Ballast
from datastore.mvcc.backend import BackendBroken, BackendFailed, BackendFull

if TYPE_CHECKING:
    from pathlib import Path

WORTH_EMPTYING = 1 << 20  # bytes of the log
READERS_MS = 200  # that readers of the log are waited for
_SYNC_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


class Disk:
    """The disk under one file; `broken` says why it cannot be trusted any more, "" while it can."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self._path = path
        self._ballast = Ballast(path)
        self._page_size = 0
        self.broken = ""
        self.short = False  # whether the transaction that begins should add nothing

    @property
    def turns(self) -> int:
        """How often the disk has become full and has had space again: odd while it is full."""
        return self._ballast.turns

    @property
    def full(self) -> bool:
        """Whether the disk is full, or was when it was last looked at."""
        return self._ballast.turns % 2 == 1

    def take_ballast(self) -> None:
        """Take the ballast, at the start."""
        self._ballast.take()

    def judge(self, error: sqlite3.Error) -> BackendFailed | BackendBroken:
        """Return an error as the backend protocol has it, and note what it says of the disk."""
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _SYNC_FAILED:
            self.broken = f"{self._path}: the disk did not write what it was given: {error}"
            return BackendBroken(self.broken)
        if code & 0xFF == sqlite3.SQLITE_FULL:
            self._ballast.give_up()
            return BackendFull(str(error))
        return BackendFailed(str(error))

    def make_room(self, connection: sqlite3.Connection) -> None:
        """Before a transaction: empty the log if the disk is nearly full, and see if that helps.

        A reader that holds the log is waited for, but not for long.
        """
        owed = self._owed(connection)
        if self._ballast.has_room(owed):
            self.short = self.full
            return
        if self._log_size() > WORTH_EMPTYING:
            waits = connection.execute("PRAGMA busy_timeout").fetchone()[0]
            connection.execute(f"PRAGMA busy_timeout={READERS_MS}")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute(f"PRAGMA busy_timeout={waits}")
            owed = self._owed(connection)
        self.short = self._ballast.short(owed)

    def look(self, connection: sqlite3.Connection) -> None:
        """Give the ballast up or take it again, as the disk is now."""
        owed = self._owed(connection)
        self._ballast.take_again(owed)
        self._ballast.short(owed)

    def allocated(self, connection: sqlite3.Connection) -> int:
        """Return the bytes of the database's pages, those in the log included."""
        if not self._page_size:
            self._page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
        return pages * self._page_size

    def _log_size(self) -> int:
        with suppress(FileNotFoundError):
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        return 0

    def _owed(self, connection: sqlite3.Connection) -> int:
        """Return the bytes by which the file will grow when the log is copied into it."""
        return max(self.allocated(connection) - self._path.stat().st_size, 0)
