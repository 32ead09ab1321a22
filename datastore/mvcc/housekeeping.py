"""What a store does about its database once a second: chores, its size, its disk, whether it broke.

Owned by the store, which keeps each of `jobs` going by itself: a disk that fails the one must not
keep the others from running, least of all the one that ends a server whose disk is broken.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from datastore.mvcc.backend import Size
from datastore.mvcc.background import every
from datastore.mvcc.requests import DiskSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datastore.mvcc.backend import Backend
    from datastore.mvcc.background import Job
    from datastore.mvcc.counters import WriterCounters
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.quota import Quota
    from datastore.mvcc.writer import Writer

SECONDS = 1.0
REST_SECONDS = 30.0  # after which a store is measured though nothing was written


class Housekeeping:
    """The chores of a store; `size` is as of the last look, `broken` says why it has to end."""

    def __init__(
        self,
        backend: Backend,
        lane: Lane,
        quota: Quota,
        newest: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`newest` says which revision the store has reached, through whatever server."""
        self._backend = backend
        self._lane = lane
        self._quota = quota
        self._newest = newest
        self._clock = clock
        self._measured_at, self._measured = (0, 0), 0.0  # revision and commits; when
        self._disk_turns = -1  # as the store has been told
        self.size = Size(0, 0)
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def jobs(self, writer: Writer) -> Iterator[tuple[str, Job]]:
        """Yield each chore with its name."""
        yield "housekeeping", every(SECONDS, self._let_keep_house)
        yield "size", every(SECONDS, lambda: self._measure_if_moved(writer.counters))
        yield "disk space", every(SECONDS, lambda: self._tell_of_disk(writer))
        yield "disk", every(SECONDS, self._look_whether_broken)

    async def measure(self) -> None:
        """Learn the size of the store."""
        self.size = await self._lane.call(lambda session: session.size())
        self._quota.allocated = self.size.allocated

    async def _measure_if_moved(self, counters: WriterCounters) -> None:
        """Measure after writes, here or elsewhere, and now and then for what else there may be."""
        at = (self._newest(), sum(counters.commits.counts))
        now = self._clock()
        moved = at != self._measured_at or self._backend.exclusive
        if moved or now - self._measured > REST_SECONDS:
            await self.measure()
            self._measured_at, self._measured = at, now

    async def _let_keep_house(self) -> None:
        await self._lane.call(self._backend.housekeep)

    async def _tell_of_disk(self, writer: Writer) -> None:
        """Raise the alarm for a disk that is full, or end it, whenever that changes."""
        turns = self._backend.disk_turns
        if turns != self._disk_turns:
            await writer.submit(DiskSpace(full=bool(turns % 2)))
            self._disk_turns = turns

    async def _look_whether_broken(self) -> None:
        if self._backend.broken and not self.broken.done():
            self.broken.set_result(self._backend.broken)
