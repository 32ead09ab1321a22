"""`tapir import` from the database of kine or rhino: its keys, and nothing that is no key."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pymysql
import pytest

from datastore.errors import ConfigError
from datastore.mvcc.auth.model import AuthTables
from datastore.tools.endpoint import Server
from datastore.tools.moving.importing import Imported
from datastore.tools.moving.sources import source_of
from datastore.tools.moving.target import Target
from proto.etcd import rpc_pb2 as pb
from tests.datastore.moving.kine import Kine, fill
from tests.datastore.moving.sides import client_of, imported
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres


def sqlite_kine(path: Path) -> Kine:
    """A filled state.db, as k3s leaves it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        kine = Kine("sqlite", connection)
        fill(kine)
        return kine


def import_from(name: str | Path, database: str) -> Imported:
    return imported(source_of(Server(str(name))), database)


def assert_served(kine: Kine, database: str) -> None:
    """The server of the new store has kine's keys, and goes on at its revision."""
    with Datastore(database) as server, client_of(server.address) as client:
        answer = client.everything()
        found = {
            kv.key: (kv.value, kv.create_revision, kv.mod_revision, kv.lease) for kv in answer.kvs
        }
        assert found == kine.expected()
        assert answer.header.revision == kine.revision
        versions = {kv.key: kv.version for kv in answer.kvs}
        assert versions[b"/registry/namespaces/default"] == 1
        assert versions[b"/registry/minions/one"] == 2
        lease = client.lease.LeaseTimeToLive(pb.LeaseTimeToLiveRequest(ID=3_660, keys=True))
        assert lease.grantedTTL == 3_660
        assert list(lease.keys) == [b"/registry/events/default/a", b"/registry/events/default/b"]
        assert client.put(b"/registry/namespaces/default", b"next") == kine.revision + 1


def test_a_state_db(tmp_path: Path) -> None:
    kine, database = sqlite_kine(tmp_path / "state.db"), f"sqlite:///{tmp_path}/new.db"
    before = (tmp_path / "state.db").read_bytes()

    done = import_from(tmp_path / "state.db", database)

    assert done.differences == []
    assert done.revision == kine.revision
    assert_served(kine, database)
    assert (tmp_path / "state.db").read_bytes() == before


def test_a_kine_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    url, database = postgres.url("kine"), f"sqlite:///{tmp_path}/new.db"
    with psycopg.connect(url) as connection:
        kine = Kine("postgresql", connection)
        fill(kine)

    done = import_from(url, database)

    assert (done.differences, done.revision) == ([], kine.revision)
    assert_served(kine, database)


def test_a_kine_on_mariadb_into_mariadb() -> None:
    with Mariadb() as cluster:
        url, database = cluster.url("kine"), cluster.url("tapir")
        with pymysql.connect(
            host="127.0.0.1", port=cluster.port, user="root", database="kine"
        ) as connection:
            kine = Kine("mysql", connection)
            fill(kine)

        done = import_from(url, database)

        assert (done.differences, done.revision) == ([], kine.revision)
        assert_served(kine, database)


def test_old_rows_that_are_no_bytes(tmp_path: Path) -> None:
    """The column of names is one of numbers in old files: it made 7 of "007", which is lost."""
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        kine = Kine("sqlite", connection)
        kine.put("007", b"number")
        connection.execute("UPDATE kine SET value = 'text' WHERE name = 7")
        kine.put("compact", b"")
        connection.execute("UPDATE kine SET value = NULL, lease = NULL WHERE name = 'compact'")
        connection.commit()
    database = f"sqlite:///{tmp_path}/new.db"

    done = import_from(f"sqlite:///{tmp_path}/state.db", database)

    assert done.differences == []
    with Datastore(database) as server, client_of(server.address) as client:
        assert client.values_by_key() == {b"7": b"text", b"compact": b""}


def test_a_k3s_that_starts_meanwhile(tmp_path: Path) -> None:
    """The file was read as one that nobody changes, so what came over must not be served."""
    sqlite_kine(tmp_path / "state.db")
    source = source_of(Server(str(tmp_path / "state.db")))
    users = source.users

    def start() -> AuthTables | None:
        (tmp_path / "state.db-wal").write_bytes(b"log")
        return users()

    source.users = start  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="a server has started on this store"):
        imported(source, f"sqlite:///{tmp_path}/new.db")

    with Target(f"sqlite:///{tmp_path}/new.db") as target:
        assert target.begun(source.identity).revision


def test_an_empty_table(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        Kine("sqlite", connection)

    done = import_from(tmp_path / "state.db", f"sqlite:///{tmp_path}/new.db")

    assert (done.revision, done.keys, done.differences) == (1, 0, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no etcd snapshot and no SQLite database"),
        (b"hello", "is no etcd snapshot and no SQLite database"),
        (b"SQLite format 3\0" + bytes(100), "check the source"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "state.db").write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        import_from(tmp_path / "state.db", f"sqlite:///{tmp_path}/new.db")

    assert not (tmp_path / "new.db").exists()


def test_another_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")

    with pytest.raises(ConfigError, match="has no table of kine or Tapir"):
        import_from(tmp_path / "other.db", f"sqlite:///{tmp_path}/new.db")
