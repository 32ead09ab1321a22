"""One transaction on a SQLite file.

Rows are inserted many to a statement, in a few fixed sizes, because each step of an `executemany`
gives the interpreter's lock away and waits to get it back. What the last write transaction left is
remembered: nobody else writes to the file, so the next need not read it back.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, literal, select
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.dialects.sqlite import insert

from datastore.backends.looks import STATE, LookStatements, live_rows
from datastore.backends.schema import history, kv
from datastore.backends.sqlite_pages import PageStatements, available, unpack
from datastore.backends.statement_names import name_of
from datastore.backends.statements import Prepared, Statements
from datastore.backends.transaction import SqlTransaction
from datastore.mvcc.backend import BackendBroken, BackendFailed, BackendFull, CommitUnknown
from datastore.mvcc.model import SUB_BITS, Row
from datastore.mvcc.packed_rows import PackedRows
from datastore.mvcc.statement_times import StatementTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement

    from datastore.backends.sqlite_disk import Disk
    from datastore.mvcc.backend import Changes
    from datastore.mvcc.model import State

LIST_SIZES = (1, 8, 64, 512)
ROW_SIZES = (256, 128, 64, 32, 16, 8, 4, 3, 2, 1)
FEW_ROWS = 16  # from which on a page is had in one step
PAGE_ROWS = 512  # that are in memory twice for a moment


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
_live_row = _statements.prepare(
    select(*history.c)
    .select_from(kv.join(history, history.c.id == kv.c.id))
    .where(kv.c.key == bindparam("key"), kv.c.deleted == 0)
)


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


@lru_cache(maxsize=1024)
def _sizes(rows: int) -> tuple[int, ...]:
    """Return the sizes of the statements that so many rows take: as few as there can be."""
    sizes: list[int] = []
    for size in ROW_SIZES:
        many, rows = divmod(rows, size)
        sizes += [size] * many
    return tuple(sizes)


def _too_large(failed: BackendFailed) -> bool:
    """Say whether a value would have had more bytes than SQLite makes: 1e9."""
    error = failed.__cause__
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode == sqlite3.SQLITE_TOOBIG


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
        self.times = StatementTimes(partial(name_of, _statements))
        self.member_id = member_id
        self._connection = connection
        self._clock = clock
        self._disk = disk

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        begun = perf_counter()
        try:
            rows = self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise self._disk.judge(error) from error
        self.times.add(sql, perf_counter() - begun)
        return rows

    def allocated(self) -> int:
        """Return the bytes of the database's pages, those in the log included."""
        return self._disk.allocated(self._connection)

    def short_of_space(self) -> bool:
        """Say whether the disk is about to be full."""
        return self._disk.short

    def scan(
        self, key: bytes, end: bytes | None, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order, many at a time."""
        if 0 < limit < FEW_ROWS or end == key + b"\0" or not available():
            return super().scan(key, end, limit, revision, values=values)
        page = _pages.page(bounded=end is not None, past=revision > 0, values=values)
        below = (revision + 1) << SUB_BITS
        found, most = PackedRows.of(()), PAGE_ROWS
        while True:
            size = min(limit - len(found), most) if limit else most
            rows, asked = self._joined(page, size, key=key, end=end, below=below)
            found.extend(self._settle(rows, below) if revision else rows)
            if len(rows) < asked or 0 < limit <= len(found):
                return found
            if asked < size:
                most = asked
            key = rows[-1].key + b"\0"

    def _joined(self, page: Prepared, size: int, **ends: Any) -> tuple[PackedRows, int]:
        """Return a page of `size` rows, or of as many as SQLite can join, and that number."""
        while True:
            try:
                return unpack(self.execute(page, limit=size, **ends)[0]), size
            except BackendFailed as failed:
                if size == 1 or not _too_large(failed):
                    raise
            size //= 2

    def _settle(self, rows: PackedRows, below: int) -> PackedRows:
        """Look further for the keys whose chain was too long to follow."""
        if max(rows.columns[0], default=0) < below:
            return rows
        settled: list[Row] = []
        for row in rows:
            if row.id < below:
                settled.append(row)
                continue
            found = self.rows(self._scan_back(row.key, below)).values()
            settled += [earlier for earlier in found if not earlier.deleted]
        return PackedRows.of(settled)

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows, as many to a statement as ROW_SIZES allow."""
        at = 0
        for size in _sizes(len(rows)):
            flat = [value for row in rows[at : at + size] for value in row]
            self.run(_insert(table, size, replace).sql, flat)
            at += size

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, at most one list: a snapshot by itself."""
        ((size, params),) = self.statements.lists.chunks(tuple(keys))
        found = self.execute(_looks.look(size), **params)
        return self.state_of(found[0][:STATE]), live_rows(found)

    def live_row(self, key: bytes) -> Row | None:
        """Return the live row of a key: a snapshot by itself."""
        found = self.execute(_live_row, key=key)
        return Row._make(found[0]) if found else None

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
        begun = perf_counter()
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            judged = self._disk.judge(error)
            if isinstance(judged, BackendBroken | BackendFull):
                raise judged from error
            raise CommitUnknown(str(error)) from error
        self.times.add("COMMIT", perf_counter() - begun)
        self._left = self._start._replace(revision=revision) if self._start else None
