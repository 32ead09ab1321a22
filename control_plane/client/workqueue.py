"""The workqueue: keys that need work, each at most once, now or later.

A key is in at most one of two places: waiting (`dirty`) or in the hands of a worker (`processing`).
Adding a key that is being processed marks it dirty only; it is queued again when its worker says
`done`. So one key is never worked on twice at a time, and no change is lost. Delayed keys lie in a
heap with a single timer for the earliest.

Bound: one entry per distinct key, that is per object in the informers that feed it.
Source: client-go util/workqueue (queue, delaying_queue, rate_limiting_queue).
"""

import asyncio
import heapq
from collections import deque

from control_plane.client.clock import LOOP_CLOCK, Clock, Timer
from control_plane.client.rate_limit import ItemBackoff, TokenBucket

_REBUILD_ABOVE = 64  # entries of the heap, of which more than half are outdated


class ShutDown(Exception):
    """The queue was shut down and is empty: the worker has to stop."""


class WorkQueue:
    """Deduplicating, delaying, rate-limited queue of keys; for one event loop."""

    def __init__(
        self,
        *,
        clock: Clock = LOOP_CLOCK,
        backoff: ItemBackoff | None = None,
        bucket: TokenBucket | None = None,
    ) -> None:
        """Start empty. Default limits: 5 ms doubling to 1000 s per key, 10/s with bursts of 100."""
        self._clock = clock
        self._backoff = backoff or ItemBackoff()
        self._bucket = bucket or TokenBucket()
        self._queue: deque[str] = deque()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._shut_down = False
        self._ready_at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []  # may hold outdated pairs: _ready_at decides
        self._timer: Timer | None = None

    def __len__(self) -> int:
        """Return the number of keys that a worker could take now."""
        return len(self._queue)

    def add(self, key: str) -> None:
        """Queue `key`, unless it waits already; nothing happens after shut_down."""
        if self._shut_down or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._push(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Queue `key` in `seconds`; of several delays for a key the earliest counts."""
        if self._shut_down:
            return
        if seconds <= 0:
            self.add(key)
            return
        ready_at = self._clock.monotonic() + seconds
        if ready_at >= self._ready_at.get(key, float("inf")):
            return
        self._ready_at[key] = ready_at
        heapq.heappush(self._heap, (ready_at, key))
        if len(self._heap) > _REBUILD_ABOVE and len(self._heap) > 2 * len(self._ready_at):
            self._heap = [(moment, waiting) for waiting, moment in self._ready_at.items()]
            heapq.heapify(self._heap)
        if self._heap[0] == (ready_at, key):
            self._arm()

    def add_rate_limited(self, key: str) -> None:
        """Queue `key` after a failure: later with each failure since it was last forgotten."""
        bucket = self._bucket.reserve(self._clock.monotonic())
        self.add_after(key, max(self._backoff.delay(key), bucket))

    def forget(self, key: str) -> None:
        """Reset the failures of `key`."""
        self._backoff.forget(key)

    def failures(self, key: str) -> int:
        """Return how often `key` was added rate-limited since it was last forgotten."""
        return self._backoff.failures(key)

    async def get(self) -> str:
        """Take the next key, waiting for one; the taker must call `done` with it.

        Raises ShutDown when the queue is shut down and nothing is left in it.
        """
        while not self._queue:
            if self._shut_down:
                raise ShutDown
            await self._wait()
        key = self._queue.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        return key

    def done(self, key: str) -> None:
        """Give `key` back; it is queued again if it was added meanwhile."""
        self._processing.discard(key)
        if key in self._dirty:
            self._push(key)

    def shut_down(self) -> None:
        """Refuse new keys, drop the delayed ones, and let workers finish what is queued."""
        self._shut_down = True
        self._heap.clear()
        self._ready_at.clear()
        if self._timer is not None:
            self._timer.cancel()
        while self._waiters:
            self._wake_one()

    def _push(self, key: str) -> None:
        self._queue.append(key)
        self._wake_one()

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif self._queue:
                self._wake_one()  # we were woken for a key that we do not take
            raise

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            self._clock.call_at(self._heap[0][0], self._release_due) if self._heap else None
        )

    def _release_due(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            ready_at, key = heapq.heappop(self._heap)
            if self._ready_at.get(key) == ready_at:
                del self._ready_at[key]
                self.add(key)
        self._arm()
