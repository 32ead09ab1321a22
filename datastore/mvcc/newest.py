"""The newest rows of keys in memory, where only this server can change them.

A read of one key that is here costs no query, so it can be answered in whichever thread asks,
the event loop too: nothing of it can wait for a disk. The writer finds what its batches replace
here as well. Only a backend that is `exclusive` has one: nobody else's commits could be noticed.

What makes it exact:

* Only the writer's thread changes rows, after each commit and before the batch is answered
  (`apply`). `revision` is the one that the rows show, and None while they change, so a reader that
  finds the same revision before and after its look has seen rows of that revision.
* Between a commit and `apply` the database is ahead. A reader of the database that finds a later
  revision there says so (`overtaken`) before its caller is answered; then nothing is answered from
  here until `apply`. So no client sees the store go back.
* A batch whose outcome is unclear makes it `forget` everything.

Tombstones are not kept: compaction removes them. Bound: `BUDGET` bytes, counting `ROW_BYTES` for
each row beside its key and value; the rows are in two generations, and the older one goes when the
younger has taken half of that. A row larger than `LARGEST` is not kept.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datastore.mvcc.model import Event, Row

BUDGET = 24 << 20
LARGEST = 128 << 10
ROW_BYTES = 400


class NewestRows:
    """Rows by key; see the module."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.revision: int | None = None
        self._half = budget // 2
        self._young: dict[bytes, Row] = {}
        self._old: dict[bytes, Row] = {}
        self._young_bytes = 0
        self._lock = threading.Lock()

    def read(self, key: bytes) -> tuple[int, Row] | None:
        """Return a live row and the store's revision; None if the database has to be asked."""
        revision = self.revision
        row = self._young.get(key) or self._old.get(key)
        if row is None or revision is None or revision != self.revision:
            return None
        return revision, row

    def known(self, keys: Iterable[bytes]) -> dict[bytes, Row]:
        """Return the rows of those keys that are here, as of the last `apply`: for the writer."""
        young, old = self._young, self._old
        found = {}
        for key in keys:
            row = young.get(key) or old.get(key)
            if row is not None:
                found[key] = row
        return found

    def apply(self, events: Iterable[Event], revision: int) -> None:
        """Take what a batch has committed; `revision` is the store's after it."""
        with self._lock:
            self.revision = None
            for event in events:
                row = event.row
                if row.deleted or len(row.value) > LARGEST:
                    self._drop(row.key)
                else:
                    self._keep(row)
            self.revision = revision

    def learn(self, rows: Iterable[Row], revision: int) -> None:
        """Take rows that were read at a revision, if it is still the newest."""
        with self._lock:
            if revision == self.revision:
                for row in rows:
                    if len(row.value) <= LARGEST:
                        self._keep(row)

    def overtaken(self, revision: int) -> None:
        """Note that the database has been seen at a revision."""
        known = self.revision
        if known is not None and revision > known:
            with self._lock:
                if self.revision is not None and revision > self.revision:
                    self.revision = None

    def forget(self) -> None:
        """Drop everything: what the database holds is not known."""
        with self._lock:
            self.revision = None
            self._young, self._old = {}, {}
            self._young_bytes = 0

    def _drop(self, key: bytes) -> None:
        before = self._young.pop(key, None)
        self._old.pop(key, None)
        if before is not None:
            self._young_bytes -= len(key) + len(before.value) + ROW_BYTES

    def _keep(self, row: Row) -> None:
        before = self._young.get(row.key)
        self._young[row.key] = row
        if before is None:
            self._young_bytes += len(row.key) + len(row.value) + ROW_BYTES
        else:
            self._young_bytes += len(row.value) - len(before.value)
        if self._young_bytes > self._half:
            self._old, self._young = self._young, {}
            self._young_bytes = 0
