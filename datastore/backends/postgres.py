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

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from datastore.backends import postgres_upkeep
from datastore.backends.back_off import BackOff
from datastore.backends.identity import Identity, register
from datastore.backends.lifeline import Lifeline
from datastore.backends.postgres_connection import connect, found_pooled
from datastore.backends.postgres_database import Database, database_of
from datastore.backends.postgres_listener import Listener
from datastore.backends.postgres_migration import check_and_migrate
from datastore.backends.postgres_poller import Poller
from datastore.backends.postgres_rights import refusal
from datastore.backends.postgres_session import PostgresSession
from datastore.backends.postgres_statements import LONGEST_KEY
from datastore.backends.standing import Standing
from datastore.errors import StartError
from datastore.mvcc.backend import BackendDown, BackendFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.25
LONGEST_RETRY = 2.0
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresBackend:
    """The store in a database that servers share."""

    exclusive = False
    disk_turns = 0
    newest = None
    longest_key = LONGEST_KEY

    def __init__(self, url: URL, identity: Identity, listen: URL | None = None) -> None:
        """Take the URL of the database, and that of the listening connection if it is another."""
        self._database = database_of(url)
        self._direct = database_of(listen) if listen else None
        if self._direct and not self._direct.schema:
            self._direct = self._direct._replace(schema=self._database.schema)
        self._identity = identity
        self._lifeline = Lifeline()
        self._standing = Standing()
        self._ear: Listener | Poller = Poller(self._database, self._lifeline, self._standing)
        self._like = ""
        self.warnings: tuple[str, ...] = ()

    @property
    def cluster_id(self) -> int:
        """The id of the store."""
        return self._standing.cluster_id

    @property
    def member_id(self) -> int:
        """The id of the member row."""
        return self._standing.member_id

    @property
    def broken(self) -> str:
        """Why the database cannot be relied on any more; empty while it can."""
        return self._standing.broken

    def open(self) -> None:
        """Check, migrate and register; warn if the database may forget commits."""
        try:
            self._open()
        except (psycopg.Error, BackendDown, BackendFailed) as error:
            self._ear.drop()
            raise refusal(self._database, error) from error
        except StartError:
            self._ear.drop()
            raise
        log.info("database=%s %s", self._database.name, self._like)
        for warning in self.warnings:
            log.warning("durability database=%s warning=%s", self._database.name, warning)

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""
        postgres_upkeep.fill(self._database, write)

    def session(self, *, writer: bool = False) -> PostgresSession:
        """Return a new session; it connects when first used."""
        return PostgresSession(self._database, self._lifeline, self._standing, writer=writer)

    def housekeep(self, session: PostgresSession) -> None:
        """Nothing to do: autovacuum does it."""

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Hear of other servers; after each reconnect say that there may have been commits."""
        back_off = BackOff(RETRY_SECONDS, LONGEST_RETRY)

        def heard_again() -> None:
            back_off.succeeded()
            heard()

        with self._lifeline.held(self._ear.cut):
            while not stopped():
                try:
                    self._ear.listen(heard_again, stopped)
                except Exception as error:  # without this thread nobody hears, nor looks
                    unforeseen = None if isinstance(error, psycopg.Error) else error
                    said = " ".join(str(error).split())
                    log.warning("listening again soon error=%s", said, exc_info=unforeseen)
                    self._ear.drop()
                    time.sleep(back_off.failed())

    def close(self) -> None:
        """Let go of the member row."""
        self._ear.close()

    def _open(self) -> None:
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
        self._register()

    def _register(self) -> None:
        session = self.session(writer=True)
        standing = self._standing
        with session.transaction() as tx:
            standing.cluster_id, standing.member_id = register(
                tx, self._identity, self._ear.claim, standing.first_batch
            )
            tx.commit_plain()
        session.close()
        if isinstance(self._ear, Listener) and not self._ear.finds_member():
            listening = (self._direct or self._database).name
            raise StartError(
                f"--endpoint-listen {listening} is another database than --endpoint "
                f"{self._database.name}: name the same one"
            )


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
