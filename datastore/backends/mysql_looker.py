"""How a server of MySQL learns of the others' commits: it looks at the newest event.

Every `ACTIVE_SECONDS` while there was one lately, every `IDLE_SECONDS` otherwise. An event that
this server has committed itself is no news; one that it is just committing may be seen before its
own writer has the answer, so a look that finds something is made sure of a moment later.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from datastore.backends.ear import Look, SessionEar
from datastore.backends.mysql_connection import MysqlConnection, Trouble
from datastore.backends.mysql_nodes import connect
from datastore.backends.pulse import sighting
from datastore.mvcc.model import SUB_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.mysql_target import Target
    from datastore.backends.standing import Standing

ACTIVE_SECONDS, IDLE_SECONDS = 0.03, 0.25  # between two looks
LATELY_SECONDS = 2.0
SURE_SECONDS = 0.01  # an own commit has its answer by then


class Pace:
    """How long to wait between two looks at the newest event."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest = 0
        self._moved = clock() - LATELY_SECONDS

    def moved(self, newest: int) -> bool:
        """Note the newest revision; say whether it is another than before."""
        if newest == self._newest:
            return False
        self._newest = newest
        self._moved = self._clock()
        return True

    def seconds(self) -> float:
        """Return how long to wait."""
        lately = self._clock() - self._moved < LATELY_SECONDS
        return ACTIVE_SECONDS if lately else IDLE_SECONDS


class Looker(SessionEar[MysqlConnection, int]):
    """See the module. One thread listens; any may `cut`."""

    def __init__(self, target: Target, lifeline: Lifeline, standing: Standing) -> None:
        super().__init__(lambda: connect(target), lifeline, standing)
        self._target = target
        self._pace = Pace()
        pulse = target.pulse
        self._asked = (
            f"SELECT (SELECT batch FROM {pulse.table('member')} WHERE id = {{}}), "
            f"(SELECT MAX(id) FROM {pulse.table('history')}), {pulse.sight}"
        )

    def claim(self, member_id: int) -> bool:
        """Take a member row for as long as the connection lives; of a cluster's, if it is free."""
        connection = self._connection
        if connection is None:
            return False
        if connection.galera:
            return not connection.exchange([self._target.pulse.is_alive(member_id)])[0]
        name = connection.escape(self._target.lock(str(member_id)))
        return bool(connection.exchange([f"SELECT GET_LOCK({name}, 0)"])[0][0][0])

    def close(self) -> None:
        """Let go of the member row."""
        connection = self._connection
        if connection is not None and connection.galera:
            with suppress(Trouble):
                connection.exchange([self._target.pulse.let_go(self._standing.member_id)])
        super().close()

    def _claims(self) -> bool:
        """Say whether a lock keeps the member row: a cluster's has but its number and heartbeat."""
        connection = self._connection
        return (connection is None or not connection.galera) and super()._claims()

    def _follow(
        self, connection: MysqlConnection, heard: Callable[[], None], stopped: Callable[[], bool]
    ) -> None:
        self._look(connection)
        heard()
        while not stopped():
            time.sleep(self._pace.seconds())
            newest = self._look(connection)
            if self._pace.moved(newest) and newest > self._standing.committed:
                time.sleep(SURE_SECONDS)
                if newest > self._standing.committed:
                    heard()

    def _ask(self, connection: MysqlConnection) -> Look[int]:
        """Ask; the news is the newest revision."""
        asked = self._asked.format(self._standing.member_id)
        batch, newest, *seen = connection.exchange([asked])[0][0]
        return Look(batch, sighting(seen), (newest or 0) >> SUB_BITS)
