"""Leases in memory, with their deadlines: what is due next, at a cost that does not grow with them.

A heap holds one entry a lease. A renewal only changes the deadline; the entry moves when its old
time has come, so a lease that is kept alive costs one step of the heap for each TTL. Entries of
leases that have ended stay until their time has come too, but never make more than half of a large
heap. Times are milliseconds on a clock of the caller's that never goes back.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOKED_AT = 1_000  # entries of the heap in one turn


class LeaseTable:
    """The leases of a store; see the module."""

    def __init__(self) -> None:
        self._ttls: dict[int, int] = {}  # in milliseconds
        self._deadlines: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []
        self._entries: dict[int, int] = {}  # when the heap has each lease; others there are old

    def __len__(self) -> int:
        return len(self._ttls)

    def __contains__(self, lease: int) -> bool:
        return lease in self._ttls

    def put(self, lease: int, ttl: int, deadline: int) -> None:
        """Take a lease of so many seconds, new or with another deadline."""
        if deadline < self._entries.get(lease, deadline + 1):
            self._push(lease, deadline)
        self._ttls[lease] = ttl * 1000
        self._deadlines[lease] = deadline

    def drop(self, lease: int) -> None:
        """Forget a lease; its entry goes when its time has come, or when most are such entries."""
        self._ttls.pop(lease, None)
        self._deadlines.pop(lease, None)
        self._entries.pop(lease, None)

    def renew(self, lease: int, now: int) -> int:
        """Give a lease its full time and return its TTL in seconds; 0 if it is gone or due."""
        ttl = self._ttls.get(lease)
        if ttl is None or self._deadlines[lease] <= now:
            return 0
        self._deadlines[lease] = now + ttl
        return ttl // 1000

    def renew_all(self, now: int, grace: int) -> None:
        """Give every lease its full time and a grace."""
        for lease, ttl in self._ttls.items():
            self._deadlines[lease] = max(self._deadlines[lease], now + ttl + grace)

    def left(self, lease: int, now: int) -> int | None:
        """Return how long a lease has, 0 or less when it is due; None if there is none."""
        deadline = self._deadlines.get(lease)
        return None if deadline is None else deadline - now

    def next(self) -> int | None:
        """Return when to look again: no lease is due before."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: int, limit: int) -> list[int]:
        """Return leases that are due, those longest first; look at LOOKED_AT entries at most.

        They stay due until they are dropped: `postpone` those that could not be ended.
        """
        found: list[int] = []
        for _ in range(LOOKED_AT):
            if not self._heap or self._heap[0][0] > now or len(found) == limit:
                break
            entry, lease = heapq.heappop(self._heap)
            if self._entries.get(lease) != entry:
                continue
            deadline = self._deadlines[lease]
            if deadline <= now:
                found.append(lease)
                del self._entries[lease]
            else:
                self._push(lease, deadline)
        return found

    def postpone(self, leases: Iterable[int], until: int) -> None:
        """Look again at leases that were due and are still there."""
        for lease in leases:
            if lease in self._ttls and lease not in self._entries:
                self._push(lease, until)

    def _push(self, lease: int, when: int) -> None:
        self._entries[lease] = when
        heapq.heappush(self._heap, (when, lease))
        if len(self._heap) > 2 * len(self._entries) + LOOKED_AT:
            self._heap = [(when, lease) for lease, when in self._entries.items()]
            heapq.heapify(self._heap)
