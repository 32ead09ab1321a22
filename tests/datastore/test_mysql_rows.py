"""What MariaDB answers, read by our own reader of rows: every form that a value or a packet has."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import make_url

from datastore.backends.mysql_connection import MysqlConnection, Trouble, code_of
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_rows import LONGEST, cut
from datastore.backends.mysql_target import target_of
from tests.support.mariadb import Mariadb

NO_SUCH_TABLE = 1146


@pytest.fixture
def connection(mariadb: Mariadb) -> Iterator[MysqlConnection]:
    mariadb.run("SET GLOBAL max_allowed_packet = 64 << 20")
    with closing(connect(target_of(make_url(mariadb.url("rows"))))) as opened:
        yield opened
    mariadb.run("SET GLOBAL max_allowed_packet = 16 << 20")


@pytest.mark.parametrize(
    ("selected", "value"),
    [
        ("NULL", None),
        ("-9223372036854775808", -(1 << 63)),
        ("''", ""),
        ("_utf8mb4'tapír'", "tapír"),
        ("X'00FF'", b"\x00\xff"),
        ("1.50", Decimal("1.50")),
        ("1e3", 1000.0),
        ("JSON_ARRAY(1)", "[1]"),
    ],
)
def test_a_value_comes_as_what_it_is(
    connection: MysqlConnection, selected: str, value: Any
) -> None:
    assert connection.exchange([f"SELECT {selected}, 7"]) == [[(value, 7)]]


@pytest.mark.parametrize("size", [250, 251, 252, 0xFFFF, 0x10000, LONGEST - 5, LONGEST, 17 << 20])
def test_a_value_may_have_any_length(connection: MysqlConnection, size: int) -> None:
    ((row,), (after,)) = connection.exchange(
        [f"SELECT REPEAT(CAST('x' AS BINARY), {size}), NULL", "SELECT 'after'"]
    )
    assert row == (b"x" * size, None)
    assert after == ("after",)


def test_statements_without_rows_answer_too(connection: MysqlConnection) -> None:
    answers = connection.exchange(["DO 1", "SELECT 1 FROM DUAL WHERE 0", "SELECT 2"])
    assert [list(rows) for rows in answers] == [[], [], [(2,)]]


def test_an_error_says_how_many_were_answered_and_leaves_the_connection(
    connection: MysqlConnection,
) -> None:
    with pytest.raises(Trouble) as caught:
        connection.exchange(["SELECT 1", "SELECT 2", "SELECT * FROM missing", "SELECT 3"])
    assert code_of(caught.value) == NO_SUCH_TABLE
    assert connection.done == 2
    assert connection.exchange(["SELECT 4"]) == [[(4,)]]


def test_an_error_may_come_after_rows(connection: MysqlConnection) -> None:
    failing = "SELECT IF(seq < 3, seq, EXP(seq * 100000)) FROM seq_1_to_9"
    strict = "SELECT seq, IF(seq < 5, 1, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_9"
    with pytest.raises(Trouble):
        connection.exchange([failing, strict])
    assert connection.exchange(["SELECT 5"]) == [[(5,)]]


def test_a_row_is_cut_where_its_lengths_say() -> None:
    assert cut(b"\x01a\xfb\xfc\x03\x00bcd\x02" + b"12", [None, None, None, int]) == (
        b"a",
        None,
        b"bcd",
        12,
    )
