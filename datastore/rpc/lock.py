"""v3lockpb.Lock: a mutex by name, held for as long as a lease lives or until it is given up."""

from __future__ import annotations

from datastore.errors import DatastoreError
from datastore.mvcc import turns
from datastore.mvcc.model import DeleteRange, RangeQuery
from datastore.rpc.answering import Edge, Method, Unary
from datastore.rpc.sessions import lease_of, wait_turn, without_code
from proto.etcd import lock_pb2

SERVICE = "v3lockpb.Lock"


class SessionExpired(DatastoreError):
    """mutex: session is expired"""


@without_code
async def _lock(edge: Edge, request: lock_pb2.LockRequest) -> lock_pb2.LockResponse:
    """Wait for the lock; the same lease gets at once what it holds already."""
    edge.size_of(request)
    prefix = request.name + b"/"
    lease = await lease_of(edge, request.lease)
    ticket = await turns.enter(edge.keys, prefix, lease, b"")
    revision = ticket.revision
    if ticket.first != ticket.created:
        await wait_turn(edge, prefix, ticket)
        own = await edge.keys.range(RangeQuery(ticket.key))
        if not own.rows:
            raise SessionExpired
        revision = own.revision
    return lock_pb2.LockResponse(header=edge.header(revision), key=ticket.key)


@without_code
async def _unlock(edge: Edge, request: lock_pb2.UnlockRequest) -> lock_pb2.UnlockResponse:
    deleted = await edge.keys.delete_range(DeleteRange(request.key), edge.size_of(request))
    return lock_pb2.UnlockResponse(header=edge.header(deleted.revision))


METHODS: dict[str, Method] = {
    "Lock": Unary(lock_pb2.LockRequest, _lock),
    "Unlock": Unary(lock_pb2.UnlockRequest, _unlock),
}
