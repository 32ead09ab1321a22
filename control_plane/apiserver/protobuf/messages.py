"""Messages as the JSON that the same object would have. Pure.

What Go's JSON encoder leaves out (empty strings, zeroes, null times of fields marked omitempty) is
left out here too, so that an object is the same whichever way it was sent.
"""

import base64
import datetime
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from control_plane.api.objects import Object
from control_plane.api.timestamps import format_micro_time, format_time
from control_plane.apiserver.protobuf.wire_format import (
    Value,
    WireError,
    double,
    fields,
    raw,
    signed,
    text,
)
from control_plane.apiserver.protobuf.wire_types import Field, wire_types

_ABSENT = object()
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MAX_DEPTH = 100


def message(body: bytes, type_name: str, depth: int = 0) -> Object:
    """The JSON object of a message; raises WireError."""
    if depth > _MAX_DEPTH:
        raise WireError("nested too deeply")
    known = wire_types().messages[type_name]
    obj: Object = {}
    for number, value in fields(body):
        field = known.get(number)
        if field is not None:
            _put(obj, field, value, depth)
    return obj


def _put(obj: Object, field: Field, value: Value, depth: int) -> None:
    if field.is_map:
        key, member = _entry(raw(value), field.kind, depth)
        obj.setdefault(field.name, {})[key] = member
        return
    decoded = _value(field.kind, value, depth)
    if field.is_repeated:
        obj.setdefault(field.name, []).append(decoded)
    elif field.is_inline:
        obj.update(decoded)
    elif decoded is not _ABSENT and not (field.omits_zero and _is_zero(decoded)):
        obj[field.name] = decoded


def _is_zero(value: Any) -> bool:
    """Whether Go's omitempty leaves it out; a struct is never left out."""
    return value is None or value is False or value in ("", 0) or value == []


def _entry(body: bytes, kind: str, depth: int) -> tuple[str, Any]:
    key, member = "", _ZEROES.get(kind, _ABSENT)
    for number, value in fields(body):
        if number == 1:
            key = text(value)
        elif number == 2:
            member = _value(kind, value, depth)
    return key, None if member is _ABSENT else member


def _value(kind: str, value: Value, depth: int) -> Any:
    read = _READERS.get(kind)
    if read is not None:
        return read(value)
    if kind.startswith("list@"):
        return message(raw(value), kind[5:], depth + 1).get("", [])
    if kind.startswith("@"):
        return message(raw(value), kind[1:], depth + 1)
    raise WireError(f"a field of kind {kind} is not supported")


def _bool(value: Value) -> bool:
    return signed(value) != 0


def _bytes(value: Value) -> str:
    return base64.b64encode(raw(value)).decode()


def _quantity(value: Value) -> str:
    found = dict(fields(raw(value)))
    return text(found.get(1, b"")) or "0"


def _int_or_string(value: Value) -> int | str:
    found = dict(fields(raw(value)))
    return text(found.get(3, b"")) if found.get(1, 0) else signed(found.get(2, 0))


def _moment(value: Value) -> datetime.datetime | None:
    found = dict(fields(raw(value)))
    if not found:
        return None
    seconds, nanos = signed(found.get(1, 0)), signed(found.get(2, 0))
    try:
        return _EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise WireError("a time is out of range") from error


def _time(value: Value) -> Any:
    moment = _moment(value)
    return format_time(moment) if moment is not None else _ABSENT


def _micro_time(value: Value) -> Any:
    moment = _moment(value)
    return format_micro_time(moment) if moment is not None else _ABSENT


def _raw_json(value: Value) -> Any:
    found = dict(fields(raw(value)))
    body = raw(found.get(1, b""))
    try:
        return orjson.loads(body) if body else _ABSENT
    except orjson.JSONDecodeError as error:
        raise WireError(f"an embedded object is not JSON: {error}") from error


_READERS: Mapping[str, Callable[[Value], Any]] = {
    "string": text,
    "int": signed,
    "bool": _bool,
    "double": double,
    "bytes": _bytes,
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "time": _time,
    "micro-time": _micro_time,
    "raw": _raw_json,
}
_ZEROES: Mapping[str, Any] = {"string": "", "bytes": "", "int": 0, "bool": False, "quantity": "0"}
