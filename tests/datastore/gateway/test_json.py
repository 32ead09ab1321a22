"""JSON of messages, held against protobuf's own library, and bodies cut into values."""

import asyncio
import json
from contextlib import closing
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datastore.gateway.conversion import LARGE_BODY, Conversion
from datastore.gateway.json_reading import read_message
from datastore.gateway.json_stream import JsonValues, Malformed, TooLong
from datastore.gateway.json_text import BadJson
from datastore.gateway.json_writing import write_message
from proto.etcd import rpc_pb2 as pb

CALMLY = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
RANGES = st.builds(
    pb.RangeRequest,
    key=st.binary(max_size=40),
    range_end=st.binary(max_size=5),
    limit=INT64,
    sort_order=st.integers(0, 2),
    keys_only=st.booleans(),
)
PUTS = st.builds(pb.PutRequest, key=st.binary(), value=st.binary(), lease=INT64)
COMPARES = st.one_of(
    st.builds(pb.Compare, key=st.binary(), target=st.just(pb.Compare.VERSION), version=INT64),
    st.builds(pb.Compare, key=st.binary(), target=st.just(pb.Compare.VALUE), value=st.binary()),
)
OPERATIONS = st.one_of(
    st.builds(pb.RequestOp, request_range=RANGES), st.builds(pb.RequestOp, request_put=PUTS)
)
TXNS = st.builds(
    pb.TxnRequest,
    compare=st.lists(COMPARES, max_size=3),
    success=st.lists(OPERATIONS, max_size=3),
    failure=st.lists(OPERATIONS, max_size=3),
)
USERS = st.builds(
    pb.AuthUserAddRequest,
    name=st.text(),
    options=st.just({"no_password": True}),
)
MESSAGES = st.one_of(RANGES, PUTS, TXNS, USERS)


@CALMLY
@given(MESSAGES, st.booleans())
def test_what_protobuf_writes_is_read(message: Any, proto_names: bool) -> None:
    text = json_format.MessageToJson(message, preserving_proto_field_name=proto_names)

    assert read_message(type(message), text.encode()) == message


@CALMLY
@given(MESSAGES)
def test_protobuf_reads_what_is_written(message: Any) -> None:
    written = write_message(message)

    assert json_format.Parse(written, type(message)()) == message
    assert json.loads(written) == json_format.MessageToDict(
        message, preserving_proto_field_name=True
    )
    assert b"\n" not in written


@pytest.mark.parametrize(
    "text",
    [
        '{"bogus":' * 50_000,
        "[" * 50_000,
        '{"success":[{"request_txn":' * 2_000 + "{}" + "}]}" * 2_000,
        '{"limit": 1e999999999}',
        '{"limit": 1e9999999999999999999}',
        '{"limit": ' + "9" * 100_000 + "}",
        "\ufeff{}",
    ],
)
def test_what_would_cost_much_is_refused(text: str) -> None:
    with pytest.raises(BadJson):
        read_message(pb.TxnRequest if "success" in text else pb.RangeRequest, text.encode())


VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES), max_size=4)


@CALMLY
@given(OBJECTS, st.lists(st.integers(1, 7), min_size=1), st.booleans())
def test_objects_are_found_however_they_come(
    objects: list[dict[str, Any]], sizes: list[int], ascii_only: bool
) -> None:
    body = " \n".join(json.dumps(value, ensure_ascii=ascii_only) for value in objects).encode()
    found: list[bytes] = []
    values, at, turn = JsonValues(1 << 20), 0, 0

    while at < len(body):
        size = sizes[turn % len(sizes)]
        found += values.feed(body[at : at + size])
        at, turn = at + size, turn + 1

    assert [json.loads(value) for value in found] == objects
    assert not values.held


@pytest.mark.parametrize("body", [b"[]", b"1", b'{} "a"', b"{}]", b"null", b"{},{}"])
def test_only_objects_are_values(body: bytes) -> None:
    with pytest.raises(Malformed):
        list(JsonValues(100).feed(body))


def test_a_value_has_a_limit() -> None:
    assert list(JsonValues(5).feed(b'{"a":')) == []
    with pytest.raises(TooLong):
        list(JsonValues(4).feed(b'{"a":'))
    with pytest.raises(TooLong):
        list(JsonValues(4).feed(b'{"a":1}'))


async def test_a_large_body_is_read_beside_the_event_loop() -> None:
    body = b'{"compare": [' + b"{}," * (LARGE_BODY // 2) + b"{}]}"
    with closing(Conversion()) as conversion:
        reading = asyncio.ensure_future(conversion.message(pb.TxnRequest, body))
        await asyncio.sleep(0)
        assert not reading.done()
        assert len((await reading).compare) == LARGE_BODY // 2 + 1
