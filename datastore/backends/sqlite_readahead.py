"""Asks the kernel to have the database's file in its cache, when reads wait for the disk.

A read of one key in a file that is not cached is a read of the disk, one page at a time, though
there may be memory for all of it: after a start, or when the kernel has taken the pages back. So
once a second the chores look at what this process had the disk read, and if that is much, have the
file read ahead, part after part. etcd does so at its start, when it maps its file.

It is advice: nothing waits for it, and the kernel takes the pages back when it wants the memory.
It is not given for a file that would take more than half of the memory that is there. When a whole
turn through the file has not helped, the next comes later and later (`LONGEST_PAUSE`).

    second   read from the disk    what is done
    1        40 MiB                the file from its start, for `AT_ONCE` seconds
    2        9 MiB                 the rest of it
    3..      0                     nothing
"""

from __future__ import annotations

import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH_BYTES = 1 << 20  # read from the disk since the last look
STEP_BYTES = 128 << 10  # of one piece of advice: the kernel cuts off longer ones
AT_ONCE = 0.5  # seconds of a look that the chores spend on it
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
MEMORY = Path("/proc/meminfo")
LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def bytes_from_disk() -> int:
    """Return what this process has had read from disks so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock * 512


def memory_there() -> int:
    """Return the bytes that the machine and this container could give to a cache; 0 if unknown."""
    there = 0
    with suppress(OSError, ValueError, IndexError):
        lines = MEMORY.read_text(encoding="ascii").splitlines()
        line = next((line for line in lines if line.startswith("MemAvailable:")), "")
        there = int(line.split()[1]) << 10
    for limit in LIMITS:
        with suppress(OSError, ValueError):  # "max" is no number: no limit
            there = min(there, int(limit.read_text(encoding="ascii")))
    return there


class Readahead:
    """The advice about one file; `look` is called about once a second, by one thread."""

    def __init__(
        self,
        *,
        read: Callable[[], int] = bytes_from_disk,
        memory: Callable[[], int] = memory_there,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know nothing yet."""
        self._read = read
        self._memory = memory
        self._clock = clock
        self._seen = -1  # bytes read from the disk, as of the last look
        self._at = 0  # how far this turn through the file has come
        self._not_before = 0.0
        self._pause = FIRST_PAUSE

    def look(self, file: int) -> None:
        """Advise, if reads have waited for the disk; `file` is a descriptor of the database."""
        if sys.platform != "linux":
            return
        now, read = self._clock(), self._read()
        waited, self._seen = read - self._seen if self._seen >= 0 else 0, read
        if not self._at and waited < WORTH_BYTES:
            if now > self._not_before:
                self._pause = FIRST_PAUSE
            return
        size = os.fstat(file).st_size
        if now >= self._not_before and size <= self._memory() // 2:
            self._advise(file, size, now + AT_ONCE)

    def _advise(self, file: int, size: int, until: float) -> None:
        while self._at < size:
            os.posix_fadvise(file, self._at, STEP_BYTES, os.POSIX_FADV_WILLNEED)
            self._at += STEP_BYTES
            if self._clock() > until:
                return
        self._at = 0
        self._not_before = until + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
