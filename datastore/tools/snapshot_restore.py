"""Making a new store of a snapshot file, in any backend.

The new store goes on at the snapshot's revision, with its leases (which get their full time when it
is first served), users and alarms, as another cluster without members. What is there already is
never overwritten.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.backends.migration import check_and_migrate
from datastore.mvcc.model import SUB_BITS
from datastore.tools.snapshot_file import BadSnapshot, read_store

if TYPE_CHECKING:
    from pathlib import Path


class Restore(NamedTuple):
    """What to restore, and how.

    bump is added to the revision; mark_compacted then compacts everything up to it, so that those
    who watch from revisions that the snapshot never had start anew instead of waiting.
    """

    file: Path
    bump: int = 0
    mark_compacted: bool = False
    check_hash: bool = True


def restore(what: Restore, endpoint: str) -> int:
    """Make the store and return its revision.

    ConfigError (BadSnapshot, StartError) when the file or the place cannot be used.
    """
    revision = 0

    def write(path: Path) -> None:
        nonlocal revision
        revision = prepare(what, path)

    new_backend(endpoint, Identity("restore", ())).fill(write)
    return revision


def prepare(what: Restore, path: Path) -> int:
    """Write the store to be as a SQLite file, and return its revision."""
    path.touch(mode=0o600)
    with path.open("wb") as copy:
        read_store(what.file, copy.write, check_hash=what.check_hash)
    try:
        _check(what.file, path)
        check_and_migrate(f"sqlite:///{path}", str(path), fresh=False)
        return _begin_anew(path, what)
    except sqlite3.Error as error:
        raise BadSnapshot(f"{what.file}: {error}: use another copy") from error


def _check(file: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise BadSnapshot(f"{file} is damaged: {found}: use another copy")


def _begin_anew(path: Path, what: Restore) -> int:
    """Make it a cluster of its own."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN")
        (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM history").fetchone()
        (floor,) = connection.execute("SELECT floor FROM meta").fetchone()
        revision: int = max(newest >> SUB_BITS, floor) + what.bump
        cluster = secrets.randbits(62) + 1
        connection.execute("UPDATE meta SET cluster_id = ?, floor = ?", (cluster, revision))
        if what.mark_compacted:
            connection.execute("UPDATE meta SET compact_revision = ?", (revision,))
        connection.execute("DELETE FROM member")
        connection.execute('DELETE FROM "lock"')
        connection.execute("COMMIT")
    return revision
