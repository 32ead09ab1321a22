"""etcdserverpb.Lease: grant, revoke, keep alive, time to live, list."""

from __future__ import annotations

import asyncio
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
    edge: Edge, requests: AsyncIterator[list[rpc_pb2.LeaseKeepAliveRequest]]
) -> AsyncIterator[list[bytes]]:
    """Renew together what came together; answers wait for no later one that takes its time."""
    store, caller = edge.store, edge.caller
    async for group in requests:
        header = edge.headers.field(store.hub.newest())
        renewals = [RenewLease(request.ID, caller) for request in group]
        begun = [store.renew(renewal, checked=edge.wants_callers) for renewal in renewals]
        answers: list[bytes] = []
        try:
            for renewal, ttl in zip(renewals, begun, strict=True):
                if not isinstance(ttl, int) and answers and not _succeeded(ttl):
                    yield answers
                    answers = []
                left = ttl if isinstance(ttl, int) else await ttl
                lease = wire.number(b"\x10", renewal.id)
                answers.append(header + lease + wire.number(b"\x18", left))
        finally:
            await _give_up(begun)
        yield answers


def _succeeded(renewal: asyncio.Future[int]) -> bool:
    return renewal.done() and not renewal.cancelled() and renewal.exception() is None


async def _give_up(renewals: list[int | asyncio.Future[int]]) -> None:
    """End what is still going on: the client has gone, or one was refused."""
    waiting = [each for each in renewals if not isinstance(each, int) and not each.done()]
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


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
    "LeaseKeepAlive": Stream(rpc_pb2.LeaseKeepAliveRequest, _keep_alive, groups=True),
    "LeaseTimeToLive": Unary(rpc_pb2.LeaseTimeToLiveRequest, _time_to_live),
    "LeaseLeases": Unary(rpc_pb2.LeaseLeasesRequest, _leases),
}
