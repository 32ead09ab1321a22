"""A plain gRPC client of one server, for tests that are about processes and databases."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TIMEOUT = 20.0


class Client:
    """The stubs that these tests need, and short verbs over them."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(
            address,
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 200),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        stub: Any = rpc_pb2_grpc
        self.kv = stub.KVStub(self._channel)
        self.lease = stub.LeaseStub(self._channel)
        self.watch = stub.WatchStub(self._channel)
        self.cluster = stub.ClusterStub(self._channel)
        self.maintenance = stub.MaintenanceStub(self._channel)

    async def close(self) -> None:
        await self._channel.close()

    async def put(self, key: bytes, value: bytes = b"", lease: int = 0) -> int:
        """Put, and return the revision."""
        request = pb.PutRequest(key=key, value=value, lease=lease)
        answer = await self.kv.Put(request, timeout=TIMEOUT)
        return int(answer.header.revision)

    async def everything(self) -> pb.RangeResponse:
        """Return every key."""
        request = pb.RangeRequest(key=b"\0", range_end=b"\0")
        found: pb.RangeResponse = await self.kv.Range(request, timeout=TIMEOUT)
        return found

    @asynccontextmanager
    async def watching(self, **query: Any) -> AsyncIterator[Any]:
        """Open a stream with one watch of everything, past its `created`."""
        stream = self.watch.Watch()
        create = pb.WatchCreateRequest(key=b"\0", range_end=b"\0", **query)
        await stream.write(pb.WatchRequest(create_request=create))
        assert (await stream.read()).created
        try:
            yield stream
        finally:
            stream.cancel()


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[Client]:
    """Open a client, and close it at the end."""
    client = Client(address)
    try:
        yield client
    finally:
        await client.close()


async def events(stream: Any, count: int) -> list[tuple[int, bytes, bytes]]:
    """Return (revision, key, value) of the next events."""
    found: list[tuple[int, bytes, bytes]] = []
    while len(found) < count:
        answer = await stream.read()
        assert not answer.canceled, answer
        found += [(e.kv.mod_revision, e.kv.key, e.kv.value) for e in answer.events]
    return found
