"""What was acknowledged is there after a restart, and clients find their way back."""

import asyncio

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, refusal
from tests.contract.refusals import COMPACTED, LEASE_EXISTS
from tests.contract.requests import Delete, Put, delete_event, put_event
from tests.contract.targets import Server

pytestmark = pytest.mark.own_server
ODD_LEASES = (-5, 2**63 - 1)


@pytest.mark.every_front
@pytest.mark.parametrize(
    "kill", [pytest.param(True, id="killed"), pytest.param(False, id="stopped")]
)
async def test_everything_acknowledged_is_there_and_watches_end_as_unavailable(
    server: Server, etcd: Client, kill: bool, pytestconfig: pytest.Config
) -> None:
    keeps_its_row = not (kill and pytestconfig.getoption("through_pgbouncer"))  # free after 15 s
    for lease_id in (7, *ODD_LEASES):
        await etcd.grant_as(lease_id, 600)
    await etcd.put("a", b"1")
    await etcd.put("a", b"2")
    await etcd.compact(3)
    await etcd.txn(success=[Put("b", b"3", lease=7), Put("c", b"4"), Delete("a")])
    before = (await etcd.range("c")).header
    call = etcd.watch_service.Watch()
    await call.write(pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"a")))
    assert (await call.read()).created

    await asyncio.to_thread(server.restart, kill)

    async with asyncio.timeout(60):
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
    async with Client(server.address) as again:
        everything = await again.range(b"\0", b"\0")
        past = await again.range("a", revision=3)
        lease = await again.time_to_live(7, keys=True)
        odd_leases = [await again.time_to_live(lease_id) for lease_id in ODD_LEASES]
        async with again.watch() as watch:
            await watch.create("a", "z", start_revision=3, prev_kv=True)
            events = await watch.events(4)
        next_put = await again.put("d")

        assert everything.header.revision == before.revision == 4
        assert everything.header.cluster_id == before.cluster_id
        if keeps_its_row:
            assert everything.header.member_id == before.member_id
        second = again.stored("a", b"2", create=2, mod=3, version=2)
        b = again.stored("b", b"3", create=4, mod=4, lease=7)
        c = again.stored("c", b"4", create=4, mod=4)
        assert list(everything.kvs) == [b, c]
        assert list(past.kvs) == [second]
        assert events == [
            put_event(second),
            put_event(b),
            put_event(c),
            delete_event(b"a", 4, second),
        ]
        assert (lease.grantedTTL, list(lease.keys)) == (600, [b"b"])
        assert [odd.grantedTTL for odd in odd_leases] == [600, 600]
        assert next_put.header.revision == 5
        assert await refusal(again.range("a", revision=2)) == COMPACTED
        assert await refusal(again.compact(3)) == COMPACTED
        assert await refusal(again.grant_as(7, 600)) == LEASE_EXISTS


async def test_an_expired_lease_stays_gone_and_a_living_one_still_expires(
    server: Server, etcd: Client
) -> None:
    async with etcd.watch() as watch:
        await watch.create("gone")
        await etcd.grant_as(7, 2)
        await etcd.put("gone", lease=7)
        await watch.events(2)
    await etcd.grant_as(8, 2)
    await etcd.put("going", lease=8)

    await asyncio.to_thread(server.restart, True)

    async with Client(server.address) as again:
        assert (await again.time_to_live(7)).TTL == -1
        while (await again.range("going")).count:  # noqa: ASYNC110  it ends though nobody watches
            await asyncio.sleep(0.1)
    async with Client(server.address) as again, again.watch() as watch:
        await watch.create("g", "h", start_revision=2)
        events = await watch.events(4)
    assert etcd.names(event.kv for event in events) == ["gone", "gone", "going", "going"]
    assert events[3] == delete_event(b"going", 5)
