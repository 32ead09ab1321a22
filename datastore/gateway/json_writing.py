"""Messages to proto3 JSON, as etcd's gateway writes it. Pure.

Names are those of the proto files, fields at their default are left out, 64-bit numbers are
strings, bytes are padded base64, enums are names. One object a line: no newline is inside.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from collections.abc import Callable


def write_message(message: Any) -> bytes:
    """Return a message as JSON text."""
    return orjson.dumps(json_of(message))


def json_of(message: Any) -> dict[str, Any]:
    """Return a message as JSON values."""
    out = {}
    for field, value in message.ListFields():
        convert = _CONVERSIONS.get(field.type, _same)
        if field.is_repeated:
            out[field.name] = [convert(field, item) for item in value]
        else:
            out[field.name] = convert(field, value)
    return out


def _same(_: FieldDescriptor, value: Any) -> Any:
    return value


def _string_of(_: FieldDescriptor, value: int) -> str:
    return str(value)


def _base64(_: FieldDescriptor, value: bytes) -> str:
    return b64encode(value).decode()


def _name(field: FieldDescriptor, value: int) -> str | int:
    assert field.enum_type is not None
    found = field.enum_type.values_by_number.get(value)
    return found.name if found else value


def _object(_: FieldDescriptor, value: Any) -> dict[str, Any]:
    return json_of(value)


_CONVERSIONS: dict[int, Callable[[FieldDescriptor, Any], Any]] = {
    FieldDescriptor.TYPE_INT64: _string_of,
    FieldDescriptor.TYPE_UINT64: _string_of,
    FieldDescriptor.TYPE_BYTES: _base64,
    FieldDescriptor.TYPE_ENUM: _name,
    FieldDescriptor.TYPE_MESSAGE: _object,
}
