"""When the watch hub dispatches again: some time after the streams have said what they had.

An answer to a watcher costs the event loop the same however many events are in it. A hundred
watchers of one key keep the loop from its other calls at each put, and the puts are no faster than
the answers. So after a round of answers the hub pauses `PAUSE` times as long as they took; the
writer's batches gather meanwhile, and become one answer for each watcher. A few watchers are
answered in less time than is worth a pause.

    put      put put put                        put put put put
    |        |                                  |
    round of 3 ms, then a pause of 6 ms         the next round: the events of three puts

A stream whose client does not read is waited for `LONGEST`, once: it counts again when it has been
idle. Used on the event loop, but for `paused`, which the writer's thread reads.
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


class Pacer:
    """The pauses of one hub: `paused` from a dispatch until the next is due."""

    def __init__(self, over: Callable[[], None]) -> None:
        """`over` is called whenever a pause ends."""
        self.paused = False
        self._over = over
        self._busy: set[object] = set()
        self._began = self._ends = 0.0
        self._timer: asyncio.Handle | None = None

    def dispatched(self) -> None:
        """Note that streams have been given events."""
        if not self.paused:
            self._began = time.monotonic()
            self._end_at(self._began + LONGEST)
            self.paused = True

    def busy(self, stream: object) -> None:
        """Note that a stream has something to say."""
        self._busy.add(stream)

    def idle(self, stream: object) -> None:
        """Note that a stream has said everything, or has ended."""
        if stream in self._busy:
            self._busy.discard(stream)
            if self.paused and not self._busy:
                now = time.monotonic()
                end = now + PAUSE * (now - self._began)
                if end < self._ends:
                    self._end_at(end)

    def _end_at(self, end: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._ends = end
        seconds = end - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds if seconds >= LEAST else 0, self._end)

    def _end(self) -> None:
        self._timer = None
        self._busy.clear()
        self.paused = False
        self._over()
