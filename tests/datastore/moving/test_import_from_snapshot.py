"""`tapir import` from an etcd snapshot, made by a real etcd: its keys, leases, users and roles."""

import hashlib
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from datastore.errors import ConfigError
from datastore.mvcc.auth.model import Access, Permission
from datastore.tools.endpoint import Server
from datastore.tools.moving.bolt import BadBolt, Bolt
from datastore.tools.moving.importing import Imported
from datastore.tools.moving.sources import source_of
from datastore.tools.moving.store_source import StoreSource
from datastore.tools.snapshot_save import save
from proto.etcd import auth_pb2
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.sides import client_of, imported
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd

KEYS = 2_000
LEASE = 0x7D15


@pytest.fixture(scope="module")
def etcd() -> Iterator[Etcd]:
    """An etcd whose file has branch pages, overflow pages, tombstones and a compaction."""
    with Etcd() as server, client_of(server.address) as client:
        client.grant(600, LEASE)
        for n in range(0, KEYS, 100):
            client.put_many({b"/key/%05d" % key: b"%d" % key * 10 for key in range(n, n + 100)})
        client.delete(b"/key/00007")
        client.compact()
        client.put(b"/key/00007", b"again", LEASE)
        for n in range(10, 20):
            client.delete(b"/key/%05d" % n)
        client.put(b"/key/00001", b"new")
        client.put(b"\0\xff", b"x" * 1_000_000)
        client.put(b"/gone")
        client.delete(b"/gone")
        yield server


@pytest.fixture(scope="module")
def snapshot(etcd: Etcd, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("snapshot") / "snapshot.db"
    save(Server(etcd.endpoint), path)
    return path


def import_from(path: Path, database: str) -> Imported:
    return imported(source_of(Server(str(path))), database)


def test_a_client_sees_no_difference(etcd: Etcd, snapshot: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"

    done = import_from(snapshot, database)

    assert (done.differences, done.leases) == ([], 1)
    with client_of(etcd.address) as old, Datastore(database) as server:
        before = old.everything()
        assert before.header.revision == done.revision
        with client_of(server.address) as new:
            after = new.everything()
            assert list(after.kvs) == list(before.kvs)
            assert after.header.revision == done.revision
            lease = new.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=LEASE, keys=True))
            assert (lease.grantedTTL, list(lease.keys)) == (600, [b"/key/00007"])


def test_compacted_up_to_the_newest_revision(tmp_path: Path) -> None:
    """What has been deleted and compacted is in no page any more, but its revision counts."""
    with Etcd() as etcd, client_of(etcd.address) as client:
        client.put(b"a")
        client.put(b"b")
        client.delete(b"b")
        revision = client.compact()
        save(Server(etcd.endpoint), tmp_path / "snapshot.db")

    done = import_from(tmp_path / "snapshot.db", f"sqlite:///{tmp_path}/new.db")

    assert (done.revision, done.keys, done.differences) == (revision, 1, [])


def test_users_come_along(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new.db"
    with Etcd() as etcd, client_of(etcd.address) as client:
        client.put(b"mine/a", b"1")
        for name in ("root", "one"):
            client.auth.UserAdd(pb.AuthUserAddRequest(name=name, password=f"{name}'s"))
            client.auth.RoleAdd(pb.AuthRoleAddRequest(name=name))
            client.auth.UserGrantRole(pb.AuthUserGrantRoleRequest(user=name, role=name))
        perm = auth_pb2.Permission(key=b"mine/", range_end=b"mine0", permType="READWRITE")
        client.auth.RoleGrantPermission(pb.AuthRoleGrantPermissionRequest(name="one", perm=perm))
        saved = tmp_path / "snapshot.db"
        client.auth.AuthEnable(pb.AuthEnableRequest())
        save(Server(etcd.endpoint, user="root", password="root's"), saved)

    assert import_from(saved, database).differences == []

    with StoreSource(database) as store:
        found = store.users()
    assert found is not None
    assert (found.state.enabled, sorted(found.users), sorted(found.roles)) == (
        True,
        ["one", "root"],
        ["one", "root"],
    )
    assert found.users["one"].roles == ("one",)
    assert bcrypt.checkpw(b"one's", found.users["one"].password)
    assert found.roles["one"].permissions == (Permission(Access.READWRITE, b"mine/", b"mine0"),)


def test_a_copy_of_the_file_itself(snapshot: Path, tmp_path: Path) -> None:
    copy = tmp_path / "db"
    copy.write_bytes(snapshot.read_bytes()[:-32])

    assert import_from(copy, f"sqlite:///{tmp_path}/new.db").differences == []


def test_damage_is_seen(snapshot: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "snapshot.db"
    content = bytearray(snapshot.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)

    with pytest.raises(ConfigError, match="its checksum is wrong"):
        import_from(damaged, f"sqlite:///{tmp_path}/new.db")

    damaged.write_bytes(snapshot.read_bytes()[: 8 * 4096])
    with pytest.raises(ConfigError, match=r"is damaged: .*: use another copy"):
        import_from(damaged, f"sqlite:///{tmp_path}/new.db")

    assert not (tmp_path / "new.db").exists()


def test_a_snapshot_of_ours(tmp_path: Path) -> None:
    saved, database = tmp_path / "snapshot.db", f"sqlite:///{tmp_path}/new.db"
    with Datastore() as server, client_of(server.address) as client:
        client.put(b"a", b"1")
        revision = client.put(b"a", b"2")
        save(Server(server.endpoint), saved)

    done = import_from(saved, database)

    assert (done.keys, done.revision, done.differences) == (1, revision, [])


@pytest.mark.parametrize(
    "content",
    [b"", b"short", bytes(70_000), struct.pack("<QHHIII", 0, 4, 0, 0, 0xED0CDAED, 2) * 4_000],
)
def test_what_is_no_bolt_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(BadBolt):
        Bolt(tmp_path / "file")


def test_the_older_meta_is_taken_when_the_newer_is_torn(snapshot: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copy(snapshot, copy)
    whole = Bolt(copy)
    newer = whole.transaction
    whole.close()
    with copy.open("r+b") as file:
        file.seek(16 + 24)  # a snapshot's first page is the newer one
        file.write(hashlib.sha256().digest()[:8])

    older = Bolt(copy)

    assert older.transaction == newer - 1
    older.close()
