"""The paths of the JSON gateway, all POST, and what each calls. Source: etcd's API definition."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf import message_factory

from proto.etcd import election_pb2, lock_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "/v3/"
OLD_PREFIX = "/v3beta/"


class Route(NamedTuple):
    """A gRPC method as `package.Service` and its name, and the class of its answer."""

    service: str
    method: str
    answer: Any


_KV, _LEASE, _CLUSTER = "etcdserverpb.KV", "etcdserverpb.Lease", "etcdserverpb.Cluster"
_MAINTENANCE, _AUTH = "etcdserverpb.Maintenance", "etcdserverpb.Auth"
_LOCK, _ELECTION = "v3lockpb.Lock", "v3electionpb.Election"

_PATHS: dict[str, dict[str, tuple[str, ...]]] = {
    _KV: {
        "Range": ("kv/range",),
        "Put": ("kv/put",),
        "DeleteRange": ("kv/deleterange",),
        "Txn": ("kv/txn",),
        "Compact": ("kv/compaction",),
    },
    "etcdserverpb.Watch": {"Watch": ("watch",)},
    _LEASE: {
        "LeaseGrant": ("lease/grant",),
        "LeaseRevoke": ("lease/revoke", "kv/lease/revoke"),
        "LeaseKeepAlive": ("lease/keepalive",),
        "LeaseTimeToLive": ("lease/timetolive", "kv/lease/timetolive"),
        "LeaseLeases": ("lease/leases", "kv/lease/leases"),
    },
    _CLUSTER: {
        "MemberAdd": ("cluster/member/add",),
        "MemberRemove": ("cluster/member/remove",),
        "MemberUpdate": ("cluster/member/update",),
        "MemberList": ("cluster/member/list",),
        "MemberPromote": ("cluster/member/promote",),
    },
    _MAINTENANCE: {
        "Alarm": ("maintenance/alarm",),
        "Status": ("maintenance/status",),
        "Defragment": ("maintenance/defragment",),
        "Hash": ("maintenance/hash",),
        "HashKV": ("maintenance/hashkv",),
        "Snapshot": ("maintenance/snapshot",),
        "MoveLeader": ("maintenance/transfer-leadership",),
        "Downgrade": ("maintenance/downgrade",),
    },
    _AUTH: {
        "AuthEnable": ("auth/enable",),
        "AuthDisable": ("auth/disable",),
        "AuthStatus": ("auth/status",),
        "Authenticate": ("auth/authenticate",),
        "UserAdd": ("auth/user/add",),
        "UserGet": ("auth/user/get",),
        "UserList": ("auth/user/list",),
        "UserDelete": ("auth/user/delete",),
        "UserChangePassword": ("auth/user/changepw",),
        "UserGrantRole": ("auth/user/grant",),
        "UserRevokeRole": ("auth/user/revoke",),
        "RoleAdd": ("auth/role/add",),
        "RoleGet": ("auth/role/get",),
        "RoleList": ("auth/role/list",),
        "RoleDelete": ("auth/role/delete",),
        "RoleGrantPermission": ("auth/role/grant",),
        "RoleRevokePermission": ("auth/role/revoke",),
    },
    _LOCK: {"Lock": ("lock/lock",), "Unlock": ("lock/unlock",)},
    _ELECTION: {
        "Campaign": ("election/campaign",),
        "Proclaim": ("election/proclaim",),
        "Leader": ("election/leader",),
        "Observe": ("election/observe",),
        "Resign": ("election/resign",),
    },
}


def _routes() -> Iterator[tuple[str, Route]]:
    files = (rpc_pb2.DESCRIPTOR, lock_pb2.DESCRIPTOR, election_pb2.DESCRIPTOR)
    described = chain.from_iterable(file.services_by_name.values() for file in files)
    for service in described:
        for name, paths in _PATHS[service.full_name].items():
            kind = service.methods_by_name[name].output_type
            route = Route(service.full_name, name, message_factory.GetMessageClass(kind))
            yield from ((PREFIX + path, route) for path in paths)


ROUTES = dict(_routes())
