"""PostgreSQL: any number of servers on one database.

Every write transaction locks the one row of `meta` first and runs READ COMMITTED, so that what it
reads after the lock is all that came before it: commit order is revision order. Servers learn of
each other's commits by NOTIFY in the same transaction, on a connection of its own; a notice only
says that there is something to read, so a lost one costs latency, never an event.

A member row belongs to the server whose listening connection holds an advisory lock on its id, so
a server that restarts is the same member again and two that run under one name are two.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from datastore.backends import postgres_upkeep
from datastore.backends.identity import Identity, register
from datastore.backends.migration import check_and_migrate_postgres
from datastore.backends.postgres_connection import connect
from datastore.backends.postgres_lifeline import Lifeline, cut
from datastore.backends.postgres_session import PostgresSession
from datastore.backends.postgres_statements import LONGEST_KEY
from datastore.backends.postgres_transaction import CHANNEL
from datastore.errors import StartError
from datastore.mvcc.backend import BackendDown, BackendFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

log = logging.getLogger(__name__)
LISTEN_SECONDS = 0.5
RETRY_SECONDS = 0.5
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresBackend:
    """The store in a database that servers share."""

    exclusive = False
    disk_turns = 0
    broken = ""
    newest = None
    longest_key = LONGEST_KEY

    def __init__(self, url: URL, identity: Identity) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._name = url.render_as_string(hide_password=True)
        self._identity = identity
        self._listener: psycopg.Connection | None = None
        self._writers: set[int] = set()
        self._lifeline = Lifeline()
        self.warnings: tuple[str, ...] = ()
        self.cluster_id = self.member_id = 0

    def open(self) -> None:
        """Check, migrate and register; warn if the database may forget commits."""
        try:
            self._listener = connect(self._conninfo)
            self.warnings = durability_warnings(self._listener)
            check_and_migrate_postgres(self._conninfo, self._name)
            session = PostgresSession(self._conninfo, 0, self._lifeline, self._note_writer)
            with session.transaction() as tx:
                self.cluster_id, self.member_id = register(tx, self._identity, self._claim)
                tx.commit_plain()
            session.close()
        except psycopg.errors.InsufficientPrivilege as error:
            self.close()
            raise StartError(
                f"datastore {self._name}: {error.diag.message_primary}: "
                "make the user the owner of the database"
            ) from error
        except (psycopg.Error, BackendDown, BackendFailed) as error:
            self.close()
            said = " ".join(str(error).split())
            raise StartError(
                f"datastore {self._name}: {said}: check the server and the URL"
            ) from error
        except StartError:
            self.close()
            raise
        for warning in self.warnings:
            log.warning("durability database=%s warning=%s", self._name, warning)

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""
        postgres_upkeep.fill(self._conninfo, self._name, write)

    def session(self, *, writer: bool = False) -> PostgresSession:
        """Return a new session; it connects when first used."""
        noted = self._note_writer if writer else None
        return PostgresSession(self._conninfo, self.member_id, self._lifeline, noted)

    def housekeep(self, session: PostgresSession) -> None:
        """Nothing to do: autovacuum does it."""

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Wait for notices of other servers; after each reconnect say that there may be some."""
        with self._lifeline.held(self._cut_listener):
            while not stopped():
                try:
                    self._listen(heard, stopped)
                except psycopg.Error as error:
                    log.warning("listening again soon error=%s", " ".join(str(error).split()))
                    self._drop_listener()
                    time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Let go of the member row."""
        self._drop_listener()

    def _listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        if self._listener is None:
            self._listener = connect(self._conninfo)
            self._claim(self.member_id)
        self._listener.execute(f"LISTEN {CHANNEL}")
        self._lifeline.answered()
        heard()
        while not stopped():
            for notice in self._listener.notifies(timeout=LISTEN_SECONDS):
                if notice.pid not in self._writers:
                    heard()
            self._listener.execute("SELECT 1")
            self._lifeline.answered()

    def _claim(self, member_id: int) -> bool:
        """Take a member row for as long as the listening connection lives."""
        if self._listener is None:
            return False
        row = self._listener.execute("SELECT pg_try_advisory_lock(%s)", (member_id,)).fetchone()
        return bool(row and row[0])

    def _note_writer(self, pid: int) -> None:
        self._writers.add(pid)

    def _cut_listener(self) -> None:
        if self._listener is not None:
            cut(self._listener)

    def _drop_listener(self) -> None:
        if self._listener is not None:
            with suppress(psycopg.Error):
                self._listener.close()
            self._listener = None


def durability_warnings(connection: psycopg.Connection) -> tuple[str, ...]:
    """Say which settings let the database forget a commit that it has acknowledged."""
    found = []
    for name, durable in DURABLE.items():
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        value = row[0] if row else ""
        if value in ("off", "local") and value != durable:
            found.append(f"{name} is {value}: a crash of the database can lose acknowledged writes")
    return tuple(found)
