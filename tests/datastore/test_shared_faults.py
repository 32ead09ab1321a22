"""A database that goes away and comes back, and servers that share it, of either kind."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from typing import NamedTuple

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of, events
from tests.datastore.standing import cut_off
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

TIMED_OUT = (grpc.StatusCode.UNAVAILABLE, "etcdserver: request timed out")
CARELESS = {
    Postgres: ("fsync", "off"),
    Mariadb: ("innodb_flush_log_at_trx_commit", "2"),
}
LONGEST_KEY = {Postgres: 2_600, Mariadb: 3_072}


class Own(NamedTuple):
    """A database server of a test's own, and how it crashes."""

    server: Postgres | Mariadb
    crash: Callable[[], None]


def own(kind: type[Postgres | Mariadb]) -> Own:
    """Start one of a kind."""
    started = kind()
    if isinstance(started, Postgres):
        return Own(started, lambda: started.shut("immediate"))
    return Own(started, lambda: started.shut(signal.SIGKILL))


@pytest.fixture(params=[Postgres, Mariadb])
def mortal(request: pytest.FixtureRequest) -> Iterator[Own]:
    """A database server that the test may crash."""
    found = own(request.param)
    yield found
    found.server.stop()


async def refusal(client: Client) -> tuple[grpc.StatusCode, str | None]:
    """Return why a put is refused."""
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


async def test_calls_fail_while_it_is_down_and_watches_survive(mortal: Own) -> None:
    with Datastore(mortal.server.url("faults")) as server:
        async with client_of(server.address) as client, client.watching() as stream:
            first = await client.put(b"before")
            await asyncio.to_thread(mortal.crash)
            refused = await refusal(client)
            with pytest.raises(grpc.aio.AioRpcError) as read:
                await client.everything()
            await asyncio.to_thread(mortal.server.start)
            second = await put_when_back(client, b"after")
            seen = await events(stream, 2)

    assert refused == TIMED_OUT
    assert (read.value.code(), read.value.details()) == TIMED_OUT
    assert second == first + 1
    assert [event[:2] for event in seen] == [(first, b"before"), (second, b"after")]


async def test_lost_connections_are_made_again(server: Postgres | Mariadb, name: str) -> None:
    with Datastore(server.url(name)) as datastore:
        async with client_of(datastore.address) as client, client.watching() as stream:
            await client.put(b"a")
            cut_off(server, name)
            await client.put(b"b")
            found = await client.everything()
            seen = await events(stream, 2)

    assert [kv.key for kv in found.kvs] == [b"a", b"b"]
    assert [key for _, key, _ in seen] == [b"a", b"b"]


async def test_servers_share_revisions_watches_and_leases(
    server: Postgres | Mariadb, name: str
) -> None:
    url = server.url(name)
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


async def test_servers_of_one_name_are_two_members(server: Postgres | Mariadb, name: str) -> None:
    url = server.url(name)
    with Datastore(url) as one:
        first = await member_of(one)
        with Datastore(url) as two:
            second = await member_of(two)
    with Datastore(url) as again:
        third = await member_of(again)

    assert first != second
    assert third in (first, second)


async def member_of(datastore: Datastore) -> int:
    """Return the member id of a server."""
    async with client_of(datastore.address) as client:
        return int((await client.everything()).header.member_id)


async def test_a_compaction_elsewhere_is_seen_here(server: Postgres | Mariadb, name: str) -> None:
    url = server.url(name)
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


@pytest.mark.parametrize("kind", CARELESS)
async def test_what_the_database_may_lose_is_said_in_the_status(
    kind: type[Postgres | Mariadb],
) -> None:
    setting, value = CARELESS[kind]
    with kind(**{setting: value}) as careless, Datastore(careless.url("careless")) as server:
        async with client_of(server.address) as client:
            status = await client.maintenance.Status(pb.StatusRequest())

    assert any(f"{setting} is {value}" in text for text in status.errors)


async def test_a_key_too_long_for_an_index_is_refused_by_name(
    server: Postgres | Mariadb, name: str
) -> None:
    length = LONGEST_KEY[type(server)] + 1
    with Datastore(server.url(name)) as datastore:
        async with client_of(datastore.address) as client:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.put(b"k" * length)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"{length} bytes" in (refused.value.details() or "")
