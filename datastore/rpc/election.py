"""v3electionpb.Election: candidates of a name in the order they came, the first is the leader.

As in etcd, Campaign does not look whether its own key is still there when its turn has come: a
candidate whose lease ended while it waited learns it from its next Proclaim.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError
from datastore.errors.auth import NOT_ALLOWED
from datastore.mvcc import turns
from datastore.mvcc.model import Put
from datastore.rpc import codec
from datastore.rpc.answering import Edge, Method, Stream, Unary
from datastore.rpc.sessions import lease_of, wait_turn, without_code
from proto.etcd import election_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "v3electionpb.Election"


class NotLeader(DatastoreError):
    """election: not leader"""


class NoLeader(DatastoreError):
    """election: no leader"""


class MissingLeader(DatastoreError):
    """\"leader\" field must be provided"""


@without_code
async def _campaign(edge: Edge, request: pb.CampaignRequest) -> pb.CampaignResponse:
    """Wait to be the leader; a candidate that is one already changes its value."""
    edge.size_of(request)
    prefix = request.name + b"/"
    lease = await lease_of(edge, request.lease)
    ticket = await turns.enter(edge.keys, prefix, lease, request.value)
    if ticket.value is not None and ticket.value != request.value:
        await _change_value(edge, ticket, lease, request.value)
    await wait_turn(edge, prefix, ticket)
    leader = pb.LeaderKey(name=request.name, key=ticket.key, rev=ticket.created, lease=lease)
    return pb.CampaignResponse(header=edge.header(ticket.revision), leader=leader)


async def _change_value(edge: Edge, ticket: turns.Ticket, lease: int, value: bytes) -> None:
    """Announce another value than the one given before; give the place up if that fails."""
    try:
        put = Put(ticket.key, value, lease)
        written = await turns.announce(edge.keys, ticket.key, ticket.created, put)
        if not written.succeeded:
            raise NotLeader
    except DatastoreError:
        with suppress(DatastoreError):
            await turns.leave(edge.keys, ticket.key, ticket.created)
        raise


@without_code
async def _proclaim(edge: Edge, request: pb.ProclaimRequest) -> pb.ProclaimResponse:
    """Change the leader's value, as long as it is the leader."""
    leader = _leader_of(request)
    edge.size_of(request)
    put = Put(leader.key, request.value, await lease_of(edge, leader.lease))
    written = await turns.announce(edge.keys, leader.key, leader.rev, put)
    if not written.succeeded:
        raise NotLeader
    return pb.ProclaimResponse(header=edge.header(written.revision))


@without_code
async def _leader(edge: Edge, request: pb.LeaderRequest) -> pb.LeaderResponse:
    found = await turns.owner(edge.keys, request.name + b"/")
    if not found.rows:
        raise NoLeader
    kv = codec.key_value(found.rows[0])
    return pb.LeaderResponse(header=edge.header(found.revision), kv=kv)


async def _observe(edge: Edge, request: pb.LeaderRequest) -> AsyncIterator[bytes]:
    """Tell of each leader; a caller who may not read the name is told nothing, as in etcd."""
    async with aclosing(turns.observe(edge.keys, request.name + b"/")) as leaders:
        with suppress(*NOT_ALLOWED):
            async for revision, row in leaders:
                response = pb.LeaderResponse(header=edge.header(revision), kv=codec.key_value(row))
                yield response.SerializeToString()


@without_code
async def _resign(edge: Edge, request: pb.ResignRequest) -> pb.ResignResponse:
    """Give the leadership up; one that is gone already is no error."""
    leader = _leader_of(request)
    edge.size_of(request)
    left = await turns.leave(edge.keys, leader.key, leader.rev)
    return pb.ResignResponse(header=edge.header(left.revision))


def _leader_of(request: pb.ProclaimRequest | pb.ResignRequest) -> pb.LeaderKey:
    if not request.HasField("leader"):
        raise MissingLeader
    return request.leader


METHODS: dict[str, Method] = {
    "Campaign": Unary(pb.CampaignRequest, _campaign),
    "Proclaim": Unary(pb.ProclaimRequest, _proclaim),
    "Leader": Unary(pb.LeaderRequest, _leader),
    "Observe": Stream(pb.LeaderRequest, _observe, requests=False),
    "Resign": Unary(pb.ResignRequest, _resign),
}
