"""How many keys a range holds, without counting them again for every page.

`count` of a Range ignores its limit, so counting costs the whole prefix where the page costs 500
keys. Three things make it cheap, and each is exact at the revision that is answered:

* a count at one revision never changes: the last ones are kept (`EXACT`), and a page leaves behind
  the count of what comes after it, which is the count of the next page;
* a range that was counted at its newest is *live*: the hub tells every event, and each creation or
  deletion moves the counts of the live ranges (`LIVE`) that hold its key. Their last moves
  (`STEPS`) are kept, so that they can be told back;
* a count at a nearby revision is bridged by what the history says happened in between (`BRIDGE`
  events), for instance where the hub is behind what a snapshot shows.

What none of these knows is counted by the database, in the same snapshot. The hub writes from the
event loop, readers come from their threads: `_lock` is held for look-ups, never for a query.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from datastore.mvcc.model import (
    SUB_BITS,
    Event,
    RangeQuery,
    RangeResult,
    SortTarget,
    State,
    in_range,
)
from datastore.mvcc.ranges import check_revision, pages, read_range
from datastore.mvcc.snapshot_view import SnapshotView
from datastore.mvcc.watch_index import WatchIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.backend import Session, Snapshot

EXACT = 4_096
LIVE = 128
STEPS = 1_024
JOURNAL = 4_096
BRIDGE = 2_000
Bounds = tuple[bytes, bytes]


class _Live:
    """A range whose count follows the hub. It can tell every revision from `since` on."""

    __slots__ = ("count", "since", "start", "steps")

    def __init__(self, revision: int, count: int) -> None:
        self.start = self.since = revision
        self.count = count
        self.steps: deque[tuple[int, int]] = deque()

    def move(self, revision: int, delta: int) -> None:
        """Take a creation (1) or a deletion (-1); one that is counted already is skipped."""
        if revision <= self.start:
            return
        self.count += delta
        self.steps.append((revision, delta))
        if len(self.steps) > STEPS:
            self.since = self.steps.popleft()[0]

    def at(self, revision: int) -> int:
        """Return the count at a revision, which must not be below `since`."""
        count = self.count
        for moved, delta in reversed(self.steps):
            if moved <= revision:
                break
            count -= delta
        return count


class LiveCounts:
    """The counts of a store; see the module."""

    def __init__(self, revision: int) -> None:
        self._lock = threading.Lock()
        self._revision = revision  # how far the hub has told
        self._exact: OrderedDict[tuple[bytes, bytes, int], int] = OrderedDict()
        self._latest: dict[Bounds, int] = {}  # the last revision in `_exact`
        self._live: OrderedDict[Bounds, _Live] = OrderedDict()
        self._index: WatchIndex[_Live] = WatchIndex()
        self._journal: deque[tuple[int, bytes, int]] = deque()
        self._journal_after = revision  # every move above it is in the journal

    def note(self, events: Iterable[Event], revision: int) -> None:
        """Take the events up to a revision, which follow on; called by the hub alone."""
        with self._lock:
            for event in events:
                row = event.row
                delta = -1 if row.deleted else row.version == 1
                if delta:
                    self._move(row.revision, row.key, int(delta))
            self._revision = revision

    def reset(self, revision: int) -> None:
        """Forget what followed the hub, which goes on at a revision with a gap before it."""
        with self._lock:
            for bounds in list(self._live):
                self._drop(bounds)
            self._journal.clear()
            self._journal_after = self._revision = revision

    def count(self, snapshot: Snapshot, state: State, bounds: Bounds, revision: int) -> int:
        """Return the number of live keys in a range at a readable revision of the snapshot."""
        known = self._known(bounds, revision)
        if known is not None and known[0] == revision:
            return known[1]
        total = _bridge(snapshot, state, bounds, known, revision) if known else None
        if total is not None:
            with self._lock:
                self._remember(bounds, revision, total)
            return total
        newest = revision == state.revision
        total = snapshot.count(*_upper(bounds), 0 if newest else revision)
        with self._lock:
            self._remember(bounds, revision, total)
            if newest and bounds not in self._live:
                self._enliven(bounds, revision, total)
        return total

    def page(self, query: RangeQuery, revision: int, result: RangeResult) -> None:
        """Note what a page leaves: the count of the range that begins after its last key."""
        rest = (result.rows[-1].key + b"\0", query.end)
        with self._lock:
            self._remember(rest, revision, result.total - len(result.rows))

    def _known(self, bounds: Bounds, revision: int) -> tuple[int, int] | None:
        """Return (revision, count): the one asked for, else one near enough to bridge."""
        with self._lock:
            exact = self._exact.get((*bounds, revision))
            if exact is not None:
                return revision, exact
            live = self._live.get(bounds)
            if live is not None and revision >= live.since:
                self._live.move_to_end(bounds)
                reached = max(self._revision, live.start)
                at = min(revision, reached)
                if revision - at <= BRIDGE:
                    return at, live.at(at)
            latest = self._latest.get(bounds)
            if latest is not None and abs(latest - revision) <= BRIDGE:
                return latest, self._exact[*bounds, latest]
            return None

    def _enliven(self, bounds: Bounds, revision: int, count: int) -> None:
        """Let a range follow the hub from a revision on, if the moves since then are known."""
        if revision < self._journal_after:
            return
        live = _Live(revision, count)
        for moved, key, delta in self._journal:
            if moved > revision and in_range(key, *bounds):
                live.move(moved, delta)
        self._live[bounds] = live
        self._index.add(*bounds, live)
        if len(self._live) > LIVE:
            self._drop(next(iter(self._live)))

    def _drop(self, bounds: Bounds) -> None:
        self._index.remove(*bounds, self._live.pop(bounds))

    def _move(self, revision: int, key: bytes, delta: int) -> None:
        self._journal.append((revision, key, delta))
        if len(self._journal) > JOURNAL:
            self._journal_after = self._journal.popleft()[0]
        for live in self._index.matching(key):
            live.move(revision, delta)

    def _remember(self, bounds: Bounds, revision: int, count: int) -> None:
        self._exact[*bounds, revision] = count
        self._exact.move_to_end((*bounds, revision))
        self._latest[bounds] = revision
        if len(self._exact) > EXACT:
            (key, end, oldest), _ = self._exact.popitem(last=False)
            if self._latest.get((key, end)) == oldest:
                del self._latest[key, end]


def _upper(bounds: Bounds) -> tuple[bytes, bytes | None]:
    key, end = bounds
    return key, None if end == b"\0" else end


def _bridge(
    snapshot: Snapshot, state: State, bounds: Bounds, known: tuple[int, int], revision: int
) -> int | None:
    """Carry a count over to another revision, if the history between them is there and short."""
    low, high = sorted((known[0], revision))
    if low < state.compact_revision or high > state.revision:
        return None
    first, last = (low + 1) << SUB_BITS, (high + 1) << SUB_BITS
    moved = snapshot.moved(*_upper(bounds), first, last, BRIDGE)
    if moved is None:
        return None
    return known[1] + (moved if revision > known[0] else -moved)


class CountedView(SnapshotView):
    """A snapshot whose counts of ranges come from `LiveCounts` where they are known."""

    def __init__(self, snapshot: Snapshot, state: State, counts: LiveCounts) -> None:
        super().__init__(snapshot, state)
        self._state = state
        self._counts = counts

    def count(self, key: bytes, end: bytes, revision: int) -> int:
        """Return the number of live keys."""
        if not end or (end != b"\0" and end <= key):
            return super().count(key, end, revision)
        at = revision or self.revision
        return self._counts.count(self._snapshot, self._state, (key, end), at)


def count_all(session: Session, counts: LiveCounts) -> int:
    """Return how many keys there are: for the server itself, whoever may read them."""
    with session.snapshot() as snapshot:
        return CountedView(snapshot, snapshot.state(), counts).count(b"\0", b"\0", 0)


def read_counted(
    session: Session, query: RangeQuery, counts: LiveCounts, guard: Guard
) -> RangeResult:
    """Answer a Range from a snapshot of its own."""
    with session.snapshot() as snapshot:
        state = snapshot.state()
        if state.auth:
            guard.check(snapshot, state, query)
        at = check_revision(query.revision, state.revision, state.compact_revision)
        result = read_range(CountedView(snapshot, state, counts), query)
    if result.more and pages(query) and query.target == SortTarget.KEY:
        counts.page(query, at or state.revision, result)
    return result
