"""`tapir export`: a store into a real etcd, and what an etcd that is not empty does to it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from datastore.errors import ConfigError
from datastore.tools.endpoint import Server
from datastore.tools.moving.etcd_target import TXN_BYTES, TXN_OPS, EtcdTarget, chunks
from datastore.tools.moving.exporting import Exported, export_store
from datastore.tools.moving.progress import Progress
from datastore.tools.moving.record import Record
from datastore.tools.moving.sources import database_source
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.sides import Client, client_of, tapir
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd

KEYS = 300
LEASE = 0x7D15


@pytest.fixture(scope="module")
def store() -> Iterator[Datastore]:
    """A store that is served while it is exported."""
    with Datastore() as server:
        with client_of(server.address) as client:
            client.grant(600, LEASE)
            for n in range(0, KEYS, 100):
                client.put_many({b"/key/%03d" % key: b"%d" % key for key in range(n, n + 100)})
            client.put(b"\0\xff", bytes(range(256)), LEASE)
            client.put(b"/empty")
            client.put(b"/large", b"x" * 1_000_000)
            client.put(b"/gone")
            client.delete(b"/gone")
        yield server


@pytest.fixture
def etcd() -> Iterator[tuple[Etcd, Client]]:
    """An empty etcd."""
    with Etcd() as server, client_of(server.address) as client:
        yield server, client


def exported(store: Datastore, etcd: Etcd) -> Exported:
    source, target = database_source(store.endpoint_url), EtcdTarget(Server(etcd.endpoint))
    return export_store(source, target, Progress(io.StringIO()), without_users=False, most=10)


def content(client: Client) -> dict[bytes, tuple[bytes, int]]:
    return {kv.key: (kv.value, kv.lease) for kv in client.everything().kvs}


def test_keys_and_leases(store: Datastore, etcd: tuple[Etcd, Client]) -> None:
    server, client = etcd

    done = tapir("export", "--from", store.endpoint_url, "--to", server.endpoint)
    again = tapir("export", "--from", store.endpoint_url, "--to", server.endpoint)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("exported and compared 303 keys and 1 leases; the etcd is at ")
    assert "303 keys, 303 of them before" in again.stdout
    with client_of(store.address) as ours:
        assert content(client) == content(ours)
    lease = client.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=LEASE, keys=True))
    assert (lease.grantedTTL, list(lease.keys)) == (600, [b"\0\xff"])


def test_it_goes_on_where_it_was_interrupted(store: Datastore, etcd: tuple[Etcd, Client]) -> None:
    server, client = etcd
    client.put_many({b"/key/%03d" % n: b"%d" % n for n in range(0, 100, 3)})

    done = exported(store, server)

    assert (done.keys, done.before, done.differences) == (303, 34, [])


def test_another_ones_keys_are_refused_by_name(store: Datastore, etcd: tuple[Etcd, Client]) -> None:
    server, client = etcd
    client.put(b"/key/000", b"0")
    client.put(b"/key/0005", b"mine")

    with pytest.raises(ConfigError, match="/key/0005 is in the target alone: give an empty etcd"):
        exported(store, server)

    client.delete(b"/key/0005")
    client.put(b"/key/000", b"mine")
    with pytest.raises(ConfigError, match="/key/000 value differs"):
        exported(store, server)

    assert client.values_by_key() == {b"/key/000": b"mine"}


def test_a_store_with_users_is_not_opened_to_everybody(
    tmp_path: Path, etcd: tuple[Etcd, Client]
) -> None:
    with Datastore(f"sqlite:///{tmp_path}/store.db") as server, client_of(server.address) as root:
        root.auth.UserAdd(pb.AuthUserAddRequest(name="root", password="secret"))
        root.auth.UserGrantRole(pb.AuthUserGrantRoleRequest(user="root", role="root"))
        root.auth.AuthEnable(pb.AuthEnableRequest())

        with pytest.raises(ConfigError, match="has users, which are not exported"):
            exported(server, etcd[0])


def test_requests_are_as_large_as_etcd_takes() -> None:
    small = [Record(b"%d" % n, b"", 1, 1, 1, 0) for n in range(TXN_OPS + 1)]
    large = [Record(b"%d" % n, b"x" * (TXN_BYTES // 2), 1, 1, 1, 0) for n in range(3)]

    assert [len(chunk) for chunk in chunks(small)] == [TXN_OPS, 1]
    assert [len(chunk) for chunk in chunks(large)] == [1, 1, 1]
    assert list(chunks([])) == []
