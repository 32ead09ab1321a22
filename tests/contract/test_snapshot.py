"""Maintenance/Snapshot: how it is framed. What is in it is another test's subject."""

import hashlib

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

pytestmark = pytest.mark.every_front
CHUNK = 32 * 1024


async def take(etcd: Client) -> list[pb.SnapshotResponse]:
    """Return every message of a snapshot."""
    stream = etcd.maintenance.Snapshot(pb.SnapshotRequest(), timeout=60)
    return [message async for message in stream]


async def test_the_last_message_is_the_checksum_of_the_others(etcd: Client) -> None:
    *data, last = await take(etcd)

    digest = hashlib.sha256(b"".join(message.blob for message in data))
    assert last.blob == digest.digest()
    assert last.remaining_bytes == 0


async def test_the_length_is_a_multiple_of_512(etcd: Client) -> None:
    *data, _ = await take(etcd)

    assert sum(len(message.blob) for message in data) % 512 == 0


async def test_chunks_are_32_kib_and_count_down(etcd: Client) -> None:
    await etcd.put("a", b"x" * 100_000)
    *data, _ = await take(etcd)

    total = sum(len(message.blob) for message in data)
    assert all(len(message.blob) == CHUNK for message in data[:-1])
    for number, message in enumerate(data, 1):
        assert message.remaining_bytes == max(total - number * CHUNK, 0)


async def test_there_is_no_header(etcd: Client) -> None:
    messages = await take(etcd)

    assert not any(message.HasField("header") for message in messages)


@pytest.mark.etcd_since("3.6")
async def test_every_message_has_the_storage_version(etcd: Client) -> None:
    messages = await take(etcd)

    assert {message.version for message in messages} == {"3.6.0"}


async def test_writes_go_on_while_it_is_read(etcd: Client) -> None:
    await etcd.put_many([f"k{number}" for number in range(40)], b"x" * 100_000)
    stream = etcd.maintenance.Snapshot(pb.SnapshotRequest(), timeout=60)
    await stream.read()

    await etcd.put("a", b"1")

    assert (await etcd.range("a")).count == 1
    stream.cancel()


async def test_it_holds_what_was_written(etcd: Client) -> None:
    await etcd.put("a", b"a value that stands out")

    data = b"".join(message.blob for message in await take(etcd))

    assert b"a value that stands out" in data
