"""The lock that servers of one PostgreSQL share: nobody keeps it who does nothing with it."""

import itertools
import os
import socket

import psycopg
import pytest

from datastore.backends import postgres_transaction
from datastore.backends.postgres_session import PostgresSession
from datastore.backends.postgres_transaction import PostgresTransaction
from datastore.mvcc.backend import Wanted
from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

TIMEOUT = "idle_in_transaction_session_timeout"
_databases = itertools.count(1)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(f"lock{next(_databases)}")


def connection_of(core: Core) -> psycopg.Connection:
    session = core.session
    assert isinstance(session, PostgresSession)
    assert session._connection is not None
    return session._connection


def test_a_batch_over_many_rows_is_given_more_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_transaction, "MANY", 2)
    with Core(url) as core:
        core.commit(*[Put(b"%d" % n, b"") for n in range(3)])
        with core.session.transaction() as tx:
            assert isinstance(tx, PostgresTransaction)
            few = tx.prefetch(Wanted((b"0",), (), ()))
            ordinary = tx.run(f"SHOW {TIMEOUT}")
            rows = tx.scan(b"0", b"9", 0, 0, values=False)
            scanned = tx.run(f"SHOW {TIMEOUT}")
        with core.session.transaction() as tx:
            assert isinstance(tx, PostgresTransaction)
            tx.prefetch(Wanted((b"0", b"1", b"2"), (), ()))
            named = tx.run(f"SHOW {TIMEOUT}")
        (deleted,) = core.commit(DeleteRange(b"0", b"9"))

    assert (len(few.heads), len(rows), deleted.deleted) == (1, 3, 3)
    assert (ordinary, scanned, named) == ([("5s",)], [("5min",)], [("5min",)])


def test_a_batch_larger_than_the_socket_takes_at_once_is_committed(url: str) -> None:
    puts = [Put(b"%d" % n, b"x" * 40_000) for n in range(100)]
    with Core(url) as core:
        core.commit(Put(b"first", b""))
        with socket.socket(fileno=os.dup(connection_of(core).fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        results = core.commit(*puts)

    assert results[-1].revision == 102
