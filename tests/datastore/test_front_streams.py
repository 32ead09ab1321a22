"""Streams whose clients are far ahead, or do not read: the same on both fronts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from datastore.addresses import listen_url
from datastore.rpc.fronts import Fronts
from datastore.rpc.grpcio_halves import AHEAD
from datastore.rpc.options import GrpcOptions
from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import TIMEOUT, Client, client_of
from tests.support.datastore import Datastore
from tests.support.ports import free_port

LEASE, UNKNOWN, TTL = 7, 8, 3600
LARGE = bytes(1 << 20)
MANY = 10 * AHEAD


@pytest.fixture(params=["grpcio", "native"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Datastore]:
    """A server of either front on a SQLite file."""
    with Datastore(f"sqlite:///{tmp_path}/store.db", ["--grpc-front", request.param]) as started:
        yield started


@pytest.fixture
async def client(server: Datastore) -> AsyncIterator[Client]:
    """A client of it."""
    async with client_of(server.address) as opened:
        yield opened


async def ask(stream: Any, leases: list[int]) -> None:
    for lease in leases:
        await stream.write(pb.LeaseKeepAliveRequest(ID=lease))
    await stream.done_writing()


async def test_requests_far_ahead_of_their_answers_are_answered_in_order(client: Client) -> None:
    await client.lease.LeaseGrant(pb.LeaseGrantRequest(ID=LEASE, TTL=TTL), timeout=TIMEOUT)
    stream = client.lease.LeaseKeepAlive(timeout=TIMEOUT)
    asked = [LEASE if number % 3 else UNKNOWN for number in range(MANY)]

    asking = asyncio.create_task(ask(stream, asked))
    answers = [(answer.ID, answer.TTL) async for answer in stream]
    await asking

    assert answers == [(lease, TTL if lease == LEASE else 0) for lease in asked]


async def test_requests_larger_than_what_is_read_ahead_all_come_through(client: Client) -> None:
    stream = client.watch.Watch(timeout=TIMEOUT)
    for number in range(1, 5):
        create = pb.WatchCreateRequest(key=LARGE + b"%d" % number, watch_id=number)
        await stream.write(pb.WatchRequest(create_request=create))

    assert [(await stream.read()).watch_id for _ in range(4)] == [1, 2, 3, 4]
    stream.cancel()


async def test_a_client_that_reads_late_misses_nothing(client: Client) -> None:
    async with client.watching() as stream:
        revisions = [await client.put(b"large", LARGE) for _ in range(8)]
        seen = [event.kv.mod_revision for event in (await stream.read()).events]
        while len(seen) < len(revisions):
            seen += [event.kv.mod_revision for event in (await stream.read()).events]

    assert seen == revisions


async def test_a_server_stops_beside_a_client_that_does_not_read(
    client: Client, server: Datastore
) -> None:
    async with client.watching():
        for _ in range(8):
            await client.put(b"large", LARGE)
        exit_code = await asyncio.to_thread(server.end)

    assert exit_code == 0


@pytest.mark.parametrize("front", ["grpcio", "native"])
async def test_ports_are_free_again_when_the_fronts_have_never_started(front: str) -> None:
    port = free_port()
    fronts = Fronts(GrpcOptions(front=front))
    fronts.bind(listen_url("listen-client-urls", f"http://127.0.0.1:{port}"))
    await fronts.stop(0)

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
