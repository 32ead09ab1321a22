"""When the watch hub dispatches again: once the streams have said what they had, and rested.

An answer to a watcher costs the event loop the same however many events are in it. A hundred
watchers of one key keep the loop from its other calls at each put, and the puts are no faster than
the answers. So after a round of answers the hub rests `PAUSE` times as long as they took; the
writer's batches gather meanwhile, and become one answer for each watcher. A few watchers are
answered in less time than is worth a rest.

    put      put put put                        put put put put
    |        |                                  |
    round of 3 ms, then a rest of 6 ms          the next round: the events of three puts

One that does not read what it is sent holds nobody up: a round and its rest end after `LONGEST`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 2.0
LONGEST = 0.02  # seconds from the dispatch
LEAST = 0.001  # seconds: what timers are made of


class Rest:
    """The rest of one hub; everything but `on` is for its event loop alone."""

    def __init__(self, over: Callable[[], None]) -> None:
        """`over` is called whenever a rest ends."""
        self.on = False  # a round or its rest goes on
        self._over = over
        self._speaking = 0  # streams
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Note that a round has been dispatched."""
        if not self.on:
            self.on = True
            self._began = time.monotonic()
            self._end_in(LONGEST)

    def speaks(self) -> None:
        """Note that a stream has something to say."""
        self._speaking += 1

    def falls_silent(self) -> None:
        """Note that a stream has said everything, or has ended."""
        self._speaking -= 1
        if not self._speaking and self.on:
            took = time.monotonic() - self._began
            self._end_in(min(PAUSE * took, LONGEST - took))

    def _end_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds if seconds >= LEAST else 0, self._end)

    def _end(self) -> None:
        self.on = False
        self._over()
