"""Writes docs/reference/etcd-api.md from the protocol's own description: `make flags`.

Every call is a row, and every field of every message that a call carries; `CALLS` and `FIELDS` say
where ours is not etcd's, "partial: why" or "no: why". What they do not name is as on etcd, and held
there by the contract suite. A row that no call or field has is refused, so that none outlives it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from google.protobuf.descriptor import (
    Descriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from grpc_health.v1 import health_pb2

from datastore.rpc.front import SERVICES
from proto.etcd import election_pb2, lock_pb2, rpc_pb2

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "etcd-api.md"
FILES: tuple[FileDescriptor, ...] = tuple(
    file.DESCRIPTOR for file in (rpc_pb2, lock_pb2, election_pb2, health_pb2)
)
HEAD = """# The etcd v3 API, call by call and field by field

Written by `make flags` from the protocol's description. *yes* means: as on etcd 3.6.14, with its
errors and texts; the contract suite asks a real etcd the same. *partial* and *no* come with the
reason. A field of a request that says *yes* is honoured, one of an answer is filled in.
"""
REFUSED = "no: the call is refused by name"
CALLS: Mapping[str, str] = {
    "KV.RangeStream": "yes: as on etcd 3.7",
    "Maintenance.Snapshot": "partial: the framing and the digest are etcd's, the content is a "
    "SQLite file, which `tapir snapshot restore` reads and `etcdutl` does not",
    "Maintenance.Hash": "partial: the number says something only beside another of ours",
    "Maintenance.HashKV": "partial: the hash that etcd remembers for the revision of a compaction "
    "is not kept",
    "Maintenance.Defragment": "yes: gives unused space back to the system",
    "Maintenance.Downgrade": "partial: versions are judged and CANCEL works; ENABLE is refused, "
    "there is no older version to go to",
    "Maintenance.MoveLeader": "yes: to a server of the same database, which goes on with what "
    "one server does for all: ending leases",
    "Cluster.MemberAdd": "no: refused by name, a server joins by being started on the same "
    "database; URLs are judged as on etcd",
    "Cluster.MemberRemove": "partial: refused as on a single member; where several servers share "
    "a database refused by name, they go by being stopped",
    "Cluster.MemberPromote": "yes: there are no learners to promote",
    "Cluster.MemberUpdate": "yes: the peer URLs are stored and used by nobody",
}
FIELDS: Mapping[str, str] = {
    "RangeRequest.serializable": "yes: the answer is linearizable in any case",
    "PutRequest.key": "yes: on PostgreSQL at most 2,600 bytes, on MySQL and MariaDB 3,072",
    "ResponseHeader.raft_term": "partial: always 2",
    "CompactionRequest.physical": "yes: waits until the rows are gone",
    "LeaseGrantResponse.error": "yes: empty, as on etcd",
    "HashResponse.hash": "partial: says something only beside another of ours",
    "HashKVResponse.hash": "partial: etcd's formula, for every revision that can be read; the hash "
    "that etcd remembers for the revision of a compaction is not kept",
    "SnapshotResponse.blob": "partial: a SQLite file",
    "StatusResponse.leader": "yes: the server that ends leases for all that share a database; 0 "
    "for the seconds in which none does",
    "StatusResponse.raftIndex": "partial: the revision",
    "StatusResponse.raftAppliedIndex": "partial: the revision",
    "StatusResponse.raftTerm": "partial: always 2",
    "StatusResponse.isLearner": "yes: never",
    "StatusResponse.downgradeInfo": "yes: never enabled",
    "StatusResponse.errors": "yes: and settings of the database that are not durable",
    "DowngradeRequest.action": "partial: ENABLE is refused",
    "DowngradeInfo.enabled": "yes: never",
    "DowngradeInfo.targetVersion": "yes: always empty",
    "Member.isLearner": "yes: never",
    "Member.peerURLs": "yes: used by nobody",
    "MemberAddRequest.isLearner": REFUSED,
    "MemberAddResponse.header": REFUSED,
    "MemberAddResponse.member": REFUSED,
    "MemberAddResponse.members": REFUSED,
    "MemberListRequest.linearizable": "yes: the answer is linearizable in any case",
    "AuthUserAddRequest.name": "partial: at most 1,024 bytes",
    "AuthRoleAddRequest.name": "partial: at most 1,024 bytes",
}


def page() -> str:
    """The whole page."""
    services = [service for file in FILES for service in file.services_by_name.values()]
    messages = list(_messages(services))
    _assert_all_used(services, messages)
    parts = [HEAD, *map(_calls, services), "## Fields\n", *map(_fields, messages)]
    return "\n".join(parts).rstrip() + "\n"


def _calls(service: ServiceDescriptor) -> str:
    rows = [_call(service, method) for method in service.methods]
    head = ["| call | request | answer | state |", "|---|---|---|---|"]
    return "\n".join([f"## {service.full_name}", "", *head, *rows, ""])


def _call(service: ServiceDescriptor, method: MethodDescriptor) -> str:
    served = method.name in SERVICES.get(service.full_name, {})
    state = CALLS.get(f"{service.name}.{method.name}", "yes") if served else "no: UNIMPLEMENTED"
    asked = _streamed(method.client_streaming, method.input_type)
    answered = _streamed(method.server_streaming, method.output_type)
    return f"| {method.name} | {asked} | {answered} | {state} |"


def _streamed(streaming: bool, message: Descriptor) -> str:
    return f"{'stream of ' if streaming else ''}{message.name}"


def _fields(message: Descriptor) -> str:
    if not message.fields:
        return f"### {message.name}\n\nhas no fields.\n"
    rows = [_field(message, field) for field in message.fields]
    head = ["| number | field | type | state |", "|---|---|---|---|"]
    return "\n".join([f"### {message.name}", "", *head, *rows, ""])


def _field(message: Descriptor, field: FieldDescriptor) -> str:
    state = FIELDS.get(f"{message.name}.{field.name}", "yes")
    return f"| {field.number} | `{field.name}` | {_type(field)} | {state} |"


def _type(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        return f"map from {_type(key)} to {_type(value)}"
    named = field.message_type or field.enum_type
    kind = named.name if named is not None else _SCALARS[field.type]
    return f"repeated {kind}" if field.is_repeated else kind


_SCALARS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


def _messages(services: Iterable[ServiceDescriptor]) -> Iterator[Descriptor]:
    """Yield each message that a call carries once, before those that it holds."""
    seen: set[str] = set()
    waiting = [
        message
        for service in services
        for method in service.methods
        for message in (method.input_type, method.output_type)
    ]
    while waiting:
        message = waiting.pop(0)
        if message.full_name in seen:
            continue
        seen.add(message.full_name)
        if not message.GetOptions().map_entry:
            yield message
        held = [field.message_type for field in message.fields if field.message_type]
        waiting = [*held, *waiting]


def _assert_all_used(services: Iterable[ServiceDescriptor], messages: list[Descriptor]) -> None:
    calls = {f"{service.name}.{method.name}" for service in services for method in service.methods}
    fields = {f"{message.name}.{field.name}" for message in messages for field in message.fields}
    unused = (CALLS.keys() - calls) | (FIELDS.keys() - fields)
    assert not unused, f"not in the protocol: {sorted(unused)}"


if __name__ == "__main__":
    PAGE.write_text(page())
