"""What is done to a whole SQLite file: giving space back and copying it while it serves, restoring.

Files are made with `auto_vacuum=INCREMENTAL`, so that free pages can be given back a few at a time,
each step a short transaction, with no more disk than the pages moved. A file made without it is
rewritten once by VACUUM, during which writes wait; from then on it is like the others.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from datastore.backends.file_claim import FileClaim
from datastore.errors import StartError
from datastore.mvcc.backend import BackendFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INCREMENTAL = 2
STEP_PAGES = 512  # 2 MiB: some milliseconds


def prepare_new(path: Path) -> None:
    """Make an empty file one whose pages can be given back; this comes before the first table."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        connection.execute("PRAGMA journal_mode=WAL")  # writes the header
    finally:
        connection.close()


def shrink(connection: sqlite3.Connection) -> bool:
    """Give back some free pages; say whether there are more. The caller knows sqlite3's errors."""
    if _number(connection, "auto_vacuum") != INCREMENTAL:
        connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        connection.execute("VACUUM")
        return False
    give_back(connection, STEP_PAGES)
    return _number(connection, "freelist_count") > 0


def give_back(connection: sqlite3.Connection, pages: int) -> None:
    """Give so many free pages back at most; none of a file that has to be rewritten for that."""
    # A statement without columns: `execute` would do its first step, which is one page.
    connection.executescript(f"PRAGMA incremental_vacuum({min(pages, STEP_PAGES)})")


def copy_to(connection: sqlite3.Connection, path: Path) -> None:
    """Write one state of the database into a new file, without keeping writers waiting.

    The copy is a plain file without a log. Its size is a multiple of its page size.
    """
    try:
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            connection.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise BackendFailed(str(error)) from error


def fill(path: Path, write: Callable[[Path], None]) -> None:
    """Make the store of the file that `write` writes, under its own name only once it is whole."""
    claim = FileClaim(path)
    claim.take()
    part = path.with_name(path.name + ".restoring")
    try:
        for name in _with_logs(path):
            if name.exists():
                raise StartError(f"datastore {name} exists already: restore to another file")
        for name in _with_logs(part):  # a restore that was killed: its log is not this one's
            name.unlink(missing_ok=True)
        write(part)
        _sync(part)
        part.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise StartError(f"datastore {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            for name in _with_logs(part):
                name.unlink(missing_ok=True)
        claim.give_up()


def _with_logs(path: Path) -> list[Path]:
    """Return a database's file, and those that SQLite would read together with it."""
    return [path.with_name(path.name + end) for end in ("", "-wal", "-journal", "-shm")]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
