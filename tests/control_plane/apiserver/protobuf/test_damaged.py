"""Bodies that are damaged are refused as such, whatever is wrong with them."""

import random

import pytest

from control_plane.api.errors import NotAcceptable
from control_plane.apiserver.http.accept import PROTOBUF, negotiate
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.protobuf.wire_format import WireError, sized
from tests.control_plane.apiserver.protobuf.recorded import recorded

BODIES = [one.protobuf for one in recorded() if one.only != "event"]
ROUNDS = 3_000
SCHEMA_OF_DEFINITION = (1, 4, 7, 2)  # openAPIV3Schema, schema, versions, spec


def test_a_damaged_body_is_read_or_refused() -> None:
    dice = random.Random(5)
    refused = 0
    for _ in range(ROUNDS):
        body = bytearray(dice.choice(BODIES)[:4_000])
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(4, len(body))] = dice.randrange(256)
        try:
            envelope.decode(bytes(body[: dice.choice([len(body), dice.randrange(len(body))])]))
        except WireError:
            refused += 1
    assert ROUNDS // 4 < refused < ROUNDS


def test_a_schema_without_end_is_refused() -> None:
    schema = b""
    for _ in range(5_000):
        schema = b"\xe2\x01" + sized(schema)  # not: a schema
    for number in SCHEMA_OF_DEFINITION:
        schema = bytes((number << 3 | 2,)) + sized(schema)
    body = envelope.enclosed(schema, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    with pytest.raises((WireError, RecursionError)):
        envelope.decode(body)


def test_a_kind_without_protobuf_is_not_acceptable_but_its_metadata_is() -> None:
    with pytest.raises(NotAcceptable, match="does not implement the protobuf marshalling interf"):
        negotiate(f"{PROTOBUF},application/json", has_protobuf=False)
    form = f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    assert negotiate(form, has_protobuf=False).media_type == PROTOBUF
