"""The protobuf wire format: a message's bytes as numbered values. Pure.

Source: the protocol buffers encoding specification.
"""

import struct
from collections.abc import Iterator

Value = int | bytes


class WireError(ValueError):
    """The bytes are not a message of the expected type."""


def fields(body: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value): ints for varints, bytes for the rest; raises WireError."""
    at, end = 0, len(body)
    while at < end:
        tag, at = varint(body, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = varint(body, at)
            yield number, value
            continue
        if wire_type == 2:
            size, at = varint(body, at)
        else:
            size = {1: 8, 5: 4}.get(wire_type, -1)
        if size < 0 or at + size > end or number == 0:
            raise WireError("unexpected EOF" if size >= 0 else f"illegal wireType {wire_type}")
        yield number, body[at : at + size]
        at += size


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned varint; return it and where it ends."""
    value = shift = 0
    while True:
        if at >= len(body):
            raise WireError("unexpected EOF")
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise WireError("integer overflow")


def signed(value: Value) -> int:
    """An int64 or int32 as it was written."""
    if not isinstance(value, int):
        raise WireError("a number is not written as a varint")
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: Value) -> str:
    """A string."""
    try:
        return raw(value).decode()
    except UnicodeDecodeError as error:
        raise WireError("string field contains invalid UTF-8") from error


def raw(value: Value) -> bytes:
    """Bytes."""
    if not isinstance(value, bytes):
        raise WireError("a varint where bytes are expected")
    return value


def double(value: Value) -> float:
    """A float64."""
    encoded = raw(value)
    if len(encoded) != 8:
        raise WireError("a double has eight bytes")
    number: float = struct.unpack("<d", encoded)[0]
    return number
