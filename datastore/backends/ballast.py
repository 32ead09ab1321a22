"""A disk that is about to be full, noticed while there is still room to do something about it.

A file of some MiB lies beside the database. When less than that much is free on its file system,
the file is given up: etcd's NOSPACE alarm is raised, puts are refused, and what frees space
(deletes, compaction, defragmentation) has the room that the ballast took. When the space has come
back the ballast is taken again first, and only then the alarm is withdrawn.

Free space is looked at once a second, and before a batch when it could have been used up since the
last look. What the write-ahead log will still add to the database file counts as used.
"""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)
SMALLEST, LARGEST = 8 << 20, 32 << 20  # bytes of ballast
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
SHARE = 16  # of the file system, the ballast is at most one


class Marks(NamedTuple):
    """Bytes: the ballast's own, below what is free it is given up, from what on taken again."""

    ballast: int
    low: int
    high: int


def marks(total: int) -> Marks:
    """Return the marks for a file system of so many bytes."""
    size = min(max(total // SHARE, SMALLEST), LARGEST)
    return Marks(size, size, size * 5 // 2)


class Ballast:
    """The ballast of one database file.

    `turns` counts how often it was given up and taken again: odd while the disk is full. Used by
    the writer's thread and that of the chores; each step of it is one call to the system.
    """

    def __init__(self, database: Path) -> None:
        """Touch nothing yet."""
        self._directory = database.parent
        self._path = database.with_name(database.name + ".ballast")
        self._marks = Marks(0, 0, 0)
        self.turns = 0

    def take(self) -> None:
        """At the start: take it, or leave it if there is not room enough."""
        self._marks = marks(self._total())
        free = self._free()
        if self._path.exists() and self._path.stat().st_size >= self._marks.ballast:
            return
        if free >= self._marks.high:
            self._allocate()
        else:
            log.warning(
                "disk nearly full directory=%s free=%d: puts are refused below %d bytes",
                self._directory,
                free,
                self._marks.low,
            )

    def short(self, owed: int) -> bool:
        """Say whether the disk is about to be full; then the ballast is given up.

        `owed` are bytes that the file system will still have to find for what is committed.
        """
        if self.turns % 2:
            return True
        if self.has_room(owed):
            return False
        self.give_up()
        return True

    def has_room(self, owed: int) -> bool:
        """Say whether more is free than the low mark, whatever has become of the ballast."""
        return self.headroom(owed) >= 0

    def headroom(self, owed: int) -> int:
        """Return how many bytes more are free than the low mark."""
        return self._free() - owed - self._marks.low

    def give_up(self) -> None:
        """Give the ballast's room to what frees space."""
        if self.turns % 2 == 0:
            self.turns += 1
            log.warning(
                "disk full directory=%s: puts are refused until space is freed", self._directory
            )
        self._remove()

    def take_again(self, owed: int) -> None:
        """Take the ballast again if the space has come back."""
        if self.turns % 2 == 0 or self._free() - owed < self._marks.high or not self._allocate():
            return
        self.turns += 1
        log.warning("disk has space again directory=%s free=%d", self._directory, self._free())

    def _allocate(self) -> bool:
        """Make the file, so that its blocks are really its own; say whether there is room for it.

        On a file system that cannot do so there is no ballast, and the low mark alone counts.
        """
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._marks.ballast)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("no ballast path=%s error=%s", self._path, error)
            self._remove()
            return error.errno not in _NO_ROOM
        return True

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the ballast stays path=%s error=%s", self._path, error)

    def _free(self) -> int:
        found = os.statvfs(self._directory)
        return found.f_bavail * found.f_frsize

    def _total(self) -> int:
        found = os.statvfs(self._directory)
        return found.f_blocks * found.f_frsize
