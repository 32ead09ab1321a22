"""What a contract test holds: a gRPC client to one target, with the test's own key prefix."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc

from proto.etcd import election_pb2_grpc, kv_pb2, lock_pb2_grpc, rpc_pb2_grpc
from proto.etcd import rpc_pb2 as pb
from tests.contract.requests import If, Name, Op, Txn
from tests.contract.streams import KeepAliveStream, WatchStream

Answer = TypeVar("Answer")

ANSWER_SECONDS = 60.0
AT_ONCE = 100
UNLIMITED = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
]

_lease_ids = itertools.count(7_000_001)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call failed: the name of its gRPC code, and its text."""

    code: str
    text: str


class NotRefused(AssertionError):
    """A call that should have failed was answered."""


async def refusal(call: Awaitable[Any]) -> Refusal:
    """Return how the call failed; raise NotRefused with the answer when it did not."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Refusal(error.code().name, error.details() or "")
    raise NotRefused(f"not refused: {answer}")


class Client:
    """Stubs and short verbs for one target.

    Verbs take keys as `str` (the test's own: the prefix is put before them) or `bytes` (sent as
    they are) and the remaining fields of the request by name; they return the protocol's answer
    whole.
    """

    def __init__(self, address: str, prefix: bytes = b"") -> None:
        self.address = address
        self.prefix = prefix
        self.channel = self.open_channel(address)
        self.kv = rpc_pb2_grpc.KVStub(self.channel)
        self.watch_service = rpc_pb2_grpc.WatchStub(self.channel)
        self.lease = rpc_pb2_grpc.LeaseStub(self.channel)
        self.cluster = rpc_pb2_grpc.ClusterStub(self.channel)
        self.maintenance = rpc_pb2_grpc.MaintenanceStub(self.channel)
        self.lock = lock_pb2_grpc.LockStub(self.channel)
        self.election = election_pb2_grpc.ElectionStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def open_channel(self, address: str) -> grpc.aio.Channel:
        """A channel to the target."""
        return grpc.aio.insecure_channel(address, options=UNLIMITED)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    def key(self, name: Name) -> bytes:
        """The key on the wire. An empty name is no key, not the prefix."""
        if isinstance(name, bytes):
            return name
        return self.prefix + name.encode() if name else b""

    def names(self, kvs: Iterable[kv_pb2.KeyValue]) -> list[str]:
        """The keys as the test names them."""
        return [kv.key.removeprefix(self.prefix).decode() for kv in kvs]

    def stored(
        self, name: Name, value: bytes, *, create: int, mod: int, version: int = 1, lease: int = 0
    ) -> kv_pb2.KeyValue:
        """A whole KeyValue to compare an answer with."""
        return kv_pb2.KeyValue(
            key=self.key(name),
            value=value,
            create_revision=create,
            mod_revision=mod,
            version=version,
            lease=lease,
        )

    async def put(self, key: Name, value: bytes = b"", **fields: Any) -> pb.PutResponse:
        """Put one key."""
        request = pb.PutRequest(key=self.key(key), value=value, **fields)
        return await self._ask(self.kv.Put, request)

    async def put_many(self, names: Sequence[Name], value: bytes = b"") -> None:
        """Put each name once, many at a time, in no particular order."""
        for start in range(0, len(names), AT_ONCE):
            chunk = names[start : start + AT_ONCE]
            await asyncio.gather(*(self.put(name, value) for name in chunk))

    async def range(self, key: Name, end: Name = b"", **fields: Any) -> pb.RangeResponse:
        """Read one key or, with `end`, a range."""
        request = pb.RangeRequest(key=self.key(key), range_end=self.key(end), **fields)
        return await self._ask(self.kv.Range, request)

    async def delete(self, key: Name, end: Name = b"", **fields: Any) -> pb.DeleteRangeResponse:
        """Delete one key or, with `end`, a range."""
        request = pb.DeleteRangeRequest(key=self.key(key), range_end=self.key(end), **fields)
        return await self._ask(self.kv.DeleteRange, request)

    async def txn(
        self,
        compare: Sequence[If] = (),
        success: Sequence[Op] = (),
        failure: Sequence[Op] = (),
    ) -> pb.TxnResponse:
        """Run a transaction."""
        return await self._ask(self.kv.Txn, Txn(compare, success, failure).request(self.key))

    async def compact(self, revision: int, physical: bool = True) -> pb.CompactionResponse:
        """Compact up to a revision."""
        request = pb.CompactionRequest(revision=revision, physical=physical)
        return await self._ask(self.kv.Compact, request)

    async def revision(self) -> int:
        """The store's revision now."""
        return (await self.range("no such key")).header.revision

    async def grant(self, ttl: int = 600) -> int:
        """Grant a lease under an id no other test uses, and return the id."""
        return (await self.grant_as(next(_lease_ids), ttl)).ID

    async def grant_as(self, lease_id: int, ttl: int) -> pb.LeaseGrantResponse:
        """Grant a lease under the given id (0: the server picks one)."""
        return await self._ask(self.lease.LeaseGrant, pb.LeaseGrantRequest(ID=lease_id, TTL=ttl))

    async def revoke(self, lease_id: int) -> pb.LeaseRevokeResponse:
        """Revoke a lease."""
        return await self._ask(self.lease.LeaseRevoke, pb.LeaseRevokeRequest(ID=lease_id))

    async def revoke_all(self) -> None:
        """Revoke every lease that is left, whoever granted it."""
        for lease in (await self._ask(self.lease.LeaseLeases, pb.LeaseLeasesRequest())).leases:
            with suppress(grpc.aio.AioRpcError):  # it has ended meanwhile
                await self.revoke(lease.ID)

    async def time_to_live(self, lease_id: int, keys: bool = False) -> pb.LeaseTimeToLiveResponse:
        """Ask what is left of a lease."""
        request = pb.LeaseTimeToLiveRequest(ID=lease_id, keys=keys)
        return await self._ask(self.lease.LeaseTimeToLive, request)

    async def lease_keys(self, lease_id: int) -> list[str]:
        """The names of the keys attached to a lease, sorted (the server's order is free)."""
        keys = (await self.time_to_live(lease_id, keys=True)).keys
        return sorted(key.removeprefix(self.prefix).decode() for key in keys)

    async def status(self) -> pb.StatusResponse:
        """Ask for the server's status."""
        return await self._ask(self.maintenance.Status, pb.StatusRequest())

    @asynccontextmanager
    async def watch(
        self, metadata: Sequence[tuple[str, str | bytes]] = ()
    ) -> AsyncIterator[WatchStream]:
        """Open a watch stream, cancelled at the end."""
        call = self.watch_service.Watch(metadata=tuple(metadata))
        try:
            yield WatchStream(call, self.key)
        finally:
            call.cancel()

    @asynccontextmanager
    async def keep_alive(self) -> AsyncIterator[KeepAliveStream]:
        """Open a keep-alive stream, cancelled at the end."""
        call = self.lease.LeaseKeepAlive()
        try:
            yield KeepAliveStream(call)
        finally:
            call.cancel()

    @staticmethod
    async def _ask(method: Callable[..., Awaitable[Answer]], request: Any) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS * 2):
            return await method(request, timeout=ANSWER_SECONDS)

    @staticmethod
    async def send(method: Any, request: Any) -> Any:
        """Make a unary call, bounded in time."""
        async with asyncio.timeout(ANSWER_SECONDS * 2):
            return await method(request, timeout=ANSWER_SECONDS)
