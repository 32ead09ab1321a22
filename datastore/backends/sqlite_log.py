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
        self._file = -1  # a descriptor, once it was made longer
        self._left_at = -1  # bytes that it had then

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
        try:
            if self._end() != self._left_at:
                self._append()
        except OSError as error:
            log.debug("no room ahead in the log error=%s", error)
        self._left_at = self._end()

    def close(self) -> None:
        """Let go of the file: SQLite removes it together with its last connection."""
        if self._file >= 0:
            os.close(self._file)
            self._file = self._left_at = -1

    def _end(self) -> int:
        """Return the file's bytes, in every batch.

        Not by `stat`: a file whose times somebody has looked at gets new ones with the next write,
        and the fdatasync of that brings them to the disk too, which is one write more.
        """
        return os.lseek(self._file, 0, os.SEEK_END) if self._file >= 0 else 0

    def _append(self) -> None:
        """Write zeros behind the end, wherever that is by now: never over what is in the log."""
        if self._file < 0:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.write(self._file, bytes(AHEAD))
