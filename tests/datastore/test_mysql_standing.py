"""What a server finds at MariaDB after a loss of connections, who keeps its lock, and how often it
asks.
"""

import itertools
from typing import Any

import pytest
from pymysql.connections import Connection

from datastore.backends import mysql_transaction
from datastore.backends.mysql_connection import MysqlConnection
from datastore.backends.mysql_looker import (
    ACTIVE_SECONDS,
    IDLE_SECONDS,
    LATELY_SECONDS,
    Pace,
)
from datastore.backends.mysql_session import MysqlSession
from datastore.backends.mysql_transaction import MysqlTransaction
from datastore.mvcc.backend import (
    BackendBroken,
    BackendFailed,
    Wanted,
)
from datastore.mvcc.model import DeleteRange, Put
from tests.datastore.core import Core
from tests.datastore.standing import hear_once
from tests.support.mariadb import Mariadb

TIMEOUTS = {True: "SELECT @@wait_timeout", False: "SELECT @@idle_transaction_timeout"}  # of MySQL
_databases = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"standing{next(_databases)}"


def connection_of(core: Core) -> MysqlConnection:
    session = core.session
    assert isinstance(session, MysqlSession)
    assert session._connection is not None
    return session._connection


def test_a_lost_commit_ends_a_server_that_has_seen_it(mariadb: Mariadb, name: str) -> None:
    with Core(mariadb.url(name)) as core:
        core.commit(Put(b"a", b""), Put(b"b", b""))
        mariadb.run("DELETE FROM history WHERE id >= 3 << 20", database=name)
        with pytest.raises(BackendBroken, match="it has lost commits"):
            core.commit(Put(b"c", b""))
        with pytest.raises(BackendBroken, match="is at revision 2 and was at 3"):
            core.revision()

        assert "it has lost commits" in core.backend.broken


def test_a_lost_batch_is_noticed_though_others_went_on(mariadb: Mariadb, name: str) -> None:
    with Core(mariadb.url(name)) as core:
        core.commit(Put(b"a", b""))
        mariadb.run("UPDATE member SET batch = batch - 1", database=name)
        assert "last batch" in hear_once(core)


def test_a_batch_over_many_rows_is_given_more_time(
    mariadb: Mariadb, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeout = TIMEOUTS[mariadb.is_mysql]
    monkeypatch.setattr(mysql_transaction, "MANY", 2)
    with Core(mariadb.url(name)) as core:
        core.commit(*[Put(b"%d" % n, b"") for n in range(3)])
        told = []
        for keys in ((b"0",), (b"0", b"1", b"2")):
            with core.session.transaction() as tx:
                assert isinstance(tx, MysqlTransaction)
                tx.prefetch(Wanted(keys, (), ()))
                told.append(tx.run(timeout))
                tx.scan(b"0", b"9", 0, 0, values=False)
                told.append(tx.run(timeout))
        (deleted,) = core.commit(DeleteRange(b"0", b"9"))

    assert told == [[(5,)], [(300,)], [(300,)], [(300,)]]
    assert deleted.deleted == 3


def test_a_lost_answer_to_a_commit_is_asked_for(
    mariadb: Mariadb, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has committed, and the connection breaks before it can say so."""
    with Core(mariadb.url(name)) as core:
        core.commit(Put(b"a", b""))
        connection = connection_of(core)

        def lose_the_answer(statements: Any) -> Any:
            found = MysqlConnection.exchange(connection, statements)
            if statements[-1] == "COMMIT":
                connection.cut()
                MysqlConnection.exchange(connection, ["SELECT 1"])
            return found

        monkeypatch.setattr(connection, "exchange", lose_the_answer)
        (result,) = core.commit(Put(b"b", b""))
        assert result.revision == 3
        assert [row[0] for row in core.live()] == [b"a", b"b"]
        assert connection_of(core) is not connection


def test_what_one_exchange_cannot_hold_is_refused_before_it_is_sent(
    mariadb: Mariadb, name: str
) -> None:
    with Core(mariadb.url(name)) as core:
        core.commit(Put(b"a", b""))
        connection = connection_of(core)
        connection.longest_packet = 1 << 20
        with pytest.raises(BackendFailed, match="max_allowed_packet"):
            core.commit(Put(b"b", b"x" * (1 << 20)))
        assert connection.open
        assert [row[0] for row in core.live()] == [b"a"]


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([Put(b"a", b"1")], id="put"),
        pytest.param([Put(b"%d" % n, b"1") for n in range(50)], id="fifty puts"),
        pytest.param([DeleteRange(b"1", b"")], id="delete"),
    ],
)
def test_a_batch_takes_two_exchanges_however_much_it_does(
    mariadb: Mariadb, name: str, monkeypatch: pytest.MonkeyPatch, requests: list[Any]
) -> None:
    sent: list[bytes] = []
    send = Connection._execute_command

    def noted(connection: Connection, command: int, text: bytes) -> None:
        sent.append(text)
        send(connection, command, text)

    with Core(mariadb.url(name)) as core:
        core.commit(*[Put(b"%d" % n, b"") for n in range(10)])
        monkeypatch.setattr(Connection, "_execute_command", noted)
        core.commit(*requests)
        batch = len(sent)
        core.session.look([b"a", b"b"])

    assert (batch, len(sent)) == (2, 3)


def test_looks_are_frequent_while_there_are_commits() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    waits = [pace.seconds()]
    moved = [pace.moved(2), pace.moved(2)]
    for now[0] in (0.0, LATELY_SECONDS - 0.1, LATELY_SECONDS):
        waits.append(pace.seconds())

    assert moved == [True, False]
    assert waits == [IDLE_SECONDS, ACTIVE_SECONDS, ACTIVE_SECONDS, IDLE_SECONDS]
