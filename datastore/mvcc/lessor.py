"""Lease expiry: ends leases whose deadline has come, in time and never early.

Two kinds. A store that has the database to itself keeps the deadlines in memory (`MemoryLessor`): a
renewal writes nothing, and one timer is armed for the next deadline. Servers that share a database
keep them there, on its clock, judged under the store's lock (`SharedLessor`): what all of them see
several times a second tells the next deadline, and one of them ends leases, the holder of the lock
row (`mvcc/leadership.py`).

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
from datastore.mvcc.leadership import LOCK, LOCK_MS, owner_of
from datastore.mvcc.lease_table import LeaseTable
from datastore.mvcc.requests import EndLeases, ExpireLeases, HoldLock, MoveLock, RenewLease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from datastore.mvcc.backend import Sighting
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.leadership import Leadership
    from datastore.mvcc.leases import Renewed
    from datastore.mvcc.model import Lease
    from datastore.mvcc.writer import Writer

log = logging.getLogger(__name__)
GAP_SECONDS = 1.0  # held up for longer than this, nobody could renew
GRACE_MS = 1_000  # etcd's election timeout, which a start adds
LONGEST_SLEEP = 5.0  # so that being held up is noticed
AT_ONCE = 500  # leases a batch ends
LOCK_AGAIN_MS = 3_000
TOGETHER_MS = 250  # leases that end within this time end together
SOON_SECONDS = 0.5
LEAVE_SECONDS = 1.0  # that stopping waits for the database
UNSEEN_SECONDS = 2.0  # without a look at a shared database for longer, nobody could renew


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

    async def leave(self) -> None:
        """Nobody waits for what this server holds."""

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

    def saw(self, _: Sighting) -> None:
        """Nobody else is there to be seen."""

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
        member: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`member` is this server's id; `lane` keeps the lock."""
        self._writer = writer
        self._leadership = leadership
        self._member = member
        self._lane = lane
        self._clock = clock
        self._sighting: Sighting | None = None
        self._seen = asyncio.Event()
        self._renew_all = True
        self._leaving = False
        self._reached = 0.0  # when a turn last succeeded
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

    def saw(self, sighting: Sighting) -> None:
        """Note what the database looks like now; on the event loop, several times a second."""
        self._sighting = sighting
        self._seen.set()

    async def run(self) -> None:
        """Look after the lock and expire leases, at every sighting, until cancelled."""
        while True:
            await self._seen.wait()
            self._seen.clear()
            sighting = self._sighting
            if sighting is None or self._leaving:
                continue
            gap = self._clock() - self._reached
            self._renew_all = self._renew_all or gap > UNSEEN_SECONDS
            await self._turn(sighting)
            self._renew_all = False
            self._reached = self._clock()

    async def _turn(self, sighting: Sighting) -> None:
        """Take the lock if nobody holds it; if it is ours keep it, and end what is due."""
        lock, now = sighting.lock, sighting.now
        owner = owner_of(lock, now)
        self._leadership.saw(owner)
        if not owner or (self._renew_all and owner == self._member):
            await self._hold()
        elif lock is not None and owner == self._member:
            if lock.until - now < LOCK_AGAIN_MS:
                await self._lane.call(lambda session: session.keep_lock(LOCK_MS))
            if sighting.deadline is not None:
                await self._expire((sighting.deadline + TOGETHER_MS - now) / 1000)

    async def _expire(self, seconds: float) -> None:
        """End what is due in so many seconds, if that is before the next look or so."""
        if seconds > SOON_SECONDS:
            return
        await asyncio.sleep(max(seconds, 0.0))
        more = True
        while more:
            expired = await self._writer.submit(ExpireLeases(AT_ONCE))
            self.expired += len(expired.leases)
            log.info("leases expired count=%d", len(expired.leases))
            more = expired.more

    async def _hold(self) -> None:
        """Take the lock row; taking it over, or a gap, gives all leases their TTL."""
        held = await self._writer.submit(HoldLock(LOCK, LOCK_MS, extend=self._renew_all))
        self._note_owner(held.owner)

    async def begin(self) -> None:
        """Take the lock if nobody holds it: before clients ask who leads."""
        with suppress(DatastoreError):  # `run` tries again
            await self._hold()
            self._renew_all = False
            self._reached = self._clock()

    async def leave(self) -> None:
        """Let go of the lock row, so that another server need not wait for its end."""
        self._leaving = True
        if self._leadership.leader == self._member:
            with suppress(DatastoreError, TimeoutError):  # then it ends by itself
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._writer.submit(HoldLock(LOCK, 0, extend=False))

    async def hand_over(self, member: int) -> None:
        """Give the lock row, and with it the work, to another server; NotLeader if it is not ours.

        That one goes on with it when it sees that, half a second later at most.
        """
        await self._writer.submit(MoveLock(LOCK, member, LOCK_MS))
        self._note_owner(member)

    def _note_owner(self, member: int) -> None:
        """Note who holds the lock since a commit; what was seen before that is old."""
        self._seen.clear()
        self._leadership.saw(member)


Lessor = MemoryLessor | SharedLessor
