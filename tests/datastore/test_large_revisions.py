"""A store that has lived for long: revisions that a 32-bit number could not hold."""

import sqlite3

import psycopg

from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core

LAST_32_BIT = 2**31 - 1


def age(database: str, revision: int) -> None:
    """Let the store be at a revision, as if all before had been compacted."""
    statement = f"UPDATE meta SET floor = {revision}, compact_revision = {revision}"
    if database.startswith("sqlite"):
        with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
            connection.execute(statement)
        connection.close()
    else:
        with psycopg.connect(database) as postgres:
            postgres.execute(statement)


def test_revisions_go_on_beyond_32_bits(database: str) -> None:
    with Core(database):
        pass
    for start in (LAST_32_BIT - 1, 2 * LAST_32_BIT):
        age(database, start)
        with Core(database) as core:
            core.commit(Put(b"a", b"1"))
            core.commit(Put(b"a", b"2"), Put(b"b", b"3"))
            core.commit(DeleteRange(b"b"))

            assert core.revision() == start + 4
            assert core.live(start + 1)[0][:2] == (b"a", b"1")
            assert [row[0] for row in core.live(start + 3)] == [b"a", b"b"]
            assert core.live()[0][3] == start + 2
            assert [event[0] for event in core.events(start + 1)] == list(
                range(start + 1, start + 5)
            )
            core.compact(start + 4)
            core.prune()
            assert [row[:2] for row in core.live()] == [(b"a", b"2")]
