"""A connection of one thread to a database that servers share, and the transactions on it.

It is made when it is first used, and again when it was lost: the caller, who gets BackendDown, may
try again. Attempts that fail are paced for all sessions of a server together (`Lifeline.connect`).
A dialect says how to connect (`_connected`) and how a transaction begins and ends (`_begin`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from datastore.backends.lifeline import AnyConnection
from datastore.backends.looks import STATE, live_rows
from datastore.backends.shared_transaction import SharedTransaction
from datastore.backends.transaction import CLOCK, told_state
from datastore.mvcc.backend import BackendDown, Size
from datastore.mvcc.statement_times import StatementTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from datastore.backends.lifeline import Lifeline
    from datastore.backends.looks import LookStatements
    from datastore.backends.pulse import Pulse
    from datastore.backends.standing import Standing
    from datastore.mvcc.model import Row, State

AnyTransaction = TypeVar("AnyTransaction", bound=SharedTransaction)


class SharedSession(ABC, Generic[AnyConnection, AnyTransaction]):
    """See the module; `named` names the text of a statement, for the times of statements."""

    _looks: LookStatements

    def __init__(
        self, lifeline: Lifeline, standing: Standing, named: Callable[[str], str], pulse: Pulse
    ) -> None:
        self._lifeline = lifeline
        lifeline.join(self)
        self._standing = standing
        self._pulse = pulse
        self._connection: AnyConnection | None = None
        self.times = StatementTimes(named)

    def snapshot(self) -> AbstractContextManager[AnyTransaction]:
        """Open a read-only view of one state."""
        return self._begin(writes=False)

    def transaction(self) -> AbstractContextManager[AnyTransaction]:
        """Open a write transaction."""
        return self._begin(writes=True)

    def look(self, keys: Collection[bytes]) -> tuple[State, dict[bytes, Row]]:
        """Return the state and the live rows of keys, both of one moment."""
        asked = self._looks.of(keys) if self._alone else None
        if asked is None:
            with self._begin(writes=False) as tx:
                return tx.state(), tx.live(keys)
        reached = self._standing.reached  # before anything is read
        found = self._timed(asked[0], *asked)
        state = told_state(found[0][:STATE], int(found[0][CLOCK]))
        self._standing.read(reached, state.revision)
        return state, live_rows(found)

    def live_row(self, key: bytes) -> Row | None:
        """Return the live row of a key."""
        return self.look([key])[1].get(key)

    def last_batch(self) -> int:
        """Return, under the lock, the number of this server's last committed batch.

        CommitUnknown when another server has this one's row, and has overwritten it.
        """
        with self._begin(writes=True) as tx:
            tx.begin()
            rows = tx.execute(tx.statements.last_batch, id=self._standing.member_id)
            tx.settle()
            return self._standing.batch_of(rows[0][0] if rows else None)

    def say_alive(self) -> None:
        """Say that this server is alive."""
        self._timed("say_alive", self._pulse.alive(self._standing.member_id))

    def keep_lock(self, milliseconds: int) -> None:
        """Keep the lock for so long, if this server holds it now."""
        self._timed("keep_lock", self._pulse.keep(self._standing.member_id, milliseconds))

    def _timed(
        self, name: str, statement: str, params: Sequence[Any] = ()
    ) -> Sequence[Sequence[Any]]:
        """Run a statement outside a transaction; it counts under a name."""
        begun = perf_counter()
        rows = self._asked(statement, params)
        self.times.add(name, perf_counter() - begun)
        return rows

    def cut(self) -> None:
        """From another thread: end the wait for an answer that does not come."""
        connection = self._connection
        if connection is not None:
            connection.cut()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.leave()
            self._connection = None

    @abstractmethod
    def size(self) -> Size:
        """Return the size of the store."""

    @abstractmethod
    def shrink(self) -> bool:
        """Write every table anew without its free space; say that there is no more to do."""

    @abstractmethod
    def copy_to(self, path: Path) -> None:
        """Write one state of the database into a new SQLite file."""

    @property
    def _alone(self) -> bool:
        """Whether a statement may be asked outside a transaction."""
        return True

    @abstractmethod
    def _asked(self, sql: str, params: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return what a statement outside a transaction finds."""

    @abstractmethod
    def _begin(self, *, writes: bool) -> AbstractContextManager[AnyTransaction]:
        """Open a transaction, to be rolled back unless it is committed."""

    @abstractmethod
    def _connected(self) -> AnyConnection:
        """Make a connection; BackendDown when there is none to be had."""

    def _connect(self) -> AnyConnection:
        """Return the connection, made if there is none."""
        if self._lifeline.away:
            raise BackendDown("the database does not answer")
        if self._connection is None:
            self._connection = self._lifeline.connect(self._connected)
        return self._connection
