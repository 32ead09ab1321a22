"""The write-ahead log's file: how long it is, and room ahead of what SQLite appends.

A commit that makes the log's file longer costs about twice what one costs that writes where the
file has blocks already: the file system has its own books to bring to the disk. So when SQLite has
gone past the end, the file is made longer by `AHEAD` bytes of zeros, once for hundreds of commits.
To SQLite they are what an earlier round of the log left behind: frames whose salt is wrong.
The commit that follows brings them to the disk, with one fdatasync as ever.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)
AHEAD = 1 << 20


class LogFile:
    """The log beside one database."""

    def __init__(self, database: Path) -> None:
        """Touch nothing yet."""
        self._path = f"{database}-wal"
        self._left_at = -1  # bytes that it had when it was last made longer

    def size(self) -> int:
        """Return the file's bytes; 0 while there is none."""
        with suppress(FileNotFoundError):
            return os.stat(self._path).st_size
        return 0

    def extend(self) -> None:
        """Make room if SQLite has used up what there was.

        Only for who is inside a write transaction that has written nothing yet: SQLite's lock keeps
        every other from the end of the file then.
        """
        size = self.size()
        if size == self._left_at:
            return
        try:
            self._append()
        except OSError as error:
            log.debug("no room ahead in the log error=%s", error)
        self._left_at = self.size()

    def _append(self) -> None:
        """Write zeros behind the end, wherever that is by now: never over what is in the log."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(descriptor, bytes(AHEAD))
        finally:
            os.close(descriptor)
