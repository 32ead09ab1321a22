"""A copy of the store: a SQLite file without a name, which is gone once it is closed.

Made in a thread of the database, read by another, closed from the event loop, also while it is
being made: then nothing is left of it as soon as that ends.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, BinaryIO

from datastore.errors import Exhausted
from datastore.private_directory import PrivateDirectory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datastore.mvcc.backend import Session


class NoRoomForCopy(Exhausted):
    """etcdserver: no room for a copy of the store"""


class StoreCopy:
    """One copy; `when_closed` is called once."""

    def __init__(self, when_closed: Callable[[], None]) -> None:
        self._when_closed = when_closed
        self._file: BinaryIO | None = None
        self.closed = False

    def make(self, session: Session) -> None:
        """Copy the store; NoRoomForCopy if the temporary directory has less space than that."""
        with PrivateDirectory() as directory:
            _check_room(directory.path, session.size().used)
            path = directory.path / "store.db"
            session.copy_to(path)
            self._file = path.open("rb")
        if self.closed:
            self._file.close()

    @property
    def size(self) -> int:
        """Its bytes, whole blocks."""
        return os.fstat(self._opened.fileno()).st_size

    def read(self, size: int) -> bytes:
        """Return the next bytes, b"" at the end."""
        return self._opened.read(size)

    def close(self) -> None:
        """Give its space back."""
        if self.closed:
            return
        self.closed = True
        if self._file is not None:
            self._file.close()
        self._when_closed()

    @property
    def _opened(self) -> BinaryIO:
        assert self._file is not None, "it has been made"
        return self._file


def _check_room(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise NoRoomForCopy(
            f"{NoRoomForCopy.__doc__}: it needs {needed} bytes and {directory.parent} has {free}: "
            "let TMPDIR name another directory"
        )
