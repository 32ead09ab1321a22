"""Hearing of other servers' commits by NOTIFY, on a connection of this server's own.

The connection also holds an advisory lock on the number of the server's member row for as long as
it lives: a server that restarts is the same member again, and two that run under one name are two.
Both belong to a session, so the connection may not lead through a pooler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from datastore.backends.postgres_ear import Ear
from datastore.backends.postgres_transaction import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing

LISTEN_SECONDS = 0.5


class Listener(Ear):
    """See the module. One thread listens; any may `cut`."""

    def __init__(self, database: Database, lifeline: Lifeline, standing: Standing) -> None:
        super().__init__(database, lifeline, standing)
        self._member = f"SELECT batch FROM {database.table('member')} WHERE id = %s"
        self._holds_member = True

    def claim(self, member_id: int) -> bool:
        """Take a member row for as long as the connection lives."""
        if self._connection is None:
            return False
        row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (member_id,)).fetchone()
        return bool(row and row[0])

    def listen(self, heard: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Call `heard` at every notice of another server, and once at first, until `stopped`.

        Raises the driver's error when the connection is lost.
        """
        connection = self._connection
        if connection is None:
            connection = self.open()
            self._holds_member = False
        connection.execute(f"LISTEN {CHANNEL}")
        self._look(connection)
        heard()
        while not stopped():
            for notice in connection.notifies(timeout=LISTEN_SECONDS):
                if self._standing.concerns(notice.payload):
                    heard()
            self._look(connection)

    def finds_member(self) -> bool:
        """Say whether the connection is to the store in which this server has just registered."""
        if self._connection is None:
            return False
        try:
            row = self._connection.execute(self._member, (self._standing.member_id,)).fetchone()
        except psycopg.errors.UndefinedTable:
            return False
        return row == (self._standing.first_batch,)

    def close(self) -> None:
        """Let go of the member row, together with the connection."""
        self.drop()

    def _look(self, connection: psycopg.Connection) -> None:
        """See whether the database answers, and that the member row is still this server's.

        After a reconnect the claim may be held by the old connection for a moment.
        """
        standing = self._standing
        self._holds_member = self._holds_member or self.claim(standing.member_id)
        before = standing.acknowledged
        row = connection.execute(self._member, (standing.member_id,)).fetchone()
        self._lifeline.answered()
        standing.judge_row(row[0] if row else None, before, claimed=self._holds_member)
