"""Learning of other servers' commits by asking, where a pooler lets nobody listen.

Every commit of a server leaves its number in the server's member row, so these few rows tell all:
asked 20 times a second while something happens, 4 times a second when nothing has for a while.

No session is there to hold a claim on a member row. A row is free when its server has not given a
sign of life for as long as a server counts as alive; one that stops in order frees it at once. One
that is killed and comes back before that is another member.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from datastore.backends.ear import Ear, Look
from datastore.backends.postgres_connection import PostgresConnection, connect
from datastore.backends.pulse import sighting
from datastore.backends.standing import BATCH_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing

BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.25
BUSY_FOR_SECONDS = 2.0  # after a commit


class Poller(Ear[PostgresConnection, dict[int, int]]):
    """See the module. One thread listens; any may `cut`."""

    def __init__(self, database: Database, lifeline: Lifeline, standing: Standing) -> None:
        super().__init__(lambda: connect(database), lifeline, standing)
        self._pulse = pulse = database.pulse
        self._asked = f"SELECT id, batch, {pulse.sight} FROM {database.table('member')}".encode()

    def claim(self, member_id: int) -> bool:
        """Say whether a member row is free: the caller, who holds the store's lock, takes it."""
        if self._connection is None:
            return False
        alive = self._pulse.is_alive(member_id)
        return self._connection.execute(alive.encode()).fetchone() is None

    def close(self) -> None:
        """Free the member row, unless it is another server's by now."""
        standing = self._standing
        if self._connection is not None and standing.member_id:
            process = standing.first_batch >> BATCH_BITS
            own = f" AND batch >> {BATCH_BITS} = {process}"
            with suppress(psycopg.Error):
                self._connection.execute((self._pulse.let_go(standing.member_id) + own).encode())
        self.drop()

    def _follow(
        self, connection: PostgresConnection, heard: Callable[[], None], stopped: Callable[[], bool]
    ) -> None:
        others = self._look(connection)
        heard()
        own, last = self._standing.acknowledged, time.monotonic()
        while not stopped():
            busy = time.monotonic() - last < BUSY_FOR_SECONDS
            time.sleep(BUSY_SECONDS if busy else IDLE_SECONDS)
            found = self._look(connection)
            if found != others:
                heard()
            if found != others or self._standing.acknowledged != own:
                others, own, last = found, self._standing.acknowledged, time.monotonic()

    def _ask(self, connection: PostgresConnection) -> Look[dict[int, int]]:
        """Ask; the news is the last batch of every other server."""
        rows = connection.execute(self._asked).fetchall()
        found: dict[int, int] = {row[0]: row[1] for row in rows}
        seen = sighting(rows[0][2:]) if rows else None
        return Look(found.pop(self._standing.member_id, None), seen, found)

    def _claims(self) -> bool:
        return False
