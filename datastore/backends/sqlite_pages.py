"""A page of rows from SQLite in one step of the database.

Python's driver gives the interpreter's lock away twice a row, and a thread that wants 500 rows
waits for it a thousand times while others are busy. So a page comes as one row: SQLite joins all
keys into one blob, all values into another, and each column of integers into an array of JSON, in
C and without the lock; here they are cut apart. `group_concat` is what joins bytes, it passes them
through unchanged (and `available` checks that of the library at hand).

An array costs as much as the reading of its rows, so what most rows do not need is not in one: the
revision that created a key is told where it is not that of the row itself (version 1), and a lease
where there is one (the version is negative there). Three rows, put at 7, at 5 and 8, and at 9 with
lease 21, are ids [7.., 8.., 9..], versions [1, 2, -1], created [5] and leases [21]. Keys are told
apart by what stands between them, BETWEEN, which nobody can guess.

An old revision is read by the same walk: where a key's newest event is not below the bound, its
chain is followed by a correlated query. A chain longer than CHAIN_STEPS is given up and comes back
as it is, with an id that is not below the bound: the caller looks further.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from itertools import accumulate
from random import SystemRandom
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
from datastore.mvcc.model import SUB_BITS
from datastore.mvcc.packed_rows import PackedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.sql import Select

    from datastore.backends.statements import Prepared, Statements

# 26 of 31 characters that few keys have: as hard to guess as a UUID, and quickly searched for.
BETWEEN = "".join(SystemRandom().choices([chr(number) for number in range(1, 32)], k=26))

_MARK = BETWEEN.encode()
_PROBE = (
    "SELECT cast(group_concat(x, '+') AS BLOB),"
    " json_group_array(length(x)) FILTER (WHERE length(x) > 1)"
    " FROM (SELECT x'00ff' AS x UNION ALL SELECT x'00')"
)


@cache
def available() -> bool:
    """Say whether this SQLite joins bytes as they are, zeros and all, and writes JSON of some."""
    connection = sqlite3.connect(":memory:")
    try:
        return bool(connection.execute(_PROBE).fetchone() == (b"\x00\xff+\x00", "[2]"))
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
        row = rows.c
        version = case((row.lease != 0, -row.version), else_=row.version)
        columns: list[ColumnElement[Any]] = [
            func.json_group_array(row.id),
            func.json_group_array(version),
            func.json_group_array(row.create_revision).filter(row.version != 1),
            func.json_group_array(row.lease).filter(row.lease != 0),
            _joined(row.key, BETWEEN),
        ]
        if values:
            columns += [func.json_group_array(func.length(row.value)), _joined(row.value, "")]
        return self._prepare(select(*columns))


def _joined(column: ColumnElement[Any], between: str) -> ColumnElement[Any]:
    return cast(func.group_concat(column, literal_column(f"'{between}'")), LargeBinary)


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
    ids, versions, later, leased = (loads(column) for column in columns[:4])
    keys = columns[4].split(_MARK) if ids else []
    leases = [0] * len(ids)
    if leased:
        given = iter(leased)
        leases = [next(given) if version < 0 else 0 for version in versions]
        versions = [abs(version) for version in versions]
    values = _cut(*columns[5:]) if len(columns) > 5 else [b""] * len(ids)
    return PackedRows((ids, keys, values, _created(ids, versions, later), versions, leases))


def _created(ids: list[int], versions: list[int], later: list[int]) -> list[int]:
    """Return the revisions that created the keys; `later` are those of rows that did not."""
    if len(later) == len(ids):
        return later
    told = iter(later)
    return [
        number >> SUB_BITS if version == 1 else next(told)
        for number, version in zip(ids, versions, strict=True)
    ]


def _cut(sizes: str, joined: bytes | None) -> list[memoryview]:
    """Cut what was joined, None for nothing, into pieces of those sizes: views of it."""
    whole, lengths = memoryview(joined or b""), loads(sizes)
    return [whole[end - size : end] for size, end in zip(lengths, accumulate(lengths), strict=True)]
