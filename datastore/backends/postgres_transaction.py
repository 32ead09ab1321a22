"""A PostgreSQL transaction in pipeline mode.

Its statements are pipelined: one exchange to begin, lock and prefetch, one to write and commit.

Every exchange of a write transaction ends with Sync, not Flush: until the database has said that it
is ready for more, it takes the session for a busy one, and its timeout for idle transactions does
not run. A server that freezes between two exchanges would then keep the store's lock until it goes
on. (One that freezes while it sends does: the database waits for the rest of the message.) Work
over very many rows takes longer than that timeout, so it asks for more time before it begins.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.generators import send

from datastore.backends.postgres_connection import lost, said, translated
from datastore.backends.postgres_statements import PostgresStatements
from datastore.backends.shared_transaction import MANY, SharedTransaction
from datastore.backends.statement_names import name_of
from datastore.mvcc.backend import BackendFailed, CommitUnknown, Prefetch, Wanted
from datastore.mvcc.model import Head, Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table

    from datastore.backends.postgres_connection import PostgresConnection
    from datastore.backends.standing import Standing
    from datastore.backends.statements import Prepared
    from datastore.mvcc.statement_times import StatementTimes

CHANNEL = "tapir"
MORE_TIME = "SET LOCAL idle_in_transaction_session_timeout = '5min'"
SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class "
    "WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind = 'r'"
)
_statements = PostgresStatements()
named = partial(name_of, _statements)


class PostgresTransaction(SharedTransaction):
    """A transaction in pipeline mode."""

    statements = _statements

    def __init__(
        self,
        connection: PostgresConnection,
        pipeline: psycopg.Pipeline,
        standing: Standing,
        times: StatementTimes,
        *,
        writes: bool,
    ) -> None:
        super().__init__(standing, times, writes=writes)
        self._connection = connection
        self._pipeline = pipeline
        self._events = False

    def run(self, sql: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        begun = perf_counter()
        with translated(self._connection):
            cursor = self.queue(sql, params)
            if self._writes:
                self._sync()
                if cursor.rowcount > MANY:
                    self.queue(MORE_TIME)
                    self._sync()
            rows = cursor.fetchall()
        self._times.add(sql, perf_counter() - begun)
        return rows

    def send(self, prepared: Prepared, **values: Any) -> None:
        """Queue a statement."""
        with translated(self._connection):
            self.queue(prepared.sql, prepared.bind(values))

    def insert(self, table: Table, rows: Sequence[Sequence[Any]], *, replace: bool) -> None:
        """Insert rows from one array a column."""
        self._events = self._events or table.name == "history"
        columns = [list(column) for column in zip(*rows, strict=True)]
        with translated(self._connection):
            self.queue(_statements.inserts[table.name, replace], columns)

    def allocated(self) -> int:
        """Return the bytes of the tables, their indexes and their large values: asked for."""
        return int(self.run(SIZE)[0][0])

    def begin(self) -> None:
        """Take the store's lock."""
        self.send(_statements.lock_meta)

    def prefetch(self, wanted: Wanted) -> Prefetch:
        """Take the lock and read what the batch names, in one exchange."""
        self.begin()
        with translated(self._connection):
            if len(wanted.keys) > MANY:
                self.queue(MORE_TIME)
            heads = self._queue_among("heads", wanted.keys)
            values = self._queue_among("key_values", wanted.value_keys)
            leases = self._queue_among("leases", wanted.leases)
        state = self.state()
        with translated(self._connection):
            return Prefetch(
                state,
                {row[1]: Head._make(row) for row in heads.fetchall()} if heads else {},
                dict(values.fetchall()) if values else {},
                {row[0]: Lease._make(row) for row in leases.fetchall()} if leases else {},
            )

    def announce(self, revision: int) -> None:
        """Let other servers hear of it if there is an event for their watchers."""
        if self._events:
            with translated(self._connection):
                notice = f"{revision} {self._standing.signature}"
                self.queue("SELECT pg_notify(%b, %b)", (CHANNEL, notice))

    def commit_plain(self) -> None:
        """Commit; CommitUnknown when the connection broke before the answer."""
        begun = perf_counter()
        try:
            self.queue("COMMIT")
            self._sync()
            self.ended = True
            self._times.add("COMMIT", perf_counter() - begun)
        except psycopg.Error as error:
            gone = lost(self._connection, error)
            raise (CommitUnknown if gone else BackendFailed)(said(error)) from error

    def queue(self, sql: str, params: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Send a statement without waiting for it."""
        return self._connection.cursor(binary=True).execute(sql, params or None)

    def _sync(self) -> None:
        """End an exchange, and wait for what it brings.

        All is sent before that: the driver alone waits for answers with requests still in its
        hands, for ever when these are more than the socket takes at once.
        """
        self._connection.wait(send(self._connection.pgconn))
        self._pipeline.sync()

    def _queue_among(self, kind: str, wanted: Collection[Any]) -> psycopg.Cursor[Any] | None:
        if not wanted:
            return None
        prepared = _statements.among(kind, 0)
        return self.queue(prepared.sql, prepared.bind({"values": list(wanted)}))
