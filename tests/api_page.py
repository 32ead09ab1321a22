"""Writes docs/reference/etcd-api.md from the protocol's own description: `make flags`.

Every call and every field of its request and answer is there; `CALLS` and `FIELDS` say where ours
is not etcd's. What they do not name is as on etcd, and held there by the contract suite.
"""

from collections.abc import Mapping
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from datastore.rpc.front import SERVICES
from proto.etcd import election_pb2, lock_pb2, rpc_pb2

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "etcd-api.md"
FILES = (rpc_pb2, lock_pb2, election_pb2)
HEAD = """# The etcd v3 API, call by call

Written by `make flags` from the protocol's description. *yes* means: as on etcd 3.6.14, with its
errors and texts; the contract suite asks a real etcd the same. A field without a note is honoured,
in a request, or filled in, in an answer; `*` marks a field with a note at the end.
"""
CALLS: Mapping[str, str] = {
    "KV.RangeStream": "yes, of etcd 3.7",
    "Maintenance.Snapshot": "partial: the framing and the digest are etcd's, the content is a "
    "SQLite file, which `tapir snapshot restore` reads and `etcdutl` does not",
    "Maintenance.Defragment": "yes: gives unused space back to the system",
    "Maintenance.Hash": "yes; the number says something only beside another of ours",
    "Maintenance.Downgrade": "partial: versions are judged and CANCEL works; ENABLE is refused, "
    "there is no older version to go to",
    "Maintenance.MoveLeader": "yes, as on a single member: only to itself",
    "Cluster.MemberAdd": "refused by name: a server joins by being started on the same database",
    "Cluster.MemberRemove": "as on a single member; where several servers share a database: "
    "refused by name, they go by being stopped",
    "Cluster.MemberPromote": "yes: there are no learners to promote",
    "Cluster.MemberUpdate": "yes; the peer URLs are stored and used by nobody",
}
FIELDS: Mapping[str, str] = {
    "RangeRequest.serializable": "the answer is linearizable in any case",
    "ResponseHeader.raft_term": "always 2",
    "StatusResponse.leader": "the server that answers",
    "StatusResponse.raftIndex": "the revision",
    "StatusResponse.raftAppliedIndex": "the revision",
    "StatusResponse.raftTerm": "always 2",
    "StatusResponse.isLearner": "never",
    "StatusResponse.downgradeInfo": "never enabled",
    "StatusResponse.errors": "alarms as on etcd, and settings of the database that are not durable",
    "Member.isLearner": "never",
    "MemberListRequest.linearizable": "the answer is linearizable in any case",
    "CompactionRequest.physical": "waits until the rows are gone",
}


def page() -> str:
    """The whole page."""
    services = [s for file in FILES for s in file.DESCRIPTOR.services_by_name.values()]
    parts = [HEAD]
    for service in services:
        rows = [_row(service.name, service.full_name, method) for method in service.methods]
        head = ["| call | state | request | answer |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {service.full_name}", "", *head, *rows, ""]))
    notes = [f"| `{name}` | {note} |" for name, note in FIELDS.items()]
    table = ["| field | ours |", "|---|---|", *notes]
    parts.append("\n".join(["## Fields that say something of their own here", "", *table]))
    return "\n".join(parts).rstrip() + "\n"


def _row(service: str, path: str, method: MethodDescriptor) -> str:
    served = method.name in SERVICES.get(path, {})
    state = CALLS.get(f"{service}.{method.name}", "yes") if served else "no: UNIMPLEMENTED"
    asked, answered = (_fields(message) for message in (method.input_type, method.output_type))
    return f"| {method.name} | {state} | {asked} | {answered} |"


def _fields(message: Descriptor | None) -> str:
    fields = message.fields if message else ()
    return ", ".join(_name(field) for field in fields) or "none"


def _name(field: FieldDescriptor) -> str:
    """A field's name; a message of the call's own is opened, a key-value or a header is not."""
    kind = field.message_type
    owner = field.containing_type
    noted = owner is not None and f"{owner.name}.{field.name}" in FIELDS
    opened = kind is not None and kind.name.endswith(("CreateRequest", "CancelRequest"))
    inner = f" ({_fields(kind)})" if opened else ""
    return f"`{field.name}`{'*' if noted else ''}{inner}"


if __name__ == "__main__":
    PAGE.write_text(page())
