"""What every call needs of its caller while auth is on: the literal table NEEDS.

A method that is not in the table does not start: `guarded` asks for each one's row when the
services are put together. INSIDE means that the method hands its caller to the store, which checks
him against the keys of the request in the snapshot or batch that answers it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from datastore.mvcc.auth.guard import Judge
from datastore.rpc.answering import Direct, Edge, Method, Stream, Unary
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping


class Need(Enum):
    """What a call needs."""

    OPEN = "nothing"
    USER = "any user"
    ROOT = "the role root"
    INSIDE = "what its keys need"


def _alarm(request: rpc_pb2.AlarmRequest) -> Need:
    return Need.USER if request.action == rpc_pb2.AlarmRequest.GET else Need.ROOT


NEEDS: dict[str, Need | Callable[[Any], Need]] = {
    "etcdserverpb.KV/Range": Need.INSIDE,
    "etcdserverpb.KV/RangeStream": Need.INSIDE,
    "etcdserverpb.KV/Put": Need.INSIDE,
    "etcdserverpb.KV/DeleteRange": Need.INSIDE,
    "etcdserverpb.KV/Txn": Need.INSIDE,
    "etcdserverpb.KV/Compact": Need.ROOT,
    "etcdserverpb.Watch/Watch": Need.INSIDE,
    "etcdserverpb.Lease/LeaseGrant": Need.INSIDE,
    "etcdserverpb.Lease/LeaseRevoke": Need.INSIDE,
    "etcdserverpb.Lease/LeaseKeepAlive": Need.INSIDE,
    "etcdserverpb.Lease/LeaseTimeToLive": Need.INSIDE,
    "etcdserverpb.Lease/LeaseLeases": Need.INSIDE,
    "etcdserverpb.Cluster/MemberAdd": Need.INSIDE,  # after its URLs have been looked at
    "etcdserverpb.Cluster/MemberRemove": Need.ROOT,
    "etcdserverpb.Cluster/MemberUpdate": Need.ROOT,
    "etcdserverpb.Cluster/MemberList": Need.USER,
    "etcdserverpb.Cluster/MemberPromote": Need.ROOT,
    "etcdserverpb.Maintenance/Alarm": _alarm,
    "etcdserverpb.Maintenance/Status": Need.USER,
    "etcdserverpb.Maintenance/Defragment": Need.ROOT,
    "etcdserverpb.Maintenance/Hash": Need.ROOT,
    "etcdserverpb.Maintenance/HashKV": Need.ROOT,
    "etcdserverpb.Maintenance/Snapshot": Need.ROOT,
    "etcdserverpb.Maintenance/MoveLeader": Need.ROOT,
    "etcdserverpb.Maintenance/Downgrade": Need.ROOT,
    "etcdserverpb.Auth/AuthEnable": Need.INSIDE,
    "etcdserverpb.Auth/AuthDisable": Need.INSIDE,
    "etcdserverpb.Auth/AuthStatus": Need.INSIDE,
    "etcdserverpb.Auth/Authenticate": Need.OPEN,
    "etcdserverpb.Auth/UserAdd": Need.INSIDE,
    "etcdserverpb.Auth/UserGet": Need.INSIDE,
    "etcdserverpb.Auth/UserList": Need.INSIDE,
    "etcdserverpb.Auth/UserDelete": Need.INSIDE,
    "etcdserverpb.Auth/UserChangePassword": Need.INSIDE,
    "etcdserverpb.Auth/UserGrantRole": Need.INSIDE,
    "etcdserverpb.Auth/UserRevokeRole": Need.INSIDE,
    "etcdserverpb.Auth/RoleAdd": Need.INSIDE,
    "etcdserverpb.Auth/RoleGet": Need.INSIDE,
    "etcdserverpb.Auth/RoleList": Need.INSIDE,
    "etcdserverpb.Auth/RoleDelete": Need.INSIDE,
    "etcdserverpb.Auth/RoleGrantPermission": Need.INSIDE,
    "etcdserverpb.Auth/RoleRevokePermission": Need.INSIDE,
    "v3lockpb.Lock/Lock": Need.INSIDE,
    "v3lockpb.Lock/Unlock": Need.INSIDE,
    "v3electionpb.Election/Campaign": Need.INSIDE,
    "v3electionpb.Election/Proclaim": Need.INSIDE,
    "v3electionpb.Election/Leader": Need.INSIDE,
    "v3electionpb.Election/Observe": Need.INSIDE,
    "v3electionpb.Election/Resign": Need.INSIDE,
    "grpc.health.v1.Health/Check": Need.OPEN,
    "grpc.health.v1.Health/List": Need.OPEN,
    "grpc.health.v1.Health/Watch": Need.OPEN,
}
_CHECKS: dict[Need, Callable[[Judge], object]] = {Need.USER: Judge.user, Need.ROOT: Judge.root}


def guarded(service: str, methods: Mapping[str, Method]) -> dict[str, Method]:
    """Return a service's methods with their checks before them; KeyError where NEEDS has no row."""
    return {name: _guarded(NEEDS[f"{service}/{name}"], method) for name, method in methods.items()}


def _guarded(rule: Need | Callable[[Any], Need], method: Method) -> Method:
    if rule in (Need.OPEN, Need.INSIDE):
        return method
    if isinstance(method, Direct):
        raise TypeError("a Direct method checks its caller inside the store")
    if isinstance(method, Unary):
        return method._replace(call=_before_unary(rule, method))
    if method.requests:
        raise TypeError("a method that takes a stream checks its caller with each request")
    return method._replace(call=_before_stream(rule, method))


def _before_unary(rule: Need | Callable[[Any], Need], method: Unary) -> Callable[..., Any]:
    async def call(edge: Edge, request: Any) -> Any:
        await _check(rule, edge, request)
        return await method.call(edge, request)

    return call


def _before_stream(rule: Need | Callable[[Any], Need], method: Stream) -> Callable[..., Any]:
    async def call(edge: Edge, request: Any) -> AsyncIterator[Any]:
        await _check(rule, edge, request)
        async for message in method.call(edge, request):
            yield message

    return call


async def _check(rule: Need | Callable[[Any], Need], edge: Edge, request: Any) -> None:
    need = rule if isinstance(rule, Need) else rule(request)
    await edge.store.auth.check(edge.caller, _CHECKS[need])
