"""One request's own layer over a batch: what it would change, until it has succeeded.

A draft is merged into the batch when its request succeeds and simply dropped when it fails, so a
request fails alone. Scans merge the layers with rows of the database in key order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import TooManyEvents
from datastore.mvcc.batch import check_length
from datastore.mvcc.history import creates_key
from datastore.mvcc.model import (
    MAX_EVENTS,
    SUB_BITS,
    Event,
    Head,
    Row,
    bare_row,
    upper_bound,
)
from datastore.mvcc.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datastore.mvcc.batch import BatchState


class Draft:
    """One request's view of a batch: its own changes over those of the requests before it."""

    def __init__(self, batch: BatchState) -> None:
        self._batch = batch
        self.next_revision = batch.revision + 1
        self.compact_revision = batch.compact_revision
        self.wants_values = batch.wants_values
        self.overlay = Overlay()
        self.events: list[Event] = []
        self._first: dict[bytes, Event] = {}  # of each key

    @property
    def revision(self) -> int:
        """The store's revision, or this request's own once it changed something."""
        return self.next_revision if self.events else self._batch.revision

    def head(self, key: bytes) -> Head | Row | None:
        """Return the newest event of a key."""
        return self.overlay.get(key) or self._batch.head(key)

    def row(self, key: bytes) -> Row | None:
        """Return the live row of a key, with its value."""
        head = self.head(key)
        if head is None or head.deleted:
            return None
        return head if isinstance(head, Row) else self._load(head)

    def has_lease(self, lease: int) -> bool:
        """Say whether a lease exists."""
        return self._batch.lease(lease) is not None

    def put(self, key: bytes, value: bytes, lease: int) -> None:
        """Add a put event."""
        check_length(key, self._batch.server.longest_key)
        head = self.head(key)
        live = head is not None and not head.deleted
        created = head.create_revision if head and live else self.next_revision
        version = head.version + 1 if head and live else 1
        previous = head.id if head else 0
        row = Row(self._next_id(), key, value, created, version, lease, 0, previous)
        self._add(row, head if live else None)

    def delete(self, row: Row, *, complete: bool) -> None:
        """Add a tombstone for a live row; `complete` says that the row carries its value."""
        head = Head(row.id, row.key, *row[3:7])
        if row.key not in self.overlay and row.key not in self._batch.overlay:
            self._batch.base[row.key] = head
            self._batch.known.add(row.key)
        tombstone = Row(self._next_id(), row.key, b"", 0, 0, 0, 1, row.id)
        self._add(tombstone, row if complete else head)

    def scan(
        self, key: bytes, end: bytes, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order: the database's, under this batch's and this draft's."""
        bound = upper_bound(key, end)
        if bound is not None and bound <= key:
            return []
        if revision:
            self._batch.flush()
            return self._batch.tx.scan(key, bound, limit, revision, values=values)
        if not end:
            row = self._single(key, values=values)
            return [row] if row else []
        changed = dict(self._changed(key, end))
        fetch = limit + len(changed) if limit else 0
        rows = self._batch.tx.scan(key, bound, fetch, 0, values=values)
        kept = [row for row in rows if row.key not in changed]
        kept += [row for row in changed.values() if not row.deleted]
        kept.sort(key=lambda row: row.key)
        return kept[:limit] if limit else kept

    def count(self, key: bytes, end: bytes, revision: int) -> int:
        """Return the number of live keys, with those that this batch has changed."""
        bound = upper_bound(key, end)
        if bound is not None and bound <= key:
            return 0
        if revision:
            self._batch.flush()
            return self._batch.tx.count(key, bound, revision)
        total = self._batch.count(key, end)
        for changed, row in dict(self._changed(key, end)).items():
            base = self._batch.base.get(changed)
            total += (not row.deleted) - (base is not None and not base.deleted)
        return total

    def _changed(self, key: bytes, end: bytes) -> Iterator[tuple[bytes, Row]]:
        yield from self._batch.overlay.within(key, end)
        yield from self.overlay.within(key, end)

    def _single(self, key: bytes, *, values: bool) -> Row | None:
        head = self.head(key)
        if values or head is None or head.deleted or isinstance(head, Row):
            return self.row(key)
        return bare_row(head)

    def _load(self, head: Head) -> Row:
        return bare_row(head, self._batch.value(head))

    def _next_id(self) -> int:
        if len(self.events) >= MAX_EVENTS:
            raise TooManyEvents
        return self.next_revision << SUB_BITS | len(self.events)

    def _add(self, row: Row, before: Head | Row | None) -> None:
        """Note an event. Its prev is the row at the revision before, if its value is at hand.

        What an earlier operation of the same Txn did is not the state before the revision.
        """
        event = self._event(row, before)
        self.events.append(event)
        self._first.setdefault(row.key, event)
        self.overlay[row.key] = row

    def _event(self, row: Row, before: Head | Row | None) -> Event:
        if before is None or creates_key(row):
            return Event(row)
        first = self._first.get(row.key)
        if first is not None:
            return Event(row, first.prev, prev_known=first.prev_known)
        if isinstance(before, Row):
            return Event(row, before)
        if self.wants_values or before.id in self._batch.values:
            return Event(row, self._load(before))
        return Event(row, prev_known=False)
