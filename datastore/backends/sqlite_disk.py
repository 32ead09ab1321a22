"""The disk under a SQLite file: what an error of it means, its ballast, and when it is broken.

* A full disk fails a statement or a COMMIT; SQLite has rolled back then, and nothing was written.
* An fsync that failed is another matter: the system may have dropped what it could not write and
  say nothing the next time, so what was committed before is in doubt too. Nothing is written after
  that: the server ends, and the next start finds in the log what really is on the disk.
* A commit that failed otherwise is asked about; when that fails too, nobody knows what is there.
* Any other error of input or output fails its transaction alone.

One `Disk` is shared by all sessions of a file.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from datastore.backends.ballast import Ballast
from datastore.backends.sqlite_checkpoint import Checkpoint
from datastore.backends.sqlite_log import LogFile
from datastore.backends.sqlite_readahead import Readahead
from datastore.mvcc.backend import BackendBroken, BackendFailed, BackendFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)
WORTH_EMPTYING = 1 << 20  # bytes of the log
# Between looks at the free space: the ballast is more than is written in the first, and longer only
# while there is more room than anybody writes in that, at so many bytes a second.
LOOK_SECONDS, LONGEST_LOOK = 0.01, 0.1
FASTEST = 4 << 30
_SYNC_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


class Disk:
    """The disk under one file; `broken` says why it cannot be trusted any more, "" while it can."""

    def __init__(self, path: Path, named: Path | None = None) -> None:
        """Touch nothing yet; `named` is what leads to the real file `path`, perhaps by a link."""
        self._path = path
        self._named = named or path
        self._ballast = Ballast(path)
        self.log = LogFile(path)
        self._checkpoint = Checkpoint(path)
        self._readahead = Readahead()
        self._page_size = 0
        self._file: os.stat_result | None = None
        self._look_again = 0.0
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

    def start(self) -> None:
        """Take the ballast, remember which file is open and open it once more."""
        self._ballast.take()
        self._checkpoint.open()
        self._file = self._path.stat()

    def judge(self, error: sqlite3.Error) -> BackendFailed | BackendBroken:
        """Return an error as the backend protocol has it, and note what it says of the disk."""
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _SYNC_FAILED:
            return self.distrust(f"the disk did not write what it was given: {error}")
        if code & 0xFF == sqlite3.SQLITE_FULL:
            self._ballast.give_up()
            self._look_again = 0
            return BackendFull(str(error))
        return BackendFailed(str(error))

    def distrust(self, why: str) -> BackendBroken:
        """Note why the file cannot be trusted any more, and return that as an error."""
        self.broken = f"{self._path}: {why}"
        return BackendBroken(self.broken)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Let errors of SQLite and of the system out as the backend protocol has them."""
        try:
            with self.judged_sql():
                yield
        except OSError as error:
            raise BackendFailed(str(error)) from error

    @contextmanager
    def judged_sql(self) -> Iterator[None]:
        """Let errors of SQLite out as the backend protocol has them."""
        try:
            yield
        except sqlite3.Error as error:
            raise self.judge(error) from error

    def make_room(self, connection: sqlite3.Connection) -> None:
        """Before a transaction: empty the log if the disk is nearly full, and see if that helps."""
        now = time.monotonic()
        if now < self._look_again and not self.short:
            return
        self._look_again = now + LOOK_SECONDS
        with self.judged():
            owed = self._owed(connection)
            if (headroom := self._ballast.headroom(owed)) >= 0:
                self.short = self.full
                self._look_again = now + max(LOOK_SECONDS, min(headroom / FASTEST, LONGEST_LOOK))
                return
            if self.log.size() > WORTH_EMPTYING:
                self.checkpoint(connection)
                owed = self._owed(connection)
            self.short = self._ballast.short(owed)

    def extend_log(self) -> None:
        """Inside a write transaction that has written nothing: make room in the log ahead."""
        if not self.short:
            self.log.extend()

    def close(self) -> None:
        """Let go of the files, after the last connection."""
        self.log.close()
        self._checkpoint.close()

    def look(self, connection: sqlite3.Connection) -> None:
        """Give the ballast up or take it again, as the disk is now.

        BackendBroken when the path leads to another file than was opened: what is committed goes
        into one that nobody will find again.
        """
        if self._file is not None and not self._is_at_path(self._file):
            raise self.distrust("the file was moved, or another put in its place")
        with self.judged():
            owed = self._owed(connection)
            turns = self.turns
            self._ballast.take_again(owed)
            self._ballast.short(owed)
            if self.turns != turns:
                self._look_again = 0  # the next batch is to know

    def _is_at_path(self, file: os.stat_result) -> bool:
        try:
            return os.path.samestat(file, self._named.stat())
        except FileNotFoundError:
            return False

    def checkpoint(self, connection: sqlite3.Connection) -> None:
        """Copy the log into the file, all of it, and make it empty."""
        with self.judged():
            self._checkpoint.copy_all(connection)

    def copy_log(self, connection: sqlite3.Connection) -> None:
        """Copy the log into the file while others read and write."""
        try:
            with self.judged_sql():
                self._checkpoint.copy_most(connection)
        except OSError as error:  # what a commit made durable is in the log still, but that may go
            raise self.distrust(f"the disk did not write what it was given: {error}") from error

    def log_is_idle(self) -> bool:
        """Say whether the log has had little to hold for a while; asked once each time."""
        return self._checkpoint.is_idle()

    def read_ahead(self) -> None:
        """Have the file in the kernel's cache if reads wait for the disk."""
        if self._checkpoint.file >= 0:
            self._readahead.look(self._checkpoint.file)

    def finish_copying(self, connection: sqlite3.Connection) -> None:
        """Between two batches: copy what is left of the log, if that was left to the writer."""
        if not self._checkpoint.left_to_writer:
            return
        try:
            with self.judged():
                self._checkpoint.finish(connection)
        except BackendFailed as error:
            log.warning("the log could not be copied path=%s error=%s", self._path, error)

    def allocated(self, connection: sqlite3.Connection) -> int:
        """Return the bytes of the database's pages, those in the log included."""
        with self.judged():
            if not self._page_size:
                self._page_size = connection.execute("PRAGMA page_size").fetchone()[0]
            pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
            return pages * self._page_size

    def _owed(self, connection: sqlite3.Connection) -> int:
        """Return the bytes by which the file will grow when the log is copied into it."""
        return max(self.allocated(connection) - self._path.stat().st_size, 0)
