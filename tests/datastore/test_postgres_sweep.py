"""The room of pruned history at PostgreSQL: used again by what is written next."""

import itertools
import os
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import make_url

from datastore.backends import postgres as backend
from datastore.backends.postgres_connection import connect
from datastore.backends.postgres_database import Database, database_of
from datastore.backends.postgres_upkeep import shrink, sweep
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

ROWS = 50
ROUNDS = 6
SIZE = "SELECT pg_relation_size('history')"
_databases = itertools.count(1)


def write(core: Core) -> None:
    """Update one key again and again, then compact and prune what that left."""
    for _ in range(ROWS):
        core.commit(Put(b"key", os.urandom(1_000)))
    core.compact(core.revision())
    core.prune(2 * ROWS)


def test_what_is_pruned_is_swept_and_its_room_used_again(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "LEAST_SWEPT", ROWS // 2)
    url = postgres.url(f"sweep{next(_databases)}")
    sizes = []
    with Core(url) as core, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE history SET (autovacuum_enabled = off)")
        for _ in range(ROUNDS):
            write(core)
            core.backend.housekeep(core.session)
            row = connection.execute(SIZE).fetchone()
            assert row is not None
            sizes.append(row[0])

    # what autovacuum is just looking at is passed over, and swept with the next
    assert sizes[-1] <= sizes[0] * ROUNDS // 2


@pytest.mark.parametrize(
    "upkeep",
    [shrink, lambda connection, database: sweep(connection, database, ROWS)],
    ids=["shrink", "sweep"],
)
def test_a_session_has_its_time_out_again_whatever_came_of_it(
    postgres: Postgres, upkeep: Callable[[psycopg.Connection, Database], object]
) -> None:
    database = database_of(make_url(postgres.url(f"sweep{next(_databases)}")))
    with connect(database) as connection:
        before = connection.execute("SHOW statement_timeout").fetchone()
        connection.execute("CREATE TABLE history (id bigint)")
        with pytest.raises(psycopg.errors.UndefinedTable):  # one of the others
            upkeep(connection, database)

        assert connection.execute("SHOW statement_timeout").fetchone() == before == ("1min",)
