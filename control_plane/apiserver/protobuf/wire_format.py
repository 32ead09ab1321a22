"""The protobuf wire format: a message's bytes as numbered values. Pure.

Source: the protocol buffers encoding specification.
"""

from collections.abc import Iterator
from typing import Final

Value = int | bytes
ONE_BYTE: Final = tuple(bytes((number,)) for number in range(128))
_UNSIGNED = (1 << 64) - 1


class WireError(ValueError):
    """The bytes are not a message of the expected type."""


def fields(body: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value): ints for varints, bytes for the rest; raises WireError."""
    at, end = 0, len(body)
    while at < end:
        tag, at = varint(body, at)
        start, at = at, skipped(body, at, tag, end)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            yield number, varint(body, start)[0]
        elif wire_type == 2:
            size, begin = varint(body, start)
            yield number, body[begin : begin + size]
        else:
            yield number, body[start:at]


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


def skipped(body: bytes, at: int, tag: int, end: int) -> int:
    """Return where an unknown field ends, whose tag is before `at`."""
    wire_type = tag & 7
    if tag >> 3 == 0:
        raise WireError(f"illegal tag {tag >> 3} (wire type {wire_type})")
    if wire_type == 0:
        return varint(body, at)[1]
    size = {1: 8, 5: 4}.get(wire_type, -1)
    if wire_type == 2:
        size, at = varint(body, at)
    if size < 0:
        raise WireError(f"illegal wireType {wire_type}")
    if at + size > end:
        raise WireError("unexpected EOF")
    return at + size


def signed(value: Value) -> int:
    """An int64 or int32 as it was written."""
    if not isinstance(value, int):
        raise WireError("a number is not written as a varint")
    return value - (1 << 64) if value >= 1 << 63 else value


def raw(value: Value) -> bytes:
    """Bytes."""
    if not isinstance(value, bytes):
        raise WireError("a varint where bytes are expected")
    return value


def varint_bytes(value: int) -> bytes:
    """Write an int as a varint; a negative one takes ten bytes."""
    value &= _UNSIGNED
    if value < 0x80:
        return ONE_BYTE[value]
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def sized(data: bytes) -> bytes:
    """Write bytes with their length before them."""
    return varint_bytes(len(data)) + data


def tag(number: int, wire_type: int) -> bytes:
    """Write what stands before a field."""
    return varint_bytes(number << 3 | wire_type)
