"""How the log gets into the file, and starts over, while writes go on.

SQLite writes the log from its start again when everything in it is in the file and nobody reads
it. Beside writes a checkpoint never gets there, for they add to the log meanwhile; and a log that
only grows costs each commit a place on the disk that was never written before. So the chores lane
copies the bulk, in passes that find less each, and brings the file to the disk; the writer copies
what came in since, before its next batch.

A checkpoint that does not reach the log's end leaves the file's pages to the system, and the one
that does waits for the disk to have them all. That is why the chores see to the file themselves:
what is left to the writer is a few pages and their fsync.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

LEAST = 1_024  # frames, of a page each, for which it is worth the trouble
PASSES = 3
FEW = 256  # frames that the writer may be kept waiting for
READERS_MS = 200  # that readers of the log are waited for
IDLE_LOOKS = 10  # in a row that found little in the log, after which it gives its space back


class Copied(NamedTuple):
    """The frames that the log had when a checkpoint began, and how many are in the file now."""

    frames: int
    copied: int


class Checkpoint:
    """The progress of one file's log; shared by its connections."""

    def __init__(self, database: Path) -> None:
        """Touch nothing yet."""
        self._path = database
        self._file = -1
        self._frames = 0  # that the log had at the last look
        self._idle_looks = 0
        self.left_to_writer = False

    def open(self) -> None:
        """Open the file, to bring it to the disk."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)

    @property
    def file(self) -> int:
        """The descriptor of the file, -1 before it is open."""
        return self._file

    def close(self) -> None:
        """Close it: after the last connection, whose locks on the file would go with it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def copy_most(self, connection: sqlite3.Connection) -> None:
        """Copy what can be copied beside readers and writers.

        How many frames came in during a pass only the next one tells. OSError when the disk does
        not take what it is given.
        """
        frames, copied = _copy(connection, "PASSIVE")
        little = frames < LEAST or frames == self._frames
        self._idle_looks = self._idle_looks + 1 if little else 0
        self._frames = frames
        if frames < LEAST:
            return
        for _ in range(PASSES):
            os.fdatasync(self._file)
            before, (frames, copied) = copied, _copy(connection, "PASSIVE")
            self._frames = frames
            if frames - before <= FEW:
                self.left_to_writer = frames > before
                return

    def is_idle(self) -> bool:
        """Say whether the last looks found little in the log, which then is longer than it need be.

        Each yes is for IDLE_LOOKS looks: emptying it may be in vain while somebody reads.
        """
        idle = self._idle_looks >= IDLE_LOOKS
        if idle:
            self._idle_looks = 0
        return idle

    def finish(self, connection: sqlite3.Connection) -> None:
        """Copy what was left to the writer, between two batches."""
        self.left_to_writer = False
        _copy(connection, "PASSIVE")

    def copy_all(self, connection: sqlite3.Connection) -> None:
        """Copy everything, and make the log empty.

        This waits for readers of the log, and writers wait for them meanwhile: so it is not for
        long, and one that a long reader (a snapshot, a hash) is in the way of does what it can and
        leaves the rest to the next.
        """
        with _waiting(connection, READERS_MS):
            _copy(connection, "TRUNCATE")


def _copy(connection: sqlite3.Connection, mode: str) -> Copied:
    _, frames, copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return Copied(frames, copied)


@contextmanager
def _waiting(connection: sqlite3.Connection, milliseconds: int) -> Iterator[None]:
    """Let a connection wait so long for others, and afterwards as long as before."""
    before = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout={milliseconds}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout={before}")
