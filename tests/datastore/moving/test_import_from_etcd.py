"""`tapir import` from a live etcd: clients of the new store see what they saw of the old."""

import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from datastore.errors import ConfigError
from datastore.tools import endpoint
from datastore.tools.endpoint import Server
from datastore.tools.moving.etcd_source import EtcdSource
from datastore.tools.moving.record import Record
from datastore.tools.moving.target import Target
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.sides import Client, client_of, cut_short, imported, tapir
from tests.support.certificates import Authority
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.secure_server import ETCD, SecureServer

KEYS = 1_200
LEASE = 0x7D15


@pytest.fixture(scope="module")
def etcd() -> Iterator[Etcd]:
    """An etcd with old revisions, deleted keys, a lease, binary keys and many keys a revision."""
    with Etcd() as server, client_of(server.address) as client:
        client.grant(600, LEASE)
        for n in range(0, KEYS, 100):
            keys = range(n, n + 100)
            client.put_many({b"/registry/pods/%05d" % key: b"v%d" % key for key in keys})
        for n in range(20):
            client.put(b"/registry/pods/%05d" % n, b"again")
        for n in range(10, 30):
            client.delete(b"/registry/pods/%05d" % n)
        client.put(b"\0\xff/binary", bytes(range(256)), LEASE)
        client.put(b"/empty")
        client.put(b"/large", b"x" * 1_000_000, LEASE)
        client.put(b"/gone")
        client.delete(b"/gone")  # the newest revision is that of no key
        yield server


def source(etcd: Etcd) -> EtcdSource:
    return EtcdSource(Server(etcd.endpoint))


def test_a_client_sees_no_difference(etcd: Etcd, database: str) -> None:
    done = imported(source(etcd), database)

    assert done.differences == []
    with client_of(etcd.address) as old, Datastore(database) as server:
        before = old.everything()
        with client_of(server.address) as new:
            after = new.everything()
            assert list(after.kvs) == list(before.kvs)
            assert after.header.revision == before.header.revision == done.revision
            lease = new.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=LEASE, keys=True))
            assert lease.grantedTTL == 600
            assert sorted(lease.keys) == [b"\0\xff/binary", b"/large"]
            assert cancelled_at(new, done.revision - 1) == done.revision
            assert new.put(b"/registry/pods/00000", b"next") == done.revision + 1
            kept = new.kv.Range(pb.RangeRequest(key=b"/registry/pods/00000")).kvs[0]
            assert kept.version == before.kvs[3].version + 1 == 3
            revoked = new.lease.LeaseRevoke(pb.LeaseRevokeRequest(ID=LEASE))
            assert revoked.header.revision == done.revision + 2
            assert b"/large" not in new.values_by_key()


def cancelled_at(client: Client, revision: int) -> int:
    """Watch from a revision; the compact revision that the watcher is told."""
    create = pb.WatchCreateRequest(key=b"/", range_end=b"\0", start_revision=revision)
    stream = client.watch.Watch(iter([pb.WatchRequest(create_request=create)]))
    answers = iter(stream)
    next(answers)
    return int(next(answers).compact_revision)


def test_the_command_says_what_it_did(etcd: Etcd, tmp_path: Path) -> None:
    words = ("import", "--from", etcd.endpoint, "--to", f"sqlite:///{tmp_path}/new.db")

    done, again = tapir(*words), tapir(*words)

    said = r"imported and compared (\d+) keys and 1 leases at revision (\d+)\n"
    assert re.fullmatch(said, done.stdout), done
    assert (done.returncode, done.stderr) == (0, "")
    assert again.returncode == 2
    assert "holds a store already, of 1183 keys at revision" in again.stderr


def test_killed_in_the_middle_it_goes_on(etcd: Etcd, database: str) -> None:
    cut_short(etcd.endpoint, database)

    done = imported(source(etcd), database)

    assert done.differences == []
    assert 0 < done.before < done.keys


class Forgetful(EtcdSource):
    """A source that says something else of one key when it is asked again."""

    asked = 0

    def records(self, after: bytes) -> Iterator[list[Record]]:
        self.asked += 1
        for batch in super().records(after):
            yield [self._told(record) for record in batch]

    def _told(self, record: Record) -> Record:
        changed = self.asked > 1 and record.key == b"/empty"
        return record._replace(value=b"something") if changed else record


def test_a_difference_is_reported_and_the_store_stays_shut(etcd: Etcd, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"

    done = imported(Forgetful(Server(etcd.endpoint)), database)

    said = "/empty: value differs (9 bytes, in the target 0)"
    assert [str(difference) for difference in done.differences] == [said]
    with Target(database) as target:
        assert target.begun(f"etcd {cluster_of(etcd)}").after == b"/registry/pods/01199"


def cluster_of(etcd: Etcd) -> int:
    with client_of(etcd.address) as client:
        return int(client.everything().header.cluster_id)


def test_half_a_store_takes_no_writes(etcd: Etcd, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"
    cut_short(etcd.endpoint, database)

    with (
        Datastore(database) as server,
        client_of(server.address) as client,
        pytest.raises(grpc.RpcError, match="corrupt cluster"),
    ):
        client.put(b"/registry/pods/00000", b"too early")


def test_what_the_source_has_given_up_is_read_anew(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"
    with Etcd() as etcd, client_of(etcd.address) as client:
        for n in range(100):
            client.put(b"/old/%03d" % n, b"old")
        cut_short(etcd.endpoint, database)
        client.delete(b"/old/000")
        client.put(b"/old/001", b"new")
        revision = client.compact()

        done = imported(source(etcd), database)

        assert (done.revision, done.before, done.differences) == (revision, 0, [])


def test_a_store_of_another_source_is_refused_by_name(etcd: Etcd, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"
    cut_short(etcd.endpoint, database)

    with (
        Etcd() as other,
        pytest.raises(ConfigError, match=r"new\.db holds an unfinished import of"),
    ):
        imported(source(other), database)


def test_a_source_that_is_not_there_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "CONNECT_SECONDS", 0.5)

    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1 does not answer: start that server"):
        imported(EtcdSource(Server("127.0.0.1:1")), f"sqlite:///{tmp_path}/new.db")

    assert list(tmp_path.iterdir()) == []


def test_tls_and_a_user(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue("server", ["127.0.0.1"])
    client = authority.issue("client")
    flags = [
        f"--cert-file={server.certificate}",
        f"--key-file={server.key}",
        f"--trusted-ca-file={authority.certificate}",
        "--client-cert-auth",
    ]
    with SecureServer(ETCD, tmp_path, flags) as etcd:
        with client_of(etcd.plain.removeprefix("http://")) as root:
            root.put(b"a", b"1")
            root.auth.UserAdd(pb.AuthUserAddRequest(name="root", password="secret"))
            root.auth.RoleAdd(pb.AuthRoleAddRequest(name="root"))
            root.auth.UserGrantRole(pb.AuthUserGrantRoleRequest(user="root", role="root"))
            root.auth.AuthEnable(pb.AuthEnableRequest())
        words: list[str | Path] = [
            *("import", "--from", etcd.endpoint, "--to", f"sqlite:///{tmp_path}/new.db"),
            *("--cacert", authority.certificate, "--cert", client.certificate, "--key", client.key),
            *("--user", "root:secret"),
        ]
        refused, done = tapir(*words), tapir(*words, "--without-users")

    assert refused.returncode == 2
    assert "has users, which cannot be read from it: --without-users" in refused.stderr
    assert done.stdout.startswith("imported and compared 1 keys and 0 leases"), done
