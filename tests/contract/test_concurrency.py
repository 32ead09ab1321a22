"""Many callers at once: one order of revisions, no lost update, every event once."""

import asyncio

import pytest

from tests.contract.client import Client
from tests.contract.requests import If, Put, Range

pytestmark = pytest.mark.every_front
CLERKS, ROUNDS = 8, 15


async def increment(etcd: Client) -> int:
    """Add one to the counter, by compare and swap; return the revision of the write."""
    while True:
        seen = (await etcd.range("counter")).kvs[0]
        answer = await etcd.txn(
            [If("counter", "mod", "=", seen.mod_revision)],
            [Put("counter", b"%d" % (int(seen.value) + 1))],
        )
        if answer.succeeded:
            return answer.header.revision


async def test_increments_by_compare_and_swap_lose_nothing(etcd: Client) -> None:
    base = (await etcd.put("counter", b"0")).header.revision

    async def clerk() -> list[int]:
        return [await increment(etcd) for _ in range(ROUNDS)]

    written = await asyncio.gather(*(clerk() for _ in range(CLERKS)))
    revisions = sorted(revision for revisions in written for revision in revisions)

    assert (await etcd.range("counter")).kvs[0].value == b"%d" % (CLERKS * ROUNDS)
    assert revisions == list(range(base + 1, base + 1 + CLERKS * ROUNDS))


async def test_one_of_many_creates_wins(etcd: Client) -> None:
    answers = await asyncio.gather(
        *(
            etcd.txn([If("lock", "create", "=", 0)], [Put("lock", b"%d" % clerk)], [Range("lock")])
            for clerk in range(30)
        )
    )

    winner = (await etcd.range("lock")).kvs[0].value
    assert [answer.succeeded for answer in answers].count(True) == 1
    assert answers[int(winner)].succeeded
    assert {
        answer.responses[0].response_range.kvs[0].value
        for answer in answers
        if not answer.succeeded
    } == {winner}


async def test_a_reader_sees_what_was_acknowledged_before_it_asked(etcd: Client) -> None:
    async with Client(etcd.address, etcd.prefix) as reader:
        for number in range(50):
            revision = (await etcd.put("a", b"%d" % number)).header.revision
            answer = await reader.range("a")
            assert answer.kvs[0].value == b"%d" % number
            assert answer.header.revision >= revision


async def test_what_a_watch_has_shown_can_be_read(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("k", "l")
        puts = asyncio.gather(*(etcd.put(f"k{number % 5}") for number in range(100)))
        seen = 0
        while seen < 100:
            events = (await watch.next()).events
            seen += len(events)
            shown = events[-1].kv
            read = await etcd.range(shown.key)
            assert read.kvs[0].mod_revision >= shown.mod_revision
        await puts


async def test_watchers_that_come_amid_writes_miss_nothing(etcd: Client) -> None:
    async def late_watcher() -> list[int]:
        async with etcd.watch() as watch:
            base = (await watch.create("k", "l")).header.revision
            events = await watch.events(last - base)
            return [event.kv.mod_revision - base for event in events]

    last = await etcd.revision() + 400
    watchers = []
    for _ in range(8):
        watchers.append(asyncio.create_task(late_watcher()))
        await etcd.put_many([f"k{number}" for number in range(50)])

    seen = await asyncio.gather(*watchers)
    assert all(revisions == list(range(1, len(revisions) + 1)) for revisions in seen)


async def test_a_paused_reader_gets_every_event_or_is_told_of_the_compaction(
    etcd: Client,
) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        for _ in range(60):
            await etcd.put("a", b"x" * 500_000)
        await etcd.compact(base + 60)
        seen: list[int] = []
        response = await watch.next()
        while not response.canceled:
            seen.extend(event.kv.mod_revision - base for event in response.events)
            if seen[-1] == 60:
                break
            response = await watch.next()

    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == 60 or response.compact_revision == base + 60
