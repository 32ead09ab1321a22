"""A transaction at a database that servers share: it may not find less than was there before.

A dialect says how statements travel, which is all that makes it fast: what begins, locks and
prefetches goes in one exchange with the database, what writes and commits in another.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from datastore.backends.transaction import SqlTransaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.backends.standing import Standing
    from datastore.mvcc.backend import Changes
    from datastore.mvcc.model import State
    from datastore.mvcc.statement_times import StatementTimes

MANY = 10_000  # rows, or keys, whose work between two exchanges may take seconds


class SharedTransaction(SqlTransaction):
    """A transaction whose statements wait: `send` only queues, `run` waits for its rows.

    `ended` says that it was committed, or rolled back.
    """

    def __init__(self, standing: Standing, times: StatementTimes, *, writes: bool) -> None:
        self.member_id = standing.member_id
        self.ended = False
        self._standing = standing
        self._reached: int | None = standing.reached  # before anything is read
        self._times = times
        self._writes = writes
        self._deleted = 0  # rows of history

    def state_of(self, columns: Sequence[Any]) -> State:
        """Return the state that its columns tell; it may not be behind what was seen before."""
        state = super().state_of(columns)
        if self._reached is not None:
            self._standing.read(self._reached, state.revision)
            self._reached = None  # a later one of a write transaction shows what it wrote itself
        return state

    def write(self, changes: Changes) -> None:
        """Write the changes, and count what they leave behind."""
        super().write(changes)
        self._deleted += len(changes.drop_rows)

    def commit(self, batch: int, revision: int) -> None:
        """Make it durable; `batch` is what tells afterwards whether it was."""
        number = self._standing.number(batch)
        self.send(self.statements.set_batch, member=self.member_id, number=number)
        self.announce(revision)
        self.commit_plain()
        self._standing.acknowledge(batch, revision)
        self._standing.deleted += self._deleted

    def announce(self, revision: int) -> None:
        """Tell other servers of a revision, with the commit; those who look need not be told."""

    def settle(self) -> None:
        """See that no transaction that began before this one can still be committed."""

    @abstractmethod
    def commit_plain(self) -> None:
        """Commit; CommitUnknown when the connection broke before the answer."""
