"""A write transaction in progress: what it has prefetched, and what its requests have done so far.

The committer makes one `BatchState` a transaction and runs the requests against it, each through a
`Draft` of its own (`mvcc/draft.py`) or straight, when the request cannot fail half-way. What the
requests have changed is an overlay over the database's rows, and is written with one `write` at
the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import KeyTooLong
from datastore.mvcc.backend import Changes, Prefetch, WriteTx
from datastore.mvcc.model import SUB_BITS, Alarm, Event, Head, Lease, Row, bare_row, upper_bound
from datastore.mvcc.overlay import Overlay
from datastore.mvcc.quota import Quota

if TYPE_CHECKING:
    from datastore.mvcc.auth.authority import Authority
    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.counts import LiveCounts
    from datastore.mvcc.draft import Draft
    from datastore.mvcc.newest import NewestRows


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
    counts: LiveCounts | None = None


class BatchState:
    """A write transaction's prefetched state and the changes its requests have made so far."""

    def __init__(
        self, tx: WriteTx, prefetch: Prefetch, server: Server, *, wants_values: bool = False
    ) -> None:
        self.tx = tx
        self.wants_values = wants_values
        self.server = server
        self.before = prefetch.state
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
        self.overlay = Overlay()
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

    def count(self, key: bytes, end: bytes) -> int:
        """Return how many live keys a range has without the overlay.

        Until something is written that is what it had before the batch, which is often known.
        """
        counts = self.server.counts
        if counts is None or self.flushed or not end:
            return self.tx.count(key, upper_bound(key, end), 0)
        return counts.count(self.tx, self.before, (key, end), self.before.revision)

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
        self.write()
        self.changes = Changes()
        for key, row in self.overlay.items():
            self.base[key] = Head(row.id, key, *row[3:7])
            self.known.add(key)
            self.values[row.id] = row.value
        self.overlay = Overlay()

    def write(self) -> bool:
        """Write what is left, at the end; say whether the transaction has written anything."""
        if not self.changes.empty():
            self.tx.write(self.changes)
            self.flushed = True
        return self.flushed or bool(self.events)

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
            elif self.wants_values or head.id in self.values:
                event = Event(row, bare_row(head, self.value(head)))
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
