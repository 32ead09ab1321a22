"""SQLite: one file, one process, durable at every commit.

WAL with `synchronous=FULL`: a commit is one fsync of the log. Checkpoints run in the chores lane,
so the writer's path never waits for them; a clean stop truncates the log, after which the file
alone is the store. A lock file beside the database keeps a second process out: SQLite alone would
let it in, and both would hand out the same revisions.

Rows are inserted many to a statement, in a few fixed sizes, because each step of an `executemany`
gives the interpreter's lock away and waits to get it back. Deadlines use this process's own clock,
which the machine's clock cannot move once it has started.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, literal
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.dialects.sqlite import insert

from datastore.backends import sqlite_upkeep
from datastore.backends.file_claim import FileClaim
from datastore.backends.identity import Identity, register
from datastore.backends.migration import check_and_migrate
from datastore.backends.sqlite_disk import Disk
from datastore.backends.sqlite_looks import STATE, LookStatements, live_rows
from datastore.backends.sqlite_pages import PageStatements, available, unpack
from datastore.backends.statements import Prepared, Statements
from datastore.backends.transaction import SqlTransaction
from datastore.errors import ConfigError, StartError
from datastore.mvcc.backend import (
    BackendBroken,
    BackendFailed,
    BackendFull,
    CommitUnknown,
    Size,
)
from datastore.mvcc.model import SUB_BITS, Row
from datastore.mvcc.newest import NewestRows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import URL

    from datastore.mvcc.backend import Changes
    from datastore.mvcc.model import State

log = logging.getLogger(__name__)
BUSY_SECONDS = 5.0
LIST_SIZES = (1, 8, 64, 512)
ROW_SIZES = (256, 128, 64, 32, 16, 8, 4, 3, 2, 1)
FEW_ROWS = 16  # from which on a page is had in one step
PAGE_ROWS = 512  # that are in memory twice for a moment
CHECKPOINT_BYTES = 4 << 20
TRUNCATE_BYTES = 256 << 20  # a log this long waits for readers, and gives its space back


class PaddedLists:
    """Lists as so many `?`: a few sizes of statement, the last chunk padded with its last value."""

    def chunks(self, values: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Split values into (size, parameters)."""
        for start in range(0, len(values), LIST_SIZES[-1]):
            chunk = values[start : start + LIST_SIZES[-1]]
            size = next(size for size in LIST_SIZES if size >= len(chunk))
            padded = (*chunk, *[chunk[-1]] * (size - len(chunk)))
            yield size, {f"v{n}": value for n, value in enumerate(padded)}

    def among(self, column: ColumnElement[Any], size: int) -> ColumnElement[bool]:
        """Return `column IN (?, ?, …)`."""
        return column.in_([bindparam(f"v{n}", type_=column.type) for n in range(size)])


_dialect = dialect.dialect(paramstyle="qmark")
_statements = Statements(_dialect, PaddedLists(), literal(0))
_pages = PageStatements(_statements)
_looks = LookStatements(_statements)


@lru_cache(maxsize=64)
def _insert(table: Table, rows: int, replace: bool) -> Prepared:
    names = [column.name for column in table.c]
    values: list[dict[str, Any]] = [
        {name: bindparam(f"{name}_{n}") for name in names} for n in range(rows)
    ]
    statement = insert(table).values(values)
    if replace:
        keys = [column.name for column in table.primary_key]
        others = {name: statement.excluded[name] for name in names if name not in keys}
        if others:
            statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
        else:
            statement = statement.on_conflict_do_nothing()
    return _statements.prepare(statement)


class SqliteTransaction(SqlTransaction):
    """A transaction on one connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        member_id: int,
        clock: Callable[[], int],
        noticed: Callable[[int], None],
        disk: Disk,
    ) -> None:
        self._noticed = noticed
        self._revision = 0  # as of the last look
        self._start: State | None = None  # of this transaction, while it only adds revisions
        self._left: State | None = None  # by the last one
        self.told_by: tuple[int, int] | None = None  # the last batch, and the revision it makes
        self.statements = _statements
        self.member_id = member_id
        self._connection = connection
        self._clock = clock
        self._disk = disk

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise self._disk.judge(error) from error

    def allocated(self) -> int:
        """Return the bytes of the database's pages, those in the log included."""
        return self._disk.allocated(self._connection)

    def short_of_space(self) -> bool:
        """Say whether the disk is about to be full."""
        return self._disk.short

    def scan(
        self, key: bytes, end: bytes | None, limit: int, revision: int, *, values: bool
    ) -> list[Row]:
        """Return live rows in key order, many at a time."""
        if 0 < limit < FEW_ROWS or end == key + b"\0" or not available():
            return super().scan(key, end, limit, revision, values=values)
        page = _pages.page(bounded=end is not None, past=revision > 0, values=values)
        below = (revision + 1) << SUB_BITS
        found: list[Row] = []
        while True:
            size = min(limit - len(found), PAGE_ROWS) if limit else PAGE_ROWS
            joined = self.execute(page, key=key, end=end, limit=size, below=below)
            rows = unpack(*joined[0])
            found += self._settle(rows, below) if revision else rows
            if len(rows) < size or 0 < limit <= len(found):
                return found
            key = rows[-1].key + b"\0"

    def _settle(self, rows: list[Row], below: int) -> list[Row]:
        """Look further for the keys whose chain was too long to follow."""
        settled: list[Row] = []
        for row in rows:
            if row.id < below:
                settled.append(row)
                continue
            found = self.rows(self._scan_back(row.key, below)).values()
            settled += [earlier for earlier in found if not earlier.deleted]
        return settled

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows, as many to a statement as ROW_SIZES allow."""
        at = 0
        for size in ROW_SIZES:
            while len(rows) - at >= size:
                flat = [value for row in rows[at : at + size] for value in row]
                self.run(_insert(table, size, replace).sql, flat)
                at += size

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, at most one list: a snapshot by itself."""
        ((size, params),) = self.statements.lists.chunks(tuple(keys))
        found = self.execute(_looks.look(size), **params)
        rows = {row[1]: Row._make(row) for row in live_rows(found)}
        return self.state_of(found[0][:STATE]), rows

    def state_of(self, columns: Sequence[Any]) -> State:
        """Return the state that its columns tell; the rows in memory are told the revision."""
        state = super().state_of(columns)
        self._revision = state.revision
        self._noticed(state.revision)
        return state

    def begin(self) -> None:
        """BEGIN IMMEDIATE has taken SQLite's own lock: see that the log has room."""
        self._disk.extend_log()

    def state_at_start(self) -> State:
        """Return what the last transaction left, if that is known: nobody else writes."""
        left, self._left = self._left, None
        state = self._start = left._replace(now=self._clock()) if left else self.state()
        self._revision = state.revision
        return state

    def write(self, changes: Changes) -> None:
        """Write the changes; those of the state itself are read back when they are committed."""
        super().write(changes)
        if changes.of_state():
            self._start = None

    def clock(self, now: int) -> int:
        """Return this process's clock: SQLite has none of its own."""
        del now
        return self._clock()

    def commit(self, batch: int, revision: int) -> None:
        """Make it durable. Nobody else makes revisions, so a new one tells the batch by itself."""
        self.told_by = None if revision == self._revision else (batch, revision)
        if self.told_by is None:
            self.execute(self.statements.set_batch, member=self.member_id, number=batch)
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            judged = self._disk.judge(error)
            if isinstance(judged, BackendBroken | BackendFull):
                raise judged from error
            raise CommitUnknown(str(error)) from error
        self._left = self._start._replace(revision=revision) if self._start else None


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

    @contextmanager
    def snapshot(self) -> Iterator[SqliteTransaction]:
        """Open a read-only view: the first read fixes it."""
        yield from self._begin("BEGIN")

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment."""
        if 0 < len(keys) <= LIST_SIZES[-1]:
            return self._transaction.look(keys)
        with self.snapshot() as tx:
            return tx.state(), tx.live(keys)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Open a write transaction."""
        if self._disk.broken:
            raise BackendBroken(self._disk.broken)
        self._disk.make_room(self._connection)
        yield from self._begin("BEGIN IMMEDIATE")

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

    def size(self) -> Size:
        """Return the pages of the file, and those in use."""
        run = self._transaction.run
        page = run("PRAGMA page_size")[0][0]
        total, unused = run("PRAGMA page_count")[0][0], run("PRAGMA freelist_count")[0][0]
        return Size(page * total, page * (total - unused))

    def shrink(self) -> bool:
        """Give some free pages back."""
        self._disk.make_room(self._connection)
        with self._disk.judged():
            return sqlite_upkeep.shrink(self._connection)

    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new file."""
        sqlite_upkeep.copy_to(self._connection, path)

    def look_at_disk(self) -> None:
        """Give the ballast up, or take it again."""
        self._disk.look(self._connection)

    def copy_log(self) -> None:
        """Copy the log into the file while others read and write."""
        self._disk.copy_log(self._connection)

    def checkpoint(self, mode: str) -> None:
        """Copy the log into the file, all of it."""
        self._disk.checkpoint(self._connection, mode)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _begin(self, statement: str) -> Iterator[SqliteTransaction]:
        self._transaction.run(statement)
        try:
            yield self._transaction
        finally:
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
        """Checkpoint when the log has grown; see to the disk."""
        log_size = self._disk.log.size()
        if self._disk.full and log_size:
            session.checkpoint("TRUNCATE")
        elif log_size > CHECKPOINT_BYTES:
            session.copy_log()
            if log_size > TRUNCATE_BYTES:  # writers wait for what is left of it only
                session.checkpoint("TRUNCATE")
        session.look_at_disk()

    @property
    def disk_turns(self) -> int:
        """How often the disk has become full and has had space again: odd while it is full."""
        return self._disk.turns

    @property
    def broken(self) -> str:
        """Why the file cannot be trusted any more; empty while it can."""
        return self._disk.broken

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Return at once: nobody else commits."""

    def close(self) -> None:
        """Truncate the log, so that the file alone is the store, and let go of it."""
        with suppress(StartError, BackendFailed, BackendBroken):
            session = self.session()
            session.checkpoint("TRUNCATE")
            session.close()
        self._disk.log.close()
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
        self._disk.take_ballast()

    def _is_fresh(self) -> bool:
        return not self._path.exists() or self._path.stat().st_size == 0

    def _now(self) -> int:
        return int((self._epoch + time.monotonic() - self._started) * 1000)
