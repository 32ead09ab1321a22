"""Rows that come in binary: what a page is made of, in every form that its packets have."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import make_url

from datastore.backends.mysql_connection import MysqlConnection, Trouble
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_prepared import LONG_BYTES, columns
from datastore.backends.mysql_rows import LONGEST
from datastore.backends.mysql_target import target_of
from datastore.backends.statements import Prepared
from tests.support.mariadb import Mariadb

LARGE = "REPEAT(CAST('x' AS BINARY), {})"
NUMBERS = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {}) "


@pytest.fixture
def connection(mariadb: Mariadb) -> Iterator[MysqlConnection]:
    mariadb.run("SET GLOBAL max_allowed_packet = 64 << 20")
    with closing(connect(target_of(make_url(mariadb.url("prepared"))))) as opened:
        yield opened
    mariadb.run("SET GLOBAL max_allowed_packet = 16 << 20")


def asked(sql: str, *names: str) -> Prepared:
    return Prepared(sql, names, {})


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 3_072])
def test_a_key_may_have_any_length(connection: MysqlConnection, size: int) -> None:
    rows = f"SELECT 1, -2, {LARGE.format(size)}, X'00FF' UNION ALL SELECT 3, 4, '', NULL"
    assert columns(connection, asked(rows), ()) == [
        (1, 3),
        (-2, 4),
        [b"x" * size, b""],
        [b"\x00\xff", None],
    ]


@pytest.mark.parametrize(
    "size", [0, 250, 251, 0xFFFF, 0x10000, 1 << 20, LONGEST - 5, LONGEST, 17 << 20]
)
def test_a_value_may_have_any_length(connection: MysqlConnection, size: int) -> None:
    row = f"SELECT 1, X'6B', {LARGE.format(size)}"
    found = columns(connection, asked(f"{row} UNION ALL SELECT 2, X'6C', 'after'"), ())
    assert found == [(1, 2), [b"k", b"l"], [b"x" * size, b"after"]]


def test_parameters_are_bytes_and_integers(connection: MysqlConnection) -> None:
    least, key, value = -(1 << 63), bytes(range(256)), b"'%s'" * 9_000
    selected = asked("SELECT CAST(%s AS SIGNED), %s, %s", "number", "key", "value")
    for _ in range(2):
        found = columns(connection, selected, (least, key, value))
        assert found == [(least,), [key], [value]]


def test_many_rows_come_in_many_pieces(connection: MysqlConnection) -> None:
    """Some have a NULL, which is read another way, and none lies at a piece's edge alike."""
    rows = f"SELECT i, i * 3, CAST(i AS BINARY), IF(i % 7, {LARGE.format('i % 999')}, NULL) FROM n"
    found = columns(connection, asked(NUMBERS.format(5_000) + rows.replace("%", "%%")), ())
    numbers = range(1, 5_001)
    assert found == [
        tuple(numbers),
        tuple(3 * n for n in numbers),
        [b"%d" % n for n in numbers],
        [b"x" * (n % 999) if n % 7 else None for n in numbers],
    ]


def test_nothing_found_is_no_columns(connection: MysqlConnection) -> None:
    assert columns(connection, asked("SELECT 1, 'k', 'v' FROM DUAL WHERE 0"), ()) == []


def test_an_error_leaves_the_connection(connection: MysqlConnection) -> None:
    failing = "SELECT i, 'k', IF(i < 5, 'v', (SELECT 'a' UNION SELECT 'b')) FROM n"
    for sql in ("SELECT missing", NUMBERS.format(9) + failing):
        with pytest.raises(Trouble):
            columns(connection, asked(sql), ())
        assert connection.exchange(["SELECT 5"]) == [[(5,)]]


def test_a_lost_connection_is_an_error_and_closed(connection: MysqlConnection) -> None:
    connection.cut()
    with pytest.raises(Trouble):
        columns(connection, asked("SELECT 1, 'k', 'v'"), ())
    assert not connection.open


def test_what_the_database_has_forgotten_is_prepared_again(connection: MysqlConnection) -> None:
    one = asked("SELECT 1, 'k', 'v'")
    assert columns(connection, one, ()) == [(1,), [b"k"], [b"v"]]
    connection.prepared[one.sql] += 1_000
    assert columns(connection, one, ()) is None
    assert columns(connection, one, ()) == [(1,), [b"k"], [b"v"]]


def test_a_table_may_change_meanwhile(connection: MysqlConnection) -> None:
    one = asked("SELECT id, `key`, value FROM changing WHERE id < %s", "below")
    connection.exchange(
        [
            "CREATE TABLE changing (id BIGINT, `key` VARBINARY(9), value LONGBLOB)",
            "INSERT INTO changing VALUES (7, 'k', 'v')",
        ]
    )
    assert columns(connection, one, (8,)) == [(7,), [b"k"], [b"v"]]
    connection.exchange(["ALTER TABLE changing ADD COLUMN more TEXT FIRST, MODIFY id INT"])
    assert columns(connection, one, (8,)) == [(7,), [b"k"], [b"v"]]


def test_a_database_that_prepares_no_more_is_asked_in_text(
    connection: MysqlConnection, mariadb: Mariadb
) -> None:
    one = asked("SELECT 1, 'k', 'v'")
    mariadb.run("SET GLOBAL max_prepared_stmt_count = 0")
    try:
        assert columns(connection, one, ()) is None
    finally:
        mariadb.run("SET GLOBAL max_prepared_stmt_count = 16382")
    assert columns(connection, one, ()) == [(1,), [b"k"], [b"v"]]


def test_long_parameters_are_left_to_text(connection: MysqlConnection) -> None:
    key = b"k" * (LONG_BYTES + 1)
    assert columns(connection, asked("SELECT 1, %s, 'v'", "key"), (key,)) is None
