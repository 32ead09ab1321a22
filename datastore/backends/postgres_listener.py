"""Hearing of other servers' commits by NOTIFY, on a connection of this server's own.

LISTEN and the advisory lock on the number of the member row both belong to a session, so the
connection may not lead through a pooler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from datastore.backends.ear import Look, SessionEar
from datastore.backends.postgres_connection import PostgresConnection, connect
from datastore.backends.postgres_transaction import CHANNEL
from datastore.backends.pulse import sighting

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing

LISTEN_SECONDS = 0.5


class Listener(SessionEar[PostgresConnection, None]):
    """See the module. One thread listens; any may `cut`."""

    def __init__(self, database: Database, lifeline: Lifeline, standing: Standing) -> None:
        super().__init__(lambda: connect(database), lifeline, standing)
        member = f"FROM {database.table('member')} WHERE id = %s"
        self._asked = f"SELECT batch, {database.pulse.sight} {member}".encode()

    def claim(self, member_id: int) -> bool:
        """Take a member row for as long as the connection lives."""
        if self._connection is None:
            return False
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (member_id,)).fetchone()
        return bool(row and row[0])

    def finds_member(self) -> bool:
        """Say whether the connection is to the store in which this server has just registered."""
        if self._connection is None:
            return False
        try:
            number = self._ask(self._connection).batch
        except psycopg.errors.UndefinedTable:
            return False
        return number == self._standing.first_batch

    def _follow(
        self, connection: PostgresConnection, heard: Callable[[], None], stopped: Callable[[], bool]
    ) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._look(connection)
        heard()
        while not stopped():
            for notice in connection.notifies(timeout=LISTEN_SECONDS):
                if self._standing.concerns(notice.payload):
                    heard()
            self._look(connection)

    def _ask(self, connection: PostgresConnection) -> Look[None]:
        row = connection.execute(self._asked, (self._standing.member_id,)).fetchone()
        return Look(row[0], sighting(row[1:]), None) if row else Look(None, None, None)
