"""Reads of one key in the thread of the front that took them, on a session that is theirs.

A file in the kernel's memory is read in less time than it takes to wake another thread. One thread
reads at a time; the others' reads are the lane's. When a read has been slow they all leave reads to
the lane for `REST` times as long, so that a disk that stalls takes a tenth of what needs no disk.

The first few keys of a turn are read at once (`read`), without their store's state, which is most
of what a read of one key costs. A row is as it was at the revision that the rows in memory show, if
it is no newer: the database is as far, or further. One that is newer, or is not there, may be the
doing of a batch of which nobody has been told; it is read together with the state then.

Bounds: `ALONE` keys of a turn are read at once.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.backend import Session
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.model import Row
    from datastore.mvcc.newest import NewestRows

ALONE = 8
SLOW_SECONDS = 0.01  # a read here that took so long is followed by a rest
REST, LONGEST_REST = 10, 1.0  # times as long, seconds at most
Found = tuple[int, "Row"]


class ReadsHere:
    """The session, and whose turn it is; see the module.

    There is no session where reading goes over a network, and then nothing is read here.
    """

    def __init__(self, session: Session | None, lane: Lane, newest: NewestRows | None) -> None:
        self._session = session
        self._lane = lane
        self._newest = newest
        self._turn = threading.Lock()  # held by the thread that uses the session
        self._rest_until = 0.0
        self._serving = threading.local()

    def begin(self) -> None:
        """Be told that this thread reads what it takes, turn after turn."""
        if self._session is not None:
            self._serving.left = ALONE

    @property
    def is_here(self) -> bool:
        """Whether this thread does."""
        return hasattr(self._serving, "left")

    def read(self, key: bytes) -> Found | None:
        """Return the store's revision and the live row of a key; None if that is not so simple."""
        left = getattr(self._serving, "left", 0)
        if not left:
            return None
        self._serving.left = left - 1
        found: list[Found] = []
        self._read(lambda session: found.extend(self._row(session, key)))
        return found[0] if found else None

    def turn(self, work: Callable[[Session], None]) -> None:
        """Let a thread do at the end of a turn what it has taken, unless others read or rest."""
        self.begin()
        self._read(work)

    def _read(self, work: Callable[[Session], None]) -> None:
        began, session = monotonic(), self._session
        if session is None or began < self._rest_until or not self._turn.acquire(blocking=False):
            return
        try:
            work(session)
        finally:
            self._turn.release()
        ended = monotonic()
        if (took := ended - began) > SLOW_SECONDS:
            self._rest_until = ended + min(REST * took, LONGEST_REST)

    def _row(self, session: Session, key: bytes) -> list[Found]:
        """Return the row and its revision, nothing if it has to be read with the state."""
        newest = self._newest
        if newest is None or (revision := newest.revision) is None:
            return []
        row = self._lane.run(lambda session: session.live_row(key), session)
        if row is None or isinstance(row, Exception) or row.revision > revision:
            return []
        newest.learn((row,), revision)
        return [(revision, row)]
