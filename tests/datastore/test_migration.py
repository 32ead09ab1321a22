"""The schema that the migrations make is the one that the statements are written for."""

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from datastore.backends.migration import VERSION_TABLE, known_versions
from datastore.backends.schema import metadata
from datastore.mvcc.model import Put
from tests.datastore.core import Core


def engine_of(database: str) -> sa.Engine:
    return sa.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))


def not_ours(thing: Any, name: str | None, kind: str, *_: Any) -> bool:
    del thing
    return not (kind == "table" and name == VERSION_TABLE)


@pytest.mark.usefixtures("core")
def test_migrations_and_tables_agree(database: str) -> None:
    engine = engine_of(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": not_ours})
        difference = compare_metadata(context, metadata)
    engine.dispose()

    assert difference == []


@pytest.mark.usefixtures("core")
def test_the_database_says_its_version(database: str) -> None:
    engine = engine_of(database)
    with engine.connect() as connection:
        version = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    engine.dispose()

    assert version == known_versions()[-1]


def test_a_store_is_opened_again_as_it_was(database: str) -> None:
    with Core(database) as first:
        first.commit(Put(b"a", b"1"))
        identity = first.backend.cluster_id, first.backend.member_id
        before = first.live()
    with Core(database) as again:
        assert (again.backend.cluster_id, again.backend.member_id) == identity
        assert again.live() == before


def test_servers_that_start_together_migrate_once(request: pytest.FixtureRequest) -> None:
    """Both wait for the same lock; the second finds the work done."""
    from concurrent.futures import ThreadPoolExecutor

    url = request.getfixturevalue("postgres").url("together")
    with ThreadPoolExecutor(4) as pool:
        cores = list(pool.map(Core, [url] * 4))
    members = {core.backend.member_id for core in cores}
    clusters = {core.backend.cluster_id for core in cores}
    for core in cores:
        core.__exit__()
    with psycopg.connect(url) as connection:
        versions = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()

    assert len(versions) == 1
    assert len(members) == 4
    assert len(clusters) == 1
