"""A page as the database joins it is, row for row, what reading each row gives."""

import sqlite3
from pathlib import Path

import pytest

from datastore.backends.sqlite_session import SqliteSession
from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Row
from datastore.mvcc.packed_rows import PackedRows
from datastore.mvcc.requests import GrantLease
from datastore.rpc import wire
from tests.datastore.core import EVERYTHING, Core


@pytest.fixture
def core(tmp_path: Path) -> Core:
    """A store with keys and values of many sizes, none and zeros among them."""
    core = Core(f"sqlite:///{tmp_path}/store.db")
    keys = [b"\0", b"\xff\xfe", *(b"k%03d" % n + bytes(n % 7) for n in range(100))]
    core.commit(*[Put(key, bytes(range(n % 256)) * (n % 5)) for n, key in enumerate(keys)])
    core.commit(*[Put(key, b"again") for key in keys[::3]])
    core.commit(DeleteRange(keys[5]))
    core.commit(GrantLease(21, 600))
    core.commit(*[Put(key, b"leased", 21) for key in (*keys[1:20:4], b"l1", b"l2")])
    core.commit(*[Put(key, b"anew") for key in (b"l1", b"l2", b"m1")])
    return core


@pytest.mark.parametrize(
    ("ends", "revision", "count"),
    [
        *((EVERYTHING, revision, 50) for revision in (0, 60, 103)),
        ((b"l", b"n"), 0, 3),
        ((b"l", b"m"), 0, 2),
        ((b"m", b"n"), 0, 1),
    ],
)
def test_a_page_is_its_rows(
    core: Core, ends: tuple[bytes, bytes], revision: int, count: int
) -> None:
    with core:
        whole = core.range(RangeQuery(*ends, 50, revision))
        packed = whole.rows
        assert isinstance(packed, PackedRows)
        keys = [row.key for row in packed]
        found = [core.range(RangeQuery(key, revision=revision)).rows[0] for key in keys]
        single = [row._replace(prev_id=0) for row in found]

        assert len(packed) == len(single) == count
        assert list(packed) == single
        assert list(packed[10:20]) == single[10:20]
        assert packed[-1] == single[-1]
        assert all(isinstance(row, Row) for row in packed)
        rows = whole._replace(rows=single)
        assert wire.range_response(b"", whole) == wire.range_response(b"", rows)


def test_no_rows_are_none(core: Core) -> None:
    with core:
        assert not core.range(RangeQuery(b"x", b"y", 50)).rows


@pytest.mark.parametrize("revision", [0, 103])
@pytest.mark.parametrize("limit", [0, 40, 100])
def test_what_sqlite_cannot_join_at_once_is_read_in_parts(
    core: Core, limit: int, revision: int
) -> None:
    """Five hundred values of 2 MB, which --max-request-bytes allows, are more than it joins."""
    with core:
        whole = core.range(RangeQuery(*EVERYTHING, limit, revision))
        assert isinstance(core.session, SqliteSession)
        connection = core.session._connection
        sizes = [len(row.key) + len(row.value) for row in whole.rows]
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * max(sizes))

        found = core.range(RangeQuery(*EVERYTHING, limit, revision))

        assert list(found.rows) == list(whole.rows)
        assert found._replace(rows=[]) == whole._replace(rows=[])
