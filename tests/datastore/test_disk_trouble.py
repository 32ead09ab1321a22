"""A SQLite file whose disk, or whose readers, make trouble: who is told, who waits, who goes on."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datastore.backends import sqlite, sqlite_session
from datastore.backends.sqlite_disk import Disk
from datastore.mvcc.backend import BackendBroken, BackendFailed
from datastore.mvcc.model import Put
from tests.datastore.core import Core


class Refusing:
    """A connection on which some statements fail as they do on a disk that cannot be read."""

    def __init__(self, connection: Any, *refused: str) -> None:
        self._connection = connection
        self._refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql.startswith(self._refused):
            if sql == "COMMIT":
                self._connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(sql, *parameters)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def connection(core: Core, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection to the store's file."""
    core.commit(Put(b"k", b"v"))
    opened = sqlite_session.connect(tmp_path / "store.db")
    yield opened
    opened.close()


def test_a_disk_that_cannot_be_read_is_trouble_with_the_database(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    disk = Disk(tmp_path / "store.db")
    refusing: Any = Refusing(connection, "PRAGMA page_")
    for look in (disk.look, disk.make_room, disk.allocated):
        with pytest.raises(BackendFailed, match="disk I/O error"):
            look(refusing)
    gone = Disk(tmp_path / "gone" / "store.db")
    with pytest.raises(BackendFailed, match="No such file"):
        gone.look(connection)


def test_a_checkpoint_that_fails_leaves_a_connection_as_patient_as_it_was(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    before = connection.execute("PRAGMA busy_timeout").fetchone()
    refusing: Any = Refusing(connection, "PRAGMA wal_checkpoint")
    with pytest.raises(BackendFailed):
        Disk(tmp_path / "store.db").checkpoint(refusing)
    assert connection.execute("PRAGMA busy_timeout").fetchone() == before


def test_a_file_that_does_not_say_what_it_has_committed_is_not_trusted(core: Core) -> None:
    core.commit(Put(b"k", b"v"))
    transaction: Any = getattr(core.session, "_transaction")  # noqa: B009  fails for this test
    whole = transaction._connection
    transaction._connection = Refusing(whole, "COMMIT", "SELECT")
    with pytest.raises(BackendBroken):
        core.session.last_batch()
    transaction._connection = whole

    assert "does not say what it has committed" in core.backend.broken
    with pytest.raises(BackendBroken):
        core.commit(Put(b"k", b"w"))


def test_writers_go_on_while_a_long_reader_is_in_the_way_of_a_checkpoint(
    core: Core, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer here is less patient than any checkpoint may be."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 0)
    monkeypatch.setattr(sqlite, "TRUNCATE_BYTES", 0)
    connection.execute("PRAGMA busy_timeout=2000")
    chores = core.backend.session()
    with core.session.snapshot() as reading:
        reading.state()
        connection.execute("BEGIN IMMEDIATE")  # something for the checkpoint to copy
        connection.execute("UPDATE meta SET compact_revision = compact_revision")
        connection.execute("COMMIT")
        house = threading.Thread(target=core.backend.housekeep, args=(chores,))
        house.start()
        while house.is_alive():
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        house.join()
    chores.close()
