"""A MySQL transaction: its statements wait until rows are wanted, and go in one exchange.

One exchange begins, locks and prefetches, one writes and commits. What waits is bounded: beyond
`TOGETHER` bytes it is sent. Work over very many rows takes a server longer than a transaction may
be idle, so it asks for more time before it begins.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pymysql.constants import ER

from datastore.backends.mysql_connection import (
    MORE_SECONDS,
    Trouble,
    code_of,
    lost,
    said,
    translate,
    translated,
)
from datastore.backends.mysql_prepared import columns
from datastore.backends.mysql_statements import MysqlStatements
from datastore.backends.shared_transaction import MANY, SharedTransaction
from datastore.backends.statement_names import name_of
from datastore.mvcc.backend import BackendDown, CommitUnknown, Prefetch, Wanted
from datastore.mvcc.model import Head, Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table

    from datastore.backends.mysql_connection import MysqlConnection
    from datastore.backends.standing import Standing
    from datastore.backends.statements import Prepared
    from datastore.mvcc.statement_times import StatementTimes

TOGETHER = 1 << 20  # bytes of statements that wait
SIZE = (
    "SELECT CAST(COALESCE(SUM(data_length + index_length + data_free), 0) AS SIGNED), "
    "CAST(COALESCE(SUM(data_free), 0) AS SIGNED) "
    "FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)
_statements = MysqlStatements()
named = partial(name_of, _statements)


class MysqlTransaction(SharedTransaction):
    """A transaction whose statements wait as texts, beginning with those of `begin`."""

    statements = _statements

    def __init__(
        self,
        connection: MysqlConnection,
        standing: Standing,
        begin: Sequence[str],
        times: StatementTimes,
        *,
        writes: bool,
    ) -> None:
        super().__init__(standing, times, writes=writes)
        self._connection = connection
        self._last = "START"  # the statement that was queued last
        self._waiting = list(begin)
        self._size = 0  # of what waits
        self._answers: list[Sequence[Any]] = []  # to what was sent since rows were last wanted

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        self.queue(sql, params)
        rows = list(self._answered()[-1])
        if len(rows) > MANY:
            self._ask_for_time()
        return rows

    def columns(self, prepared: Prepared, **values: Any) -> list[Any]:
        """Run a statement of scans and walks, whose rows come in binary if they can."""
        if self._waiting:
            self._send()
        begun = perf_counter()
        with translated(self._connection):
            found = columns(self._connection, prepared, prepared.bind(values))
        if found is None:
            return super().columns(prepared, **values)
        self._times.add(prepared.sql, perf_counter() - begun)
        if found and len(found[0]) > MANY:
            self._ask_for_time()
        return found

    def send(self, prepared: Prepared, **values: Any) -> None:
        """Queue a statement."""
        self.queue(prepared.sql, prepared.bind(values))

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows, many to a statement."""
        insert = _statements.inserts[table.name, replace]
        for text in insert.statements(rows, self._connection.escape):
            self._queue(text)

    def allocated(self) -> int:
        """Return the bytes of the tables and indexes, as far as InnoDB has counted them."""
        return int(self.run(SIZE)[0][0])

    def begin(self) -> None:
        """Take the store's lock; on a cluster that is what nobody else may write until the end."""
        galera = self._connection.galera
        self.send(_statements.take_turn if galera else _statements.lock_meta)

    def prefetch(self, wanted: Wanted) -> Prefetch:
        """Take the lock and read what the batch names, in one exchange if it is not too much."""
        if len(wanted.keys) > MANY:
            self._ask_for_time()
        self.begin()
        self.send(_statements.state)
        heads = self._ask("heads", wanted.keys)
        values = self._ask("key_values", wanted.value_keys)
        leases = self._ask("leases", wanted.leases)
        found = self._answered()
        return Prefetch(
            self.state_of(found[heads.start - 1][0]),
            {row[1]: Head._make(row) for row in _joined(found, heads)},
            dict(_joined(found, values)),
            {row[0]: Lease._make(row) for row in _joined(found, leases)},
        )

    def commit_plain(self) -> None:
        """Commit; CommitUnknown when COMMIT itself was not answered with success."""
        self._queue("COMMIT")
        connection, before = self._connection, len(self._waiting) - 1
        begun = perf_counter()
        try:
            connection.exchange(self._waiting)
            self._times.add("COMMIT", perf_counter() - begun)
        except Trouble as error:
            # A cluster says at COMMIT, too, that another node's transaction came first.
            overtaken = connection.galera and code_of(error) == ER.LOCK_DEADLOCK
            if not lost(connection, error) and (overtaken or connection.done < before):
                raise translate(connection, error) from error
            raise CommitUnknown(said(error)) from error
        self.ended = True

    def settle(self) -> None:
        """See that nothing that was committed before is yet to come: at a cluster's node it may."""
        if self._connection.galera:
            try:
                self.commit_plain()
            except CommitUnknown as error:
                raise BackendDown(str(error)) from error

    def queue(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Let a statement wait for the next exchange."""
        self._last = sql
        self._queue(sql % tuple(map(self._connection.escape, params)))

    def roll_back(self) -> None:
        """End it without a commit."""
        self._waiting, self._last = ["ROLLBACK"], "ROLLBACK"
        self._send()
        self.ended = True

    def _queue(self, text: str) -> None:
        if self._waiting and self._size + len(text) > TOGETHER:
            self._send()
        self._waiting.append(text)
        self._size += len(text)

    def _ask(self, kind: str, wanted: Collection[Any]) -> range:
        """Queue a listed statement; return the places of its answers."""
        first = len(self._answers) + len(self._waiting)
        self.send_among(kind, wanted)
        return range(first, len(self._answers) + len(self._waiting))

    def _answered(self) -> list[Sequence[Any]]:
        """Send what waits, and return every answer that nobody has had."""
        self._send()
        found, self._answers = self._answers, []
        return found

    def _send(self) -> None:
        begun = perf_counter()
        with translated(self._connection):
            self._answers += self._connection.exchange(self._waiting)
        self._times.add(self._last, perf_counter() - begun)
        self._waiting, self._size = [], 0

    def _ask_for_time(self) -> None:
        if self._writes:
            self._queue(self._connection.patience(MORE_SECONDS))
            self._connection.patient = True


def _joined(found: list[Sequence[Any]], places: range) -> chain[Any]:
    """Return the rows of some answers."""
    return chain.from_iterable(found[place] for place in places)
