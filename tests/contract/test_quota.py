"""The quota: what it counts, and the NOSPACE alarm that it raises."""

import random

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal, refusal
from tests.contract.refusals import NO_SPACE
from tests.contract.requests import Delete, Put, Range, Txn
from tests.contract.test_alarms import disarm, raised

QUOTA = "--quota-backend-bytes=1000000"
VALUE = random.Random(1).randbytes(100_000)  # a database may compress what repeats


async def fill(etcd: Client) -> tuple[int, Refusal]:
    """Put until a put is refused; return how many were not, and the refusal."""
    for number in range(1_000):
        request = pb.PutRequest(key=b"k%d" % number, value=VALUE)
        call = etcd.kv.Put(request, timeout=60)
        if await call.code() != grpc.StatusCode.OK:
            return number, await refusal(call)
    raise AssertionError("a thousand puts of 100 kB fit into a quota of 1 MB")


@pytest.mark.own_server(QUOTA)
@pytest.mark.etcd_since("3.6")
async def test_the_quota_is_told_and_raises_the_alarm(etcd: Client) -> None:
    status = await etcd.status()
    member = status.header.member_id

    number, refused = await fill(etcd)

    assert status.dbSizeQuota == 1_000_000
    assert refused == NO_SPACE
    assert number >= 3
    assert await raised(etcd) == [(member, 1)]


@pytest.mark.own_server(QUOTA)
async def test_after_making_room_and_disarming_it_goes_on(etcd: Client) -> None:
    await fill(etcd)
    member = (await etcd.status()).header.member_id
    await etcd.delete(b"\0", b"\0")
    await etcd.compact(await etcd.revision())
    await etcd.send(etcd.maintenance.Defragment, pb.DefragmentRequest())
    await disarm(etcd, pb.NOSPACE, member)

    await etcd.put(b"a", b"x" * 10_000)


@pytest.mark.own_server("--quota-backend-bytes=-1")
async def test_a_negative_quota_is_none(etcd: Client) -> None:
    await etcd.put(b"a", b"x" * 100_000)

    assert await raised(etcd) == []


@pytest.mark.own_server("--quota-backend-bytes=600000")
@pytest.mark.etcd_since("3.6")
async def test_what_counts_for_the_quota(etcd: Client) -> None:
    """Puts of the branch not taken and of nested txns; what puts nothing passes."""
    large = [Put(b"a", VALUE * 4), Put(b"b", VALUE * 4)]
    nested = Txn((), [Put(b"a", b"x" * 1_000_000)], [])
    await etcd.put(b"a", b"1")

    assert (await etcd.txn((), [Range(b"a"), Delete(b"none")])).succeeded
    assert await refusal(etcd.txn((), [Range(b"a")], large)) == NO_SPACE
    ((member, kind),) = await raised(etcd)
    assert kind == pb.NOSPACE
    assert (await etcd.txn((), [Delete(b"a")])).header.revision == 3
    await disarm(etcd, pb.NOSPACE, member)
    assert await refusal(etcd.txn((), [nested])) == NO_SPACE
    assert await raised(etcd) == [(member, pb.NOSPACE)]
