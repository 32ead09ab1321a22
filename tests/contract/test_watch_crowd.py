"""Many watchers: each gets every event of its range, once and in order."""

import asyncio
from collections import defaultdict

import pytest

from tests.contract.client import Client
from tests.contract.streams import WatchStream

pytestmark = pytest.mark.every_front
WATCHERS = 1_000
PUTS = 30


async def _collect(watch: WatchStream, events: int) -> dict[int, list[tuple[bytes, int]]]:
    """Return key and revision of so many events, by watcher."""
    seen: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    while sum(map(len, seen.values())) < events:
        response = await watch.next()
        assert response.events, response
        assert response.header.revision >= response.events[-1].kv.mod_revision
        seen[response.watch_id] += [
            (event.kv.key, event.kv.mod_revision) for event in response.events
        ]
    return seen


async def test_a_thousand_watchers_of_one_prefix_get_every_event(etcd: Client) -> None:
    async with etcd.watch() as watch:
        for _ in range(WATCHERS):
            await watch.ask("a", "b")
        created = {(await watch.next()).watch_id for _ in range(WATCHERS)}
        puts = [await etcd.put(f"a{number}") for number in range(PUTS)]
        expected = [
            (etcd.key(f"a{number}"), put.header.revision) for number, put in enumerate(puts)
        ]
        seen = await _collect(watch, WATCHERS * PUTS)
        await watch.request_progress()
        progress = await watch.next()

    assert seen == dict.fromkeys(created, expected)
    assert progress.watch_id == -1
    assert progress.header.revision >= puts[-1].header.revision  # leases of other tests may end


async def test_each_of_many_ranges_gets_its_own(etcd: Client) -> None:
    async with etcd.watch() as watch:
        for number in range(100):
            await watch.create(f"k{number:03}", f"k{number + 10:03}")
        puts = await asyncio.gather(*(etcd.put(f"k{number:03}") for number in range(110)))
        revisions = [put.header.revision for put in puts]
        seen = await _collect(watch, 100 * 10)

    for number, events in seen.items():
        assert [revision for _, revision in events] == sorted(revisions[number : number + 10])
    assert len(seen) == 100


async def test_filters_hold_in_a_crowd(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", "b")
        await watch.create("a", "b", filters=[0])
        await watch.create("a", "b", filters=[1])
        for number in range(10):
            await etcd.put(f"a{number}")
            await etcd.delete(f"a{number}")
        seen = await _collect(watch, 40)

    assert {watch_id: len(events) for watch_id, events in seen.items()} == {0: 20, 1: 10, 2: 10}
