"""Calls to the store in the shapes that Kubernetes' API server uses, over one or several endpoints.

Every write is a Txn on the mod_revisions of its keys. A call goes to the endpoint that answered
last; when that one cannot be reached the next is tried, but a write only if it certainly was not
sent.
Callers: `storage`, `allocation`, `compaction`, `health`.
Source: etcd's rpc.proto; the request shapes of kube-apiserver 1.31 to 1.35.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, TypeVar

import grpc

from control_plane.apiserver.etcd.endpoints import EtcdEndpoints, open_channel
from control_plane.apiserver.etcd.errors import (
    StoreError,
    StoreUnavailableError,
    store_error,
    was_never_sent,
)
from control_plane.apiserver.etcd.model import KeyChange, KeyValue, Page, Part, Swap
from control_plane.apiserver.etcd.watch import KeyWatch, open_watch
from control_plane.apiserver.latency import add_latency
from control_plane.apiserver.metrics.store_calls import StoreCalls
from proto.etcd import kv_pb2, rpc_pb2, rpc_pb2_grpc

REQUEST_TIMEOUT_SECONDS = 30.0

Response = TypeVar("Response")


class _Endpoint:
    """The stubs of one server: one connection for calls, one for watches."""

    def __init__(self, url: str, endpoints: EtcdEndpoints) -> None:
        self.url = url
        self.channels = (open_channel(url, endpoints), open_channel(url, endpoints))
        self.kv: Any = rpc_pb2_grpc.KVStub(self.channels[0])
        self.lease: Any = rpc_pb2_grpc.LeaseStub(self.channels[0])
        self.maintenance: Any = rpc_pb2_grpc.MaintenanceStub(self.channels[0])
        self.watch: Any = rpc_pb2_grpc.WatchStub(self.channels[1])


class EtcdClient:
    """A store reached through `endpoints`. Close it when done."""

    def __init__(self, endpoints: EtcdEndpoints, calls: StoreCalls | None = None) -> None:
        """Prepare the connections; nothing is sent before the first call. `calls` counts them."""
        self.calls = calls or StoreCalls()
        self._endpoints = [_Endpoint(url, endpoints) for url in endpoints.servers]
        self._preferred = 0

    async def close(self) -> None:
        """Close every connection; calls in flight fail with StoreUnavailableError."""
        for endpoint in self._endpoints:
            for channel in endpoint.channels:
                await channel.close(None)

    async def get(self, key: bytes) -> tuple[KeyValue | None, int]:
        """Read one key; also return the store's revision at the read."""
        request = rpc_pb2.RangeRequest(key=key, limit=1)
        response = await self._counted("get", key, self._read(lambda on: on.kv.Range, request))
        kv = _key_value(response.kvs[0]) if response.kvs else None
        return kv, response.header.revision

    async def range(self, key: bytes, end: bytes, *, limit: int = 0, revision: int = 0) -> Page:
        """Read [key, end) in key order; limit 0 means all of it, revision 0 means now.

        Raises CompactedError or FutureRevisionError when `revision` cannot be read.
        """
        request = rpc_pb2.RangeRequest(key=key, range_end=end, limit=limit, revision=revision)
        response = await self._counted("list", key, self._read(lambda on: on.kv.Range, request))
        kvs = [_key_value(kv) for kv in response.kvs]
        return Page(kvs, response.count, response.header.revision)

    async def current_revision(self, key: bytes, within: float = REQUEST_TIMEOUT_SECONDS) -> int:
        """Read the store's revision, linearizably, by asking for a `key` that need not exist."""
        request = rpc_pb2.RangeRequest(key=key, limit=1)
        call = self._read(lambda on: on.kv.Range, request, within)
        response = await self._counted("get", key, call)
        revision: int = response.header.revision
        return revision

    async def mod_revisions(self, keys: list[bytes]) -> list[int]:
        """Read when each key was last written, all at one moment; 0 for one that does not exist."""
        ranges = [
            rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key, keys_only=True))
            for key in keys
        ]
        request = rpc_pb2.TxnRequest(success=ranges)
        call = self._read(lambda on: on.kv.Txn, request)
        response = await self._counted("get", keys[0], call)
        found = (one.response_range.kvs for one in response.responses)
        return [kvs[0].mod_revision if kvs else 0 for kvs in found]

    async def put_if(self, key: bytes, value: bytes, mod_revision: int, lease: int = 0) -> Swap:
        """Write `key` if its mod_revision is as given; 0 means that it must not exist."""
        return await self.change(KeyChange(key, value, mod_revision, lease))

    async def delete_if(self, key: bytes, mod_revision: int) -> Swap:
        """Delete `key` if its mod_revision is as given."""
        return await self.change(KeyChange(key, None, mod_revision))

    async def change(self, change: KeyChange, *others: Part) -> Swap:
        """Make all the changes in one transaction, if every key is as its part expects.

        When not, nothing is changed, and the answer's `current` is the first key's state.
        """
        parts = (change, *others)
        request = rpc_pb2.TxnRequest(
            compare=[_comparison(one) for one in parts],
            success=[_operation(one) for one in parts if isinstance(one, KeyChange)],
            failure=[rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=change.key))],
        )
        call = self._write(lambda on: on.kv.Txn, request)
        response = await self._counted(_name_of(change), change.key, call)
        revision = response.header.revision
        if response.succeeded:
            return Swap(True, revision, None)
        kvs = response.responses[0].response_range.kvs
        return Swap(False, revision, _key_value(kvs[0]) if kvs else None)

    async def put_if_version(self, key: bytes, value: bytes, version: int) -> tuple[bool, int, int]:
        """Write `key` if it has been put `version` times since its creation.

        Returns whether it was written, the version there now, and the store's revision.
        """
        request = rpc_pb2.TxnRequest(
            compare=[rpc_pb2.Compare(key=key, target=rpc_pb2.Compare.VERSION, version=version)],
            success=[rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=value))],
            failure=[rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key))],
        )
        call = self._write(lambda on: on.kv.Txn, request)
        response = await self._counted("update", key, call)
        if response.succeeded:
            return True, version + 1, response.header.revision
        kvs = response.responses[0].response_range.kvs
        return False, kvs[0].version if kvs else 0, response.header.revision

    async def compact(self, revision: int) -> None:
        """Forget what is older than `revision`."""
        request = rpc_pb2.CompactionRequest(revision=revision)
        await self._counted("compact", b"", self._write(lambda on: on.kv.Compact, request))

    async def grant_lease(self, ttl_seconds: int) -> int:
        """Make a lease and return its id."""
        request = rpc_pb2.LeaseGrantRequest(TTL=ttl_seconds)
        call = self._write(lambda on: on.lease.LeaseGrant, request)
        response = await self._counted("leaseGrant", b"", call)
        lease: int = response.ID
        return lease

    async def versions(self, within: float = 2.0) -> list[str]:
        """The version that each endpoint reports; raises StoreError if one does not answer."""
        versions = []
        for endpoint in self._endpoints:
            try:
                status = await endpoint.maintenance.Status(rpc_pb2.StatusRequest(), timeout=within)
            except grpc.aio.AioRpcError as error:
                raise store_error(error) from error
            versions.append(status.version)
        return versions

    async def problems(self, key: bytes, within: float) -> list[str]:
        """Say for each endpoint, "" for none, why it cannot read a `key` that need not exist."""
        request = rpc_pb2.RangeRequest(key=key, limit=1)

        async def problem(endpoint: _Endpoint) -> str:
            try:
                await endpoint.kv.Range(request, timeout=within)
            except grpc.aio.AioRpcError as error:
                return str(store_error(error))
            return ""

        return await asyncio.gather(*map(problem, self._endpoints))

    def watch(self, key: bytes, end: bytes, start_revision: int) -> KeyWatch:
        """Watch [key, end) from `start_revision` on, on the endpoint that answered last."""
        return open_watch(self._endpoints[self._preferred].watch, key, end, start_revision)

    async def _counted(self, operation: str, key: bytes, call: Awaitable[Any]) -> Any:
        begun = perf_counter()
        try:
            response = await call
        except StoreError:
            self.calls.observe(operation, key, perf_counter() - begun, failed=True)
            raise
        seconds = perf_counter() - begun
        self.calls.observe(operation, key, seconds)
        add_latency("etcd", seconds)
        return response

    async def _read(
        self,
        method: Callable[[_Endpoint], Callable[..., Awaitable[Any]]],
        request: Any,
        within: float = REQUEST_TIMEOUT_SECONDS,
    ) -> Any:
        return await self._call(method, request, within, may_repeat=lambda error: True)

    async def _write(
        self, method: Callable[[_Endpoint], Callable[..., Awaitable[Any]]], request: Any
    ) -> Any:
        return await self._call(method, request, REQUEST_TIMEOUT_SECONDS, may_repeat=was_never_sent)

    async def _call(
        self,
        method: Callable[[_Endpoint], Callable[..., Awaitable[Any]]],
        request: Any,
        within: float,
        *,
        may_repeat: Callable[[grpc.aio.AioRpcError], bool],
    ) -> Any:
        """Try each endpoint once, the preferred one first and last."""
        failure: grpc.aio.AioRpcError | None = None
        for _ in range(len(self._endpoints) + 1):
            endpoint = self._endpoints[self._preferred]
            try:
                return await method(endpoint)(request, timeout=within)
            except grpc.aio.AioRpcError as error:
                failure = error
                if error.code() is not grpc.StatusCode.UNAVAILABLE or not may_repeat(error):
                    break
                self._preferred = (self._preferred + 1) % len(self._endpoints)
        if failure is None:
            raise StoreUnavailableError("no etcd server is configured")
        raise store_error(failure) from failure


def _name_of(change: KeyChange) -> str:
    """What the change is to who counts calls."""
    if change.value is None:
        return "delete"
    return "update" if change.mod_revision else "create"


def _comparison(part: Part) -> rpc_pb2.Compare:
    if isinstance(part, KeyChange):
        target = rpc_pb2.Compare.MOD
        return rpc_pb2.Compare(key=part.key, target=target, mod_revision=part.mod_revision)
    return rpc_pb2.Compare(
        key=part.key,
        range_end=part.end,
        target=rpc_pb2.Compare.CREATE,
        create_revision=part.create_revision,
    )


def _operation(change: KeyChange) -> rpc_pb2.RequestOp:
    if change.value is None:
        delete = rpc_pb2.DeleteRangeRequest(key=change.key)
        return rpc_pb2.RequestOp(request_delete_range=delete)
    put = rpc_pb2.PutRequest(key=change.key, value=change.value, lease=change.lease)
    return rpc_pb2.RequestOp(request_put=put)


def _key_value(kv: kv_pb2.KeyValue) -> KeyValue:
    return KeyValue(kv.key, kv.value, kv.create_revision, kv.mod_revision)
