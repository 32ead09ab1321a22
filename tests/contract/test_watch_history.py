"""Watch: starting in the past or in the future, and where compaction has passed."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.requests import Delete, Put, delete_event, put_event

pytestmark = pytest.mark.every_front


async def test_history_comes_first_then_what_happens(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.put("a", b"2")
    async with etcd.watch() as watch:
        created = await watch.create("a", start_revision=base + 1)
        past = await watch.events(2)
        await etcd.put("a", b"3")
        present = await watch.events(1)

    assert created.header.revision == base + 2
    assert [event.kv.value for event in past + present] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param(1, [b"1", b"2", b"3"], id="the first"),
        pytest.param(2, [b"2", b"3"], id="the second"),
        pytest.param(3, [b"3"], id="the newest"),
    ],
)
async def test_events_from_the_start_revision_on(
    etcd: Client, start: int, expected: list[bytes]
) -> None:
    base = await etcd.revision()
    for value in (b"1", b"2", b"3"):
        await etcd.put("a", value)
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + start)
        past = await watch.events(len(expected))
        await etcd.put("a", b"marker")
        marker = await watch.events(1)

    assert [event.kv.value for event in past] == expected
    assert marker[0].kv.value == b"marker"


async def test_history_shows_each_event_as_it_was(etcd: Client) -> None:
    lease = await etcd.grant()
    base = await etcd.revision()
    await etcd.put("a", b"1", lease=lease)
    await etcd.put("a", b"2")
    await etcd.delete("a")
    await etcd.put("a", b"3")
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1, prev_kv=True)
        events = await watch.events(4)

    first = etcd.stored("a", b"1", create=base + 1, mod=base + 1, lease=lease)
    second = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)
    assert events == [
        put_event(first),
        put_event(second, first),
        delete_event(etcd.key("a"), base + 3, second),
        put_event(etcd.stored("a", b"3", create=base + 4, mod=base + 4)),
    ]


async def test_history_of_a_range_is_in_order_of_revision_and_execution(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("b")
    await etcd.txn(success=[Put("c"), Put("a"), Delete("b")])
    await etcd.put("other")
    await etcd.put("b")
    async with etcd.watch() as watch:
        await watch.create("a", "d", start_revision=base + 1)
        events = await watch.events(5)

    seen = [
        (name, event.kv.mod_revision - base)
        for name, event in zip(etcd.names(e.kv for e in events), events, strict=True)
    ]
    assert seen == [("b", 1), ("c", 2), ("a", 2), ("b", 2), ("b", 4)]


async def test_filters_apply_to_history(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.delete("a")
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1, filters=[pb.WatchCreateRequest.NOPUT])
        events = await watch.events(1)

    assert events == [delete_event(etcd.key("a"), base + 2)]


async def test_the_header_of_history_is_not_older_than_its_events(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a")
    await etcd.put("b")
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1)
        response = await watch.next()

    assert response.header.revision == base + 2


async def test_a_long_history_comes_in_order_without_gap(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put_many([f"k{number % 3}" for number in range(2500)])
    async with etcd.watch() as watch:
        await watch.create("k", "l", start_revision=base + 1)
        events = await watch.events(2500)

    revisions = [event.kv.mod_revision for event in events]
    assert revisions == list(range(base + 1, base + 2501))


async def test_writes_while_catching_up_follow_the_history(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put_many(["a"] * 300)
    async with etcd.watch() as watch:
        await watch.ask("a", start_revision=base + 1)
        await etcd.put_many(["a"] * 300)
        assert (await watch.next()).created
        events = await watch.events(600)

    revisions = [event.kv.mod_revision for event in events]
    assert revisions == list(range(base + 1, base + 601))


async def test_a_reader_that_pauses_gets_every_event(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        for _ in range(40):
            await etcd.put("a", b"x" * 500_000)
        events = await watch.events(40)

    revisions = [event.kv.mod_revision for event in events]
    assert revisions == list(range(base + 1, base + 41))


async def test_a_future_start_waits_for_its_revision(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = await etcd.revision()
        created = await watch.create("a", start_revision=base + 3)
        for value in (b"1", b"2", b"3", b"4"):
            await etcd.put("a", value)
        events = await watch.events(2)

    assert (created.canceled, created.header.revision) == (False, base)
    assert [event.kv.value for event in events] == [b"3", b"4"]


async def test_the_next_revision_as_start_is_like_now(etcd: Client) -> None:
    base = (await etcd.put("a", b"before")).header.revision
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1)
        await etcd.put("a", b"after")
        events = await watch.events(1)

    assert [event.kv.value for event in events] == [b"after"]


async def test_a_compacted_start_is_created_and_then_cancelled(etcd: Client) -> None:
    base = await etcd.revision()
    for _ in range(3):
        await etcd.put("a")
    await etcd.compact(base + 3)
    async with etcd.watch() as watch:
        created = await watch.create("a", start_revision=base + 2)
        cancelled = await watch.next()

    assert (created.canceled, created.header.revision) == (False, base + 3)
    assert cancelled == pb.WatchResponse(
        header=cancelled.header, watch_id=0, canceled=True, compact_revision=base + 3
    )
    assert cancelled.header.revision == 0


async def test_the_stream_goes_on_after_a_compacted_watcher(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a")
    await etcd.put("a")
    await etcd.compact(base + 2)
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1)
        assert (await watch.next()).compact_revision == base + 2
        created = await watch.create("a")
        await etcd.put("a", b"1")
        response = await watch.next()

    assert (created.canceled, response.watch_id) == (False, 1)
    assert response.events[0].kv.value == b"1"


async def test_a_compacted_watcher_keeps_its_id_until_it_is_cancelled(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a")
    await etcd.put("a")
    await etcd.compact(base + 2)
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 1, watch_id=3)
        assert (await watch.next()).compact_revision == base + 2
        again = await watch.create("a", watch_id=3)
        await watch.cancel(3)
        answer = await watch.next()

    assert (again.watch_id, again.canceled) == (-1, True)
    assert (answer.watch_id, answer.canceled) == (3, True)


async def test_the_compacted_revision_itself_can_be_the_start(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.put("a", b"2")
    await etcd.put("a", b"3")
    await etcd.compact(base + 2)
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 2, prev_kv=True)
        events = await watch.events(2)

    second = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)
    third = etcd.stored("a", b"3", create=base + 1, mod=base + 3, version=3)
    assert events == [put_event(second), put_event(third, second)]


@pytest.mark.etcd_since("3.5.16")
async def test_a_delete_at_the_compacted_revision_is_still_seen(etcd: Client) -> None:
    base = await etcd.revision()
    await etcd.put("a", b"1")
    await etcd.delete("a")
    await etcd.compact(base + 2)
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=base + 2, prev_kv=True)
        events = await watch.events(1)

    assert events == [delete_event(etcd.key("a"), base + 2)]


async def test_compaction_leaves_running_watchers_alone(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        await etcd.put("a", b"1")
        await etcd.compact(base + 1)
        await etcd.put("a", b"2")
        events = await watch.events(2)

    assert [event.kv.value for event in events] == [b"1", b"2"]


async def test_events_after_a_compaction_have_no_gap(etcd: Client) -> None:
    base = await etcd.revision()
    for _ in range(10):
        await etcd.put("a")
    await etcd.put("b")
    await etcd.compact(base + 5)
    async with etcd.watch() as watch:
        await watch.create("a", "c", start_revision=base + 6)
        events = await watch.events(6)

    assert [event.kv.mod_revision - base for event in events] == [6, 7, 8, 9, 10, 11]
    assert [event.kv.version for event in events] == [6, 7, 8, 9, 10, 1]
