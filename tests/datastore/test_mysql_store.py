"""The store's core on MariaDB: what the random histories and the migrations say of it."""

import random
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from datastore.backends import mysql_upkeep
from datastore.backends.migration import VERSION_TABLE
from datastore.backends.mysql_connection import MysqlConnection
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_target import target_of
from datastore.backends.schema import metadata
from datastore.errors import StartError
from datastore.mvcc.model import DeleteRange, Put
from datastore.tools.check import check
from tests.datastore import test_model
from tests.datastore.core import Core
from tests.support.mariadb import Mariadb

pytestmark = pytest.mark.parametrize("database", ["mysql"], indirect=True)
LAST_32_BIT = 2**31 - 1


def connected(database: str) -> MysqlConnection:
    """Connect as the backend does."""
    return connect(target_of(sa.make_url(database)))


@pytest.mark.parametrize("seed", [1, 2])
def test_random_histories_read_as_the_model(core: Core, database: str, seed: int) -> None:
    test_model.test_every_revision_reads_as_the_model(core, seed)
    assert list(check(database)) == []


def test_pages_and_counts_agree_with_the_model(core: Core) -> None:
    test_model.test_pages_and_counts_agree_with_the_model(core, 3)


def test_migrations_and_tables_agree(core: Core, database: str) -> None:
    del core
    engine = sa.create_engine("mysql+pymysql://", creator=lambda: connected(database))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _, name, *__: name != VERSION_TABLE},
        )
        difference = compare_metadata(context, metadata)
    engine.dispose()

    assert difference == []


def test_a_migration_that_was_cut_short_is_gone_on_with(database: str) -> None:
    with Core(database):
        pass
    with connected(database) as connection:
        connection.exchange(
            [
                "DROP TABLE token",
                "DROP TABLE auth_user",
                "ALTER TABLE meta DROP COLUMN auth_enabled",
                "DELETE FROM meta",
                f"DELETE FROM {VERSION_TABLE}",
            ]
        )
    with Core(database) as core:
        core.commit(Put(b"a", b"1"))
        assert core.revision() == 2
    assert list(check(database)) == []


def test_keys_are_told_apart_and_ordered_by_their_bytes(core: Core) -> None:
    """No collation, no padding: what looks alike as text is another key."""
    keys = [b"a", b"A", b"a ", b"a\0", b"a\0\0", b"\xe9", b"e", b"\xc3\xa9", b"a" * 3_072]
    core.commit(*[Put(key, key) for key in keys])

    assert [row[:2] for row in core.live()] == [(key, key) for key in sorted(keys)]


def test_values_may_be_any_bytes_and_long(core: Core) -> None:
    chance = random.Random(1)
    values = [b"", bytes(range(256)), b"'\\\"%s;--\0", chance.randbytes(3 << 19)]
    core.commit(*[Put(b"%d" % n, value) for n, value in enumerate(values)])

    assert [row[1] for row in core.live()] == values


def test_a_batch_larger_than_one_exchange_is_one_transaction(core: Core) -> None:
    results = core.commit(*[Put(b"%d" % n, b"x" * 40_000) for n in range(200)])
    (deleted,) = core.commit(DeleteRange(b"\0", b"\0"))

    assert results[-1].revision == 201
    assert deleted.deleted == 200


def test_revisions_go_on_beyond_32_bits(database: str) -> None:
    with Core(database):
        pass
    with connected(database) as connection:
        connection.exchange(
            [f"UPDATE meta SET floor = {LAST_32_BIT}, compact_revision = {LAST_32_BIT}"]
        )
    with Core(database) as core:
        core.commit(Put(b"a", b"1"), Put(b"b", b"2"))
        assert [row[3] for row in core.live()] == [LAST_32_BIT + 1, LAST_32_BIT + 2]


def test_space_is_given_back(core: Core) -> None:
    core.commit(*[Put(b"%d" % n, b"x" * 50_000) for n in range(100)])
    core.commit(DeleteRange(b"\0", b"\0"))
    core.compact(core.revision())
    core.prune()
    core.session.shrink()

    assert core.session.size().allocated < 4 << 20
    assert core.revision() == 102


def test_a_store_is_copied_and_restored(
    core: Core, database: str, mariadb: Mariadb, tmp_path: Path
) -> None:
    keys = [b"%d" % n for n in range(450)]
    core.commit(*[Put(key, key * 10) for key in keys])
    core.session.copy_to(tmp_path / "copy.db")
    target = target_of(sa.make_url(mariadb.url("restored")))

    def write(path: Path) -> None:
        shutil.copyfile(tmp_path / "copy.db", path)

    mysql_upkeep.fill(target, write)

    with Core(mariadb.url("restored")) as restored:
        assert restored.live() == core.live()
    with pytest.raises(StartError, match="holds tables already"):
        mysql_upkeep.fill(target, write)
