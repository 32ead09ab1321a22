"""Whose a member row is after a loss of connections, and the lock after a freeze: on either kind of
database that servers share.
"""

from typing import Any

import pytest

from datastore.backends.mysql_session import MysqlSession
from datastore.backends.postgres_session import PostgresSession
from datastore.mvcc.backend import BackendDown, CommitUnknown, Wanted
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.datastore.standing import cut_off, hear_once
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

WANTED = Wanted((b"a",), (), ())


def hurry(core: Core) -> None:
    """Let the database wait for an idle transaction of this server for a second at most."""
    session = core.session
    assert isinstance(session, PostgresSession | MysqlSession)
    if isinstance(session, PostgresSession):
        assert session._connection is not None
        session._connection.execute("SET idle_in_transaction_session_timeout = '300ms'")
    else:
        assert session._connection is not None
        session._connection.exchange([session._connection.patience(1)])


def test_a_member_row_that_another_server_took_ends_this_one(
    server: Postgres | Mariadb, name: str
) -> None:
    with Core(server.url(name)) as core:
        core.commit(Put(b"a", b""))
        cut_off(server, name)
        with Core(server.url(name)) as namesake:
            namesake.commit(Put(b"b", b""))
            assert namesake.backend.member_id == core.backend.member_id
            with pytest.raises(BackendDown):
                core.session.last_batch()  # it connects again at the next
            with pytest.raises(CommitUnknown):
                core.session.last_batch()
            assert "--name" in hear_once(core)


def test_a_server_that_comes_back_first_keeps_its_member_row(
    server: Postgres | Mariadb, name: str
) -> None:
    with Core(server.url(name)) as core:
        core.commit(Put(b"a", b""))
        cut_off(server, name)
        said = hear_once(core)
        with Core(server.url(name)) as namesake:
            core.commit(Put(b"b", b""))
            assert namesake.backend.member_id != core.backend.member_id
        assert said == ""
        assert core.session.last_batch() > 0


def test_a_server_that_freezes_in_a_batch_loses_the_lock(
    server: Postgres | Mariadb, name: str
) -> None:
    def hold_the_lock() -> None:
        with frozen.session.transaction() as tx:
            tx.prefetch(WANTED)
            results.extend(other.commit(Put(b"b", b"2")))
            tx.prefetch(WANTED)

    results: list[Any] = []
    url = server.url(name)
    with Core(url) as frozen, Core(url) as other:
        frozen.commit(Put(b"a", b"1"))
        hurry(frozen)
        with pytest.raises(BackendDown):
            hold_the_lock()
        results.extend(frozen.commit(Put(b"c", b"3")))

    assert [result.revision for result in results] == [3, 4]
