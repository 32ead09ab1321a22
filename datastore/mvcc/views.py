"""The state that a write sees: a batch in progress, with a request's draft over it.

`BatchState` is what a write transaction has prefetched, and the overlay of what its requests have
done so far; `Draft` is one request's own layer on top. A draft is merged into the batch when its
request succeeds and simply dropped when it fails, so a request fails alone. Scans merge the layers
with rows of the database in key order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import KeyTooLong, TooManyEvents
from datastore.mvcc.backend import Changes, Prefetch, WriteTx
from datastore.mvcc.history import creates_key
from datastore.mvcc.model import (
    MAX_EVENTS,
    SUB_BITS,
    Alarm,
    Event,
    Head,
    Lease,
    Row,
    in_range,
    upper_bound,
)
from datastore.mvcc.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.mvcc.auth.authority import Authority
    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.newest import NewestRows


def bare_row(head: Head, value: bytes = b"") -> Row:
    """Return a head as a row; the link to the event before it is not known."""
    return Row(head.id, head.key, value, *head[2:6], 0)


def check_length(key: bytes, longest: int) -> None:
    """Refuse a key that the database cannot index."""
    if len(key) > longest:
        raise KeyTooLong(f"{KeyTooLong.__doc__}: {len(key)} bytes, at most {longest}")


NO_QUOTA = Quota()


class Server(NamedTuple):
    """What requests need to know of the server that runs them."""

    member_id: int
    longest_key: int
    guard: Guard
    newest: NewestRows | None = None
    quota: Quota = NO_QUOTA
    least_ttl: int = 2  # of a lease, in seconds


class BatchState:
    """A write transaction's prefetched state and the changes its requests have made so far."""

    def __init__(
        self, tx: WriteTx, prefetch: Prefetch, server: Server, *, wants_values: bool = False
    ) -> None:
        self.tx = tx
        self.wants_values = wants_values
        self.server = server
        # What the database holds, as far as it was asked.
        self.base: dict[bytes, Head | Row] = {**prefetch.heads}
        self.values = prefetch.values
        self.leases: dict[int, Lease | None] = dict(prefetch.leases)
        self.lease_changes: dict[int, Lease | None] = {}
        self.alarms: set[Alarm] | None = None if prefetch.state.alarms else set()
        self.revision = prefetch.state.revision
        self.compact_revision = prefetch.state.compact_revision
        self.pruned_revision = prefetch.state.pruned_revision
        self.auth = prefetch.state.auth
        self.authority: Authority | None = None  # what clients may do, as this batch has left it
        self.now = prefetch.state.now
        self.known = set(prefetch.heads)  # keys asked for, heads or not
        self.overlay: dict[bytes, Row] = {}
        self.events: list[Event] = []
        self.changes = Changes()
        self.flushed = False
        self.room: int | None = None  # bytes below the quota, if these are few

    def head(self, key: bytes) -> Head | Row | None:
        """Return the newest event of a key, of this batch or of the database."""
        row = self.overlay.get(key)
        if row is not None:
            return row
        if key not in self.known:
            self.base.update(self.tx.heads([key]))
            self.known.add(key)
        return self.base.get(key)

    def value(self, head: Head | Row) -> bytes:
        """Return the value of an event."""
        if isinstance(head, Row):
            return head.value
        value = self.values.get(head.id)
        if value is None:
            value = self.tx.values([head.id])[head.id]
            self.values[head.id] = value
        return value

    def lease(self, lease: int) -> Lease | None:
        """Return a lease as this batch has left it."""
        if lease not in self.leases:
            self.leases[lease] = self.tx.leases([lease]).get(lease)
        return self.leases[lease]

    def active_alarms(self) -> set[Alarm]:
        """Return the alarms as this batch has left them."""
        if self.alarms is None:
            self.alarms = set(self.tx.alarms())
        return self.alarms

    def put_lease(self, lease: Lease) -> None:
        """Grant or renew a lease."""
        self.leases[lease.id] = self.lease_changes[lease.id] = lease
        self.changes.put_leases[lease.id] = lease
        self.changes.drop_leases.discard(lease.id)

    def drop_lease(self, lease: int) -> None:
        """Remove a lease."""
        self.leases[lease] = self.lease_changes[lease] = None
        self.changes.put_leases.pop(lease, None)
        self.changes.drop_leases.add(lease)

    def flush(self) -> None:
        """Write what has gathered, so that the database's own reads see it."""
        if self.changes.empty():
            return
        self.tx.write(self.changes)
        self.flushed = True
        for key, row in self.overlay.items():
            self.base[key] = Head(row.id, key, *row[3:7])
            self.known.add(key)
            self.values[row.id] = row.value
        self.overlay.clear()
        self.changes = Changes()

    def put(self, key: bytes, value: bytes, lease: int) -> int:
        """Add one put and return its revision: what a draft of nothing else comes to."""
        check_length(key, self.server.longest_key)
        head = self.head(key)
        revision = self.revision + 1
        number = revision << SUB_BITS
        if head is None or head.deleted:
            row = Row(number, key, value, revision, 1, lease, 0, head.id if head else 0)
            event = Event(row)
        else:
            created, version = head.create_revision, head.version + 1
            row = Row(number, key, value, created, version, lease, 0, head.id)
            if isinstance(head, Row):
                event = Event(row, head)
            elif head.id in self.values:
                event = Event(row, bare_row(head, self.values[head.id]))
            else:
                event = Event(row, prev_known=False)
        self.revision = revision
        self.overlay[key] = row
        self.events.append(event)
        self.changes.rows.append(row)
        self.changes.heads[key] = Head(number, key, row.create_revision, row.version, lease, 0)
        return revision

    def merge(self, draft: Draft) -> None:
        """Take over the changes of a request that succeeded."""
        if not draft.events:
            return
        self.revision = draft.next_revision
        self.overlay.update(draft.overlay)
        self.events += draft.events
        self.changes.rows += [event.row for event in draft.events]
        for key, row in draft.overlay.items():
            self.changes.heads[key] = Head(row.id, key, *row[3:7])


class Draft:
    """One request's view of a batch: its own changes over those of the requests before it."""

    def __init__(self, batch: BatchState) -> None:
        self._batch = batch
        self.next_revision = batch.revision + 1
        self.compact_revision = batch.compact_revision
        self.wants_values = batch.wants_values
        self.overlay: dict[bytes, Row] = {}
        self.events: list[Event] = []

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

    def scan(self, key: bytes, end: bytes, limit: int, revision: int, *, values: bool) -> list[Row]:
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
        total = self._batch.tx.count(key, bound, 0)
        for changed, row in dict(self._changed(key, end)).items():
            base = self._batch.base.get(changed)
            total += (not row.deleted) - (base is not None and not base.deleted)
        return total

    def _changed(self, key: bytes, end: bytes) -> Iterator[tuple[bytes, Row]]:
        for layer in (self._batch.overlay, self.overlay):
            for changed, row in layer.items():
                if in_range(changed, key, end):
                    yield changed, row

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
        self.events.append(self._event(row, before))
        self.overlay[row.key] = row

    def _event(self, row: Row, before: Head | Row | None) -> Event:
        if before is None or creates_key(row):
            return Event(row)
        if row.key in self.overlay:
            return self._changed_again(row)
        if isinstance(before, Row):
            return Event(row, before)
        if before.id in self._batch.values:
            return Event(row, self._load(before))
        return Event(row, prev_known=False)

    def _changed_again(self, row: Row) -> Event:
        """Return the event of a key's second change: what was before is that of its first."""
        first = next(event for event in self.events if event.row.key == row.key)
        return Event(row, first.prev, prev_known=first.prev_known)
