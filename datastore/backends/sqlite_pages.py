"""A page of rows from SQLite in one step of the database.

Python's driver gives the interpreter's lock away twice a row, and a thread that wants 500 rows
waits for it a thousand times while others are busy. So a page comes as one row: SQLite joins all
keys into one blob, all values into another, and each column of integers into an array of JSON, in
C and without the lock; here they are cut apart. `group_concat` is what joins bytes, it passes them
through unchanged (and `available` checks that of the library at hand).

An old revision is read by the same walk: where a key's newest event is not below the bound, its
chain is followed by a correlated query. A chain longer than CHAIN_STEPS is given up and comes back
as it is, with an id that is not below the bound: the caller looks further.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from orjson import loads
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
from datastore.mvcc.packed_rows import PackedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.sql import Select

    from datastore.backends.statements import Prepared, Statements

INTEGERS = 4  # columns
_PROBE = (
    "SELECT cast(group_concat(x, '') AS BLOB), json_group_array(length(x))"
    " FROM (SELECT x'00ff' AS x UNION ALL SELECT x'00')"
)


@cache
def available() -> bool:
    """Say whether this SQLite joins bytes as they are, zeros and all, and writes JSON."""
    connection = sqlite3.connect(":memory:")
    try:
        return bool(connection.execute(_PROBE).fetchone() == (b"\x00\xff\x00", "[2,1]"))
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()


class PageStatements:
    """The statements of pages; parameters are key, end, limit, and below for an old revision."""

    def __init__(self, statements: Statements) -> None:
        self._prepare = statements.prepare
        self.page: Callable[..., Prepared] = statements.named("page", self._page)

    def _page(self, *, bounded: bool, past: bool, values: bool) -> Prepared:
        rows = (_past if past else _newest)(bounded, values).subquery()
        integers = (rows.c.id, rows.c.create_revision, rows.c.version, rows.c.lease)
        content = (rows.c.key, rows.c.value) if values else (rows.c.key,)
        nothing: ColumnElement[Any] = literal_column("''")
        return self._prepare(
            select(
                *[func.json_group_array(column) for column in integers],
                *[func.json_group_array(func.length(column)) for column in content],
                *[cast(func.group_concat(column, nothing), LargeBinary) for column in content],
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


def unpack(columns: Sequence[Any]) -> PackedRows:
    """Return the rows of a page; without values they are empty."""
    ids, created, versions, leases = [loads(column) for column in columns[:INTEGERS]]
    sizes = (len(columns) - INTEGERS) // 2
    content = columns[INTEGERS + sizes :]
    cut = [_cut(loads(columns[INTEGERS + n]), content[n]) for n in range(sizes)]
    keys, values = cut if sizes > 1 else (*cut, [b""] * len(ids))
    return PackedRows((ids, keys, values, created, versions, leases))


def _cut(sizes: list[int], joined: bytes | None) -> list[bytes]:
    """Cut what was joined, None for nothing, into pieces of those sizes."""
    whole = joined or b""
    return [whole[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)]
