"""PostgreSQL: any number of servers on one database.

Every write transaction locks the one row of `meta` first and runs READ COMMITTED, so that what it
reads after the lock is all that came before it: commit order is revision order. Servers learn of
each other's commits by NOTIFY in the same transaction (`postgres_listener`), or behind a pooler by
asking (`postgres_poller`); either only says that there is something to read, so a lost one costs
latency, never an event.

A connection that leads through a pooler (PgBouncer) is told by its first answer. Then whatever a
session would keep is done in each transaction, and `--endpoint-listen` may name the database
itself, for the one connection that has to be a session.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from datastore.backends import postgres_upkeep
from datastore.backends.postgres_connection import connect, found_pooled, said
from datastore.backends.postgres_database import Database, database_of
from datastore.backends.postgres_listener import Listener
from datastore.backends.postgres_migration import check_and_migrate
from datastore.backends.postgres_poller import Poller
from datastore.backends.postgres_rights import refusal
from datastore.backends.postgres_session import PostgresSession
from datastore.backends.postgres_statements import LONGEST_KEY
from datastore.backends.postgres_surplus import Packing
from datastore.backends.shared_backend import SharedBackend
from datastore.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

    from datastore.backends.identity import Identity
    from datastore.mvcc.backend import Session

LEAST_SWEPT = 1_000  # rows of history that this server has deleted
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresBackend(SharedBackend):
    """See the module, and `SharedBackend`."""

    longest_key = LONGEST_KEY
    trouble = psycopg.Error

    def __init__(self, url: URL, identity: Identity, listen: URL | None = None) -> None:
        """Take the URL of the database, and that of the listening connection if it is another."""
        self._database = database_of(url)
        super().__init__(self._database.name, identity)
        self._considered = self._swept = 0  # of the rows that this server has deleted
        self._packing = Packing()
        self._direct = database_of(listen) if listen else None
        if self._direct and not self._direct.schema:
            self._direct = self._direct._replace(schema=self._database.schema)
        self._ear: Listener | Poller = Poller(self._database, self._lifeline, self._standing)

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""
        postgres_upkeep.fill(self._database, write)

    def session(self, *, writer: bool = False) -> PostgresSession:
        """Return a new session; it connects when first used."""
        return PostgresSession(self._database, self._lifeline, self._standing, writer=writer)

    def housekeep(self, session: Session) -> None:
        """Sweep up behind the pruning, and give back room that is not needed any more."""
        if self._standing.deleted and isinstance(session, PostgresSession):
            self._sweep(session)
            self._packing.go_on(session)

    def _sweep(self, session: PostgresSession) -> None:
        """Consider it after every `LEAST_SWEPT` rows."""
        deleted = self._standing.deleted
        if deleted - self._considered < LEAST_SWEPT:
            return
        self._considered = deleted
        if session.sweep(deleted - self._swept):
            self._swept = deleted

    def _prepare(self) -> None:
        self._database = found_pooled(self._database)
        kind = Poller if self._database.pooled and not self._direct else Listener
        self._ear = kind(self._direct or self._database, self._lifeline, self._standing)
        if self._direct and found_pooled(self._direct).pooled:
            raise StartError(
                f"--endpoint-listen {self._direct.name}: this leads through a pooler, and what "
                "listens is a session: give the database's own address"
            )
        with closing(connect(self._database)) as connection:
            self.warnings = durability_warnings(connection)
            self._like = described(connection, self._database)
        check_and_migrate(self._database)
        self._ear.open()

    def _register(self) -> None:
        super()._register()
        if isinstance(self._ear, Listener) and not self._ear.finds_member():
            listening = (self._direct or self._database).name
            raise StartError(
                f"--endpoint-listen {listening} is another database than --endpoint "
                f"{self._database.name}: name the same one"
            )

    def _said(self, error: Exception) -> str:
        return said(error)

    def _refusal(self, error: Exception) -> StartError:
        return refusal(self._database, error)


def described(connection: psycopg.Connection, database: Database) -> str:
    """Say what the connections of a server are like, for the log."""
    tls = connection.pgconn.ssl_in_use
    through = " through=pooler" if database.pooled else ""
    return f"tls={'on' if tls else 'off'}{through}"


def durability_warnings(connection: psycopg.Connection) -> tuple[str, ...]:
    """Say which settings let the database forget a commit that it has acknowledged."""
    found = []
    for name, durable in DURABLE.items():
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        value = row[0] if row else ""
        if value in ("off", "local") and value != durable:
            found.append(f"{name} is {value}: a crash of the database can lose acknowledged writes")
    return tuple(found)
