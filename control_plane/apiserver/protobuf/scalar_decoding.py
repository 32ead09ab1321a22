"""What JSON writes in its own way (quantities, times, bytes ...), read from the wire. Pure.

Each function takes the content of a field and returns its JSON value, ABSENT for none.
"""

import base64
import datetime
import functools
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from control_plane.api.timestamps import format_micro_time, format_time
from control_plane.apiserver.protobuf.wire_format import WireError, fields, raw, signed

ABSENT: Final = object()
TIMES_REMEMBERED = 4096  # an object is full of the same moment
_EXPONENT_FROM: Final = 1e21
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def text(content: bytes) -> str:
    """A string."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise WireError("string field contains invalid UTF-8") from error


def octets(content: bytes) -> str:
    """Bytes."""
    return base64.b64encode(content).decode()


def double(content: bytes) -> float:
    """A float64 of eight bytes; a whole one is an int, as Go writes it in JSON."""
    number: float = struct.unpack("<d", content)[0]
    return int(number) if number.is_integer() and abs(number) < _EXPONENT_FROM else number


def quantity(content: bytes) -> str:
    """A Quantity."""
    found = dict(fields(content))
    return text(raw(found.get(1, b""))) or "0"


def int_or_string(content: bytes) -> int | str:
    """A number or a text."""
    found = dict(fields(content))
    return text(raw(found.get(3, b""))) if found.get(1, 0) else signed(found.get(2, 0))


@functools.lru_cache(maxsize=TIMES_REMEMBERED)
def time(content: bytes) -> Any:
    """A Time."""
    return format_time(_moment(content)) if content else ABSENT


@functools.lru_cache(maxsize=TIMES_REMEMBERED)
def micro_time(content: bytes) -> Any:
    """A MicroTime."""
    return format_micro_time(_moment(content)) if content else ABSENT


def _moment(content: bytes) -> datetime.datetime:
    found = dict(fields(content))
    seconds, nanos = signed(found.get(1, 0)), signed(found.get(2, 0))
    try:
        return _EPOCH + datetime.timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise WireError("a time is out of range") from error


def raw_json(content: bytes) -> Any:
    """Any JSON."""
    body = raw(dict(fields(content)).get(1, b""))
    try:
        return orjson.loads(body) if body else ABSENT
    except orjson.JSONDecodeError as error:
        raise WireError(f"an embedded object is not JSON: {error}") from error


SCALARS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "string": text,
    "bytes": octets,
    "quantity": quantity,
    "int-or-string": int_or_string,
    "time": time,
    "micro-time": micro_time,
    "raw": raw_json,
}
"""Fields with a length, by their kind in wire_types."""
