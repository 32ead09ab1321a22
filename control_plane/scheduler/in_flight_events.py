"""Cluster events that happened while pods were being tried.

An attempt works on a snapshot; an event after the snapshot could be just what the pod needed. The
log keeps events while anything is in flight, numbered, so that a failed pod can be matched against
those it missed.

Bound: `limit` events. Overflow: the oldest go; a pod whose attempt began before the oldest kept
event is told that it missed something unknown, and is retried after its back-off.
"""

from collections import deque

from control_plane.scheduler.framework.cluster_event import ClusterEvent

DEFAULT_LIMIT = 4096


class InFlightEvents:
    """A bounded, numbered log of events."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._events: deque[ClusterEvent] = deque(maxlen=limit)
        self._next = 0

    @property
    def position(self) -> int:
        """The number the next event will get."""
        return self._next

    def append(self, event: ClusterEvent) -> None:
        """Add an event, dropping the oldest when full."""
        self._events.append(event)
        self._next += 1

    def since(self, position: int) -> list[ClusterEvent] | None:
        """Return the events from `position` on, or None when some of them were dropped."""
        missing = self._next - position
        if missing > len(self._events):
            return None
        return list(self._events)[len(self._events) - missing :] if missing else []

    def clear(self) -> None:
        """Forget all events.

        Positions go on from where they are. Call it only with nothing in flight.
        """
        self._events.clear()
