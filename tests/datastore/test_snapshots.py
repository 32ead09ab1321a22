"""Snapshots: saved from any backend, restored into any backend, refused when they are no good."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from datastore.errors import ConfigError
from datastore.mvcc.alarms import NOSPACE
from datastore.mvcc.model import Alarm, DeleteRange, Put, RangeQuery
from datastore.mvcc.requests import GrantLease, RaiseAlarm
from datastore.tools.check import check
from datastore.tools.snapshot_file import BadSnapshot, status
from datastore.tools.snapshot_restore import Restore, restore
from tests.datastore.core import EVERYTHING, Core
from tests.support.small_disk import MIB, SmallDisk

if TYPE_CHECKING:
    from tests.support.mariadb import Mariadb
    from tests.support.postgres import Postgres

LEASE = -77
FROM_EVERY = pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql"], indirect=True)
OF_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def filled(core: Core) -> Core:
    """A store with a past: puts, deletes, a compaction, a lease, odd bytes, a large value."""
    core.commit(GrantLease(LEASE, 100))
    core.commit(*[Put(b"k/%03d" % (number % 40), b"\0\xff%d" % number) for number in range(300)])
    core.commit(DeleteRange(b"k/01", b"k/02"), Put(b"leased", b"", LEASE))
    core.commit(Put(b"large", b"x" * 1_000_000))
    core.compact(100)
    core.prune(1_000)
    return core


def saved(core: Core, path: Path) -> Path:
    """Write a snapshot of a store as the server sends it."""
    core.session.copy_to(path)
    data = path.read_bytes()
    path.write_bytes(data + hashlib.sha256(data).digest())
    return path


@pytest.fixture
def snapshot(filled: Core, tmp_path: Path) -> Path:
    """A snapshot of that store."""
    return saved(filled, tmp_path / "snapshot.db")


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place for a new store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/restored.db"
    fixture = {"postgresql": "postgres", "mysql": "mariadb"}[request.param]
    server: Postgres | Mariadb = request.getfixturevalue(fixture)
    return server.url(f"restored_{tmp_path.name}".lower())


@FROM_EVERY
def test_a_restored_store_is_the_same(filled: Core, snapshot: Path, empty: str) -> None:
    revision = restore(Restore(snapshot), empty).revision

    assert revision == filled.revision()
    with Core(empty) as restored:
        assert restored.revision() == revision
        assert restored.live() == filled.live()
        assert restored.live(200) == filled.live(200)
        assert restored.events(100) == filled.events(100)
        with restored.session.snapshot() as found:
            assert found.leases(None).keys() == {LEASE}
            assert [head.key for head in found.lease_keys(LEASE)] == [b"leased"]


def test_it_goes_on_from_there_as_another_cluster(filled: Core, snapshot: Path, empty: str) -> None:
    revision = restore(Restore(snapshot), empty).revision

    with Core(empty) as restored:
        (put,) = restored.commit(Put(b"new", b"1"))
        with restored.session.snapshot() as found:
            members = found.members()
        assert put.revision == revision + 1
        assert restored.backend.cluster_id != filled.backend.cluster_id
        assert [member.id for member in members] == [restored.backend.member_id]


def test_the_revision_can_be_raised_and_the_past_given_up(
    filled: Core, snapshot: Path, empty: str
) -> None:
    restore(Restore(snapshot, bump=1_000, mark_compacted=True), empty)

    revision = filled.revision() + 1_000
    with Core(empty) as restored:
        restored.prune(1_000)
        with restored.session.snapshot() as found:
            state = found.state()
        assert (state.revision, state.compact_revision) == (revision, revision)
        assert restored.live() == filled.live()
        (put,) = restored.commit(Put(b"new", b"1"))
        assert put.revision == revision + 1


def test_a_store_that_is_there_is_not_overwritten(snapshot: Path, empty: str) -> None:
    restore(Restore(snapshot), empty)

    with pytest.raises(ConfigError, match="already"):
        restore(Restore(snapshot), empty)


@OF_SQLITE
def test_what_a_killed_restore_left_is_not_taken_in(
    filled: Core, snapshot: Path, tmp_path: Path
) -> None:
    target = tmp_path / "restored.db"
    part = tmp_path / "restored.db.restoring"
    for name in (part, Path(f"{part}-journal"), Path(f"{part}-wal")):
        name.write_bytes(b"of another store")

    revision = restore(Restore(snapshot), f"sqlite:///{target}").revision

    assert revision == filled.revision()
    assert [path.name for path in tmp_path.glob("restored.db.restoring*")] == []


def test_a_journal_without_its_store_is_not_taken_in(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "restored.db-journal").write_bytes(b"of another store")

    with pytest.raises(ConfigError, match="already"):
        restore(Restore(snapshot), f"sqlite:///{tmp_path}/restored.db")


def _cut(data: bytes) -> bytes:
    return data[:-1000]


def _changed(data: bytes) -> bytes:
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


def _other(data: bytes) -> bytes:
    data = b"\0" * 4096
    return data + hashlib.sha256(data).digest()


def _foreign(data: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE mine (number INTEGER)")
        data = connection.serialize()
    return data + hashlib.sha256(data).digest()


def _empty(_: bytes) -> bytes:
    return hashlib.sha256(b"").digest()


def _changed_by(sql: str, data: bytes) -> bytes:
    """What somebody makes who changes the store in a snapshot, checksum and all."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(data[:-32])
        connection.execute(sql)
        data = connection.serialize()
    return data + hashlib.sha256(data).digest()


def _without_meta(data: bytes) -> bytes:
    return _changed_by("DELETE FROM meta", data)


def _of_text(data: bytes) -> bytes:
    return _changed_by("UPDATE meta SET floor = 'x'", data)


@OF_SQLITE
@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        pytest.param(_cut, "no checksum at its end", id="cut short"),
        pytest.param(_changed, "its checksum is wrong", id="changed"),
        pytest.param(_other, "is not a snapshot of this datastore", id="of something else"),
        pytest.param(_foreign, "not Tapir's|no such table", id="of another program"),
        pytest.param(_empty, "is empty", id="nothing but a checksum"),
        pytest.param(_without_meta, "meta: has 0 rows", id="without a revision"),
        pytest.param(_of_text, "meta: floor is 'x'", id="of a revision that is none"),
    ],
)
def test_a_bad_file_is_refused_and_leaves_nothing(
    snapshot: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], text: str
) -> None:
    snapshot.write_bytes(spoil(snapshot.read_bytes()))
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ConfigError, match=text):
        restore(Restore(snapshot), f"sqlite:///{tmp_path}/restored.db")
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(BadSnapshot):
        status(snapshot)
    assert sorted(tmp_path.iterdir()) == before


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadSnapshot, match="No such file"):
        restore(Restore(tmp_path / "none"), f"sqlite:///{tmp_path}/restored.db")


@OF_SQLITE
def test_a_copy_of_a_database_has_no_checksum(filled: Core, tmp_path: Path) -> None:
    filled.session.copy_to(tmp_path / "copy.db")
    target = f"sqlite:///{tmp_path}/restored.db"

    restore(Restore(tmp_path / "copy.db", check_hash=False), target)

    with Core(target) as restored:
        assert restored.live() == filled.live()


def test_a_copy_of_a_database_brings_its_log(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with Core(f"sqlite:///{path}") as live:
        live.commit(Put(b"only", b"in the log"))
        for end in ("", "-wal"):
            shutil.copyfile(f"{path}{end}", f"{tmp_path}/copy.db{end}")
    target = f"sqlite:///{tmp_path}/restored.db"

    done = restore(Restore(tmp_path / "copy.db", check_hash=False), target)

    assert (done.revision, done.notes) == (2, ())
    assert not (tmp_path / "restored.db-wal").exists()
    with Core(target) as restored:
        assert [row[:2] for row in restored.live()] == [(b"only", b"in the log")]


def test_a_full_disk_is_no_fault_of_the_snapshot(tmp_path: Path) -> None:
    with Core(f"sqlite:///{tmp_path}/store.db") as core:
        core.commit(Put(b"large", b"x" * (3 * MIB)))
        for end in ("", "-wal"):
            shutil.copyfile(tmp_path / f"store.db{end}", tmp_path / f"copy.db{end}")
    request = Restore(tmp_path / "copy.db", check_hash=False)
    size = sum((tmp_path / f"copy.db{end}").stat().st_size for end in ("", "-wal"))

    with SmallDisk(8) as disk:
        disk.fill(leave=size + MIB)  # for the copy, not for what its log makes of it
        with pytest.raises(ConfigError, match="full: free space there"):
            restore(request, f"sqlite:///{disk.path}/restored.db")


def test_a_copy_whose_log_was_left_behind_is_told(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with Core(f"sqlite:///{path}"):
        shutil.copyfile(path, tmp_path / "copy.db")

    done = restore(Restore(tmp_path / "copy.db", check_hash=False), f"sqlite:///{tmp_path}/new.db")

    (note,) = done.notes
    assert "came without copy.db-wal" in note


@OF_SQLITE
def test_a_copy_whose_index_is_behind_its_table_is_refused(filled: Core, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    filled.session.copy_to(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'lease_deadline'")
        connection.execute("PRAGMA writable_schema=RESET")
        connection.execute("CREATE INDEX lease_deadline ON lease (ttl)")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(ttl)', '(deadline)') "
            "WHERE name = 'lease_deadline'"
        )

    with pytest.raises(BadSnapshot, match="is damaged: "):
        restore(Restore(path, check_hash=False), f"sqlite:///{tmp_path}/restored.db")


@OF_SQLITE
def test_the_revision_cannot_be_raised_beyond_what_a_store_can_number(
    snapshot: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    for bump in (1 << 42, 10**18, 10**19):
        with pytest.raises(BadSnapshot, match="the most is 4398046511104: give a smaller one"):
            restore(Restore(snapshot, bump, mark_compacted=True), f"sqlite:///{tmp_path}/r.db")

    assert sorted(tmp_path.iterdir()) == before


@OF_SQLITE
def test_what_a_restored_store_has_lost_is_found(snapshot: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/restored.db"
    restore(Restore(snapshot), target)
    assert list(check(target)) == []
    with closing(sqlite3.connect(tmp_path / "restored.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM history WHERE id >> 20 = 150")

    found = [finding.where for finding in check(target) if finding.check == "revisions"]

    assert found == ["revision 150"]


def test_alarms_that_came_along_are_told(filled: Core, empty: str, tmp_path: Path) -> None:
    filled.commit(RaiseAlarm(Alarm(filled.backend.member_id, NOSPACE)))

    done = restore(Restore(saved(filled, tmp_path / "full.db")), empty)

    (note,) = done.notes
    assert note == "it has the alarm NOSPACE and refuses writes: `etcdctl alarm disarm` ends that"


def test_status(filled: Core, snapshot: Path) -> None:
    found = status(snapshot)

    assert found.revision == filled.revision()
    assert found.keys == filled.range(RangeQuery(*EVERYTHING)).total
    assert found.size == snapshot.stat().st_size - 32
