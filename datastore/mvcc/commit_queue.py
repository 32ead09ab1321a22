"""Committed batches on their way from the writer's thread to the watch hub on the event loop.

Bounds: the loop comes for them, whatever else it does, when there are `BATCHES` batches or `BYTES`
bytes; while nobody watches, when there are `MANY` batches.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datastore.mvcc.committer import Outcome

BATCHES = 64
MANY = 16
EVENTS = 512  # of one batch; beyond, their bytes are not even counted
BYTES = 1 << 20


class CommitQueue:
    """Batches that the writer has left and the hub has not taken.

    `revision` is that of the last one left.
    """

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self._batches: deque[Outcome] = deque()
        self.since = 0.0  # when the oldest was left
        self._bytes = 0

    @property
    def many(self) -> bool:
        """Whether it is time to take them though nobody watches."""
        return len(self._batches) >= MANY

    @property
    def full(self) -> bool:
        """Whether no more may be left."""
        return len(self._batches) >= BATCHES or self._bytes >= BYTES

    def leave(self, outcome: Outcome) -> None:
        """Leave a batch; for the writer's thread."""
        if not self._batches:
            self.since = perf_counter()
        self._batches.append(outcome)
        self.revision = outcome.revision
        events = outcome.events
        self._bytes += BYTES if len(events) > EVENTS else sum(event.size for event in events)

    def take(self) -> list[Outcome]:
        """Take every batch, oldest first; for the event loop.

        Of one that the writer leaves meanwhile the bytes may be counted although it is taken: then
        the loop comes once too early.
        """
        self._bytes = 0
        taken = []
        while self._batches:
            taken.append(self._batches.popleft())
        return taken
