"""Rows of MySQL, read as fast as Python can.

PyMySQL makes an object of every packet and of every column's description, which costs several times
what is in them. Here a packet is cut apart where it lies; all else (OK, errors, what a connection
is) stays the driver's. In the text protocol a value is its length and its bytes, `NULL` alone is
none, and integers are digits; a packet that would be `LONGEST` bytes or more goes on in the next.
"""

from __future__ import annotations

from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any

from pymysql.connections import TEXT_TYPES, MySQLResult
from pymysql.constants import FIELD_TYPE, SERVER_STATUS
from pymysql.protocol import MysqlPacket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Convert = Callable[[bytes], Any]

NULL, EOF, ERROR = 0xFB, 0xFE, 0xFF  # as the first byte of a value, or of a packet
LONGEST = 0xFFFFFF
EOF_SIZE = 9  # bytes; a row that begins with the same byte is longer
WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}  # of a length that is no single byte
_BINARY = 63  # the character set of bytes
_INTEGERS = {
    FIELD_TYPE.TINY,
    FIELD_TYPE.SHORT,
    FIELD_TYPE.INT24,
    FIELD_TYPE.LONG,
    FIELD_TYPE.LONGLONG,
}
_header = Struct("<I").unpack
_column_end = Struct("<HIBHBxx")  # character set, length, type, flags, decimals


class FastResult(MySQLResult):  # type: ignore[misc]  # the driver is not typed
    """What a statement returned, as the driver keeps it; `rows` is a list of tuples."""

    connection: Any

    def _get_descriptions(self) -> None:
        decoders = self.connection.decoders
        descriptions = [packet(self.connection) for _ in range(self.field_count)]
        self.converters = [_converter(description, decoders) for description in descriptions]
        packet(self.connection)  # EOF

    def _read_rowdata_packet(self) -> None:
        rows: list[tuple[Any, ...]] = []
        converters, connection = self.converters, self.connection
        while True:
            data = packet(connection)
            if data[0] == EOF and len(data) < EOF_SIZE:
                break
            rows.append(cut(data, converters))
        self.rows = rows
        self.affected_rows = len(rows)
        self.has_next = data[3] & SERVER_STATUS.SERVER_MORE_RESULTS_EXISTS
        self.connection = None  # the driver's own way not to keep a cycle


def packet(connection: Any) -> bytes:
    """Return a packet's bytes; the driver's error if they are one, or for a lost connection."""
    (head,) = _header(connection._read_bytes(4))
    size = head & LONGEST
    data: bytes = connection._read_bytes(size)
    connection._next_seq_id = (head >> 24) + 1 & 0xFF
    if size == LONGEST:
        return data + packet(connection)
    if size and data[0] == ERROR:
        MysqlPacket(data, connection.encoding).raise_for_error()
    return data


def cut(data: bytes, converters: list[Convert | None]) -> tuple[Any, ...]:
    """Return the values of a row."""
    row: list[Any] = []
    at = 0
    for convert in converters:
        size = data[at]
        at += 1
        if size >= NULL:
            if size == NULL:
                row.append(None)
                continue
            width = WIDTHS[size]
            size = int.from_bytes(data[at : at + width], "little")
            at += width
        value = data[at : at + size]
        at += size
        row.append(convert(value) if convert else value)
    return tuple(row)


def _converter(description: bytes, decoders: Mapping[int, Any]) -> Convert | None:
    """Return what makes a column's value of its bytes, None for bytes as they are."""
    charset, _length, kind, _flags, _decimals = _column_end.unpack(description[-_column_end.size :])
    if kind in _INTEGERS:
        return int
    if kind in TEXT_TYPES and kind != FIELD_TYPE.JSON:
        return None if charset == _BINARY else bytes.decode
    return partial(_decoded, decoders.get(kind))


def _decoded(decode: Callable[[str], Any] | None, value: bytes) -> Any:
    text = value.decode()
    return decode(text) if decode else text
