"""Servers of two versions on one PostgreSQL: the older go on over the newer's schema, or say no.

The newer program is this one with a migration more, which adds what a release may add (expand): a
column with a default, a table, an index.
"""

import asyncio
import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from datastore.backends import migration, postgres_database, postgres_migration
from datastore.errors import StartError
from datastore.mvcc.model import Put
from datastore.tools.check import check
from tests.datastore.client import client_of, events
from tests.datastore.core import Core
from tests.datastore.test_refusals import listening, refused
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres
from tests.support.wait import wait_until

EXPAND = '''
"""A later release."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{last}"


def upgrade():
    op.create_table("novelty", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("kv", sa.Column("novel", sa.Integer, nullable=False, server_default="0"))
    op.create_index("history_novel", "history", ["lease"])
'''
_databases = itertools.count(1)


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(f"rolling{next(_databases)}")


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make the program of this process the newer one, when it is called."""

    def upgrade() -> None:
        last = migration.known_versions()[-1]
        copied = shutil.copytree(migration.MIGRATIONS, tmp_path / "migrations")
        (copied / "versions" / "9999_expand.py").write_text(EXPAND.format(last=last))
        monkeypatch.setattr(migration, "MIGRATIONS", copied)

    return upgrade


@pytest.fixture
def admin(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def version(admin: psycopg.Connection) -> str:
    row = admin.execute(f"SELECT version_num FROM {migration.VERSION_TABLE}").fetchone()
    return str(row[0]) if row else ""


def waits_for_a_lock(admin: psycopg.Connection) -> int:
    """Return the process of the database that waits for a table, 0 if none does."""
    row = admin.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
    ).fetchone()
    return int(row[0]) if row else 0


async def test_older_servers_go_on_beside_a_newer_one(url: str, newer: Callable[[], None]) -> None:
    revisions: list[int] = []
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            revisions.append(await client.put(b"old%d" % len(revisions)))

    with Datastore(url) as old:
        async with client_of(old.address) as client, client.watching() as stream:
            writing = asyncio.create_task(write())
            newer()
            core = await asyncio.to_thread(Core, url)
            (result,) = await asyncio.to_thread(core.commit, Put(b"new", b""))
            stop.set()
            await writing
            revisions += [await client.put(b"later%d" % n) for n in range(20)]
            seen = await events(stream, len(revisions) + 1)
            core.__exit__()
        old.end()
        said = refused("--endpoint", url, *listening())

    assert [revision for revision, _, _ in seen] == list(range(2, len(revisions) + 3))
    assert (result.revision, b"new", b"") in seen
    assert "has schema 9999" in said
    assert list(check(url)) == []


def test_a_migration_that_is_cut_off_leaves_nothing_and_is_begun_anew(
    url: str, newer: Callable[[], None], admin: psycopg.Connection
) -> None:
    with Core(url) as core:
        core.commit(Put(b"a", b"1"))
    before = version(admin)
    newer()
    said: list[str] = []

    def start() -> None:
        try:
            Core(url)
        except StartError as error:
            said.append(str(error))

    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM kv")  # keeps kv as it is until it ends
        starting = threading.Thread(target=start)
        starting.start()
        wait_until(lambda: waits_for_a_lock(admin) > 0, "the migration")
        admin.execute("SELECT pg_terminate_backend(%s)", (waits_for_a_lock(admin),))
        starting.join()
    left = (version(admin), admin.execute("SELECT to_regclass('novelty')").fetchone())
    with Core(url) as core:
        live = core.live()

    assert len(said) == 1
    assert left == (before, (None,))
    assert version(admin) == "9999"
    assert [row[0] for row in live] == [b"a"]


def test_a_migration_lets_others_go_on_while_a_table_is_in_use(
    url: str,
    newer: Callable[[], None],
    admin: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Core(url) as core:
        core.commit(Put(b"a", b"1"))
    newer()
    monkeypatch.setitem(postgres_database._EVERY, "lock_timeout", "100ms")
    monkeypatch.setattr(postgres_migration, "ATTEMPTS", 3)
    monkeypatch.setattr(postgres_migration, "PAUSE_SECONDS", 0.05)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM kv")
        with pytest.raises(StartError, match="end long transactions"):
            Core(url)
    with Core(url):
        assert version(admin) == "9999"
