"""One run: churn, rest, defragment, and the sizes at each of these."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.store import Limits, Store
from tests.growth.churn import Plan, churn
from tests.growth.databases import Database, Sizes

BOUND = 2.0  # times what is kept, the file of a store
RESTED_SECONDS = 1_260  # two periods of ten minutes, after which nothing is a surplus


class Grown(NamedTuple):
    """What became of a store.

    `kept` are the bytes of keys and values that the rule keeps, live ones among them; `garbage`
    are the rows of history beyond. `highest` are the highest of each size.
    """

    seconds: float
    kept: int
    garbage: int
    highest: Sizes
    end: Sizes
    rested: Sizes
    defragmented: Sizes


def _quiet(_: str) -> None:
    """Say nothing."""


async def grow(
    database: Database, plan: Plan, rest_seconds: float, say: Callable[[str], None] = _quiet
) -> Grown:
    """Churn a new store, let it rest, defragment it."""
    highest = Sizes(0)
    began = time.monotonic()

    async with _opened(database.url) as store:

        async def look() -> None:
            nonlocal highest
            sizes = await asyncio.to_thread(database.sizes)
            highest = Sizes(*map(max, highest, sizes))
            say(f"revision {store.hub.newest():,}: {sizes}")

        compacted = await churn(store, plan, look)
        seconds = time.monotonic() - began
        end = await asyncio.to_thread(database.sizes)
        rows = plan.keys + store.hub.newest() - compacted
        garbage = await store.read(_rows) - rows
        rested = await _rest(store, database, rest_seconds)
        await store.defragment()
        after = await _rest(store, database, rest_seconds)
    return Grown(seconds, rows * plan.row_bytes, garbage, highest, end, rested, after)


async def _rest(store: Store, database: Database, seconds: float) -> Sizes:
    """Do the chores of RESTED_SECONDS, once for each; wait for those of a database's own."""
    for _ in range(RESTED_SECONDS):
        await store.read(store.backend.housekeep)
    await asyncio.sleep(seconds)
    return await asyncio.to_thread(database.sizes)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Store]:
    backend = new_backend(url, Identity("growth", ()))
    backend.open()
    store = Store(backend, Limits())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def _rows(session: Any) -> int:
    with session.snapshot() as snapshot:
        return int(snapshot.run("SELECT count(*) FROM history")[0][0])
