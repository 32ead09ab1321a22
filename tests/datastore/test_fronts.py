"""What both fronts must do alike, where it takes a server and its database to see it."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest

from datastore.addresses import listen_url
from datastore.rpc.fronts import Fronts
from datastore.rpc.options import GrpcOptions
from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import TIMEOUT, Client, client_of
from tests.support.datastore import REPOSITORY, Datastore
from tests.support.ports import free_port

BEGUN_SECONDS = 1.0  # until the writer has taken what waits: nothing says when it has
STREAMS = 1_100  # more than many an HTTP/2 server allows a connection


@pytest.fixture(params=["grpcio", "native"])
def front(request: pytest.FixtureRequest) -> str:
    """The front under test."""
    name: str = request.param
    return name


@pytest.fixture
def server(front: str, tmp_path: Path) -> Iterator[Datastore]:
    """A server of that front on a SQLite file."""
    with Datastore(f"sqlite:///{tmp_path}/store.db", ["--grpc-front", front]) as started:
        yield started


@pytest.fixture
async def client(server: Datastore) -> AsyncIterator[Client]:
    """A client of it."""
    async with client_of(server.address) as opened:
        yield opened


async def refused(call: grpc.aio.UnaryUnaryCall[pb.PutRequest, pb.PutResponse]) -> grpc.StatusCode:
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await call
    return await call.code()


async def arrived(client: Client) -> None:
    """Wait until the server has taken what was sent before."""
    await asyncio.sleep(0)
    await client.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=1), timeout=TIMEOUT)


async def test_a_write_that_nobody_waits_for_is_not_done(client: Client, tmp_path: Path) -> None:
    """Past its deadline, or cancelled, it leaves the queue behind a writer that is held up."""
    await client.put(b"before")
    with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        held_up = client.kv.Put(pb.PutRequest(key=b"held up"), timeout=TIMEOUT)
        await arrived(client)
        await asyncio.sleep(BEGUN_SECONDS)
        late = client.kv.Put(pb.PutRequest(key=b"too late"), timeout=0.5)
        given_up = client.kv.Put(pb.PutRequest(key=b"given up"), timeout=TIMEOUT)
        assert await refused(late) is grpc.StatusCode.DEADLINE_EXCEEDED
        given_up.cancel()
        assert await refused(given_up) is grpc.StatusCode.CANCELLED
        await arrived(client)
        holder.execute("ROLLBACK")
    holder.close()
    await held_up

    written = [kv.key for kv in (await client.everything()).kvs]

    assert written == [b"before", b"held up"]


async def test_a_connection_may_have_very_many_streams(client: Client) -> None:
    create = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"a"))
    calls = [client.watch.Watch() for _ in range(STREAMS)]
    await asyncio.gather(*(call.write(create) for call in calls))

    created = await asyncio.gather(*(call.read() for call in calls))

    assert all(answer.created for answer in created)
    for call in calls:
        call.cancel()


async def test_several_urls_are_served_at_once(front: str, tmp_path: Path) -> None:
    ports = free_port(), free_port()
    urls = [*(f"http://127.0.0.1:{port}" for port in ports), f"unix://{tmp_path}/socket"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "datastore", "--endpoint", f"sqlite:///{tmp_path}/x.db",
        "--grpc-front", front, "--listen-client-urls", ",".join(urls),
        cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b"ready to serve" not in await process.stderr.readline():
        pass
    addresses = [*(f"127.0.0.1:{port}" for port in ports), f"unix:{tmp_path}/socket"]

    for address in addresses:
        async with client_of(address) as client, client.watching() as events:
            await client.put(address.encode())
            assert (await events.read()).events[0].kv.key == address.encode()

    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def test_streams_end_with_unavailable_when_the_server_stops(
    client: Client, server: Datastore
) -> None:
    async with client.watching() as stream:
        ending = asyncio.to_thread(server.end)
        code, exit_code = await asyncio.gather(stream.code(), ending)

    assert code is grpc.StatusCode.UNAVAILABLE
    assert exit_code == 0


@pytest.mark.parametrize(
    ("host", "front", "is_warned"),
    [
        ("0.0.0.0", "native", True),
        ("127.0.0.1", "native", False),
        ("localhost", "native", False),
        ("0.0.0.0", "grpcio", False),
    ],
)
async def test_the_log_says_which_port_has_no_bound_for_messages(
    host: str, front: str, is_warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    url = listen_url("listen-client-urls", f"http://{host}:{free_port()}")
    fronts = Fronts(GrpcOptions(front=front))
    fronts.bind(url)
    await fronts.stop(0)

    assert [url.url in message for message in caplog.messages] == [True] * is_warned
