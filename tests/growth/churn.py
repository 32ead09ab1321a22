"""A day of a cluster's updates, as fast as they go, and kube-apiserver's rule of compaction.

The rule: every five minutes the revision of five minutes before is compacted. Here an interval is
`Plan.interval` updates instead, so what is kept is that of one interval, of two at the most.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from datastore.mvcc.model import Put
from datastore.mvcc.store import Store

UPDATES, KEYS = 1_000_000, 1_000
INTERVALS = 24 * 60 // 5  # a day has


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is written; `seed` fixes what."""

    updates: int = UPDATES
    keys: int = KEYS
    value_bytes: int = 1_024
    interval: int = UPDATES // INTERVALS
    in_flight: int = 512
    seed: int = 1

    @property
    def live_bytes(self) -> int:
        """Keys and values that are there."""
        return self.keys * self.row_bytes

    @property
    def row_bytes(self) -> int:
        """A key and its value."""
        return len(_key(0)) + self.value_bytes


async def churn(store: Store, plan: Plan, after_interval: Callable[[], Awaitable[None]]) -> int:
    """Put every key, then update keys at random; return the revision that is compacted last.

    The values are noise, which no database makes smaller.
    """
    puts = _puts(plan)
    await _write(store, islice(puts, plan.keys), plan.in_flight)
    before, compacted = store.hub.newest(), 0
    for _ in range(max(plan.updates // plan.interval, 2)):
        await _write(store, islice(puts, plan.interval), plan.in_flight)
        if before > compacted:
            await store.compact(before, physical=False)
            compacted = before
        before = store.hub.newest()
        await after_interval()
    await store.compactor.reached(compacted)
    return compacted


def _puts(plan: Plan) -> Iterator[Put]:
    noise = random.Random(plan.seed)
    for number in range(plan.keys):
        yield Put(_key(number), noise.randbytes(plan.value_bytes))
    while True:
        yield Put(_key(noise.randrange(plan.keys)), noise.randbytes(plan.value_bytes))


def _key(number: int) -> bytes:
    return b"/registry/configmaps/default/object-%06d" % number


async def _write(store: Store, puts: Iterator[Put], in_flight: int) -> None:
    async def work() -> None:
        for put in puts:
            await store.put(put, len(put.key) + len(put.value))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(work())
