"""Watch: cancelling watchers and streams."""

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

pytestmark = pytest.mark.every_front


async def test_cancel_is_answered_with_the_current_revision(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        revision = (await etcd.put("other")).header.revision
        await watch.cancel(0)
        answer = await watch.next()

    assert answer == pb.WatchResponse(header=answer.header, watch_id=0, canceled=True)
    assert answer.header.revision == revision


async def test_nothing_follows_for_the_cancelled_watcher(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("a")
        await watch.cancel(0)
        assert (await watch.next()).canceled
        await etcd.put("a", b"1")
        await etcd.put("a", b"2")
        responses = [await watch.next()]
        while sum(len(response.events) for response in responses) < 2:
            responses.append(await watch.next())

    assert {response.watch_id for response in responses} == {1}


async def test_an_unknown_id_gets_no_answer(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.cancel(99)
        await watch.cancel(-1)
        await watch.cancel(0)
        answer = await watch.next()

    assert (answer.watch_id, answer.canceled) == (0, True)


async def test_a_second_cancel_gets_no_answer(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        await watch.create("b")
        for watch_id in (0, 0, 1):
            await watch.cancel(watch_id)
        answers = await watch.take(2)

    assert [(answer.watch_id, answer.canceled) for answer in answers] == [(0, True), (1, True)]


async def test_a_watcher_of_the_future_can_be_cancelled(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a", start_revision=await etcd.revision() + 1000)
        await watch.cancel(0)
        answer = await watch.next()

    assert (answer.watch_id, answer.canceled, answer.cancel_reason) == (0, True, "")


async def test_cancelling_a_stream_leaves_the_others(etcd: Client) -> None:
    async with etcd.watch() as watch:
        await watch.create("a")
        async with etcd.watch() as other:
            await other.create("a")
        await etcd.put("a", b"1")
        response = await watch.next()

    assert response.events[0].kv.value == b"1"


async def test_a_cancelled_stream_ends_as_cancelled(etcd: Client) -> None:
    call = etcd.watch_service.Watch()
    await call.write(pb.WatchRequest(create_request=pb.WatchCreateRequest(key=etcd.key("a"))))
    assert (await call.read()).created

    call.cancel()

    assert await call.code() is grpc.StatusCode.CANCELLED
