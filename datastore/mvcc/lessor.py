"""Lease expiry: ends leases whose deadline has come, in time and never early.

Two kinds. A store that has the database to itself keeps the deadlines in memory (`MemoryLessor`): a
renewal writes nothing, and one timer is armed for the next deadline. Servers that share a database
keep them there, on its clock, judged under the store's lock (`SharedLessor`): all of them look and
one of them ends leases, the holder of the lock row (`mvcc/leadership.py`).

Whoever starts, takes that lock over, or was held up for more than a second gives every lease its
full TTL again, since clients may have been unable to renew: etcd does so on a change of leader.
That is why a deadline in memory need not survive a crash (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError
from datastore.mvcc.leadership import LOCK, LOCK_MS
from datastore.mvcc.lease_table import LeaseTable
from datastore.mvcc.requests import EndLeases, ExpireLeases, HoldLock, MoveLock, RenewLease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.leadership import Leadership
    from datastore.mvcc.leases import Renewed
    from datastore.mvcc.model import Lease, State
    from datastore.mvcc.writer import Writer

log = logging.getLogger(__name__)
GAP_SECONDS = 1.0  # held up for longer than this, nobody could renew
GRACE_MS = 1_000  # etcd's election timeout, which a start adds
LONGEST_SLEEP = 5.0  # so that being held up is noticed
AT_ONCE = 500  # leases a batch ends
LOCK_AGAIN_MS = 3_000
TOGETHER_MS = 250  # leases that end within this time end together
SHARED_SLEEP = 1.0  # another server may grant a lease of 2 s


class MemoryLessor:
    """Deadlines in memory; `run` is its task, everything else is called on the event loop."""

    def __init__(self, writer: Writer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._writer = writer
        self._clock = clock
        self._table = LeaseTable()
        self._earlier = asyncio.Event()
        self._armed = 0.0  # when the timer wakes up; 0 while it does not sleep
        self._ending: dict[int, asyncio.Future[None]] = {}
        self.expired = 0  # leases, by this server

    def start(self, leases: Iterable[Lease]) -> None:
        """Take the leases that the database holds, each with its full time from now on."""
        now = self._now()
        for lease in leases:
            self._table.put(lease.id, lease.ttl, now + lease.ttl * 1000 + GRACE_MS)

    async def begin(self) -> None:
        """Nothing to begin with: `run` waits for the first deadline."""

    def note(self, changes: Mapping[int, Lease | None]) -> None:
        """Take the leases that a batch has granted, and forget (None) those it has ended."""
        now = self._now()
        for number, lease in changes.items():
            if lease is None:
                self._forget(number)
            else:
                self._table.put(number, lease.ttl, now + lease.ttl * 1000)
        following = self._table.next()
        if self._armed and following is not None and following < self._armed:
            self._earlier.set()

    def renew_at_once(self, request: RenewLease) -> int | None:
        """Renew a lease and return its TTL, 0 when it is gone; None for one that is due."""
        ttl = self._table.renew(request.id, self._now())
        return ttl if ttl or request.id not in self._table else None

    async def renew(self, request: RenewLease) -> int:
        """Renew a lease and return its TTL, 0 when it is gone; one that is due is waited for."""
        while True:
            ttl = self.renew_at_once(request)
            if ttl is not None:
                return ttl
            ended = self._ending.setdefault(request.id, asyncio.get_running_loop().create_future())
            await asyncio.shield(ended)

    def left(self, lease: Lease, now: int) -> int:
        """Return how many milliseconds a lease has; `now` is the database's clock."""
        left = self._table.left(lease.id, self._now())
        return lease.deadline - now if left is None else left

    async def run(self) -> None:
        """Expire leases until cancelled."""
        while True:
            now = self._now()
            due = self._table.due(now, AT_ONCE)
            if due:
                await self._end(due)
                continue
            following = self._table.next()
            if following is None or following > now:
                await self._sleep(following)
            else:
                await asyncio.sleep(0)  # more of the heap, after the calls that wait

    async def _end(self, due: list[int]) -> None:
        try:
            ended = await self._writer.submit(EndLeases(tuple(due)))
        finally:
            self._table.postpone(due, self._now())  # those that are still there
        self.expired += len(ended.leases)
        log.info("leases expired count=%d", len(ended.leases))

    async def _sleep(self, until: int | None) -> None:
        """Sleep past a deadline, or until there is an earlier one; notice being held up."""
        now, seconds = self._now(), None
        if until is not None:
            seconds = min((until + TOGETHER_MS - now) / 1000, LONGEST_SLEEP)
        self._armed = float("inf") if seconds is None else now + seconds * 1000
        self._earlier.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._earlier.wait()
        except TimeoutError:
            late = self._now() - self._armed
            if late > GAP_SECONDS * 1000:
                log.warning("held up, every lease has its full time again ms=%d", late)
                self._table.renew_all(self._now(), 0)
                for lease in list(self._ending):  # not due any more: their callers look again
                    self._settle(lease)
        self._armed = 0.0

    def _forget(self, lease: int) -> None:
        self._table.drop(lease)
        self._settle(lease)

    def _settle(self, lease: int) -> None:
        ended = self._ending.pop(lease, None)
        if ended is not None:
            ended.set_result(None)

    def _now(self) -> int:
        return int(self._clock() * 1000)


class SharedLessor:
    """Deadlines in the database; `run` is its task."""

    def __init__(
        self,
        writer: Writer,
        lane: Lane,
        leadership: Leadership,
        seen: Callable[[State], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._leadership = leadership
        self._seen = seen
        self._lane = lane
        self._clock = clock
        self._held_until = 0
        self._renew_all = True
        self._reached = 0.0  # when a turn last succeeded
        self._pause = 0.0  # that followed it
        self.expired = 0  # leases, by this server

    def start(self, leases: Iterable[Lease]) -> None:
        """Nothing to take: they are where they are."""

    def note(self, changes: Mapping[int, Lease | None]) -> None:
        """Nothing to note."""

    def renew_at_once(self, _: RenewLease) -> None:
        """Say that it takes a commit."""

    async def renew(self, request: RenewLease) -> int:
        """Renew a lease and return its TTL, 0 when it is gone."""
        renewed: Renewed = await self._writer.submit(request)
        return renewed.ttl

    def left(self, lease: Lease, now: int) -> int:
        """Return how many milliseconds a lease has; `now` is the database's clock."""
        return lease.deadline - now

    async def run(self) -> None:
        """Expire leases until cancelled."""
        while True:
            gap = self._clock() - self._reached
            self._renew_all = self._renew_all or gap > self._pause + GAP_SECONDS
            self._pause = await self._turn(renew_all=self._renew_all)
            self._renew_all = False
            self._reached = self._clock()
            await asyncio.sleep(self._pause)

    async def _turn(self, *, renew_all: bool) -> float:
        """End what is due; return for how long nothing will be."""
        state, following = await self._lane.call(_look)
        now = state.now
        if renew_all or now > self._held_until - LOCK_AGAIN_MS:
            await self._hold(renew_all=renew_all)
        self._seen(state)
        if following is None or now > self._held_until:
            return SHARED_SLEEP
        if following > now:
            return min((following + TOGETHER_MS - now) / 1000, SHARED_SLEEP)
        expired = await self._writer.submit(ExpireLeases(AT_ONCE))
        self.expired += len(expired.leases)
        log.info("leases expired count=%d", len(expired.leases))
        return 0.0 if expired.more else 0.01

    async def _hold(self, *, renew_all: bool) -> None:
        """Take or keep the lock row; taking it over, or a gap, gives all leases their TTL."""
        held = await self._writer.submit(HoldLock(LOCK, LOCK_MS, extend=renew_all))
        self._held_until = held.until
        self._leadership.saw(held.owner)

    async def begin(self) -> None:
        """Take the lock if nobody holds it: before clients ask who leads."""
        with suppress(DatastoreError):  # `run` tries again
            await self._hold(renew_all=True)
            self._renew_all = False
            self._reached = self._clock()

    async def hand_over(self, member: int) -> None:
        """Give the lock row, and with it the work, to another server; NotLeader if it is not ours.

        That one goes on with it at its next turn, a second later at most.
        """
        await self._writer.submit(MoveLock(LOCK, member, LOCK_MS))
        self._held_until = 0
        self._leadership.saw(member)


Lessor = MemoryLessor | SharedLessor


def _look(session: Session) -> tuple[State, int | None]:
    """Return the state, with the time, and the next deadline."""
    with session.snapshot() as snapshot:
        earliest = snapshot.due_leases(1 << 62, 1)
        return snapshot.state(), earliest[0].deadline if earliest else None
