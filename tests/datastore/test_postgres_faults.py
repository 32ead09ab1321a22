"""PostgreSQL going away and coming back, and servers that share it."""

import asyncio
from collections.abc import Iterator

import grpc
import psycopg
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of, events
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

TIMED_OUT = (grpc.StatusCode.UNAVAILABLE, "etcdserver: request timed out")


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with Postgres() as cluster:
        yield cluster


async def refusal(client: Client) -> tuple[grpc.StatusCode, str | None]:
    try:
        await client.put(b"refused")
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()
    raise AssertionError("the put was answered without a database")


async def put_when_back(client: Client, key: bytes) -> int:
    """Put again and again until the database is back."""
    while True:
        try:
            return await client.put(key)
        except grpc.aio.AioRpcError as error:
            assert (error.code(), error.details()) == TIMED_OUT  # noqa: PT017
            await asyncio.sleep(0.05)


async def test_calls_fail_while_it_is_down_and_watches_survive(own_postgres: Postgres) -> None:
    with Datastore(own_postgres.url("faults")) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            first = await client.put(b"before")
            await asyncio.to_thread(own_postgres.shut, "immediate")
            refused = await refusal(client)
            with pytest.raises(grpc.aio.AioRpcError) as read:
                await client.everything()
            await asyncio.to_thread(own_postgres.start)
            second = await put_when_back(client, b"after")
            seen = await events(stream, 2)

    assert refused == TIMED_OUT
    assert (read.value.code(), read.value.details()) == TIMED_OUT
    assert second == first + 1
    assert [event[:2] for event in seen] == [(first, b"before"), (second, b"after")]


async def test_lost_connections_are_made_again(postgres: Postgres) -> None:
    url = postgres.url("lost")
    with Datastore(url) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            await client.put(b"a")
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await client.put(b"b")
            found = await client.everything()
            seen = await events(stream, 2)

    assert [kv.key for kv in found.kvs] == [b"a", b"b"]
    assert [key for _, key, _ in seen] == [b"a", b"b"]


async def test_servers_share_revisions_watches_and_leases(postgres: Postgres) -> None:
    url = postgres.url("shared")
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with client_of(one.address) as left, client_of(two.address) as right:
            async with left.watching(prev_kv=True) as stream:
                revisions = await asyncio.gather(
                    *(side.put(b"k", b"%d" % n) for n in range(50) for side in (left, right))
                )
                seen = await events(stream, 100)
            lease = await left.lease.LeaseGrant(pb.LeaseGrantRequest(TTL=100))
            await right.put(b"leased", b"", lease.ID)
            members = await left.cluster.MemberList(pb.MemberListRequest())
            headers = [(await side.everything()).header for side in (left, right)]

    assert sorted(revisions) == list(range(2, 102))
    assert [revision for revision, _, _ in seen] == list(range(2, 102))
    assert {member.name for member in members.members} == {"one", "two"}
    assert headers[0].cluster_id == headers[1].cluster_id
    assert headers[0].member_id != headers[1].member_id
    assert headers[0].revision == headers[1].revision


async def test_servers_of_one_name_are_two_members(postgres: Postgres) -> None:
    url = postgres.url("namesakes")
    with Datastore(url) as one:
        async with client_of(one.address) as client:
            first = (await client.everything()).header.member_id
        with Datastore(url) as two:
            async with client_of(two.address) as client:
                second = (await client.everything()).header.member_id
    with Datastore(url) as again:
        async with client_of(again.address) as client:
            third = (await client.everything()).header.member_id

    assert first != second
    assert third in (first, second)


async def test_a_compaction_elsewhere_is_seen_here(postgres: Postgres) -> None:
    url = postgres.url("compacted")
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


async def test_what_the_database_may_lose_is_said_in_the_status() -> None:
    with Postgres(fsync="off") as cluster, Datastore(cluster.url("careless")) as server:
        async with client_of(server.address) as client:
            status = await client.maintenance.Status(pb.StatusRequest())

    assert any("fsync is off" in text for text in status.errors)


async def test_a_key_too_long_for_an_index_is_refused_by_name(postgres: Postgres) -> None:
    with Datastore(postgres.url("long")) as server:
        async with client_of(server.address) as client:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.put(b"k" * 3_000)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "3000 bytes" in (refused.value.details() or "")
