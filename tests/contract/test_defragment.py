"""Maintenance/Defragment: space that compaction freed goes back."""

import random

import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client

VALUE = random.Random(1).randbytes(200_000)  # a database may compress what repeats


async def defragment(etcd: Client) -> pb.DefragmentResponse:
    """Ask for it."""
    request = pb.DefragmentRequest()
    answer: pb.DefragmentResponse = await etcd.send(etcd.maintenance.Defragment, request)
    return answer


async def test_there_is_no_header(etcd: Client) -> None:
    assert not (await defragment(etcd)).HasField("header")


@pytest.mark.own_server
async def test_the_size_shrinks(etcd: Client) -> None:
    for _ in range(30):
        await etcd.put("a", VALUE)
    await etcd.put("b", b"stays")
    before = (await etcd.range("b")).kvs
    await etcd.compact(await etcd.revision())
    await defragment(etcd)
    full = (await etcd.status()).dbSize
    for _ in range(30):
        await etcd.put("a", VALUE)
    await etcd.compact(await etcd.revision())

    await defragment(etcd)

    status = await etcd.status()
    assert status.dbSize <= full + len(VALUE)
    assert status.dbSize < 10 * len(VALUE)
    assert status.dbSizeInUse <= status.dbSize
    assert (await etcd.range("b")).kvs == before


async def test_nothing_but_size_changes(etcd: Client) -> None:
    await etcd.put("a", b"1")
    revision = (await etcd.put("a", b"2")).header.revision

    await defragment(etcd)

    assert (await etcd.range("a", revision=revision - 1)).kvs[0].value == b"1"
    assert await etcd.revision() == revision
