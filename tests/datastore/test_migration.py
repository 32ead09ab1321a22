"""The schema that the migrations make is the one that the statements are written for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from datastore.backends.migration import VERSION_TABLE, known_versions
from datastore.backends.schema import metadata
from datastore.mvcc.model import Put
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.datastore.core import Core
from tests.support.datastore import Datastore


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
    """All wait for the same lock; those that come later find the work done."""
    url = request.getfixturevalue("postgres").url("together")

    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(Datastore, [url] * 4))
    statuses = [status_of(server) for server in servers]
    for server in servers:
        server.stop()
    with psycopg.connect(url) as connection:
        versions = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()

    assert len(versions) == 1
    assert len({status.header.member_id for status in statuses}) == 4
    assert len({status.header.cluster_id for status in statuses}) == 1


def status_of(server: Datastore) -> pb.StatusResponse:
    """What a server says of itself."""
    with grpc.insecure_channel(server.address) as channel:
        answer: pb.StatusResponse = rpc_pb2_grpc.MaintenanceStub(channel).Status(
            pb.StatusRequest(), timeout=60
        )
        return answer
