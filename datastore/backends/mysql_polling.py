"""How a server of MySQL learns of the others' commits: it looks at the newest event.

Every `ACTIVE_SECONDS` while there was one lately, every `IDLE_SECONDS` otherwise. An event that
this server has committed itself is no news; one that it is just committing may be seen before its
own writer has the answer, so a look that finds something is made sure of a moment later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from datastore.backends.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIVE_SECONDS, IDLE_SECONDS = 0.03, 0.25  # between two looks
LATELY_SECONDS = 2.0
SURE_SECONDS = 0.01  # an own commit has its answer by then


class PolledStanding(Standing):
    """A standing that knows, too, up to where this server's writer has committed."""

    def __init__(self) -> None:
        super().__init__()
        self.committed = 0

    def acknowledge(self, batch: int, revision: int) -> None:
        """Note that a batch has been committed."""
        super().acknowledge(batch, revision)
        self.committed = max(self.committed, revision)


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
