"""Protobuf to the store's words and back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import (
    SUB_BITS,
    Compare,
    DeleteRange,
    DeleteResult,
    Op,
    OpResult,
    Put,
    PutResult,
    RangeQuery,
    RangeResult,
    Row,
    Txn,
    TxnResult,
)
from proto.etcd import kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

Header = rpc_pb2.ResponseHeader
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
    match request.WhichOneof("request"):
        case "request_range":
            return range_query(request.request_range)
        case "request_put":
            return put(request.request_put)
        case "request_delete_range":
            return delete_range(request.request_delete_range)
        case "request_txn":
            return txn(request.request_txn)
        case _:
            return None


def range_response(result: RangeResult, header: Header) -> rpc_pb2.RangeResponse:
    """Return the answer of a Range."""
    return rpc_pb2.RangeResponse(
        header=header, kvs=map(key_value, result.rows), more=result.more, count=result.total
    )


def put_response(result: PutResult, header: Header) -> rpc_pb2.PutResponse:
    """Return the answer of a Put."""
    prev = key_value(result.prev) if result.prev else None
    return rpc_pb2.PutResponse(header=header, prev_kv=prev)


def delete_response(result: DeleteResult, header: Header) -> rpc_pb2.DeleteRangeResponse:
    """Return the answer of a DeleteRange."""
    return rpc_pb2.DeleteRangeResponse(
        header=header, deleted=result.deleted, prev_kvs=map(key_value, result.prevs)
    )


def txn_response(result: TxnResult, header: Header) -> rpc_pb2.TxnResponse:
    """Return the answer of a Txn; inner headers carry the revision alone."""
    return rpc_pb2.TxnResponse(
        header=header, succeeded=result.succeeded, responses=map(_operation, result.results)
    )


def _operation(result: OpResult) -> rpc_pb2.ResponseOp:
    field, build = _RESPONSES[type(result)]
    header = Header() if isinstance(result, TxnResult) else Header(revision=result.revision)
    return rpc_pb2.ResponseOp(**{field: build(result, header)})  # type: ignore[arg-type]


_RESPONSES: dict[type, tuple[str, Callable[..., object]]] = {
    RangeResult: ("response_range", range_response),
    PutResult: ("response_put", put_response),
    DeleteResult: ("response_delete_range", delete_response),
    TxnResult: ("response_txn", txn_response),
}
