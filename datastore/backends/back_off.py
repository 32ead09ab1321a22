"""How long to wait before a database is tried again: twice as long each time, and never in step.

Servers that lost their database together must not come back together, so each pause is between a
half and the whole of what it could be.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BackOff:
    """The pauses of one kind of attempt; any thread may use it."""

    def __init__(
        self,
        first: float,
        longest: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take seconds."""
        self._first, self._longest = first, longest
        self._clock, self._chance = clock, chance
        self._pause = 0.0
        self._next = 0.0

    def failed(self) -> float:
        """Note a failure, and return the seconds to wait after it."""
        self._pause = min(max(2 * self._pause, self._first), self._longest)
        seconds = self._pause * (1 + self._chance()) / 2
        self._next = self._clock() + seconds
        return seconds

    def succeeded(self) -> None:
        """Note that it can be done again."""
        self._pause = self._next = 0.0

    def left(self) -> float:
        """Return the seconds that are still to be waited."""
        return max(0.0, self._next - self._clock())
