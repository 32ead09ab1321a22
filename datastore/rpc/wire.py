"""Answers as protobuf bytes, put together by hand from rows: what a busy server does most.

The protobuf library makes a message object of every key-value, header and answer, and copies each
value twice; here a value is copied once, into the answer. Fields stand in the order of their
numbers and zero fields are left out, so the bytes are those the library writes (a test compares
them on random results).

A worked example, a Put at revision 7 on cluster 1, member 2, raft term 2::

    0a 08            PutResponse.header, 8 bytes
       08 01         cluster_id 1
       10 02         member_id 2
       18 07         revision 7
       20 02         raft_term 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import (
    SUB_BITS,
    DeleteResult,
    OpResult,
    PutResult,
    RangeResult,
    Row,
    TxnResult,
)
from datastore.mvcc.packed_rows import PackedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_U64 = (1 << 64) - 1
_SMALL = 1 << 7
_PAIR = 1 << 14


def _slow_varint(number: int) -> bytes:
    out = bytearray()
    while number >= _SMALL:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = [_slow_varint(number) for number in range(_PAIR)]
_LOW_PAIR = [bytes((number & 0x7F | 0x80, number >> 7 | 0x80)) for number in range(_PAIR)]


def varint(number: int) -> bytes:
    """Return an integer as a varint; a negative one as the ten bytes of an int64."""
    return _SHORT[number] if 0 <= number < _PAIR else _long_varint(number & _U64)


def _long_varint(number: int) -> bytes:
    high = number >> 14
    return _LOW_PAIR[number & 0x3FFF] + (_SHORT[high] if high < _PAIR else _long_varint(high))


class Headers:
    """Response headers of one server: everything but the revision is fixed."""

    def __init__(self, cluster_id: int, member_id: int, raft_term: int) -> None:
        ids = number(b"\x08", cluster_id) + number(b"\x10", member_id)
        self._before = ids + b"\x18"
        self._after = number(b"\x20", raft_term)
        self._fixed = len(self._before) + len(self._after)
        self._without_revision = message(b"\x0a", ids + self._after)

    def field(self, revision: int) -> bytes:
        """Return a header as field 1 of an answer."""
        if not revision:
            return self._without_revision
        encoded = varint(revision)
        length = _SHORT[self._fixed + len(encoded)]
        return b"".join((b"\x0a", length, self._before, encoded, self._after))


def number(tag: bytes, value: int) -> bytes:
    """Return an integer field; nothing for 0."""
    return tag + varint(value) if value else b""


def message(tag: bytes, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return b"".join((tag, varint(len(content)), content))


def key_value(row: Row) -> bytes:
    """Return a live row as a KeyValue."""
    event, key, value, created, version, lease, _, _ = row
    parts = [
        b"\x0a" + varint(len(key)) if key else b"",
        key,
        b"\x10" + varint(created) if created else b"",
        b"\x18" + varint(event >> SUB_BITS),
        b"\x20" + varint(version) if version else b"",
    ]
    if value:
        parts += (b"\x2a" + varint(len(value)), value)
    if lease:
        parts.append(b"\x30" + varint(lease))
    return b"".join(parts)


def _add_key_values(parts: list[bytes | memoryview], tag: bytes, rows: Iterable[Row]) -> None:
    """Add live rows as fields of one number: written out, since a page has 500 of them."""
    add, short = parts.extend, _SHORT
    tuples = rows.tuples() if isinstance(rows, PackedRows) else rows
    for event, key, value, made, version, lease, _, _ in tuples:
        size, last = len(value), event >> SUB_BITS
        if lease or not size or (version | len(key)) >= _PAIR:
            encoded = key_value(Row(event, key, bytes(value), made, version, lease, 0, 0))
            add((tag, varint(len(encoded)), encoded))
            continue
        modified = short[last] if last < _PAIR else _long_varint(last)
        created = modified
        if made != last:
            created = short[made] if made < _PAIR else _long_varint(made)
        encoded = b"\x0a%b%b\x10%b\x18%b\x20%b\x2a%b" % (
            short[len(key)],
            key,
            created,
            modified,
            short[version],
            short[size] if size < _PAIR else varint(size),
        )
        size += len(encoded)
        add((tag, short[size] if size < _PAIR else varint(size), encoded, value))


def range_response(header: bytes, result: RangeResult) -> bytes:
    """Return a RangeResponse; `header` is its field 1."""
    parts: list[bytes | memoryview] = [header]
    _add_key_values(parts, b"\x12", result.rows)
    parts += (b"\x18\x01" if result.more else b"", number(b"\x20", result.total))
    return b"".join(parts)


def one_row(header: bytes, row: Row) -> bytes:
    """Return the RangeResponse of one row that is all there is."""
    return b"".join((header, message(b"\x12", key_value(row)), b"\x20\x01"))


def put_response(header: bytes, result: PutResult) -> bytes:
    """Return a PutResponse."""
    if result.prev is None:
        return header
    return header + message(b"\x12", key_value(result.prev))


def delete_response(header: bytes, result: DeleteResult) -> bytes:
    """Return a DeleteRangeResponse."""
    parts: list[bytes | memoryview] = [header, number(b"\x10", result.deleted)]
    _add_key_values(parts, b"\x1a", result.prevs)
    return b"".join(parts)


def txn_response(header: bytes, result: TxnResult) -> bytes:
    """Return a TxnResponse; inner headers carry the revision alone, an inner Txn's nothing."""
    parts = [header, b"\x10\x01" if result.succeeded else b""]
    parts += [message(b"\x1a", _operation(one)) for one in result.results]
    return b"".join(parts)


def _operation(result: OpResult) -> bytes:
    tag, encode = _OPERATIONS[type(result)]
    if isinstance(result, TxnResult):
        return message(tag, encode(b"\x0a\x00", result))
    return message(tag, encode(message(b"\x0a", number(b"\x18", result.revision)), result))


_OPERATIONS: dict[type, tuple[bytes, Callable[..., bytes]]] = {
    RangeResult: (b"\x0a", range_response),
    PutResult: (b"\x12", put_response),
    DeleteResult: (b"\x1a", delete_response),
    TxnResult: (b"\x22", txn_response),
}
