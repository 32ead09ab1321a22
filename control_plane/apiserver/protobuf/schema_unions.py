"""Fields of OpenAPI schemas that are a schema or something simpler, which JSON does not name. Pure.

Source: JSONSchemaPropsOrBool, OrArray and OrStringArray of apiextensions.k8s.io/v1.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from control_plane.apiserver.protobuf.scalar_decoding import text
from control_plane.apiserver.protobuf.wire_format import fields, raw, sized

SCHEMA: Final = "apiextensions/v1.JSONSchemaProps"
_FIRST, _SECOND = b"\x0a", b"\x12"
_YES, _NO = b"\x08\x01", b"\x08\x00"

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


def encode_or_bool(value: Any, schema: Encode) -> bytes:
    """A schema, which allows something, or whether anything is allowed."""
    if isinstance(value, dict):
        return _YES + _SECOND + sized(schema(value))
    return _YES if value else _NO


def encode_or_list(value: Any, schema: Encode) -> bytes:
    """A schema or a list of them."""
    if isinstance(value, dict):
        return _FIRST + sized(schema(value))
    return b"".join(_SECOND + sized(schema(one)) for one in value)


def encode_or_texts(value: Any, schema: Encode) -> bytes:
    """A schema or the names of fields."""
    if isinstance(value, dict):
        return _FIRST + sized(schema(value))
    return b"".join(_SECOND + sized(one.encode()) for one in value)


def decode_or_bool(content: bytes, schema: Decode) -> Any:
    """The opposite of `encode_or_bool`."""
    found = dict(fields(content))
    return schema(raw(found[2])) if 2 in found else bool(found.get(1, 0))


def decode_or_list(content: bytes, schema: Decode) -> Any:
    """The opposite of `encode_or_list`."""
    return _one_or_many(content, schema, schema)


def decode_or_texts(content: bytes, schema: Decode) -> Any:
    """The opposite of `encode_or_texts`."""
    return _one_or_many(content, schema, text)


def _one_or_many(content: bytes, schema: Decode, member: Decode) -> Any:
    found = list(fields(content))
    for number, value in found:
        if number == 1:
            return schema(raw(value))
    return [member(raw(value)) for number, value in found if number == 2]


ENCODERS: Final[Mapping[str, Callable[[Any, Encode], bytes]]] = {
    "schema-or-bool": encode_or_bool,
    "schema-or-list": encode_or_list,
    "schema-or-texts": encode_or_texts,
}
DECODERS: Final[Mapping[str, Callable[[bytes, Decode], Any]]] = {
    "schema-or-bool": decode_or_bool,
    "schema-or-list": decode_or_list,
    "schema-or-texts": decode_or_texts,
}
