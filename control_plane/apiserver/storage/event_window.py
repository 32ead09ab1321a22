"""The recent events of a resource, from which a watch can start in the past.

Bounded by count and by bytes; the oldest go first, and a watch that wanted them is told to list
again (410 Expired).
"""

from collections import deque
from itertools import dropwhile

from control_plane.apiserver.storage.cache_event import CacheEvent

MAX_EVENTS = 16_384
MAX_BYTES = 32 * 1024 * 1024


class EventWindow:
    """Every event with a revision greater than `start`, oldest first."""

    def __init__(self, start: int) -> None:
        """Begin with nothing, complete from `start` on."""
        self.start = start
        self._events: deque[CacheEvent] = deque()
        self._bytes = 0

    def append(self, event: CacheEvent) -> None:
        """Add the newest event and forget what is over the bounds."""
        self._events.append(event)
        self._bytes += event.size
        while len(self._events) > MAX_EVENTS or self._bytes > MAX_BYTES:
            oldest = self._events.popleft()
            self._bytes -= oldest.size
            self.start = oldest.revision

    def since(self, revision: int) -> list[CacheEvent]:
        """The events after `revision`, which must not be before `start`."""
        if not self._events or self._events[-1].revision <= revision:
            return []
        return list(dropwhile(lambda event: event.revision <= revision, self._events))
