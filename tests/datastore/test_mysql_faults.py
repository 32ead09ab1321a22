"""MariaDB going away and coming back, and servers that share it."""

import asyncio
import os
import signal
from collections.abc import Iterator

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of, events
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb

TIMED_OUT = (grpc.StatusCode.UNAVAILABLE, "etcdserver: request timed out")


@pytest.fixture
def own_mariadb() -> Iterator[Mariadb]:
    with Mariadb() as server:
        yield server


async def refusal(client: Client) -> tuple[grpc.StatusCode, str | None]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.put(b"refused")
    return refused.value.code(), refused.value.details()


async def put_when_back(client: Client, key: bytes) -> int:
    """Put again and again until the database is back."""
    while True:
        try:
            return await client.put(key)
        except grpc.aio.AioRpcError as error:
            assert (error.code(), error.details()) == TIMED_OUT  # noqa: PT017
            await asyncio.sleep(0.05)


async def test_calls_fail_while_it_is_down_and_watches_survive(own_mariadb: Mariadb) -> None:
    with Datastore(own_mariadb.url("faults")) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            first = await client.put(b"before")
            await asyncio.to_thread(own_mariadb.shut, signal.SIGKILL)
            refused = await refusal(client)
            with pytest.raises(grpc.aio.AioRpcError) as read:
                await client.everything()
            await asyncio.to_thread(own_mariadb.start)
            second = await put_when_back(client, b"after")
            seen = await events(stream, 2)

    assert refused == TIMED_OUT
    assert (read.value.code(), read.value.details()) == TIMED_OUT
    assert second == first + 1
    assert [event[:2] for event in seen] == [(first, b"before"), (second, b"after")]


async def test_a_database_that_freezes_keeps_nobody_waiting(own_mariadb: Mariadb) -> None:
    with Datastore(own_mariadb.url("frozen")) as server:
        async with client_of(server.address) as client:
            first = await client.put(b"before")
            os.kill(own_mariadb.pid, signal.SIGSTOP)
            try:
                refused = await refusal(client)
            finally:
                os.kill(own_mariadb.pid, signal.SIGCONT)
            last = await put_when_back(client, b"after")
            found = await client.everything()

    assert refused == TIMED_OUT
    assert {b"before", b"after"} <= {kv.key for kv in found.kvs}
    assert last - first == len(found.kvs) - 1  # what was refused may have happened


async def test_lost_connections_are_made_again(mariadb: Mariadb) -> None:
    with Datastore(mariadb.url("lost")) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            await client.put(b"a")
            for (number,) in mariadb.run(
                "SELECT id FROM information_schema.processlist WHERE db = 'lost'"
            ):
                mariadb.run(f"KILL {number}")
            await client.put(b"b")
            found = await client.everything()
            seen = await events(stream, 2)

    assert [kv.key for kv in found.kvs] == [b"a", b"b"]
    assert [key for _, key, _ in seen] == [b"a", b"b"]


async def test_servers_share_revisions_watches_and_leases(mariadb: Mariadb) -> None:
    url = mariadb.url("shared")
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with client_of(one.address) as left, client_of(two.address) as right:
            async with left.watching(prev_kv=True) as stream:
                revisions = await asyncio.gather(
                    *(side.put(b"k", b"%d" % n) for n in range(50) for side in (left, right))
                )
                seen = await events(stream, 100)
                alone = await right.put(b"alone")
                heard = await events(stream, 1)
            lease = await left.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=100))
            await right.put(b"leased", b"", lease.ID)
            members = await left.cluster.MemberList(pb.MemberListRequest())
            headers = [(await side.everything()).header for side in (left, right)]

    assert sorted(revisions) == list(range(2, 102))
    assert [revision for revision, _, _ in seen] == list(range(2, 102))
    assert heard == [(alone, b"alone", b"")]
    assert {member.name for member in members.members} == {"one", "two"}
    assert headers[0].cluster_id == headers[1].cluster_id
    assert headers[0].member_id != headers[1].member_id
    assert headers[0].revision == headers[1].revision


async def test_a_compaction_elsewhere_is_seen_here(mariadb: Mariadb) -> None:
    url = mariadb.url("compacted")
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with client_of(one.address) as left, client_of(two.address) as right:
            for _ in range(3):
                revision = await left.put(b"a")
            await left.kv.Compact(pb.CompactionRequest(revision=revision))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await right.kv.Range(pb.RangeRequest(key=b"a", revision=revision - 1))
            async with right.watching(start_revision=2) as stream:
                cancelled = await stream.read()

    assert refused.value.code() == grpc.StatusCode.OUT_OF_RANGE
    assert (cancelled.canceled, cancelled.compact_revision) == (True, revision)


async def test_what_the_database_may_lose_is_said_in_the_status(own_mariadb: Mariadb) -> None:
    own_mariadb.run("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    with Datastore(own_mariadb.url("careless")) as server:
        async with client_of(server.address) as client:
            status = await client.maintenance.Status(pb.StatusRequest())

    assert any("innodb_flush_log_at_trx_commit is 2" in text for text in status.errors)


async def test_a_key_too_long_for_an_index_is_refused_by_name(mariadb: Mariadb) -> None:
    with Datastore(mariadb.url("long")) as server:
        async with client_of(server.address) as client:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.put(b"k" * 3_073)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "3073 bytes" in (refused.value.details() or "")
