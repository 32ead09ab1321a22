"""The room of pruned history at PostgreSQL: used again by what is written next."""

import itertools
import os

import psycopg
import pytest

from datastore.backends import postgres as backend
from datastore.mvcc.model import Put
from tests.datastore.core import Core
from tests.support.postgres import Postgres

ROWS = 50
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
        for _ in range(4):
            write(core)
            core.backend.housekeep(core.session)
            row = connection.execute(SIZE).fetchone()
            assert row is not None
            sizes.append(row[0])

    assert sizes[-1] <= sizes[0]
