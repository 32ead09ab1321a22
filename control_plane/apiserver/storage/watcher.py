"""One client's watch: a bounded queue between the cache and a connection.

The cache offers events without waiting; the connection takes them. A watcher whose queue is full is
cut off (it has missed an event), and no other watcher notices.
"""

import asyncio
from typing import TYPE_CHECKING

from control_plane.apiserver.storage.cache_event import CacheEvent, Change
from control_plane.apiserver.storage.entry import Entry
from control_plane.apiserver.storage.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PENDING_EVENTS = 4096

Pending = tuple[Change, CacheEvent]


class Watcher:
    """A registered watch.

    `initial` are the objects of the state it starts from (empty when it starts at a revision),
    `start_revision` the revision of that state. `on_end` is called once when the cache ends the
    watch, be it cut off or the server stopping; what is pending then is void if `was_cut`.
    """

    def __init__(self, selection: Selection, initial: list[Entry], start_revision: int) -> None:
        """Make a watcher that has been sent nothing yet."""
        self.selection = selection
        self.initial = initial
        self.start_revision = start_revision
        self.was_cut = False
        self.has_ended = False
        self.on_end: Callable[[], object] = lambda: None
        self._pending: list[Pending] = []
        self._waiter: asyncio.Future[None] | None = None
        self._is_nudged = False

    def offer(self, event: CacheEvent) -> None:
        """Queue `event` if it concerns this watcher; cut it off when the queue is full."""
        if self.has_ended or event.revision <= self.start_revision:
            return
        change = event.change_for(self.selection)
        if change is None:
            return
        if len(self._pending) >= MAX_PENDING_EVENTS:
            self.was_cut = True
            self.end()
            return
        self._pending.append((change, event))
        self._wake()

    def replay(self, events: list[CacheEvent]) -> None:
        """Queue history before anything else; it is not bounded by the queue but by the window."""
        changes = ((event.change_for(self.selection), event) for event in events)
        self._pending = [(change, event) for change, event in changes if change is not None]
        if self._pending:
            self._wake()

    @property
    def is_drained(self) -> bool:
        """Whether everything offered so far has been taken."""
        return not self._pending

    async def take(self, within: float | None = None) -> list[Pending]:
        """Wait for something, up to `within` seconds, and take all that is pending.

        Empty: the time has passed, somebody has nudged, or the watch has ended.
        """
        if not self._pending and not self.has_ended and not self._is_nudged:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            timer = None if within is None else loop.call_later(within, self.nudge)
            try:
                await waiter
            finally:
                if timer is not None:
                    timer.cancel()
        taken, self._pending = self._pending, []
        if not taken:
            self._is_nudged = False
        return [] if self.was_cut else taken

    def nudge(self) -> None:
        """Let `take` return once with nothing, when all that is pending has been taken."""
        self._is_nudged = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def end(self) -> None:
        """Stop the watch from the cache's side."""
        if not self.has_ended:
            self.has_ended = True
            self._wake()
            self.on_end()
