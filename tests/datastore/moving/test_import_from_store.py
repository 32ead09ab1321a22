"""`tapir import` from one database of ours into another, also while the first is served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from datastore.errors import ConfigError
from datastore.tools.endpoint import Server
from datastore.tools.moving.importing import Imported
from datastore.tools.moving.sources import source_of
from datastore.tools.moving.store_source import StoreSource
from datastore.tools.moving.target import Target
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.sides import client_of, cut_short, imported
from tests.support.datastore import Datastore
from tests.support.postgres import Postgres

KEYS = 700
LEASE = 0x7D15


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Datastore]:
    """A served store with history, a lease, and tombstones."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").url("moving")
    with Datastore(url) as store, client_of(store.address) as client:
        client.grant(600, LEASE)
        for n in range(0, KEYS, 100):
            client.put_many({b"/key/%03d" % key: b"old" for key in range(n, n + 100)})
        client.compact()
        for n in range(50):
            client.put(b"/key/%03d" % n, b"new", LEASE if n == 7 else 0)
        client.delete(b"/key/010")
        yield store


def import_from(name: str, database: str) -> Imported:
    return imported(source_of(Server(name)), database)


def test_a_client_sees_no_difference(server: Datastore, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"

    done = import_from(server.endpoint_url, database)

    assert (done.differences, done.leases) == ([], 1)
    with client_of(server.address) as old, Datastore(database) as other:
        before = old.everything()
        with client_of(other.address) as new:
            after = new.everything()
            assert list(after.kvs) == list(before.kvs)
            assert after.header.revision == before.header.revision


def test_it_goes_on_at_its_revision_although_the_source_has_moved(
    server: Datastore, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/new.db"
    with client_of(server.address) as client:
        before = client.everything()
        cut_short(server.endpoint_url, database)
        client.put(b"/key/690", b"later")
        client.delete(b"/key/691")

        done = import_from(server.endpoint_url, database)

        assert (done.differences, done.before) == ([], 500)
        assert done.revision == before.header.revision
        with StoreSource(database) as store:
            store.pin(done.revision)
            found = [record for batch in store.records(b"") for record in batch]
        assert [(record.key, record.value) for record in found] == [
            (kv.key, kv.value) for kv in before.kvs
        ]


def test_users_come_along(database: str, tmp_path: Path) -> None:
    first = f"sqlite:///{tmp_path}/first.db"
    with Datastore(first) as store, client_of(store.address) as root:
        root.put(b"a")
        root.auth.UserAdd(pb.AuthUserAddRequest(name="root", password="secret"))
        root.auth.UserGrantRole(pb.AuthUserGrantRoleRequest(user="root", role="root"))
        root.auth.AuthEnable(pb.AuthEnableRequest())
    second = database.replace("store.db", "second.db")

    assert import_from(first, second).differences == []

    with StoreSource(first) as old, StoreSource(second) as new:
        assert new.users() == old.users()
        assert new.auth_on


def test_half_a_store_is_no_source(tmp_path: Path) -> None:
    half = f"sqlite:///{tmp_path}/half.db"
    with Target(half) as target:
        target.begin("another", 5)

    with pytest.raises(ConfigError, match="holds an unfinished import"):
        import_from(half, f"sqlite:///{tmp_path}/new.db")


def test_a_database_that_is_served_is_refused(postgres: Postgres) -> None:
    url = postgres.url("served")
    with Datastore() as first, Datastore(url) as second:
        with pytest.raises(ConfigError, match=f"is served at {second.endpoint}: stop that server"):
            import_from(first.endpoint_url, url)

        with client_of(second.address) as client:
            assert client.put(b"a") == 2


def test_an_empty_store(tmp_path: Path) -> None:
    with Datastore() as store:
        done = import_from(store.endpoint_url, f"sqlite:///{tmp_path}/new.db")

    assert (done.revision, done.keys, done.differences) == (1, 0, [])
