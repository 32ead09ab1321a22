"""Servers on a Galera cluster, each at a node of its own: one store, also when a node is lost."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.errors import ConfigError
from datastore.tools.check import check
from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import Client, client_of, events
from tests.support.datastore import Datastore
from tests.support.galera import Galera

COUNTER = b"counter"
TIMES = 25


@pytest.fixture(scope="module")
def cluster() -> Iterator[Galera]:
    with Galera() as galera:
        yield galera


def start(cluster: Galera, database: str, number: int) -> Datastore:
    """Start a server that goes to one node first."""
    return Datastore(cluster.url(database, first=number), ["--name", f"s{number}"])


async def count(client: Client) -> int:
    """Read the counter, and write the next number unless somebody else has; until it is ours."""
    while True:
        found = await client.kv.Range(pb.RangeRequest(key=COUNTER))
        revision, number = next(((kv.mod_revision, int(kv.value)) for kv in found.kvs), (0, 0))
        unchanged = pb.Compare(key=COUNTER, target="MOD", mod_revision=revision, result="EQUAL")
        put = pb.PutRequest(key=COUNTER, value=b"%d" % (number + 1))
        txn = pb.TxnRequest(compare=[unchanged], success=[pb.RequestOp(request_put=put)])
        answer = await client.kv.Txn(txn)
        if answer.succeeded:
            return int(answer.header.revision)


async def put_until_told(client: Client, key: bytes) -> int:
    """Put again and again until that is acknowledged."""
    while True:
        try:
            return await client.put(key)
        except grpc.aio.AioRpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE  # noqa: PT017
            await asyncio.sleep(0.05)


async def test_servers_at_different_nodes_count_together(cluster: Galera) -> None:
    servers = [start(cluster, "counted", number) for number in range(3)]
    try:
        async with (
            client_of(servers[0].address) as one,
            client_of(servers[1].address) as two,
            client_of(servers[2].address) as three,
            one.watching() as stream,
        ):
            tasks = [count(client) for _ in range(TIMES) for client in (one, two, three)]
            revisions = await asyncio.gather(*tasks)
            seen = await events(stream, len(tasks))
            found = [await client.everything() for client in (one, two, three)]
            members = await one.cluster.MemberList(pb.MemberListRequest())
        findings = [str(finding) for finding in check(servers[0].endpoint_url)]
    finally:
        for server in servers:
            server.stop()

    assert sorted(revisions) == list(range(2, len(tasks) + 2))
    assert [event[0] for event in seen] == sorted(revisions)
    assert [int(value) for _, _, value in seen] == list(range(1, len(tasks) + 1))
    assert {bytes(answer.kvs[0].value) for answer in found} == {b"%d" % len(tasks)}
    assert {member.name for member in members.members} == {"s0", "s1", "s2"}
    assert findings == []


async def test_a_server_that_was_stopped_is_the_same_member_again(cluster: Galera) -> None:
    found = []
    for _ in range(2):
        with start(cluster, "again", 0) as server:
            async with client_of(server.address) as client:
                found.append((await client.everything()).header.member_id)

    assert found[0] == found[1]


async def test_servers_of_one_name_are_two_members(cluster: Galera) -> None:
    url = cluster.url("named")
    with Datastore(url) as one, Datastore(cluster.url("named", first=1)) as two:
        async with client_of(one.address) as left, client_of(two.address) as right:
            headers = [(await client.everything()).header for client in (left, right)]

    assert headers[0].cluster_id == headers[1].cluster_id
    assert headers[0].member_id != headers[1].member_id


def test_a_cluster_whose_halves_may_both_go_on_is_refused(cluster: Galera) -> None:
    url = cluster.url("halves")
    cluster.nodes[0].run("SET GLOBAL wsrep_provider_options = 'pc.ignore_quorum=true'")
    try:
        with pytest.raises(ConfigError) as refused:
            new_backend(url, Identity("test", ())).open()
    finally:
        cluster.nodes[0].run("SET GLOBAL wsrep_provider_options = 'pc.ignore_quorum=false'")

    assert "pc.ignore_quorum" in str(refused.value)


async def test_a_server_whose_node_is_lost_goes_on_at_the_next(cluster: Galera) -> None:
    """The last test here: the node stays away."""
    with start(cluster, "lost", 2) as server, start(cluster, "lost", 0) as other:
        async with client_of(server.address) as client, client_of(other.address) as elsewhere:
            async with client.watching() as stream, elsewhere.watching() as stream_elsewhere:
                first = await client.put(b"before")
                await asyncio.to_thread(cluster.lose, cluster.nodes[2])
                last = await put_until_told(client, b"after")
                seen = await events(stream, last - first + 1)
                seen_elsewhere = await events(stream_elsewhere, last - first + 1)
            found = await elsewhere.everything()

    assert [event[0] for event in seen] == list(range(first, last + 1))
    assert seen_elsewhere == seen
    assert {kv.key for kv in found.kvs} == {b"before", b"after"}
