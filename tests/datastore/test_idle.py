"""Servers of one database that have nothing to do ask it little, and keep up what they must."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.store import Limits, Store
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres
from tests.support.statement_count import COUNTING, Count, mariadb_count, postgres_count
from tests.support.wait import wait_until

STATEMENTS_A_SECOND = 5
Counted = Callable[[], AbstractContextManager[tuple[str, Count]]]


@contextmanager
def counted_postgres() -> Iterator[tuple[str, Count]]:
    with Postgres(**COUNTING) as cluster, postgres_count(cluster, "idle") as count:
        yield cluster.url("idle"), count


@contextmanager
def counted_mariadb() -> Iterator[tuple[str, Count]]:
    with Mariadb() as server, mariadb_count(server) as count:
        yield server.url("idle"), count


@asynccontextmanager
async def served(url: str, name: str) -> AsyncIterator[Store]:
    """A server's store, on the database of a URL."""
    backend = new_backend(url, Identity(name, ()))
    await asyncio.to_thread(backend.open)
    store = Store(backend, Limits())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def runs(store: Store, statement: str) -> int:
    """Return how often a server has run a statement."""
    spent = store.statements().get(statement)
    return spent.runs if spent else 0


async def ran(store: Store, statement: str, times: int) -> None:
    """Wait until a server has run a statement so many times."""
    await asyncio.to_thread(wait_until, lambda: runs(store, statement) >= times, statement)


@pytest.mark.parametrize("counted", [counted_postgres, counted_mariadb])
async def test_servers_with_nothing_to_do_ask_less_than_five_times_a_second(
    counted: Counted,
) -> None:
    with counted() as (url, count):
        async with served(url, "one") as leader, served(url, "two") as other:
            await ran(other, "say_alive", 1)  # what comes with a start is over
            before, began = count(), time.monotonic()
            await ran(leader, "keep_lock", runs(leader, "keep_lock") + 2)
            asked, seconds = count() - before, time.monotonic() - began
            leaders = {store.leadership.leader for store in (leader, other)}

    assert leaders == {leader.backend.member_id}
    assert asked / 2 < STATEMENTS_A_SECOND * seconds
