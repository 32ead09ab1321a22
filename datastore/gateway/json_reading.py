"""proto3 JSON to messages, as etcd's gateway reads it. Pure.

Fields are found by their proto name or in lowerCamelCase; unknown fields and unknown enum names
are ignored; null is an absent field. 64-bit numbers may be strings, and `1.0` or `1e0` is one.
Bytes are base64 of either alphabet, padded or not. A field given twice, or two members of one
oneof, is refused. BadJson carries the words of etcd's parser without the position.

A body of many small values takes seconds: whoever reads a large one does it beside the event loop.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from datastore.gateway.json_text import BadJson, Members, Number, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
MOST_DEPTH = 99  # messages in one another: protobuf reads 100, and answers are one deeper
_MOST_DIGITS = 32  # a number with more before its point fits no field
_PADDED = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_UNPADDED = re.compile(r"[A-Za-z0-9+/]*", re.ASCII)
_URL_SAFE = str.maketrans("-_+/", "+/  ")  # a mixture of the alphabets is none
_SPACE = b" \t\r\n"
_ABSENT = object()
_TOO_DEEP = "proto: exceeded maximum recursion depth"


def read_message(kind: Any, data: bytes) -> Any:
    """Return a message of a kind from its JSON; an empty text is an empty message."""
    message = kind()
    if data.strip(_SPACE):
        try:
            _fill(message, parse(data), 1)
        except RecursionError:
            raise BadJson(_TOO_DEEP) from None
    return message


def _fill(message: Any, value: Any, depth: int) -> None:
    if not isinstance(value, Members):
        raise _unexpected(value)
    if depth > MOST_DEPTH:
        raise BadJson(_TOO_DEEP)
    seen: set[str] = set()
    fields = _fields(message.DESCRIPTOR)
    for name, given in value:
        field = fields.get(name)
        if field is None:
            continue
        if field.name in seen:
            raise BadJson(f"proto: duplicate field {json.dumps(name)}")
        seen.add(field.name)
        if given is not None:
            _check_oneof(message, field, name, seen)
            _set(message, field, given, depth)


def _check_oneof(message: Any, field: FieldDescriptor, name: str, seen: set[str]) -> None:
    oneof = field.containing_oneof
    if oneof is None:
        return
    if f"oneof {oneof.name}" in seen:
        text = f"error parsing {json.dumps(name)}, oneof {oneof.full_name} is already set"
        raise BadJson(f"proto: {text}")
    seen.add(f"oneof {oneof.name}")


@cache
def _fields(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    by_json_name = {_json_name(field): field for field in descriptor.fields}
    return by_json_name | dict(descriptor.fields_by_name)


def _json_name(field: FieldDescriptor) -> str:
    """Return a field's name as Go has it: `ID` stays, where Python's library makes it `iD`."""
    return re.sub(r"_+([a-z]?)", lambda found: found[1].upper(), field.name)


def _set(message: Any, field: FieldDescriptor, value: Any, depth: int) -> None:
    if field.is_repeated:
        _extend(getattr(message, field.name), field, value, depth)
    elif field.message_type is not None:
        member = getattr(message, field.name)
        member.SetInParent()
        _fill(member, value, depth + 1)
    else:
        converted = _scalar(field, value)
        if converted is not _ABSENT:
            setattr(message, field.name, converted)


def _extend(repeated: Any, field: FieldDescriptor, values: Any, depth: int) -> None:
    if isinstance(values, Members) or not isinstance(values, list):
        raise _unexpected(values)
    for value in values:
        if field.message_type is not None:
            _fill(repeated.add(), value, depth + 1)
            continue
        converted = _scalar(field, value)
        if converted is not _ABSENT:
            repeated.append(converted)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    try:
        return _SCALARS[field.type](field, value)
    except (ValueError, KeyError, ArithmeticError):
        kind, name = _KINDS.get(field.type, "enum"), _json_name(field)
        text = f"proto: invalid value for {kind} field {name}: {_token(value)}"
        raise BadJson(text) from None


def _bool(_: FieldDescriptor, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _integer(value: Any) -> int:
    """Return the integer of a number's text, which a JSON string may hold, too."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError
    number = Decimal(value)
    if number and not 0 <= number.adjusted() < _MOST_DIGITS:
        raise ValueError
    if number != int(number):
        raise ValueError
    return int(number)


def _ranged(least: int, most: int) -> Callable[[FieldDescriptor, Any], int]:
    def convert(_: FieldDescriptor, value: Any) -> int:
        number = _integer(value)
        if not least <= number <= most:
            raise ValueError
        return number

    return convert


_int32 = _ranged(-(1 << 31), (1 << 31) - 1)


def _enum(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Number):
        assert field.enum_type is not None
        found = field.enum_type.values_by_name.get(value)
        return _ABSENT if found is None else found.number
    return _int32(field, value)


def _string(_: FieldDescriptor, value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise ValueError
    value.encode()  # half of a surrogate pair is no text
    return value


def _bytes(field: FieldDescriptor, value: Any) -> bytes:
    text = _string(field, value)
    is_padded = len(text) % 4 == 0
    if "-" in text or "_" in text:
        text = text.translate(_URL_SAFE)
    text = text.replace("\r", "").replace("\n", "")
    if not (_PADDED if is_padded else _UNPADDED).fullmatch(text) or len(text) % 4 == 1:
        raise ValueError
    if is_padded and len(text) % 4:
        raise ValueError
    return b64decode(text + "=" * (-len(text) % 4))


_SCALARS: dict[int, Callable[[FieldDescriptor, Any], Any]] = {
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_INT32: _int32,
    FieldDescriptor.TYPE_UINT32: _ranged(0, (1 << 32) - 1),
    FieldDescriptor.TYPE_INT64: _ranged(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT64: _ranged(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_ENUM: _enum,
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BYTES: _bytes,
}
_KINDS = {
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
}


def _unexpected(value: Any) -> BadJson:
    return BadJson(f"proto: syntax error: unexpected token {_token(value)}")


def _token(value: Any) -> str:
    """Return what a value begins with: of objects and arrays the bracket."""
    if isinstance(value, list):
        return "{" if isinstance(value, Members) else "["
    return value if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
