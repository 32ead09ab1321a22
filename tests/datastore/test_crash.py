"""kill -9 under load: every acknowledged put is there with its revision, and R has no gaps."""

import asyncio
from itertools import pairwise

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of, events
from tests.support.datastore import Datastore

WRITERS = 20
BEFORE_KILL = 400


async def write_until_killed(
    client: Client, writer: int, acknowledged: dict[bytes, int], enough: asyncio.Event
) -> None:
    """Put new keys one after the other until the server is gone."""
    number = 0
    while True:
        key = b"%d/%d" % (writer, number)
        try:
            acknowledged[key] = await client.put(key, b"x" * 200)
        except grpc.aio.AioRpcError:
            return
        number += 1
        if len(acknowledged) >= BEFORE_KILL:
            enough.set()


async def load_and_kill(server: Datastore) -> dict[bytes, int]:
    """Return the revision of every put that was acknowledged before the server was killed."""
    acknowledged: dict[bytes, int] = {}
    enough = asyncio.Event()
    async with client_of(server.address) as client, asyncio.TaskGroup() as writers:
        for writer in range(WRITERS):
            writers.create_task(write_until_killed(client, writer, acknowledged, enough))
        await enough.wait()
        await asyncio.to_thread(server.kill)
    return acknowledged


async def test_nothing_acknowledged_is_lost(database: str) -> None:
    with Datastore(database) as server:
        acknowledged: dict[bytes, int] = {}
        for _ in range(2):
            before = len(acknowledged)
            new = await load_and_kill(server)
            acknowledged = new if not before else {**acknowledged, **new}
            server.start()
        async with client_of(server.address) as client:
            found = await client.everything()
            async with client.watching(start_revision=2) as stream:
                history = await events(stream, found.header.revision - 1)

    stored = {kv.key: kv.mod_revision for kv in found.kvs}
    assert len(acknowledged) >= BEFORE_KILL
    latest = {key: revision for key, revision in acknowledged.items() if key in stored}
    assert latest.keys() == acknowledged.keys()
    assert all(stored[key] >= revision for key, revision in acknowledged.items())
    assert {(r, k) for k, r in acknowledged.items()} <= {(r, k) for r, k, _ in history}
    revisions = [revision for revision, _, _ in history]
    assert revisions[0] == 2
    assert all(after == before + 1 for before, after in pairwise(revisions))
    assert revisions[-1] == found.header.revision


async def test_a_clean_stop_ends_watches_so_that_clients_resume(database: str) -> None:
    with Datastore(database) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            await client.put(b"a")
            await events(stream, 1)
            code = await asyncio.to_thread(server.end)

            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await stream.read()

    assert code == 0
    assert ended.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_identity_leases_and_compaction_survive_a_restart(database: str) -> None:
    with Datastore(database) as server:
        async with client_of(server.address) as client:
            lease = await client.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=100))
            await client.put(b"a", b"1", lease.ID)
            compacted = await client.put(b"a", b"2", lease.ID)
            await client.kv.Compact(pb.CompactionRequest(revision=compacted, physical=True))
            before = (await client.everything()).header
        server.end()
        server.start()
        async with client_of(server.address) as client:
            after = (await client.everything()).header
            left = await client.lease.LeaseTimeToLive(
                pb.LeaseTimeToLiveRequest(ID=lease.ID, keys=True)
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.kv.Range(pb.RangeRequest(key=b"a", revision=compacted - 1))

    assert after == before
    assert (left.grantedTTL, list(left.keys)) == (100, [b"a"])
    assert refused.value.details() == "etcdserver: mvcc: required revision has been compacted"
