"""A heap of queued pods from which any pod can be taken out.

Taking out leaves the heap entry behind; it is recognised by its old ticket when it comes up.
Entries are rebuilt once more than half of them are dead, so memory stays proportional to the pods
present.
"""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from control_plane.scheduler.queued_pod import QueuedPod

_tickets = count(1)
_REBUILD_ABOVE = 64


class PodHeap:
    """Queued pods ordered by `key`, which is read when the pod is pushed.

    Push again when it changes.
    """

    def __init__(self, key: Callable[[QueuedPod], tuple[Any, ...]]) -> None:
        self._key = key
        self._entries: list[tuple[tuple[Any, ...], int, QueuedPod]] = []
        self._tickets: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def push(self, pod: QueuedPod) -> None:
        """Add the pod, or re-order it when it is there already."""
        pod.ticket = next(_tickets)
        self._tickets[pod.info.uid] = pod.ticket
        heapq.heappush(self._entries, (self._key(pod), pod.ticket, pod))
        if len(self._entries) > _REBUILD_ABOVE and len(self._entries) > 2 * len(self._tickets):
            self._entries = [entry for entry in self._entries if self._is_live(entry)]
            heapq.heapify(self._entries)

    def peek(self) -> QueuedPod | None:
        """Return the first pod, None when there is none."""
        while self._entries and not self._is_live(self._entries[0]):
            heapq.heappop(self._entries)
        return self._entries[0][2] if self._entries else None

    def pop(self) -> QueuedPod | None:
        """Take out the first pod, None when there is none."""
        pod = self.peek()
        if pod is not None:
            heapq.heappop(self._entries)
            del self._tickets[pod.info.uid]
        return pod

    def remove(self, uid: str) -> None:
        """Take out the pod if it is there."""
        self._tickets.pop(uid, None)

    def _is_live(self, entry: tuple[tuple[Any, ...], int, QueuedPod]) -> bool:
        return self._tickets.get(entry[2].info.uid) == entry[1]
