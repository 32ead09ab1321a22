"""Answers without what may differ between two servers of the same meaning.

Removed: cluster and member ids, the raft term, the remaining TTL of a lease, and the order of
what has none (a lease's keys, the list of leases, keys that tie in a sorted range).
"""

from itertools import groupby
from typing import Any

from google.protobuf.message import Message

from proto.etcd import kv_pb2
from proto.etcd import rpc_pb2 as pb

TARGET_FIELDS = {
    pb.RangeRequest.VERSION: "version",
    pb.RangeRequest.CREATE: "create_revision",
    pb.RangeRequest.MOD: "mod_revision",
    pb.RangeRequest.VALUE: "value",
}


def normalised(request: Message | None, answer: Any) -> Any:
    """Return a copy of the answer (to `request`) that can be compared."""
    copy = type(answer)()
    copy.CopyFrom(answer)
    _strip_header(copy)
    if isinstance(copy, pb.RangeResponse):
        _settle_ties(request, copy)
    elif isinstance(copy, pb.TxnResponse):
        _settle_txn(request, copy)
    elif isinstance(copy, pb.LeaseTimeToLiveResponse):
        copy.TTL = min(copy.TTL, 0)
        copy.keys.sort()
    elif isinstance(copy, pb.LeaseLeasesResponse):
        copy.leases.sort(key=lambda lease: lease.ID)
    return copy


def _strip_header(answer: Any) -> None:
    answer.header.cluster_id = answer.header.member_id = answer.header.raft_term = 0


def _settle_txn(request: Any, answer: pb.TxnResponse) -> None:
    branch = request.success if answer.succeeded else request.failure
    for op, reply in zip(branch, answer.responses, strict=True):
        kind = reply.WhichOneof("response")
        if kind == "response_range":
            _settle_ties(op.request_range, reply.response_range)
        elif kind == "response_txn":
            _settle_txn(op.request_txn, reply.response_txn)


def _settle_ties(request: Any, answer: pb.RangeResponse) -> None:
    """Order ties by key; of a group that `limit` may have cut, keep how many there are.

    Values that a keys_only range has blanked no longer show their ties: then only the set counts.
    """
    field = TARGET_FIELDS.get(request.sort_target)
    if field is None:
        return
    if request.keys_only and field == "value":
        kvs = [] if answer.more else sorted(answer.kvs, key=lambda kv: kv.key)
    else:
        kvs = _with_ties_in_order(list(answer.kvs), field, answer.more)
    del answer.kvs[:]
    answer.kvs.extend(kvs)


def _with_ties_in_order(kvs: list[kv_pb2.KeyValue], field: str, cut: bool) -> list[kv_pb2.KeyValue]:
    groups = [list(group) for _, group in groupby(kvs, key=lambda kv: getattr(kv, field))]
    if cut and groups:
        shown = getattr(groups[-1][0], field)
        groups[-1] = [kv_pb2.KeyValue(**{field: shown}) for _ in groups[-1]]
    return [kv for group in groups for kv in sorted(group, key=lambda kv: kv.key)]
