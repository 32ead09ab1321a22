"""Limits on the size of messages, and many calls at once."""

import asyncio
from typing import Any

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import REQUEST_TOO_LARGE, TOO_MANY_OPERATIONS
from tests.contract.requests import Put, Range

pytestmark = pytest.mark.every_front
LARGEST_PUT = (
    1_572_846  # bytes of the serialized PutRequest; one more where the member's id is short
)
LARGEST_MESSAGE = 2_097_152


def put_of_size(key: bytes, size: int) -> pb.PutRequest:
    """A put whose serialized form has exactly `size` bytes (of more than 2 MiB's magnitude:
    3-byte lengths).
    """
    overhead = pb.PutRequest(key=key, value=b"x" * 1_000_000).ByteSize() - 1_000_000
    return pb.PutRequest(key=key, value=b"x" * (size - overhead))


def too_large(size: int) -> Refusal:
    """The transport's refusal of a message of that size."""
    text = f"grpc: received message larger than max ({size} vs. {LARGEST_MESSAGE})"
    return Refusal("RESOURCE_EXHAUSTED", text)


async def test_the_largest_put(etcd: Client) -> None:
    request = put_of_size(etcd.key("a"), LARGEST_PUT)

    await etcd.send(etcd.kv.Put, request)

    assert (await etcd.range("a")).kvs[0].value == request.value


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(LARGEST_PUT + 2, id="two bytes more"),
        pytest.param(LARGEST_MESSAGE, id="the largest message"),
    ],
)
async def test_a_larger_put_is_refused(etcd: Client, size: int) -> None:
    request = put_of_size(etcd.key("a"), size)

    assert await refusal(etcd.send(etcd.kv.Put, request)) == REQUEST_TOO_LARGE
    assert (await etcd.range("a")).count == 0


async def test_a_larger_message_is_refused_by_the_transport(etcd: Client) -> None:
    request = put_of_size(etcd.key("a"), LARGEST_MESSAGE + 1)

    refused = await refusal(etcd.send(etcd.kv.Put, request))

    assert refused == too_large(LARGEST_MESSAGE + 1)


@pytest.mark.parametrize("method", ["Watch/Watch", "Lease/LeaseKeepAlive"])
async def test_a_larger_message_ends_the_stream(etcd: Client, method: str) -> None:
    call: Any = etcd.channel.stream_stream(f"/etcdserverpb.{method}")(timeout=60)

    await call.write(b"x" * (LARGEST_MESSAGE + 1))

    assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await call.details() == too_large(LARGEST_MESSAGE + 1).text


async def test_a_writing_txn_is_limited_too(etcd: Client) -> None:
    half = b"x" * 800_000

    refused = await refusal(etcd.txn(success=[Put("a", half), Put("b", half)]))

    assert refused == REQUEST_TOO_LARGE


async def test_a_reading_txn_is_not_limited(etcd: Client) -> None:
    long_key = etcd.key("k") + b"x" * 800_000

    answer = await etcd.txn(success=[Range(long_key), Range(long_key)])

    assert answer.succeeded


async def test_a_range_is_not_limited(etcd: Client) -> None:
    answer = await etcd.range(etcd.key("k") + b"x" * 1_900_000)

    assert answer.count == 0


async def test_a_delete_is_limited(etcd: Client) -> None:
    refused = await refusal(etcd.delete(etcd.key("k") + b"x" * 1_900_000))

    assert refused == REQUEST_TOO_LARGE


async def test_one_hundred_streams_on_one_connection(etcd: Client) -> None:
    calls = [etcd.watch_service.Watch() for _ in range(100)]
    create = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=etcd.key("a")))
    await asyncio.gather(*(call.write(create) for call in calls))
    created = await asyncio.gather(*(call.read() for call in calls))
    await etcd.put("a", b"1")

    events = await asyncio.wait_for(asyncio.gather(*(call.read() for call in calls)), 20)

    assert all(response.created for response in created)
    assert {response.events[0].kv.value for response in events} == {b"1"}
    for call in calls:
        call.cancel()


@pytest.mark.own_server(
    "--max-txn-ops=2", "--max-request-bytes=10000", "--max-concurrent-streams=3"
)
async def test_limits_are_what_the_flags_say(etcd: Client) -> None:
    await etcd.txn(success=[Put("a"), Put("b")])
    assert await refusal(etcd.txn(success=[Put("a"), Put("b"), Put("c")])) == TOO_MANY_OPERATIONS
    await etcd.put("a", b"x" * 9_900)
    assert await refusal(etcd.put("a", b"x" * 10_000)) == REQUEST_TOO_LARGE
    refused = await refusal(etcd.put("a", b"x" * 600_000))
    assert refused.text.endswith(f"vs. {10_000 + 512 * 1024})")

    create = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"a"))
    calls = [etcd.watch_service.Watch() for _ in range(4)]
    *open_ones, waiting = [asyncio.ensure_future(_created(call, create)) for call in calls]
    await asyncio.gather(*open_ones)
    assert not (await asyncio.wait([waiting], timeout=1))[0]  # time to come through, if it can
    calls[0].cancel()
    await asyncio.wait_for(waiting, 20)
    for call in calls[1:]:
        call.cancel()


async def _created(call: Any, create: pb.WatchRequest) -> None:
    await call.write(create)
    assert (await call.read()).created


async def test_two_hundred_puts_at_once_are_two_hundred_revisions(etcd: Client) -> None:
    base = await etcd.revision()

    answers = await asyncio.gather(*(etcd.put(f"k{number}") for number in range(200)))

    revisions = sorted(answer.header.revision for answer in answers)
    assert revisions == list(range(base + 1, base + 201))


async def test_two_hundred_increments_at_once_lose_nothing(etcd: Client) -> None:
    answers = await asyncio.gather(*(etcd.put("a", prev_kv=True) for _ in range(200)))

    versions = sorted(answer.prev_kv.version for answer in answers)
    assert versions == list(range(200))
    assert (await etcd.range("a")).kvs[0].version == 200


async def test_a_transport_error_names_the_sizes(etcd: Client) -> None:
    refused = await refusal(etcd.put("a", b"x" * 3_000_000))

    size = pb.PutRequest(key=etcd.key("a"), value=b"x" * 3_000_000).ByteSize()
    assert refused == too_large(size)
