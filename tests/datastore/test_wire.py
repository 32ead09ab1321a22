"""Answers put together by hand are byte for byte those of the protobuf library."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datastore.mvcc.model import (
    SUB_BITS,
    DeleteResult,
    PutResult,
    RangeResult,
    Row,
    TxnResult,
)
from datastore.rpc import wire
from proto.etcd import kv_pb2, rpc_pb2

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
EDGES = st.sampled_from([0, 1, 127, 128, 16_383, 16_384, (1 << 28) - 1, 1 << 28, (1 << 43) - 1])
REVISIONS = st.one_of(EDGES, st.integers(0, (1 << 43) - 1))
COUNTS = st.one_of(EDGES, st.integers(0, 1 << 40))
BYTES = st.one_of(st.binary(max_size=40), st.integers(100, 17_000).map(lambda size: b"x" * size))
ROWS = st.builds(  # live ones: they have a key, and all their counters count from 1
    Row,
    id=st.builds(
        lambda revision, sub: revision << SUB_BITS | sub, REVISIONS.filter(bool), st.integers(0, 9)
    ),
    key=BYTES.filter(bool),
    value=BYTES,
    create_revision=REVISIONS.filter(bool),
    version=COUNTS.filter(bool),
    lease=INT64,
    deleted=st.just(0),
    prev_id=COUNTS,
)
RANGES = st.builds(RangeResult, REVISIONS, st.lists(ROWS, max_size=3), st.booleans(), COUNTS)
PUTS = st.builds(PutResult, REVISIONS, st.none() | ROWS)
DELETES = st.builds(DeleteResult, REVISIONS, COUNTS, st.lists(ROWS, max_size=3))
LEAVES = RANGES | PUTS | DELETES
TXNS = st.recursive(
    st.builds(TxnResult, REVISIONS, st.booleans(), st.lists(LEAVES, max_size=3)),
    lambda inner: st.builds(
        TxnResult, REVISIONS, st.booleans(), st.lists(LEAVES | inner, max_size=3)
    ),
    max_leaves=4,
)
IDS = st.integers(0, (1 << 64) - 1)


def key_value(row: Row) -> kv_pb2.KeyValue:
    return kv_pb2.KeyValue(
        key=row.key,
        create_revision=row.create_revision,
        mod_revision=row.revision,
        version=row.version,
        value=row.value,
        lease=row.lease,
    )


def message(result: Any, header: rpc_pb2.ResponseHeader) -> Any:
    """Return a result as the library's message."""
    match result:
        case RangeResult(_, rows, more, total):
            kvs = map(key_value, rows)
            return rpc_pb2.RangeResponse(header=header, kvs=kvs, more=more, count=total)
        case PutResult(_, prev):
            return rpc_pb2.PutResponse(header=header, prev_kv=key_value(prev) if prev else None)
        case DeleteResult(_, deleted, prevs):
            kvs = map(key_value, prevs)
            return rpc_pb2.DeleteRangeResponse(header=header, deleted=deleted, prev_kvs=kvs)
        case TxnResult(_, succeeded, results):
            responses = map(operation, results)
            return rpc_pb2.TxnResponse(header=header, succeeded=succeeded, responses=responses)


def operation(result: Any) -> rpc_pb2.ResponseOp:
    nested = isinstance(result, TxnResult)
    header = rpc_pb2.ResponseHeader(revision=0 if nested else result.revision)
    inner = message(result, header)
    field = {
        RangeResult: "response_range",
        PutResult: "response_put",
        DeleteResult: "response_delete_range",
        TxnResult: "response_txn",
    }[type(result)]
    return rpc_pb2.ResponseOp(**{field: inner})


ENCODERS: dict[type, Any] = {
    RangeResult: wire.range_response,
    PutResult: wire.put_response,
    DeleteResult: wire.delete_response,
    TxnResult: wire.txn_response,
}


@given(LEAVES | TXNS, IDS, IDS)
def test_answers_are_those_of_the_library(result: Any, cluster_id: int, member_id: int) -> None:
    header = rpc_pb2.ResponseHeader(
        cluster_id=cluster_id, member_id=member_id, revision=result.revision, raft_term=2
    )
    field = wire.Headers(cluster_id, member_id, 2).field(result.revision)

    encoded = ENCODERS[type(result)](field, result)

    assert encoded == message(result, header).SerializeToString()


@given(ROWS)
def test_key_values_are_those_of_the_library(row: Row) -> None:
    assert wire.key_value(row) == key_value(row).SerializeToString()


@given(INT64)
def test_varints_are_those_of_the_library(number: int) -> None:
    expected = rpc_pb2.ResponseHeader(revision=number).SerializeToString()

    assert (b"\x18" + wire.varint(number) if number else b"") == expected


def test_the_worked_example() -> None:
    header = wire.Headers(1, 2, 2).field(7)

    assert header.hex(" ") == "0a 08 08 01 10 02 18 07 20 02"
