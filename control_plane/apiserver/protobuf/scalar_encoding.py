"""Values that JSON writes in its own way (quantities, times, bytes ...) as they lie on the wire.

Each function takes a JSON value and returns the content of the field, without tag and length. Pure.
"""

import base64
import datetime
import functools
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from control_plane.api.quantity import canonical
from control_plane.apiserver.protobuf.wire_format import sized, varint_bytes

QUANTITIES_REMEMBERED = 4096  # the same few are in all objects
TIMES_REMEMBERED = 4096  # an object is full of the same moment
_QUANTITY_TEXT: Final = b"\x0a"
_NUMBER_HEAD: Final = b"\x08\x00\x10"
_TEXT_HEAD: Final = b"\x08\x01\x10\x00\x1a"
_NO_TEXT: Final = b"\x1a\x00"
_SECONDS, _NANOS = b"\x08", b"\x10"
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_YEAR_ONE: Final = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_SECOND: Final = datetime.timedelta(seconds=1)


def double(value: float) -> bytes:
    """A float64."""
    return struct.pack("<d", value)


def text(value: str) -> bytes:
    """A string."""
    return value.encode()


def octets(value: str) -> bytes:
    """Bytes, which JSON has in base64."""
    return base64.b64decode(value)


@functools.lru_cache(maxsize=QUANTITIES_REMEMBERED)
def quantity(value: Any) -> bytes:
    """A Quantity: a message of its canonical text."""
    return _QUANTITY_TEXT + sized(canonical(str(value)).encode())


def int_or_string(value: Any) -> bytes:
    """A number or a text; the other one is written as its zero."""
    if isinstance(value, str):
        return _TEXT_HEAD + sized(value.encode())
    return _NUMBER_HEAD + varint_bytes(value) + _NO_TEXT


@functools.lru_cache(maxsize=TIMES_REMEMBERED)
def time(value: str) -> bytes:
    """A Time, which has no fractions of a second."""
    seconds, _ = _since_epoch(value)
    return b"" if seconds is None else _SECONDS + varint_bytes(seconds) + b"\x10\x00"


@functools.lru_cache(maxsize=TIMES_REMEMBERED)
def micro_time(value: str) -> bytes:
    """A MicroTime."""
    seconds, micros = _since_epoch(value)
    if seconds is None:
        return b""
    return _SECONDS + varint_bytes(seconds) + _NANOS + varint_bytes(micros * 1000)


def _since_epoch(value: str) -> tuple[int | None, int]:
    """Whole seconds and the microseconds beyond; no seconds for Go's zero time."""
    moment = datetime.datetime.fromisoformat(value)
    if moment == _YEAR_ONE:
        return None, 0
    return (moment - _EPOCH) // _SECOND, moment.microsecond


def raw_json(value: Any) -> bytes:
    """Any JSON, embedded as its text."""
    return b"\x0a" + sized(orjson.dumps(value))


SCALARS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "string": text,
    "bytes": octets,
    "quantity": quantity,
    "int-or-string": int_or_string,
    "time": time,
    "micro-time": micro_time,
    "raw": raw_json,
}
"""Fields with a length, by their kind in wire_types."""

# What a value of each kind is when JSON has none: these fields are always on the wire.
ABSENT: Final[Mapping[str, bytes]] = {
    "string": b"\x00",
    "int": b"\x00",
    "bool": b"\x00",
    "double": bytes(8),
    "quantity": sized(quantity("0")),
    "int-or-string": sized(int_or_string(0)),
    "time": b"\x00",
    "micro-time": b"\x00",
    "raw": b"\x00",
}
