"""A database file in one process's hands, by a lock file beside it.

SQLite alone would let a second process in, and both would hand out the same revisions. Used by the
SQLite backend. A refused claim changes nothing: no lock file stays that was not there before.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from datastore.errors import StartError


class FileClaim:
    """The claim on `database`: `take` it, then `release` it, or `give_up` after a refusal."""

    def __init__(self, database: Path) -> None:
        """Remember the file; nothing is touched before `take`."""
        self._database = database
        self._descriptor: int | None = None
        self._made = False

    @property
    def _path(self) -> Path:
        real = Path(os.path.realpath(self._database))
        return real.with_name(real.name + ".lock")

    def take(self) -> None:
        """Lock the file; StartError when it cannot be a database or another process has it."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            in_use = not _is_at(descriptor, self._path)
        except BlockingIOError:
            in_use = True
        if in_use:
            owner = os.read(descriptor, 32).decode(errors="replace").strip()
            self.release()
            raise StartError(
                f"datastore {self._database} is in use by process {owner or 'unknown'}: "
                "stop that one, or use another file"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def give_up(self) -> None:
        """Release, and leave nothing behind: the lock file goes if this process made it."""
        if self._made:
            self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Let others have the file; the lock file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            _check(self._database)
            self._made = not self._path.exists()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartError(
                f"datastore {self._database}: {error.strerror}: make it and its directory "
                "readable and writable, or use another file"
            ) from error
        return self._descriptor


def _check(database: Path) -> None:
    """Raise StartError or OSError when no database can be here."""
    if not database.parent.is_dir():
        raise StartError(
            f"datastore {database}: there is no directory {database.parent}: make it first"
        )
    if database.is_dir():
        raise StartError(f"datastore {database} is a directory: name a file in it")
    if database.exists() and not os.access(database, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(database))


def _is_at(descriptor: int, path: Path) -> bool:
    """Say whether the open file is the one at `path`: a refused owner may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
