"""Work on the whole store while it serves: hashing it, copying it, giving its free space back.

Called by the Maintenance service. It all runs in a lane of its own, one piece at a time, so that
however long it takes no read of a client waits behind it. Space is given back in short steps, with
pauses in which the writer gets its turn.
"""

from __future__ import annotations

import asyncio
import struct
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from datastore.mvcc import crc32c
from datastore.mvcc.counters import UpkeepCounters
from datastore.mvcc.key_space_hash import KeySpaceHash, hash_key_space, hash_rows
from datastore.mvcc.store_copy import StoreCopy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.model import Row

PAUSE_SECONDS = 0.01
COPIES = 2
_PAIR = struct.Struct(">qq")


class Upkeep:
    """The store's upkeep; see the module."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._defragmenting = asyncio.Lock()
        self._copies = asyncio.Semaphore(COPIES)
        self.counters = UpkeepCounters()

    @property
    def is_defragmenting(self) -> bool:
        """Whether it gives space back at the moment."""
        return self._defragmenting.locked()

    async def hash_key_space(self, revision: int, encode: Callable[[Row], bytes]) -> KeySpaceHash:
        """Return HashKV at a revision, 0 for now."""
        with self.counters.key_space_hashes.timed():
            return await self._lane.call(lambda session: hash_key_space(session, revision, encode))

    async def hash_all(self, encode: Callable[[Row], bytes]) -> tuple[int, int]:
        """Return a hash of keys, leases and alarms, and the revision it was made at."""
        with self.counters.hashes.timed():
            return await self._lane.call(lambda session: _hash_all(session, encode))

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[StoreCopy]:
        """Copy one state of the store; more than COPIES of them wait for one that is closed."""
        await self._copies.acquire()
        copy = StoreCopy(self._copies.release)
        try:
            with self.counters.snapshots.timed():
                await self._lane.call(copy.make)
                yield copy
        finally:
            copy.close()

    async def defragment(self) -> None:
        """Give free space back to the file system; several calls do it one after the other."""
        async with self._defragmenting:
            with self.counters.defragments.timed():
                while await self._lane.call(_shrink):
                    pass


def _shrink(session: Session) -> bool:
    """Do a step, and leave the writer time for its own if there are more."""
    more = session.shrink()
    if more:
        time.sleep(PAUSE_SECONDS)
    return more


def _hash_all(session: Session, encode: Callable[[Row], bytes]) -> tuple[int, int]:
    with session.snapshot() as snapshot:
        state = snapshot.state()
        crc = hash_rows(snapshot, state, state.revision, encode)
        for lease in sorted(snapshot.leases(None).values()):
            crc = crc32c.extend(crc, _PAIR.pack(lease.id, lease.ttl))
        for alarm in sorted(snapshot.alarms()):
            crc = crc32c.extend(crc, _PAIR.pack(*alarm))
    return crc, state.revision
