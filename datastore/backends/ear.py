"""The connection on which a server learns of other servers' commits, however it learns of them.

Every ear says only that there is something to read, so what it misses costs latency, never an
event. What it asks of the database tells, too, that the database answers (`Lifeline`) and that the
member row is still this server's (`Standing`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from datastore.backends.lifeline import AnyConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.standing import Standing
    from datastore.mvcc.backend import Sighting

News = TypeVar("News")


class Look(NamedTuple, Generic[News]):
    """What one question told.

    The batch that this server's member row tells of, what there is to see besides, and the news of
    other servers. The first two are None if there is no such row.
    """

    batch: int | None
    sighting: Sighting | None
    news: News


def unseen(_: Sighting) -> None:
    """See nothing in it."""


class Ear(ABC, Generic[AnyConnection, News]):
    """One connection, made again when it was dropped. One thread uses it; any may `cut`."""

    def __init__(
        self, connect: Callable[[], AnyConnection], lifeline: Lifeline, standing: Standing
    ) -> None:
        self._connect = connect
        self._lifeline = lifeline
        self._standing = standing
        self._connection: AnyConnection | None = None
        self._saw: Callable[[Sighting], None] = unseen

    def open(self) -> AnyConnection:
        """Connect; the driver's errors are raised as they are."""
        self._connection = self._connect()
        return self._connection

    def listen(
        self,
        heard: Callable[[], None],
        stopped: Callable[[], bool],
        saw: Callable[[Sighting], None],
    ) -> None:
        """Call `heard` when there may be commits of others, and once at first, until `stopped`.

        `saw` is told what each look shows.
        Raises the driver's error when the connection is lost.
        """
        self._saw = saw
        self._follow(self._connection or self.open(), heard, stopped)

    def cut(self) -> None:
        """From another thread: end the wait for an answer that does not come."""
        connection = self._connection  # which its own thread may drop meanwhile
        if connection is not None:
            connection.cut()

    def drop(self) -> None:
        """Give up the connection, to be made again."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    def close(self) -> None:
        """Let go of the member row, together with the connection."""
        self.drop()

    @abstractmethod
    def claim(self, member_id: int) -> bool:
        """Take a member row, unless another server has it; the caller holds the store's lock."""

    @abstractmethod
    def _follow(
        self, connection: AnyConnection, heard: Callable[[], None], stopped: Callable[[], bool]
    ) -> None:
        """Listen on a connection, as `listen` says."""

    @abstractmethod
    def _ask(self, connection: AnyConnection) -> Look[News]:
        """Ask everything in one statement."""

    @abstractmethod
    def _claims(self) -> bool:
        """Say whether the member row is claimed by this server's connection, as far as it knows."""

    def _look(self, connection: AnyConnection) -> News:
        """Ask, see that the database knows this server, and return the news of others."""
        claimed = self._claims()
        before = self._standing.acknowledged
        look = self._ask(connection)
        self._lifeline.answered()
        self._standing.judge_row(look.batch, before, claimed=claimed)
        if look.sighting is not None:
            self._saw(look.sighting)
        return look.news


class SessionEar(Ear[AnyConnection, News]):
    """An ear whose connection is a session, with a lock on the member row's id while it lives.

    So a server that restarts is the same member again, and two that run under one name are two.
    """

    _holds_member = True  # what was claimed at the start

    def drop(self) -> None:
        """Give up the connection, and with it the lock."""
        super().drop()
        self._holds_member = False

    def _claims(self) -> bool:
        """Claim the row if need be: the old connection may hold it for a moment yet."""
        self._holds_member = self._holds_member or self.claim(self._standing.member_id)
        return self._holds_member
