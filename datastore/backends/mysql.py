"""MySQL 8 and MariaDB: any number of servers on one database.

Every write transaction locks the one row of `meta` first, so commit order is revision order.
Servers learn of each other's commits by looking (`mysql_polling`), on a connection of its own; a
look only says that there is something to read, so a late one costs latency, never an event.

A member row belongs to the server whose looking connection holds a named lock on its id, so a
server that restarts is the same member again and two that run under one name are two.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from datastore.backends import mysql_upkeep
from datastore.backends.identity import Identity, register
from datastore.backends.lifeline import Lifeline
from datastore.backends.mysql_connection import MysqlConnection, Trouble, code_of, said
from datastore.backends.mysql_database import durability_warnings, refuse_unfit
from datastore.backends.mysql_migration import check_and_migrate_mysql
from datastore.backends.mysql_polling import SURE_SECONDS, Pace, PolledStanding
from datastore.backends.mysql_session import MysqlSession
from datastore.backends.mysql_statements import LONGEST_KEY
from datastore.backends.mysql_target import target_of
from datastore.errors import StartError
from datastore.mvcc.backend import BackendDown, BackendFailed
from datastore.mvcc.model import SUB_BITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5
MEMBER_SECONDS = 1.0
LOOK = "SELECT (SELECT MAX(id) FROM history), (SELECT batch FROM member WHERE id = {})"
_DENIED = {1044, 1142, 1143, 1227, 1370}


class MysqlBackend:
    """The store in a database that servers share."""

    exclusive = False
    disk_turns = 0
    newest = None
    longest_key = LONGEST_KEY

    def __init__(self, url: URL, identity: Identity) -> None:
        self._target = target_of(url)
        self._identity = identity
        self._listener: MysqlConnection | None = None
        self._holds_member = True
        self._lifeline = Lifeline()
        self._standing = PolledStanding()
        self._pace = Pace()
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
            self._listener = MysqlConnection(self._target)
            refuse_unfit(self._listener, self._target.name, self._identity.max_request_bytes)
            self.warnings = durability_warnings(self._listener)
            check_and_migrate_mysql(self._target)
            self._register()
        except (Trouble, BackendDown, BackendFailed) as error:
            self.close()
            raise StartError(f"datastore {self._target.name}: {_reason(error)}") from error
        except StartError:
            self.close()
            raise
        for warning in self.warnings:
            log.warning("durability database=%s warning=%s", self._target.name, warning)

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""
        mysql_upkeep.fill(self._target, write)

    def session(self, *, writer: bool = False) -> MysqlSession:
        """Return a new session; it connects when first used."""
        return MysqlSession(self._target, self._lifeline, self._standing, writer=writer)

    def housekeep(self, session: MysqlSession) -> None:
        """Nothing to do: InnoDB purges by itself."""

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Look for commits of other servers; after each reconnect say that there may be some."""
        with self._lifeline.held(self._cut_listener):
            while not stopped():
                try:
                    self._listen(heard, stopped)
                except Exception as error:  # without this thread nobody hears, nor looks
                    unforeseen = None if isinstance(error, Trouble) else error
                    text = said(error) if isinstance(error, Trouble) else str(error)
                    log.warning("looking again soon error=%s", text, exc_info=unforeseen)
                    self._drop_listener()
                    time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Let go of the member row."""
        self._drop_listener()

    def _listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        listener = self._listener
        if listener is None:
            listener = self._listener = MysqlConnection(self._target)
            self._holds_member = False
        self._look(listener)
        heard()
        while not stopped():
            time.sleep(self._pace.seconds())
            newest = self._look(listener)
            if self._pace.moved(newest) and newest > self._standing.committed:
                time.sleep(SURE_SECONDS)
                if newest > self._standing.committed:
                    heard()

    def _look(self, listener: MysqlConnection) -> int:
        """Return the newest revision; see that the member row is still this server's.

        After a reconnect the claim may be held by the old connection for a moment.
        """
        self._holds_member = self._holds_member or self._claim(self.member_id)
        before = self._standing.acknowledged
        newest, batch = listener.exchange([LOOK.format(self.member_id)])[0][0]
        self._lifeline.answered()
        self._standing.judge_row(batch, before, claimed=self._holds_member)
        return (newest or 0) >> SUB_BITS

    def _register(self) -> None:
        session = self.session(writer=True)
        standing = self._standing
        with session.transaction() as tx:
            self.cluster_id, standing.member_id = register(
                tx, self._identity, self._claim, standing.first_batch
            )
            tx.commit_plain()
        session.close()

    def _claim(self, member_id: int) -> bool:
        """Take a member row for as long as the looking connection lives."""
        if self._listener is None:
            return False
        name = self._listener.escape(self._target.lock(str(member_id)))
        return bool(self._listener.exchange([f"SELECT GET_LOCK({name}, 0)"])[0][0][0])

    def _cut_listener(self) -> None:
        listener = self._listener  # which its own thread may drop meanwhile
        if listener is not None:
            listener.cut()

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self._listener.leave()
            self._listener = None


def _reason(error: Exception) -> str:
    """Say what the database said, and what to do."""
    if not isinstance(error, Trouble):
        return f"{error}: check the server and the URL"
    if code_of(error) in _DENIED:
        return f"{said(error)}: grant the user all privileges on the database"
    return f"{said(error)}: check the server and the URL"
