"""MySQL's spelling of the statements: lists and rows written out by the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, LargeBinary, String, Table, bindparam, literal_column, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.dialects.mysql import pymysql as dialect

from datastore.backends import schema
from datastore.backends.pulse import CLOCKS
from datastore.backends.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Column, ColumnElement

LONGEST_KEY = 3_072  # bytes; InnoDB indexes no more
LIST_VALUES = 500  # from a thousand on MariaDB makes a table of a list
LIST_BYTES = 512 << 10
INSERT_BYTES = 512 << 10  # of a statement that inserts several rows
TURN = "turn"  # the row of `lock` that every write transaction writes on a cluster


class WrittenLists:
    """Lists as one parameter, which the driver writes as `(a,b,c)`."""

    def chunks(self, values: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Split values into lists of bounded length."""
        chunk: list[Any] = []
        size = 0
        for value in values:
            length = len(value) if isinstance(value, bytes) else 8
            if chunk and (len(chunk) == LIST_VALUES or size + length > LIST_BYTES):
                yield 0, {"values": tuple(chunk)}
                chunk, size = [], 0
            chunk.append(value)
            size += length
        if chunk:
            yield 0, {"values": tuple(chunk)}

    def among(self, column: ColumnElement[Any], size: int) -> ColumnElement[bool]:
        """Return `column IN` and one parameter."""
        del size
        return column.op("IN", is_comparison=True)(bindparam("values"))


class Insert:
    """The statements that insert rows of one table; `replace` overwrites by primary key."""

    def __init__(self, table: Table, *, replace: bool) -> None:
        names = [f"`{column.name}`" for column in table.c]
        self._begin = f"INSERT INTO `{table.name}` ({', '.join(names)}) VALUES "
        self._end = ""
        if replace:
            keys = {column.name for column in table.primary_key}
            others = [column.name for column in table.c if column.name not in keys]
            changes = others or [table.c[0].name]
            settings = (f"`{name}` = VALUES(`{name}`)" for name in changes)
            self._end = f" ON DUPLICATE KEY UPDATE {', '.join(settings)}"
        self._row = "(" + ",".join(map(_place, table.c)) + ")"
        columns = list(enumerate(table.c))
        self._texts = [at for at, column in columns if isinstance(column.type, String)]
        self._blobs = [at for at, column in columns if isinstance(column.type, LargeBinary)]

    def statements(self, rows: Sequence[Sequence[Any]], escape: Callable[[Any], str]) -> list[str]:
        """Return them, each of a bounded size or of one row."""
        made: list[str] = []
        written: list[str] = []
        size = 0
        for row in rows:
            text = self._written(row, escape)
            if written and size + len(text) > INSERT_BYTES:
                made.append(self._begin + ",".join(written) + self._end)
                written, size = [], 0
            written.append(text)
            size += len(text)
        if written:
            made.append(self._begin + ",".join(written) + self._end)
        return made

    def _written(self, row: Sequence[Any], escape: Callable[[Any], str]) -> str:
        values = list(row)
        for at in self._blobs:
            values[at] = values[at].hex()
        for at in self._texts:
            values[at] = escape(values[at])
        return self._row % tuple(values)


def _place(column: Column[Any]) -> str:
    """Return how a column's values are written: numbers, digits in hexadecimal, or escaped text."""
    if isinstance(column.type, String):
        return "%s"
    return "X'%s'" if isinstance(column.type, LargeBinary) else "%d"


class MysqlStatements(Statements):
    """The statements in PyMySQL's spelling."""

    def __init__(self) -> None:
        spelling = dialect.dialect(paramstyle="format")
        now: Any = literal_column(CLOCKS["mysql"], type_=BigInteger)
        super().__init__(spelling, WrittenLists(), now)
        turn = insert(schema.lock).values(name=TURN, owner=0, until=1)
        self.take_turn = self.prepare(turn.on_duplicate_key_update(until=schema.lock.c.until + 1))
        self.lock_meta = self.prepare(select(schema.meta.c.id).with_for_update())
        self.inserts = {
            (table.name, replace): Insert(table, replace=replace)
            for table in schema.metadata.sorted_tables
            for replace in (False, True)
        }
