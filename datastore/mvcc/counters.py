"""Numbers that a server counts while it works, for /metrics. Plain integers: they cost next to
nothing where they are counted, and are put into words when somebody asks.

Each counter is written by one thread alone, and read by any.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datastore.mvcc.model import Event

# etcd's buckets: to 8.192 s, to 409.6 s, to 655.36 s, to 163.84 s
DISK_SECONDS = tuple(0.001 * (1 << step) for step in range(14))
DEFRAGMENT_SECONDS = tuple(0.1 * (1 << step) for step in range(13))
SNAPSHOT_SECONDS = tuple(0.01 * (1 << step) for step in range(17))
BATCH_SIZES = tuple(float(1 << step) for step in range(11))  # to 1,024 requests
LAG_SECONDS = tuple(0.0005 * (1 << step) for step in range(15))  # to 8.192 s
HASH_SECONDS = tuple(0.01 * (1 << step) for step in range(15))


class Histogram:
    """How often a duration fell between which bounds; the last count is of those above all."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = DISK_SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count how long the block takes, unless it fails."""
        begun = perf_counter()
        yield
        self.observe(perf_counter() - begun)


class UpkeepCounters:
    """How long work on the whole store took."""

    def __init__(self) -> None:
        self.defragments = Histogram(DEFRAGMENT_SECONDS)
        self.snapshots = Histogram(SNAPSHOT_SECONDS)  # until the client has read it
        self.hashes = Histogram(HASH_SECONDS)  # Hash
        self.key_space_hashes = Histogram(HASH_SECONDS)  # HashKV


class WriterCounters:
    """What the writer has done since the server started."""

    def __init__(self) -> None:
        self.commits = Histogram()  # COMMIT alone: what makes a batch durable
        self.transactions = Histogram()  # from the begin of a batch to the end of its commit
        self.batches = Histogram(BATCH_SIZES)  # requests of a batch
        self.failed = 0  # requests of batches that the database did not take
        self.puts = 0  # keys put and deleted, in whatever request
        self.deletes = 0
        self.put_bytes = 0  # of requests
        self._begun = self._committing = 0.0

    def begin(self) -> None:
        """A transaction begins."""
        self._begun = perf_counter()

    def commit(self) -> None:
        """Its commit begins."""
        self._committing = perf_counter()

    def committed(self, events: Sequence[Event]) -> None:
        """It is durable, and so are these events."""
        now = perf_counter()
        self.commits.observe(now - self._committing)
        self.transactions.observe(now - self._begun)
        deletes = [event.row.deleted for event in events].count(True)
        self.deletes += deletes
        self.puts += len(events) - deletes
