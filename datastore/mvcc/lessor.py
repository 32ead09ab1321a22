"""Lease expiry: ends leases whose deadline has come, in time and never early.

Deadlines are on the database's clock and are judged again under the store's lock, so several
servers may look and none ends a lease twice. Where servers share a database one of them does it:
the holder of the `lessor` lock row. Whoever takes that over, starts, or could not reach the
database for more than a second gives every lease its full TTL again, since clients may have been
unable to renew: etcd does so on a change of leader.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError
from datastore.mvcc.requests import ExpireLeases, ExtendLeases, HoldLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.writer import Writer

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
GAP_SECONDS = 1.0 + POLL_SECONDS
GRACE_MS = 1_000  # etcd's election timeout, which a start adds
AT_ONCE = 500  # leases a batch ends
LOCK = "lessor"
LOCK_MS = 5_000
LOCK_AGAIN_MS = 3_000


class Lessor:
    """Polls for leases that are due; `run` is its task."""

    def __init__(
        self,
        writer: Writer,
        lane: Lane,
        *,
        shared: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._lane = lane
        self._shared = shared
        self._clock = clock
        self._held_until = 0
        self.expired = 0  # leases, by this server

    async def run(self) -> None:
        """Expire leases until cancelled; a database that is away is waited for."""
        renew_all = True
        reached = self._clock()
        while True:
            renew_all = renew_all or self._clock() - reached > GAP_SECONDS
            try:
                if renew_all and not self._shared:
                    await self._writer.submit(ExtendLeases(GRACE_MS))
                await self._turn(renew_all=renew_all)
                renew_all = False
                reached = self._clock()
            except DatastoreError as error:
                log.debug("lease expiry waits for the database error=%s", error)
            await asyncio.sleep(POLL_SECONDS)

    async def _turn(self, *, renew_all: bool) -> None:
        now, due = await self._lane.call(_look)
        if self._shared and (renew_all or now > self._held_until - LOCK_AGAIN_MS):
            await self._hold(renew_all=renew_all)
        if not due or (self._shared and now > self._held_until):
            return
        more = True
        while more:
            expired = await self._writer.submit(ExpireLeases(AT_ONCE))
            more = expired.more
            self.expired += len(expired.leases)
            log.info("leases expired count=%d", len(expired.leases))

    async def _hold(self, *, renew_all: bool) -> None:
        """Take or keep the lock row; taking it over, or a gap, gives all leases their TTL."""
        held = await self._writer.submit(HoldLock(LOCK, LOCK_MS, extend=renew_all))
        self._held_until = held.until


def _look(session: Session) -> tuple[int, bool]:
    with session.snapshot() as snapshot:
        now = snapshot.state().now
        return now, bool(snapshot.due_leases(now, 1))
