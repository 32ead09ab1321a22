"""Making a new store of a snapshot file, in any backend.

The new store goes on at the snapshot's revision, with its leases (which get their full time when it
is first served), users and alarms, as another cluster without members. What is there already is
never overwritten. The file is judged before it gets its name: its checksum, or the whole of it when
it is a copy that has none, and that its revisions and types can be.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.backends.migration import check_and_migrate
from datastore.errors import ConfigError
from datastore.mvcc.alarms import CORRUPT, NOSPACE
from datastore.mvcc.model import SUB_BITS
from datastore.tools.check import Checker
from datastore.tools.checks.bounds import REVISIONS
from datastore.tools.snapshot_file import BadSnapshot, has_digest, layout_of, read_store
from datastore.tools.snapshot_pki import unpacked
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

if TYPE_CHECKING:
    from datastore.tools.checks.check import Finding

LOGS = ("-wal", "-journal")  # beside a SQLite file, and as good as a part of it
LOG_WANTED = b"\2\2"  # bytes 18 and 19 of a file that is written with a log
MOST_RAISED = REVISIONS >> 1  # a store that begins there still has as many before it
SERVABLE = frozenset({"meta", "types"})  # the checks without which a store cannot be served
ALARMS = {NOSPACE: "NOSPACE", CORRUPT: "CORRUPT"}


class Restore(NamedTuple):
    """What to restore, and how.

    bump is added to the revision; mark_compacted then compacts everything up to it, so that those
    who watch from revisions that the snapshot never had start anew instead of waiting. The keys of
    a cluster that are in the file become the directory `pki`, if one is given.
    """

    file: Path
    bump: int = 0
    mark_compacted: bool = False
    check_hash: bool = True
    pki: Path | None = None


class Restored(NamedTuple):
    """The new store's revision, and what whoever will serve it has to know."""

    revision: int
    notes: tuple[str, ...] = ()


def restore(request: Restore, endpoint: str) -> Restored:
    """Make the store.

    ConfigError (BadSnapshot, StartError) when the file or the place cannot be used.
    """
    done = Restored(0)

    def write(path: Path) -> None:
        nonlocal done
        done = prepare(request, path)

    with unpacked(request.file, request.pki) if request.pki else nullcontext():
        new_backend(endpoint, Identity("restore", ())).fill(write)
    return done


def prepare(request: Restore, path: Path) -> Restored:
    """Write the store to be as a SQLite file without a log."""
    whole = request.check_hash or has_digest(request.file)
    notes = () if whole else _copy_logs(request.file, path)
    path.touch(mode=0o600)
    with path.open("wb") as copy:
        read_store(request.file, copy.write, check_hash=request.check_hash)
    try:
        _settle(request.file, path, "quick_check" if request.check_hash else "integrity_check")
        check_and_migrate(f"sqlite:///{path}", str(path), fresh=False)
        for finding in _unservable(path):
            raise BadSnapshot(
                f"{request.file} is damaged: {finding.where}: {finding.what}: use another copy"
            )
        return Restored(_begin_anew(path, request), (*notes, *_alarms(path), *_keys_left(request)))
    except SQLITE_UNREADABLE as error:
        if _is_full(error):
            raise ConfigError(f"{path.parent}: {in_one_line(error)}: free space there") from error
        raise BadSnapshot(f"{request.file}: {in_one_line(error)}: use another copy") from error


def _is_full(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def _copy_logs(file: Path, path: Path) -> tuple[str, ...]:
    """Copy what SQLite would read together with a store's file; note a log that is not there."""
    real = os.path.realpath(file)  # a link has no log beside it
    try:
        for end in LOGS:
            _copy_if_there(Path(f"{real}{end}"), Path(f"{path}{end}"))
        with file.open("rb") as store:
            logged = store.read(20)[18:] == LOG_WANTED
    except OSError as error:
        raise BadSnapshot(f"{error.filename or file}: {error.strerror}") from error
    if not logged or Path(f"{path}{LOGS[0]}").exists():
        return ()
    return (
        f"{file} came without {file.name}-wal: if its server was running, the newest writes "
        "were there and are missing",
    )


def _copy_if_there(log: Path, copy: Path) -> None:
    if log.exists():
        copy.touch(mode=0o600)
        shutil.copyfile(log, copy)


def _settle(file: Path, path: Path, check: str) -> None:
    """Take in what the log holds, and see that SQLite finds the file in order."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
    if found != "ok":
        raise BadSnapshot(f"{file} is damaged: {' '.join(found.split())}: use another copy")


def _unservable(path: Path) -> list[Finding]:
    with Checker(f"sqlite:///{path}") as checker:
        return list(checker.findings(only=SERVABLE))


def _begin_anew(path: Path, request: Restore) -> int:
    """Make it a cluster of its own, and return its revision."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM history").fetchone()
        (floor,) = connection.execute("SELECT floor FROM meta").fetchone()
        revision, floor = _begins_at(newest >> SUB_BITS, floor, request.bump)
        cluster = secrets.randbits(62) + 1
        connection.execute("UPDATE meta SET cluster_id = ?, floor = ?", (cluster, floor))
        if request.mark_compacted:
            connection.execute("UPDATE meta SET compact_revision = ?", (revision,))
        connection.execute("DELETE FROM member")
        connection.execute('DELETE FROM "lock"')
        connection.execute("COMMIT")
    return revision


def _begins_at(newest: int, floor: int, bump: int) -> tuple[int, int]:
    """Return the revision to go on from, and the floor of history.

    Without a bump the floor stays: history goes on to the newest revision, and `tapir check` sees
    what is missing from it.
    """
    revision = max(newest, floor) + bump
    if not bump:
        return revision, floor
    if revision > MOST_RAISED:
        raise BadSnapshot(
            f"--bump-revision raises the revision to {revision}, the most is {MOST_RAISED}: "
            "give a smaller one"
        )
    return revision, revision


def _alarms(path: Path) -> tuple[str, ...]:
    """Note the alarms, which nobody but their own members or a client will take back."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT DISTINCT alarm FROM alarm ORDER BY alarm").fetchall()
    if not rows:
        return ()
    names = ", ".join(ALARMS.get(number, str(number)) for (number,) in rows)
    return (f"it has the alarm {names} and refuses writes: `etcdctl alarm disarm` ends that",)


def _keys_left(request: Restore) -> tuple[str, ...]:
    """Note keys that nobody asked for."""
    if request.pki or not layout_of(request.file).pki:
        return ()
    return (f"{request.file} has keys and certificates, too: --with-pki DIR restores them",)
