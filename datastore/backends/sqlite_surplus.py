"""How many of a file's free pages nobody has needed for a while.

Compaction frees pages and writes take them again, every few minutes. So what is free at one moment
says little: a surplus is what was free at every look of a period of `LOOKS` (ten minutes at one a
second, in which a kube-apiserver compacts twice) and ever since, but for a part of what is in use.
Pure; the chores of a SQLite file look once a second.
"""

from __future__ import annotations

LOOKS = 600
RESERVE = 8  # the part of the pages in use, one in so many, that may stay free
LEAST = 64  # pages for which it is worth the trouble


class Surplus:
    """The least numbers of free pages in two periods of `looks` each, the one before and this."""

    def __init__(self, looks: int = LOOKS) -> None:
        self._looks, self._period = 0, looks
        self._before = self._least = 0  # in the first period nothing is known to be too many

    def look(self, pages: int, free: int) -> int:
        """Take note of a file's pages; return how many can go, 0 if it is not worth it."""
        self._least = min(self._least, free) if self._looks else free
        self._looks += 1
        surplus = min(self._before, self._least) - (pages - free) // RESERVE
        if self._looks == self._period:
            self._looks, self._before = 0, self._least
        return surplus if surplus >= LEAST else 0
