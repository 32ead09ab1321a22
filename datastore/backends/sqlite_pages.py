"""A page of rows from SQLite in one step of the database.

Python's driver gives the interpreter's lock away twice a row, and a thread that wants 500 rows
waits for it a thousand times while others are busy. So a page comes as one row: SQLite joins all
keys and values into one blob, and the integers into one hexadecimal text, in C and without the
lock; here they are cut apart. `group_concat` is what joins, it passes bytes through unchanged (and
`available` checks that of the library at hand).

An old revision is read by the same walk: where a key's newest event is not below the bound, its
chain is followed by a correlated query. A chain longer than CHAIN_STEPS is given up and comes back
as it is, with an id that is not below the bound: the caller looks further.
"""

from __future__ import annotations

import sqlite3
import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from datastore.backends.schema import history, kv
from datastore.backends.statements import CHAIN_STEPS, bounds
from datastore.mvcc.model import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement
    from sqlalchemy.sql import Select

    from datastore.backends.statements import Prepared, Statements

_INTEGERS = struct.Struct(">qqqqII")  # id, create_revision, version, lease, lengths
_FORMAT = "'%016x%016x%016x%016x%08x%08x'"
_PROBE = (
    "SELECT cast(group_concat(x, '') AS BLOB) FROM (SELECT x'00ff' AS x UNION ALL SELECT x'00')"
)


@cache
def available() -> bool:
    """Say whether this SQLite joins bytes as they are, zeros and all."""
    connection = sqlite3.connect(":memory:")
    try:
        return bool(connection.execute(_PROBE).fetchone()[0] == b"\x00\xff\x00")
    finally:
        connection.close()


class PageStatements:
    """The statements of pages; parameters are key, end, limit, and below for an old revision."""

    def __init__(self, statements: Statements) -> None:
        self._prepare = statements.prepare
        self.page: Callable[..., Prepared] = lru_cache(maxsize=None)(self._page)

    def _page(self, *, bounded: bool, past: bool, values: bool) -> Prepared:
        rows = (_past if past else _newest)(bounded, values).subquery()
        content: Any = rows.c.key.op("||")(rows.c.value) if values else rows.c.key
        size = func.length(rows.c.value) if values else literal_column("0")
        integers = func.printf(
            literal_column(_FORMAT),
            rows.c.id,
            rows.c.create_revision,
            rows.c.version,
            rows.c.lease,
            func.length(rows.c.key),
            size,
        )
        nothing: ColumnElement[Any] = literal_column("''")
        return self._prepare(
            select(
                func.group_concat(integers, nothing),
                cast(func.group_concat(content, nothing), LargeBinary),
            )
        )


def _newest(bounded: bool, values: bool) -> Select[Any]:
    columns: list[Any] = [kv.c.id, kv.c.key, kv.c.create_revision, kv.c.version, kv.c.lease]
    statement = select(*columns)
    if values:
        statement = select(*columns, history.c.value)
        statement = statement.select_from(kv.join(history, history.c.id == kv.c.id))
    statement = statement.where(*bounds(bounded), kv.c.deleted == 0)
    return statement.order_by(kv.c.key).limit(_param("limit"))


def _past(bounded: bool, values: bool) -> Select[Any]:
    """Rows in key order that were live below an id."""
    then = history.alias("past")
    columns: list[Any] = [then.c.id, then.c.key, then.c.create_revision, then.c.version]
    columns += [then.c.lease, *([then.c.value] if values else [])]
    reached = case((kv.c.id < _param("below"), kv.c.id), else_=_chain().scalar_subquery())
    return (
        select(*columns)
        .select_from(kv.join(then, then.c.id == reached))
        .where(*bounds(bounded), or_(then.c.deleted == 0, then.c.id >= _param("below")))
        .order_by(kv.c.key)
        .limit(_param("limit"))
    )


def _chain() -> Select[Any]:
    """Follow the chain of the outer query's head to the first event below the bound."""
    outer_id = literal_column("kv.id", BigInteger)
    chain = (
        select(history.c.prev_id.label("at"), literal_column("1", BigInteger).label("steps"))
        .where(history.c.id == outer_id)
        .cte("chain", recursive=True, nesting=True)
    )
    link = history.alias("link")
    chain = chain.union_all(
        select(link.c.prev_id, chain.c.steps + literal(1))
        .select_from(chain.join(link, link.c.id == chain.c.at))
        .where(chain.c.at >= _param("below"), chain.c.steps < CHAIN_STEPS)
    )
    return select(chain.c.at).where(or_(chain.c.at < _param("below"), chain.c.steps >= CHAIN_STEPS))


def _param(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=BigInteger())


def unpack(integers: str | None, content: bytes | None) -> list[Row]:
    """Return the rows of a page; their links to the events before them are not known."""
    if not integers or content is None:
        return []
    rows: list[Row] = []
    add, make, at = rows.append, tuple.__new__, 0
    for event, created, version, lease, key_size, size in _INTEGERS.iter_unpack(
        bytes.fromhex(integers)
    ):
        middle = at + key_size
        end = middle + size
        row = (event, content[at:middle], content[middle:end], created, version, lease, 0, 0)
        add(make(Row, row))
        at = end
    return rows
