"""Protobuf to the store's words and back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import (
    SUB_BITS,
    Compare,
    DeleteRange,
    Op,
    Put,
    RangeQuery,
    Row,
    Txn,
)
from proto.etcd import kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERANDS = {0: "version", 1: "create_revision", 2: "mod_revision", 3: "value", 4: "lease"}


def key_value(row: Row) -> kv_pb2.KeyValue:
    """Return a live row as a KeyValue."""
    return kv_pb2.KeyValue(
        key=row.key,
        create_revision=row.create_revision,
        mod_revision=row.id >> SUB_BITS,
        version=row.version,
        value=row.value,
        lease=row.lease,
    )


def range_query(request: rpc_pb2.RangeRequest) -> RangeQuery:
    """Return a Range request as a query."""
    return RangeQuery(
        request.key,
        request.range_end,
        request.limit,
        request.revision,
        request.sort_order,
        request.sort_target,
        request.keys_only,
        request.count_only,
        request.min_mod_revision,
        request.max_mod_revision,
        request.min_create_revision,
        request.max_create_revision,
    )


def put(request: rpc_pb2.PutRequest) -> Put:
    """Return a Put request as a put."""
    return Put(
        request.key,
        request.value,
        request.lease,
        request.prev_kv,
        request.ignore_value,
        request.ignore_lease,
    )


def delete_range(request: rpc_pb2.DeleteRangeRequest) -> DeleteRange:
    """Return a DeleteRange request as a delete."""
    return DeleteRange(request.key, request.range_end, request.prev_kv)


def txn(request: rpc_pb2.TxnRequest) -> Txn:
    """Return a Txn request as a Txn."""
    return Txn(
        tuple(map(compare, request.compare)),
        tuple(map(operation, request.success)),
        tuple(map(operation, request.failure)),
    )


def compare(request: rpc_pb2.Compare) -> Compare:
    """Return a Compare; an operand that is missing or of another target is 0 or empty."""
    target = request.target
    operand: int | bytes = b"" if target == rpc_pb2.Compare.VALUE else 0
    given = request.WhichOneof("target_union")
    if given and given == _OPERANDS.get(target):
        operand = getattr(request, given)
    return Compare(request.result, target, request.key, request.range_end, operand)


def operation(request: rpc_pb2.RequestOp) -> Op | None:
    """Return the operation of a RequestOp, None if it has none."""
    field = request.WhichOneof("request")
    return _OPERATIONS[field](getattr(request, field)) if field else None


_OPERATIONS: dict[str, Callable[..., Op]] = {
    "request_range": range_query,
    "request_put": put,
    "request_delete_range": delete_range,
    "request_txn": txn,
}
