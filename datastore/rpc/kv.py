"""etcdserverpb.KV: Range, Put, DeleteRange, Txn, Compact."""

from __future__ import annotations

from datastore.mvcc.validation import is_read_only
from datastore.rpc import codec
from datastore.rpc.answering import Edge, Method, Unary
from proto.etcd import rpc_pb2

SERVICE = "etcdserverpb.KV"


async def _range(edge: Edge, request: rpc_pb2.RangeRequest) -> rpc_pb2.RangeResponse:
    result = await edge.store.range(codec.range_query(request))
    return codec.range_response(result, edge.header(result.revision))


async def _put(edge: Edge, request: rpc_pb2.PutRequest) -> rpc_pb2.PutResponse:
    result = await edge.store.put(codec.put(request), edge.size_of(request))
    return codec.put_response(result, edge.header(result.revision))


async def _delete_range(
    edge: Edge, request: rpc_pb2.DeleteRangeRequest
) -> rpc_pb2.DeleteRangeResponse:
    result = await edge.store.delete_range(codec.delete_range(request), edge.size_of(request))
    return codec.delete_response(result, edge.header(result.revision))


async def _txn(edge: Edge, request: rpc_pb2.TxnRequest) -> rpc_pb2.TxnResponse:
    txn = codec.txn(request)
    size = 0 if is_read_only(txn) else edge.size_of(request)
    result = await edge.store.txn(txn, size)
    return codec.txn_response(result, edge.header(result.revision))


async def _compact(edge: Edge, request: rpc_pb2.CompactionRequest) -> rpc_pb2.CompactionResponse:
    revision = await edge.store.compact(request.revision, physical=request.physical)
    return rpc_pb2.CompactionResponse(header=edge.header(revision))


METHODS: dict[str, Method] = {
    "Range": Unary(rpc_pb2.RangeRequest, _range),
    "Put": Unary(rpc_pb2.PutRequest, _put),
    "DeleteRange": Unary(rpc_pb2.DeleteRangeRequest, _delete_range),
    "Txn": Unary(rpc_pb2.TxnRequest, _txn),
    "Compact": Unary(rpc_pb2.CompactionRequest, _compact),
}
