"""etcdserverpb.Cluster: the servers of this store. There is no raft, so nobody is added by hand.

Members are the servers that run on the same database; they come by being started and go by being
stopped. They do not talk to each other, so a member's peer URL is its first client URL until
MemberUpdate stores others, which nobody uses.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from datastore.errors import Unsupported
from datastore.errors.members import (
    BadMemberURLs,
    MemberNotFound,
    NotEnoughStartedMembers,
    NotLearner,
    PeerURLExists,
)
from datastore.mvcc.auth.guard import Judge
from datastore.mvcc.requests import UpdateMember
from datastore.rpc.answering import Edge, Method, Unary
from proto.etcd import rpc_pb2

SERVICE = "etcdserverpb.Cluster"
PEER_SCHEMES = ("http", "https", "unix", "unixs")


async def _list(edge: Edge, _: rpc_pb2.MemberListRequest) -> rpc_pb2.MemberListResponse:
    members = await _members(edge)
    return rpc_pb2.MemberListResponse(header=edge.header(), members=members)


async def _members(edge: Edge) -> list[rpc_pb2.Member]:
    return [
        rpc_pb2.Member(
            ID=member.id,
            name=member.name,
            peerURLs=member.peer_urls or member.client_urls[:1],
            clientURLs=member.client_urls,
        )
        for member in await edge.store.members()
    ]


async def _find(edge: Edge, member_id: int) -> list[rpc_pb2.Member]:
    members = await _members(edge)
    if member_id not in {member.ID for member in members}:
        raise MemberNotFound
    return members


async def _add(edge: Edge, request: rpc_pb2.MemberAddRequest) -> rpc_pb2.MemberAddResponse:
    if not request.peerURLs or not all(map(_is_peer_url, request.peerURLs)):
        raise BadMemberURLs
    await edge.store.auth.check(edge.caller, Judge.root)
    used = {url for member in await _members(edge) for url in member.peerURLs}
    if used & set(request.peerURLs):
        raise PeerURLExists
    raise Unsupported("etcdserver: members are added by starting them on the same database")


async def _remove(edge: Edge, request: rpc_pb2.MemberRemoveRequest) -> rpc_pb2.MemberRemoveResponse:
    members = await _find(edge, request.ID)
    if len(members) == 1:
        raise NotEnoughStartedMembers
    raise Unsupported("etcdserver: members are removed by stopping them")


async def _update(edge: Edge, request: rpc_pb2.MemberUpdateRequest) -> rpc_pb2.MemberUpdateResponse:
    await edge.store.writer.submit(UpdateMember(request.ID, tuple(request.peerURLs)))
    return rpc_pb2.MemberUpdateResponse(header=edge.header(), members=await _members(edge))


async def _promote(
    edge: Edge, request: rpc_pb2.MemberPromoteRequest
) -> rpc_pb2.MemberPromoteResponse:
    await _find(edge, request.ID)
    raise NotLearner


def _is_peer_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        placed = parts.scheme in ("unix", "unixs") or bool(parts.port)
        return parts.scheme in PEER_SCHEMES and placed and parts.path == ""
    except ValueError:
        return False


METHODS: dict[str, Method] = {
    "MemberList": Unary(rpc_pb2.MemberListRequest, _list),
    "MemberAdd": Unary(rpc_pb2.MemberAddRequest, _add),
    "MemberRemove": Unary(rpc_pb2.MemberRemoveRequest, _remove),
    "MemberUpdate": Unary(rpc_pb2.MemberUpdateRequest, _update),
    "MemberPromote": Unary(rpc_pb2.MemberPromoteRequest, _promote),
}
