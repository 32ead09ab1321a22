"""etcdserverpb.Lease: grant, revoke, keep alive, time to live, list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import LeaseQuery
from datastore.mvcc.requests import RenewLease
from datastore.rpc import wire
from datastore.rpc.answering import Edge, Method, Stream, Unary
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "etcdserverpb.Lease"


async def _grant(edge: Edge, request: rpc_pb2.LeaseGrantRequest) -> rpc_pb2.LeaseGrantResponse:
    edge.size_of(request)
    revision, lease = await edge.store.grant(request.ID, request.TTL, edge.caller)
    return rpc_pb2.LeaseGrantResponse(header=edge.header(revision), ID=lease.id, TTL=lease.ttl)


async def _revoke(edge: Edge, request: rpc_pb2.LeaseRevokeRequest) -> rpc_pb2.LeaseRevokeResponse:
    revision = await edge.store.revoke(request.ID, edge.caller)
    return rpc_pb2.LeaseRevokeResponse(header=edge.header(revision))


async def _keep_alive(
    edge: Edge, requests: AsyncIterator[rpc_pb2.LeaseKeepAliveRequest]
) -> AsyncIterator[bytes]:
    store = edge.store
    async for request in requests:
        header = edge.headers.field(store.hub.newest())
        renew = RenewLease(request.ID, edge.caller)
        ttl = await store.renew(renew, checked=edge.wants_callers)
        yield header + wire.number(b"\x10", request.ID) + wire.number(b"\x18", ttl)


async def _time_to_live(
    edge: Edge, request: rpc_pb2.LeaseTimeToLiveRequest
) -> rpc_pb2.LeaseTimeToLiveResponse:
    query = LeaseQuery(request.ID, request.keys, edge.caller)
    state, lease, keys = await edge.store.lease(query)
    header = edge.header(state.revision)
    if lease is None:
        return rpc_pb2.LeaseTimeToLiveResponse(header=header, ID=request.ID, TTL=-1)
    left = max(edge.store.lessor.left(lease, state.now), 0) // 1000
    return rpc_pb2.LeaseTimeToLiveResponse(
        header=header, ID=lease.id, TTL=left, grantedTTL=lease.ttl, keys=keys
    )


async def _leases(edge: Edge, _: rpc_pb2.LeaseLeasesRequest) -> rpc_pb2.LeaseLeasesResponse:
    state, leases = await edge.store.leases(edge.caller)
    return rpc_pb2.LeaseLeasesResponse(
        header=edge.header(state.revision),
        leases=[rpc_pb2.LeaseStatus(ID=lease.id) for lease in leases],
    )


METHODS: dict[str, Method] = {
    "LeaseGrant": Unary(rpc_pb2.LeaseGrantRequest, _grant),
    "LeaseRevoke": Unary(rpc_pb2.LeaseRevokeRequest, _revoke),
    "LeaseKeepAlive": Stream(rpc_pb2.LeaseKeepAliveRequest, _keep_alive),
    "LeaseTimeToLive": Unary(rpc_pb2.LeaseTimeToLiveRequest, _time_to_live),
    "LeaseLeases": Unary(rpc_pb2.LeaseLeasesRequest, _leases),
}
