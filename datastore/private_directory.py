"""Temporary directories of a server that nobody else may enter: sockets between its parts, copies.

Each is locked for as long as its server uses it. One without a lock was left by a server that was
killed, and is removed when the next one is made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

PREFIX = "tapir-server-"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class PrivateDirectory:
    """A new directory; `close` removes it and what is in it. It is a context manager, too."""

    def __init__(self) -> None:
        for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            _remove_abandoned(path)
        self.path, self._lock = _new()

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _new() -> tuple[Path, int]:
    """Return a directory and the descriptor that locks it."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):  # taken for one that was left, before it was locked
            lock = os.open(path, _DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def _remove_abandoned(path: Path) -> None:
    try:
        lock = os.open(path, _DIRECTORY)
    except OSError:  # it has gone, or is somebody else's
        return
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:  # in use
        return
    finally:
        os.close(lock)
