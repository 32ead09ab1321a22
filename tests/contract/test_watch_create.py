"""Watch: creating watchers, and the creations that fail."""

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

pytestmark = pytest.mark.every_front
EMPTY_RANGE = "mvcc: watcher range is empty"
DUPLICATE_ID = "mvcc: duplicate watch ID provided on the WatchStream"
COMPACTED = "etcdserver: mvcc: required revision has been compacted"


async def test_created_comes_first_with_the_current_revision(etcd: Client) -> None:
    revision = (await etcd.put("a")).header.revision

    async with etcd.watch() as watch:
        created = await watch.create("a")

    assert created.header.revision == revision
    assert created == pb.WatchResponse(header=created.header, watch_id=0, created=True)


async def test_ids_are_counted_per_stream_from_0(etcd: Client) -> None:
    async with etcd.watch() as watch, etcd.watch() as other:
        ids = [(await watch.create("a")).watch_id for _ in range(3)]
        others = [(await other.create("a")).watch_id for _ in range(2)]

    assert (ids, others) == ([0, 1, 2], [0, 1])


async def test_requests_are_answered_in_order(etcd: Client) -> None:
    async with etcd.watch() as watch:
        for watch_id in (7, 0, 9):
            await watch.ask("a", watch_id=watch_id)
        answers = await watch.take(3)

    assert [(answer.watch_id, answer.created) for answer in answers] == [
        (7, True),
        (0, True),
        (9, True),
    ]


@pytest.mark.parametrize(
    "watch_id",
    [
        pytest.param(1, id="1"),
        pytest.param(12345, id="large"),
        pytest.param(-1, id="negative"),
        pytest.param(2**63 - 1, id="the largest"),
    ],
)
async def test_a_client_may_choose_the_id(etcd: Client, watch_id: int) -> None:
    async with etcd.watch() as watch:
        created = await watch.create("a", watch_id=watch_id)
        await etcd.put("a", b"1")
        event = await watch.next()

    assert (created.watch_id, created.canceled) == (watch_id, False)
    assert (event.watch_id, len(event.events)) == (watch_id, 1)


async def test_chosen_ids_are_skipped(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", watch_id=1)
        ids = [(await watch.create("a")).watch_id for _ in range(3)]

    assert ids == [0, 2, 3]


async def test_a_cancelled_id_is_not_handed_out_again_but_may_be_asked_for(
    etcd: Client,
) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("a")
        await watch.cancel(1)
        assert (await watch.next()).canceled
        next_id = (await watch.create("a")).watch_id
        asked = await watch.create("a", watch_id=1)

    assert next_id == 2
    assert (asked.watch_id, asked.canceled) == (1, False)


@pytest.mark.parametrize(
    ("key", "end"),
    [
        pytest.param("b", "a", id="end before key"),
        pytest.param("a", "a", id="end equals key"),
    ],
)
async def test_an_empty_range_is_refused(etcd: Client, key: str, end: str) -> None:
    revision = await etcd.revision()

    async with etcd.watch() as watch:
        answer = await watch.create(key, end)

    assert answer == pb.WatchResponse(
        header=answer.header, watch_id=-1, created=True, canceled=True, cancel_reason=EMPTY_RANGE
    )
    assert answer.header.revision == revision


async def test_an_id_in_use_is_refused(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", watch_id=5)
        answer = await watch.create("b", watch_id=5)

    assert answer == pb.WatchResponse(
        header=answer.header, watch_id=-1, created=True, canceled=True, cancel_reason=DUPLICATE_ID
    )


async def test_the_watcher_in_use_goes_on(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", watch_id=5)
        await watch.create("b", watch_id=5)
        await etcd.put("b")
        await etcd.put("a", b"1")
        response = await watch.next()

    assert (response.watch_id, etcd.names(e.kv for e in response.events)) == (5, ["a"])


@pytest.mark.etcd_since("3.6.6")
@pytest.mark.parametrize(
    ("key", "end"),
    [
        pytest.param("a", b"", id="alone"),
        pytest.param("b", "a", id="before an empty range"),
    ],
)
async def test_a_negative_start_is_refused(etcd: Client, key: str, end: str | bytes) -> None:
    async with etcd.watch() as watch:
        answer = await watch.create(key, end, start_revision=-1)

    assert answer == pb.WatchResponse(
        header=answer.header, watch_id=-1, created=True, canceled=True, cancel_reason=COMPACTED
    )


async def test_the_stream_goes_on_after_a_refusal(etcd: Client) -> None:
    async with etcd.watch() as watch:
        assert (await watch.create("b", "a")).canceled
        created = await watch.create("a")
        await etcd.put("a", b"1")
        response = await watch.next()

    assert (created.watch_id, created.canceled) == (0, False)
    assert response.events[0].kv.value == b"1"


@pytest.mark.own_server
async def test_no_key_is_the_key_zero_alone_or_as_the_first(etcd: Client) -> None:
    async with etcd.watch() as one, etcd.watch() as everything:
        await one.create(b"")
        await everything.create(b"", b"\0")
        for key in (b"a", b"\0", b"\xff\xff"):
            await etcd.put(key)
        first = await one.next()
        events = await everything.events(3)

    assert [event.kv.key for event in first.events] == [b"\0"]
    assert [event.kv.key for event in events] == [b"a", b"\0", b"\xff\xff"]


async def test_an_empty_request_is_ignored(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.send()
        created = await watch.create("a")

    assert created.watch_id == 0


async def test_requiring_a_leader_is_granted(etcd: Client) -> None:
    async with etcd.watch(metadata=[("hasleader", "true")]) as watch:
        await watch.create("a")
        await etcd.put("a", b"1")
        response = await watch.next()

    assert response.events[0].kv.value == b"1"


async def test_half_closing_keeps_the_stream(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.half_close()
        await etcd.put("a", b"1")
        first = await watch.next()
        await etcd.put("a", b"2")
        second = await watch.next()

    assert [r.events[0].kv.value for r in (first, second)] == [b"1", b"2"]


async def test_many_watchers_on_one_stream(etcd: Client) -> None:
    async with etcd.watch() as watch:
        for number in range(200):
            await watch.ask(f"k{number % 10}")
        created = await watch.take(200)
        await etcd.put("k3", b"v")
        responses = await watch.take(20)

    assert [response.watch_id for response in created] == list(range(200))
    assert sorted(response.watch_id for response in responses) == list(range(3, 200, 10))
