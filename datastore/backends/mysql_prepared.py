"""Statements that MySQL prepares, whose rows come in binary: for pages.

In text each integer is digits, which the database makes and Python reads: of a page of 500 rows of
1 KB that was two thirds of Python's time, and a third of the database's. The driver knows text
alone, so what is said here is ours; the connection and its errors stay the driver's.

A statement is prepared when a connection first runs it, and stays with it. A row's packet is a
zero, a bit for each column that is NULL (the first two bits are none), and the values: integers of
their width, bytes behind their length. Our statements put their integers first, then a key and last
a value, which alone may be NULL: so one `Struct` reads all of a row up to its key, and the value is
what is left.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any

from pymysql import MySQLError, OperationalError
from pymysql.constants import COMMAND, CR, ER, FIELD_TYPE
from pymysql.protocol import MysqlPacket

from datastore.backends.mysql_connection import READ_BYTES, code_of
from datastore.backends.mysql_rows import EOF, EOF_SIZE, ERROR, LONGEST, NULL, WIDTHS, packet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.backends.mysql_connection import MysqlConnection
    from datastore.backends.statements import Prepared

LONG_BYTES = 64 << 10  # of parameters; more are left to a message whose length is looked at
_NOT_AGAIN = 1615  # a table has changed since
_NOT_PREPARED = {ER.UNKNOWN_STMT_HANDLER, ER.MAX_PREPARED_STMT_COUNT_REACHED, _NOT_AGAIN}
_prepared = Struct("<xIHH")  # a statement's number, its columns and its parameters
_execution = Struct("<IBI")  # a statement's number, no cursor, once
_KIND = -6  # where the description of a column says what it is
_FORMATS = {
    FIELD_TYPE.TINY: "b",
    FIELD_TYPE.SHORT: "h",
    FIELD_TYPE.INT24: "i",
    FIELD_TYPE.LONG: "i",
    FIELD_TYPE.LONGLONG: "q",
}
_LENGTHS = [1 + WIDTHS.get(first, 0) for first in range(256)]  # bytes of a length, by its first


def columns(
    connection: MysqlConnection, prepared: Prepared, params: Sequence[Any]
) -> list[Any] | None:
    """Return the columns of what a statement finds, none if it finds nothing.

    None if it has to be asked in text. The driver's errors are raised as they are.
    """
    if sum(len(value) for value in params if isinstance(value, bytes)) > LONG_BYTES:
        return None
    try:
        number = connection.prepared.get(prepared.sql)
        if number is None:
            number = connection.prepared[prepared.sql] = _prepare(connection, prepared)
        return _executed(connection, number, params)
    except MySQLError as error:
        if code_of(error) not in _NOT_PREPARED:
            raise
        connection.prepared.pop(prepared.sql, None)
        return None


def _prepare(connection: Any, prepared: Prepared) -> int:
    """Return the number of a statement that is prepared now."""
    text = prepared.sql % (("?",) * len(prepared.names))
    connection._execute_command(COMMAND.COM_STMT_PREPARE, text.encode())
    answer = connection._read_packet().get_all_data()
    number, found, params = _prepared.unpack_from(answer)
    for described in filter(None, (params, found)):
        _descriptions(connection, described)
    return int(number)


def _executed(connection: Any, number: int, params: Sequence[Any]) -> list[Any]:
    begin = _execution.pack(number, 0, 1)
    written = [_written(value) for value in params]
    nulls = bytes((len(params) + 7) // 8)
    values = [value for _, value in written]
    message = b"".join((begin, nulls, b"\1", *[kind for kind, _ in written], *values))
    connection._execute_command(COMMAND.COM_STMT_EXECUTE, message)
    count = connection._read_packet().read_length_encoded_integer()
    kinds = bytes(description[_KIND] for description in _descriptions(connection, count))
    rows = _Rows(connection, _head(kinds))
    rows.read()
    return rows.columns()


def _descriptions(connection: Any, count: int) -> list[bytes]:
    found = [packet(connection) for _ in range(count)]
    packet(connection)  # EOF
    return found


def _written(value: int | bytes) -> tuple[bytes, bytes]:
    """Return the type of a parameter, and the parameter."""
    if isinstance(value, bytes):
        return bytes((FIELD_TYPE.BLOB, 0)), _length(len(value)) + value
    return bytes((FIELD_TYPE.LONGLONG, 0)), value.to_bytes(8, "little", signed=True)


def _length(size: int) -> bytes:
    """Return how a length up to LONG_BYTES is written."""
    return bytes((size,)) if size < NULL else b"\xfd" + size.to_bytes(3, "little")


@lru_cache(maxsize=16)
def _head(kinds: bytes) -> Struct:
    """Return what every row's packet begins with.

    Its size and number, a zero, the bits for NULLs, the integers, and the first byte of the key's
    length.
    """
    nulls = "BH"[(len(kinds) + 1) // 8]
    return Struct(f"<IB{nulls}{''.join(_FORMATS[kind] for kind in kinds[:-2])}B")


class _Rows:
    """Reads the rows of an answer."""

    def __init__(self, connection: Any, head: Struct) -> None:
        self._connection = connection
        self._head = head
        self._data = b""  # what has come, and is taken up to _at
        self._at = 0
        self._heads: list[tuple[int, ...]] = []
        self._keys: list[bytes] = []
        self._values: list[bytes | None] = []

    def columns(self) -> list[Any]:
        """Return the columns of what was read."""
        if not self._heads:
            return []
        return [*list(zip(*self._heads, strict=True))[3:-1], self._keys, self._values]

    def read(self) -> None:
        """Read them all, up to the packet that ends them."""
        while True:
            if self._at >= len(self._data):
                self._data, self._at = self._more(), 0
            self._cut()
            body = self._body()
            if body[0] == EOF and len(body) < EOF_SIZE:
                return
            if body[0] == ERROR:
                MysqlPacket(body, self._connection.encoding).raise_for_error()
            self._add(body)

    def _cut(self) -> None:
        """Take the rows that have come whole, up to one with a NULL or a long key."""
        data, at, unpack, least = self._data, self._at, self._head.unpack_from, self._head.size
        add_head, add_key, add_value = self._heads.append, self._keys.append, self._values.append
        lengths, size = _LENGTHS, len(data)
        while at + least <= size:
            head = unpack(data, at)
            end = at + 4 + (head[0] & LONGEST)
            if end > size or head[1] or head[2] or head[-1] >= NULL:
                break
            key = at + least
            value = key + head[-1]
            add_head(head)
            add_key(data[key:value])
            add_value(data[value + lengths[data[value]] : end])
            at = end
        self._at = at

    def _add(self, body: bytes) -> None:
        """Take a row of any form."""
        data = b"\0\0\0\0" + body
        head = self._head.unpack_from(data)
        key, at = _sized(data, self._head.size - 1)
        self._heads.append(head)
        self._keys.append(key)
        self._values.append(None if head[2] else _sized(data, at)[0])

    def _body(self) -> bytes:
        """Take a packet, and return what is in it."""
        size = int.from_bytes(self._take(4)[:3], "little")
        body = self._take(size)
        return body + self._body() if size == LONGEST else body

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        missing = size - len(taken)
        return taken + self._connection._read_bytes(missing) if missing else taken

    def _more(self) -> bytes:
        """Return what has come, or comes next; the driver's error for a lost connection."""
        connection, error = self._connection, None
        try:
            data: bytes = connection._rfile.read1(READ_BYTES)
        except OSError as raised:
            data, error = b"", raised
        if not data:
            connection._force_close()
            raise OperationalError(CR.CR_SERVER_LOST, "lost connection during query") from error
        return data


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes behind the length at a place, and the place behind them."""
    begin = at + _LENGTHS[data[at]]
    size = int.from_bytes(data[at + 1 : begin], "little") if begin - at > 1 else data[at]
    return data[begin : begin + size], begin + size
