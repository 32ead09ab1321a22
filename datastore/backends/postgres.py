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
from datastore.backends.postgres_standing import Standing
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
MEMBER = "SELECT batch FROM member WHERE id = %s"
PRIMARY = {"target_session_attrs": "read-write"}  # what a standby answers may be old
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresBackend:
    """The store in a database that servers share."""

    exclusive = False
    disk_turns = 0
    newest = None
    longest_key = LONGEST_KEY

    def __init__(self, url: URL, identity: Identity) -> None:
        primary = url.set(drivername="postgresql").update_query_dict(PRIMARY)
        self._conninfo = primary.render_as_string(hide_password=False)
        self._name = url.render_as_string(hide_password=True)
        self._identity = identity
        self._listener: psycopg.Connection | None = None
        self._holds_member = True
        self._writer: PostgresSession | None = None
        self._lifeline = Lifeline()
        self._standing = Standing()
        self.warnings: tuple[str, ...] = ()
        self.cluster_id = 0

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
            self._listener = connect(self._conninfo)
            self.warnings = durability_warnings(self._listener)
            check_and_migrate_postgres(self._conninfo, self._name)
            self._register()
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
        session = PostgresSession(self._conninfo, self._lifeline, self._standing)
        if writer:
            self._writer = session
        return session

    def housekeep(self, session: PostgresSession) -> None:
        """Nothing to do: autovacuum does it."""

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Wait for notices of other servers; after each reconnect say that there may be some."""
        with self._lifeline.held(self._cut_listener):
            while not stopped():
                try:
                    self._listen(heard, stopped)
                except Exception as error:  # without this thread nobody hears, nor looks
                    unforeseen = None if isinstance(error, psycopg.Error) else error
                    said = " ".join(str(error).split())
                    log.warning("listening again soon error=%s", said, exc_info=unforeseen)
                    self._drop_listener()
                    time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Let go of the member row."""
        self._drop_listener()

    def _listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        listener = self._listener
        if listener is None:
            listener = self._listener = connect(self._conninfo)
            self._holds_member = False
        listener.execute(f"LISTEN {CHANNEL}")
        self._look_at_member(listener)
        heard()
        while not stopped():
            for notice in listener.notifies(timeout=LISTEN_SECONDS):
                if self._writer is None or notice.pid != self._writer.pid:
                    heard()
            self._look_at_member(listener)

    def _look_at_member(self, listener: psycopg.Connection) -> None:
        """See whether the database answers, and that the member row is still this server's.

        After a reconnect the claim may be held by the old connection for a moment.
        """
        self._holds_member = self._holds_member or self._claim(self.member_id)
        before = self._standing.acknowledged
        row = listener.execute(MEMBER, (self.member_id,)).fetchone()
        self._lifeline.answered()
        number = row[0] if row else None
        self._standing.judge_row(number, before, claimed=self._holds_member)

    def _register(self) -> None:
        session = PostgresSession(self._conninfo, self._lifeline, self._standing)
        standing = self._standing
        with session.transaction() as tx:
            self.cluster_id, standing.member_id = register(
                tx, self._identity, self._claim, standing.first_batch
            )
            tx.commit_plain()
        session.close()

    def _claim(self, member_id: int) -> bool:
        """Take a member row for as long as the listening connection lives."""
        if self._listener is None:
            return False
        row = self._listener.execute("SELECT pg_try_advisory_lock(%s)", (member_id,)).fetchone()
        return bool(row and row[0])

    def _cut_listener(self) -> None:
        listener = self._listener  # which its own thread may drop meanwhile
        if listener is not None:
            cut(listener)

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
