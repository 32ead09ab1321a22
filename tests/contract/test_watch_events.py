"""Watch: events of what happens after the watcher was created."""

from typing import Any

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client
from tests.contract.requests import DELETE, Delete, If, Put, Txn, delete_event, put_event

pytestmark = pytest.mark.every_front
NOPUT, NODELETE = pb.WatchCreateRequest.NOPUT, pb.WatchCreateRequest.NODELETE
UNPACKED_NOPUT = b"\x28\x00"  # field 5, a varint: 0


async def test_a_put_event_carries_the_whole_key_value(etcd: Client) -> None:
    lease = await etcd.grant()
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        await etcd.put("a", b"1", lease=lease)
        await etcd.put("a", b"2")
        events = await watch.events(2)

    assert events == [
        put_event(etcd.stored("a", b"1", create=base + 1, mod=base + 1, lease=lease)),
        put_event(etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)),
    ]


async def test_a_delete_event_carries_key_and_revision_only(etcd: Client) -> None:
    await etcd.put("a", b"1")
    async with etcd.watch() as watch:
        base = (await watch.create("a")).header.revision
        await etcd.delete("a")
        events = await watch.events(1)

    assert events == [delete_event(etcd.key("a"), base + 1)]


async def test_a_response_names_its_watcher_and_the_revision(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a", watch_id=4)).header.revision
        await etcd.put("other")
        await etcd.put("a")
        response = await watch.next()

    assert response == pb.WatchResponse(header=response.header, watch_id=4, events=response.events)
    assert response.header.revision == base + 2
    assert response.header.member_id != 0


@pytest.mark.parametrize(
    ("key", "end", "expected"),
    [
        pytest.param("b", b"", ["b"], id="one key"),
        pytest.param("b", "b\0", ["b"], id="one key as a range"),
        pytest.param("b", "d", ["b", "c", "ca"], id="half-open"),
        pytest.param("c", b"\0", ["c", "ca", "d", "end"], id="from a key on"),
        pytest.param("c", "d", ["c", "ca"], id="prefix"),
    ],
)
async def test_range_end_selects_keys(
    etcd: Client, key: str, end: str | bytes, expected: list[str]
) -> None:
    async with etcd.watch() as watch:
        await watch.create(key, end)
        for name in ("a", "b", "c", "ca", "d", "end"):
            await etcd.put(name)
        events = await watch.events(len(expected))
        await etcd.put(expected[0], b"marker")
        marker = await watch.events(1)

    assert etcd.names(event.kv for event in events) == expected
    assert marker[0].kv.value == b"marker"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param([], ["put", "delete", "put"], id="none"),
        pytest.param([NOPUT], ["delete"], id="no puts"),
        pytest.param([NODELETE], ["put", "put"], id="no deletes"),
        pytest.param([NODELETE, NODELETE], ["put", "put"], id="twice the same"),
    ],
)
async def test_filters_drop_events(etcd: Client, filters: list[Any], expected: list[str]) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", filters=filters)
        await watch.create("marker")
        await etcd.put("a", b"1")
        await etcd.delete("a")
        await etcd.put("a", b"2")
        await etcd.put("marker")
        seen = await watch.events(len(expected))
        marker = await watch.next()

    kinds = {0: "put", 1: "delete"}
    assert [kinds[event.type] for event in seen] == expected
    assert marker.watch_id == 1


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param([NOPUT], ["b"], id="no puts"),
        pytest.param([NODELETE], ["a", "c"], id="no deletes"),
    ],
)
async def test_filters_leave_the_rest_of_a_txn_together(
    etcd: Client, filters: list[Any], expected: list[str]
) -> None:
    await etcd.put("b")
    async with etcd.watch() as watch:
        await watch.create("a", "d", filters=filters)
        await etcd.txn(success=[Put("a"), Delete("b"), Put("c")])
        response = await watch.next()

    assert etcd.names(event.kv for event in response.events) == expected


async def test_a_filter_that_is_not_packed_counts(etcd: Client) -> None:
    """Some writers give each number of a repeated enum a tag of its own."""
    open_stream: Any = etcd.channel.stream_stream(
        "/etcdserverpb.Watch/Watch", response_deserializer=pb.WatchResponse.FromString
    )
    create = pb.WatchCreateRequest(key=etcd.key("a")).SerializeToString() + UNPACKED_NOPUT
    call = open_stream(timeout=60)
    await call.write(b"\x0a" + bytes([len(create)]) + create)
    assert (await call.read()).created
    await etcd.put("a")
    await etcd.delete("a")

    response = await call.read()

    assert [event.type for event in response.events] == [DELETE]
    call.cancel()


async def test_both_filters_leave_nothing(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", filters=[NOPUT, NODELETE])
        await watch.create("marker")
        await etcd.put("a")
        await etcd.delete("a")
        await etcd.put("marker")
        response = await watch.next()

    assert response.watch_id == 1


async def test_an_unknown_filter_is_ignored(etcd: Client) -> None:
    request = pb.WatchCreateRequest(key=etcd.key("a"))
    request.filters.append(7)  # type: ignore[arg-type]  # not in the enum
    async with etcd.watch() as watch:
        await watch.send(create_request=request)
        created = await watch.next()
        await etcd.put("a", b"1")
        response = await watch.next()

    assert created.created
    assert response.events[0].kv.value == b"1"


async def test_prev_kv_is_the_key_before_each_event(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("a", prev_kv=True)).header.revision
        await etcd.put("a", b"1")
        await etcd.put("a", b"2")
        await etcd.delete("a")
        await etcd.put("a", b"3")
        events = await watch.events(4)

    first = etcd.stored("a", b"1", create=base + 1, mod=base + 1)
    second = etcd.stored("a", b"2", create=base + 1, mod=base + 2, version=2)
    assert events == [
        put_event(first),
        put_event(second, first),
        delete_event(etcd.key("a"), base + 3, second),
        put_event(etcd.stored("a", b"3", create=base + 4, mod=base + 4)),
    ]


async def test_prev_kv_is_absent_unless_asked_for(etcd: Client) -> None:
    await etcd.put("a", b"1")
    async with etcd.watch() as watch:
        await watch.create("a")
        await etcd.put("a", b"2")
        await etcd.delete("a")
        events = await watch.events(2)

    assert [event.HasField("prev_kv") for event in events] == [False, False]


async def test_prev_kv_after_compaction_of_the_past(etcd: Client) -> None:
    await etcd.put("a", b"1")
    base = (await etcd.put("a", b"2")).header.revision
    await etcd.compact(base)
    async with etcd.watch() as watch:
        await watch.create("a", prev_kv=True)
        await etcd.put("a", b"3")
        events = await watch.events(1)

    assert events[0].prev_kv.value == b"2"


async def test_a_txn_is_one_response_in_order_of_execution(etcd: Client) -> None:
    await etcd.put("b", b"old")
    async with etcd.watch() as watch:
        base = (await watch.create("a", "z", prev_kv=True)).header.revision
        await etcd.txn(success=[Put("c", b"1"), Delete("b"), Txn(success=[Put("a", b"2")])])
        response = await watch.next()

    old = etcd.stored("b", b"old", create=base, mod=base)
    assert response.header.revision == base + 1
    assert list(response.events) == [
        put_event(etcd.stored("c", b"1", create=base + 1, mod=base + 1)),
        delete_event(etcd.key("b"), base + 1, old),
        put_event(etcd.stored("a", b"2", create=base + 1, mod=base + 1)),
    ]


async def test_each_watcher_of_a_txn_gets_its_own_part(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("b")
        await watch.create("c")
        await etcd.txn(success=[Put("a"), Put("b")])
        responses = await watch.take(2)
        await etcd.put("c")
        marker = await watch.next()

    seen = {response.watch_id: etcd.names(e.kv for e in response.events) for response in responses}
    assert seen == {0: ["a"], 1: ["b"]}
    assert marker.watch_id == 2


async def test_a_range_delete_is_one_response_in_key_order(etcd: Client) -> None:
    for name in ("c", "a", "b"):
        await etcd.put(name)
    async with etcd.watch() as watch:
        base = (await watch.create("a", "z")).header.revision
        await etcd.delete("a", "z")
        response = await watch.next()

    assert list(response.events) == [
        delete_event(etcd.key(name), base + 1) for name in ("a", "b", "c")
    ]


async def test_what_changes_nothing_sends_nothing(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", "z")
        await etcd.delete("a", "z")
        await etcd.txn([If("a", "version", ">", 0)], [Put("a", b"no")])
        await etcd.txn(success=[Delete("a")])
        await etcd.put("a", b"marker")
        response = await watch.next()

    assert [event.kv.value for event in response.events] == [b"marker"]


async def test_events_before_the_watcher_are_not_sent(etcd: Client) -> None:
    await etcd.put("a", b"before")
    async with etcd.watch() as watch:
        await watch.create("a")
        await etcd.put("a", b"after")
        events = await watch.events(1)

    assert events[0].kv.value == b"after"


async def test_every_watcher_of_a_key_gets_the_event(etcd: Client) -> None:
    async with etcd.watch() as watch, etcd.watch() as other:
        for _ in range(3):
            await watch.create("a")
        await other.create("a")
        await etcd.put("a", b"1")
        responses = await watch.take(3)
        elsewhere = await other.next()

    assert sorted(response.watch_id for response in responses) == [0, 1, 2]
    assert elsewhere.events[0].kv.value == b"1"


async def test_a_thousand_writes_arrive_once_and_in_order(etcd: Client) -> None:
    async with etcd.watch() as watch:
        base = (await watch.create("k", "l")).header.revision
        await etcd.put_many([f"k{number % 7}" for number in range(1000)])
        events = await watch.events(1000)

    revisions = [event.kv.mod_revision for event in events]
    assert revisions == list(range(base + 1, base + 1001))


async def test_a_large_response_comes_whole_without_fragment(etcd: Client) -> None:
    for number in range(4):
        await etcd.put(f"k{number}", bytes([number]) * 1_000_000)
    async with etcd.watch() as watch:
        await watch.create("k", "l", prev_kv=True)
        await etcd.delete("k", "l")
        response = await watch.next()

    assert not response.fragment
    assert len(response.events) == 4


async def test_a_large_response_is_split_with_fragment(etcd: Client) -> None:
    for number in range(4):
        await etcd.put(f"k{number}", bytes([number]) * 1_000_000)
    async with etcd.watch() as watch:
        await watch.create("k", "l", prev_kv=True, fragment=True)
        await etcd.delete("k", "l")
        parts = [await watch.next()]
        while parts[-1].fragment:
            parts.append(await watch.next())

    assert len(parts) > 1
    assert len({(part.watch_id, part.header.revision) for part in parts}) == 1
    assert etcd.names(event.kv for part in parts for event in part.events) == [
        "k0",
        "k1",
        "k2",
        "k3",
    ]


async def test_a_small_response_is_not_split_with_fragment(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", fragment=True)
        await etcd.put("a", b"1")
        response = await watch.next()

    assert not response.fragment
    assert response.events[0].kv.value == b"1"


@pytest.mark.parametrize(
    "history", [pytest.param(False, id="live"), pytest.param(True, id="history")]
)
async def test_prev_kv_is_from_the_revision_before_even_if_a_key_changes_twice(
    etcd: Client, history: bool
) -> None:
    base = (await etcd.put("a", b"old")).header.revision
    async with etcd.watch() as watch:
        if not history:
            await watch.create("a", "c", prev_kv=True)
        await etcd.txn(success=[Delete("a", b"\0"), Put("a", b"1"), Put("b", b"2")])
        await etcd.txn(success=[Put("c"), Put("b", b"3"), Delete("b", b"\0")])
        await etcd.delete("a")
        if history:
            await watch.create("a", "c", prev_kv=True, start_revision=base + 1)
        events = await watch.events(6)

    old = etcd.stored("a", b"old", create=base, mod=base)
    new = etcd.stored("a", b"1", create=base + 1, mod=base + 1)
    first = etcd.stored("b", b"2", create=base + 1, mod=base + 1)
    second = etcd.stored("b", b"3", create=base + 1, mod=base + 2, version=2)
    assert events == [
        delete_event(etcd.key("a"), base + 1, old),
        put_event(new),
        put_event(first),
        put_event(second, first),
        delete_event(etcd.key("b"), base + 2, first),
        delete_event(etcd.key("a"), base + 3, new),
    ]
