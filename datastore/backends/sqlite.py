"""SQLite: one file, one process, durable at every commit.

WAL with `synchronous=FULL`: a commit is one fsync of the log. Checkpoints run in the chores lane;
the writer waits only for the last pages of one (`sqlite_checkpoint.py`). A clean stop truncates the
log, after which the file alone is the store. A lock file beside the database keeps a second process
out: SQLite alone would let it in, and both would hand out the same revisions.

Deadlines use this process's own clock, which the machine's clock cannot move once it has started.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.backends import sqlite_upkeep
from datastore.backends.file_claim import FileClaim
from datastore.backends.identity import Identity, register
from datastore.backends.migration import check_and_migrate
from datastore.backends.sqlite_disk import Disk
from datastore.backends.sqlite_session import SqliteSession, connect
from datastore.backends.sqlite_surplus import Surplus
from datastore.backends.sqlite_transaction import SqliteTransaction
from datastore.errors import ConfigError, StartError
from datastore.mvcc.backend import BackendBroken, BackendFailed
from datastore.mvcc.newest import NewestRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import URL

    from datastore.mvcc.backend import Sighting

CHECKPOINT_BYTES = 4 << 20
TRUNCATE_BYTES = 256 << 20  # a log this long waits for readers, and gives its space back at once


class SqliteBackend:
    """The store in one file."""

    exclusive = True
    longest_key = 1 << 30
    warnings: tuple[str, ...] = ()

    def __init__(self, url: URL, identity: Identity) -> None:
        if url.host or not url.database or url.query:
            raise ConfigError(
                f"datastore endpoint {url}: write sqlite:///relative.db or sqlite:////absolute.db"
            )
        named = Path(url.database).absolute()
        # SQLite follows links and puts its log beside the real file: so does all that is here.
        self._path = Path(os.path.realpath(named))
        self._identity = identity
        self._claim = FileClaim(self._path)
        self._disk = Disk(self._path, named)
        self._surplus = Surplus()
        self._gives_back = False
        self.newest = NewestRows()
        self._started = time.monotonic()
        self._epoch = time.time()
        self.cluster_id = self.member_id = 0

    def open(self) -> None:
        """Lock, check, migrate and register."""
        self._claim.take()
        try:
            self._open()
        except sqlite3.Error as error:
            self._claim.give_up()
            raise StartError(f"datastore {self._path}: {error}") from error
        except StartError:
            self._claim.give_up()
            raise

    def fill(self, write: Callable[[Path], None]) -> None:
        """Make the file of the one that `write` writes."""
        sqlite_upkeep.fill(self._path, write)

    def session(self, *, writer: bool = False) -> SqliteSession:
        """Return a new session."""
        del writer
        try:
            return SqliteSession(
                self._path, self.member_id, self._now, self.newest.overtaken, self._disk
            )
        except sqlite3.Error as error:
            raise StartError(f"datastore {self._path}: {error}") from error

    def housekeep(self, session: SqliteSession) -> None:
        """Checkpoint when the log has grown; see to the disk; give back what is free for long."""
        log_size = self._disk.log.size()
        if self._disk.full and log_size:
            session.checkpoint()
        elif log_size > CHECKPOINT_BYTES:
            session.copy_log()
            # Writers wait for what is left of it only.
            if log_size > TRUNCATE_BYTES or self._disk.log_is_idle():
                session.checkpoint()
        self._disk.read_ahead()
        session.look_at_disk()
        self._give_back(session)

    @property
    def disk_turns(self) -> int:
        """How often the disk has become full and has had space again: odd while it is full."""
        return self._disk.turns

    @property
    def broken(self) -> str:
        """Why the file cannot be trusted any more; empty while it can."""
        return self._disk.broken

    def listen(
        self,
        heard: Callable[[], None],
        stopped: Callable[[], bool],
        saw: Callable[[Sighting], None],
    ) -> None:
        """Return at once: nobody else commits."""

    def close(self) -> None:
        """Truncate the log, so that the file alone is the store, and let go of it."""
        with suppress(StartError, BackendFailed, BackendBroken):
            session = self.session()
            session.checkpoint()
            session.close()
        self._disk.close()
        self._claim.release()

    def _open(self) -> None:
        if not self._path.exists():
            self._path.touch(mode=0o600)  # it will hold secrets; its log gets the same mode
        if self._is_fresh():
            sqlite_upkeep.prepare_new(self._path)
        check_and_migrate(f"sqlite:///{self._path}", str(self._path), self._is_fresh())
        connection = connect(self._path)
        try:
            transaction = SqliteTransaction(
                connection, 0, self._now, self.newest.overtaken, self._disk
            )
            transaction.run("BEGIN IMMEDIATE")
            self.cluster_id, self.member_id = register(transaction, self._identity)
            transaction.run("COMMIT")
        finally:
            connection.close()
            self._disk.log.close()
        self._disk.start()

    def _give_back(self, session: SqliteSession) -> None:
        """Give a step of the surplus back; when it is gone the file, not only its log, is short."""
        if surplus := self._surplus.look(*session.pages()):
            session.give_back(surplus)
            self._gives_back = True
        elif self._gives_back:
            session.checkpoint()
            self._gives_back = False

    def _is_fresh(self) -> bool:
        return not self._path.exists() or self._path.stat().st_size == 0

    def _now(self) -> int:
        return int((self._epoch + time.monotonic() - self._started) * 1000)
