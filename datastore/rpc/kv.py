"""etcdserverpb.KV: Range, RangeStream, Put, DeleteRange, Txn, Compact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import RangeQuery
from datastore.mvcc.range_stream import stream_range
from datastore.mvcc.validation import is_read_only
from datastore.rpc import codec, wire
from datastore.rpc.answering import Direct, Edge, Method, Stream, Unary
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datastore.mvcc.answer import Answer
    from datastore.mvcc.model import DeleteResult, PutResult, RangeResult, TxnResult

SERVICE = "etcdserverpb.KV"
KEY_TAG = 0x0A
PLAIN = frozenset({b"\x18\x01", b"\x38\x01", b"\x18\x01\x38\x01"})  # limit 1, serializable


def _range(edge: Edge, request: rpc_pb2.RangeRequest | RangeQuery, answer: Answer) -> None:
    query = request if isinstance(request, RangeQuery) else codec.range_query(request)
    edge.store.keys.range(edge.asked(query), answer)


def _at_hand(edge: Edge, data: bytes) -> bytes | RangeQuery | None:
    """Answer a read of one key whose row is in memory; for another key return the query.

    It is told by its bytes: the key as field 1 (shorter than 128 bytes), and at most one of the
    options in PLAIN, none of which makes a difference to it.
    """
    if len(data) < 3 or data[0] != KEY_TAG:
        return None
    end = 2 + data[1]
    if data[1] > 127 or not (end == len(data) or data[end:] in PLAIN):
        return None
    key, newest = data[2:end], edge.store.backend.newest
    found = newest.read(key) if newest is not None else None
    if found is None and (found := edge.store.keys.read_here(key)) is None:
        return RangeQuery(key)
    revision, row = found
    return wire.one_row(edge.headers.field(revision), row)


def _ranged(edge: Edge, result: RangeResult) -> bytes:
    return wire.range_response(edge.headers.field(result.revision), result)


async def _range_stream(edge: Edge, request: rpc_pb2.RangeRequest) -> AsyncIterator[bytes]:
    """Yield the pieces of a Range; a header has a revision only in the last."""
    query = edge.asked(codec.range_query(request))
    async for result in stream_range(edge.store, query):
        header = edge.headers.field(result.revision) if result.revision else b""
        yield wire.message(b"\x0a", wire.range_response(header, result))


def _put(edge: Edge, request: rpc_pb2.PutRequest, answer: Answer) -> None:
    size = edge.size_of(request)
    edge.store.keys.put(edge.asked(codec.put(request), size), size, answer)


def _done(edge: Edge, result: PutResult) -> bytes:
    return wire.put_response(edge.headers.field(result.revision), result)


def _delete_range(edge: Edge, request: rpc_pb2.DeleteRangeRequest, answer: Answer) -> None:
    size = edge.size_of(request)
    edge.store.keys.delete_range(edge.asked(codec.delete_range(request), size), size, answer)


def _deleted(edge: Edge, result: DeleteResult) -> bytes:
    return wire.delete_response(edge.headers.field(result.revision), result)


def _txn(edge: Edge, request: rpc_pb2.TxnRequest, answer: Answer) -> None:
    txn = codec.txn(request)
    size = 0 if is_read_only(txn) else edge.size_of(request)
    edge.store.keys.txn(edge.asked(txn, size), size, answer)


def _transacted(edge: Edge, result: TxnResult) -> bytes:
    return wire.txn_response(edge.headers.field(result.revision), result)


async def _compact(edge: Edge, request: rpc_pb2.CompactionRequest) -> rpc_pb2.CompactionResponse:
    revision = await edge.store.compact(request.revision, physical=request.physical)
    return rpc_pb2.CompactionResponse(header=edge.header(revision))


METHODS: dict[str, Method] = {
    "Range": Direct(rpc_pb2.RangeRequest, _range, _ranged, _at_hand),
    "RangeStream": Stream(rpc_pb2.RangeRequest, _range_stream, requests=False),
    "Put": Direct(rpc_pb2.PutRequest, _put, _done),
    "DeleteRange": Direct(rpc_pb2.DeleteRangeRequest, _delete_range, _deleted),
    "Txn": Direct(rpc_pb2.TxnRequest, _txn, _transacted),
    "Compact": Unary(rpc_pb2.CompactionRequest, _compact),
}
