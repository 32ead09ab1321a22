"""The watch hub: every committed event to every watcher that wants it, once and in order.

The writer leaves its batches here (`offer`), and the event loop takes them (`catch_up`): at once
while anybody watches, unless the pacer pauses, else a few together, but always before it looks
at a watch. A signal says that another server has committed, and the hub then reads the history up
to there.

`revision` is how far events have been handed to watchers.
A *synced* watcher is in the index and gets events as they are published. One that starts in the
past, or whose stream is full, is *unsynced*: it is fed from the history, page by page, and joins
the synced ones in the very step (no await) in which it has caught up with `revision`. `recent`
keeps the last events, so that this step does not need the database, and a watcher that is only
just behind never does. Bounds: `RECENT_EVENTS`, `RECENT_BYTES`, those of `CommitQueue`; streams
bound their own outboxes.

Nothing is skipped silently: a page that was read below the compact revision cancels the watchers
that may have missed something, with that revision.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from itertools import takewhile
from time import perf_counter
from typing import TYPE_CHECKING

from datastore.mvcc.commit_queue import CommitQueue
from datastore.mvcc.counters import LAG_SECONDS, Histogram
from datastore.mvcc.counts import LiveCounts
from datastore.mvcc.history import Page, read_page
from datastore.mvcc.model import Event, in_range
from datastore.mvcc.pacer import Pacer
from datastore.mvcc.watch_batch import Batch, in_batches
from datastore.mvcc.watch_index import WatchIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datastore.mvcc.committer import Outcome
    from datastore.mvcc.lane import Lane
    from datastore.mvcc.watch import Watcher

log = logging.getLogger(__name__)
RECENT_EVENTS = 4_096
RECENT_BYTES = 16 << 20  # of keys and values, replaced ones too; their encoded forms come on top
Shared = dict[tuple[bytes, bytes, frozenset[int], int], list[Batch]]


class WatchHub:
    """Dispatches events; see the module."""

    def __init__(
        self, lane: Lane, revision: int, compact_revision: int, *, shared: bool = False
    ) -> None:
        self._lane = lane
        self._shared = shared  # other servers may compact without telling this one
        self.revision = revision
        self.compact_revision = compact_revision
        self.counts = LiveCounts(revision)
        self._index: WatchIndex[Watcher] = WatchIndex()
        self._unsynced: set[Watcher] = set()
        self._recent: deque[Event] = deque()
        self._recent_bytes = 0
        self._recent_after = revision  # every event above it is in `recent`
        self._behind = False  # the history may hold more than has been dispatched
        self._prev_watchers = 0
        self.watchers = 0
        self.lags = Histogram(LAG_SECONDS)  # from a commit here to the outboxes, of its events
        self.sent_events = 0  # to the outboxes of streams
        self._wake = asyncio.Event()
        self._left = CommitQueue(revision)
        self.pacer = Pacer(self.catch_up)

    @property
    def wants_values(self) -> bool:
        """Whether some watcher wants what an event replaced."""
        return self._prev_watchers > 0

    @property
    def slow_watchers(self) -> int:
        """How many watchers are behind."""
        return len(self._unsynced)

    def behind(self) -> int:
        """Return by how many revisions the slowest watcher is behind."""
        slowest = min((watcher.next_revision for watcher in self._unsynced), default=None)
        return 0 if slowest is None else max(self.newest() - slowest + 1, 0)

    def pending_events(self) -> int:
        """Return how many events wait in the outboxes of all streams."""
        watchers = {*self._index.everyone(), *self._unsynced}
        return sum(s.pending_events for s in {watcher.stream for watcher in watchers})

    def offer(self, outcome: Outcome) -> bool:
        """Leave a committed batch; say whether the loop has to come for it now.

        For the writer's thread, before it answers anybody. A watcher that is just being added sees
        the batch, or the batch sees it: either looks only after it has put down its own. So does
        the end of a pause.
        """
        self._left.leave(outcome)
        left = self._left
        return left.full or (not self.pacer.paused and (self.watchers > 0 or left.many))

    def catch_up_unless_paused(self) -> None:
        """Catch up now, or let the end of the pause do it."""
        if self._left.full or not self.pacer.paused:
            self.catch_up()

    def catch_up(self) -> None:
        """Take what the writer has left; on the loop, before anything here is looked at."""
        events: list[Event] = []
        reached, since = self.revision, self._left.since
        for outcome in self._left.take():
            self.compact_revision = max(self.compact_revision, outcome.compact_revision)
            if outcome.first > reached:
                self.signal()  # it does not follow on: read from the history
                break
            events += [event for event in outcome.events if event.revision > reached]
            reached = max(reached, outcome.revision)
        sent = self.sent_events
        self._dispatch(events, reached)
        if self.sent_events > sent:
            self.lags.observe(perf_counter() - since)
            self.pacer.dispatched()

    def newest(self) -> int:
        """Return the revision that the store has reached."""
        return max(self.revision, self._left.revision)

    def signal(self) -> None:
        """Note that the store may have moved on elsewhere."""
        self._behind = True
        self._wake.set()

    def wake(self) -> None:
        """Look again whether an unsynced watcher can be fed."""
        if self._unsynced:
            self._wake.set()

    def add(self, watcher: Watcher) -> None:
        """Take a new watcher, whose `created` notice is in its outbox already."""
        self._prev_watchers += watcher.query.prev_kv
        self.watchers += 1
        self.catch_up()
        if watcher.next_revision > self.revision:
            self._index.add(watcher.query.key, watcher.query.end, watcher)
            return
        self._unsynced.add(watcher)
        self._wake.set()

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        self._prev_watchers -= watcher.query.prev_kv
        self.watchers -= 1
        self._unsynced.discard(watcher)
        self._index.remove(watcher.query.key, watcher.query.end, watcher)

    def caught_up(self, watcher: Watcher) -> bool:
        """Say whether the watcher has had everything, and is not waiting for the future."""
        return watcher not in self._unsynced and watcher.query.start_revision <= self.revision

    async def run(self) -> None:
        """Read for the unsynced, and for all when other servers have written; until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if self._behind:
                    await self._advance()
                await self._feed()
            except Exception:
                self.signal()  # it is still to be read
                raise

    async def _advance(self) -> None:
        """Read and dispatch what was committed elsewhere."""
        while self._behind:
            self._behind = False
            page = await self._page(self.revision + 1, prevs=self.wants_values)
            self.compact_revision = max(self.compact_revision, page.compact_revision)
            if page.compact_revision > self.revision + 1:
                self._lose_synced()
                self._recent.clear()
                self._recent_bytes = 0
                self._recent_after = self.revision = page.compact_revision - 1
                self.counts.reset(self.revision)
            fresh = [event for event in page.events if event.revision > self.revision]
            self._dispatch(fresh, max(page.last, self.revision))
            self._behind = self._behind or page.last < page.revision

    def _lose_synced(self) -> None:
        """Compaction elsewhere overtook this hub: synced watchers are behind it, judge them so."""
        for watcher in list(self._index.everyone()):
            self._fall_behind(watcher, max(watcher.next_revision, self.revision + 1))

    def _fall_behind(self, watcher: Watcher, revision: int) -> None:
        self._index.remove(watcher.query.key, watcher.query.end, watcher)
        watcher.next_revision = revision
        self._unsynced.add(watcher)
        self._wake.set()

    def _dispatch(self, events: list[Event], revision: int) -> None:
        """Hand events, which follow on, to the synced watchers; then `revision` is reached."""
        if revision <= self.revision:
            return
        self._remember(events)
        self.counts.note(events, revision)
        self.revision = revision
        for watchers, matched in self._matches(events):
            batches = list(in_batches(matched))
            for watcher in list(watchers):
                self._offer(watcher, matched, batches)

    def _matches(self, events: list[Event]) -> list[tuple[set[Watcher], list[Event]]]:
        """Return the watchers of each range that some events are in, with those events."""
        matches: dict[int, tuple[set[Watcher], list[Event]]] = {}
        for event in events:
            for watchers in self._index.groups(event.row.key):
                found = matches.get(id(watchers))
                if found is None:
                    found = matches[id(watchers)] = (watchers, [])
                found[1].append(event)
        return list(matches.values())

    def _offer(self, watcher: Watcher, matched: list[Event], batches: list[Batch]) -> None:
        """Give a synced watcher what it wants of some events; without room it falls behind."""
        if not watcher.wants_all(batches[0]):
            matched = [event for event in matched if watcher.wants(event)]
            batches = list(in_batches(matched))
        if not batches:
            return
        if watcher.stream.has_room and _sendable(watcher, batches):
            for batch in batches:
                watcher.send(batch, batch.last)
        else:
            self._fall_behind(watcher, batches[0].first)

    def _remember(self, events: list[Event]) -> None:
        self._recent.extend(events)
        self._recent_bytes += sum(event.size for event in events)
        while len(self._recent) > RECENT_EVENTS or self._recent_bytes > RECENT_BYTES:
            self._recent_after = self._recent[0].revision
            while self._recent and self._recent[0].revision == self._recent_after:
                self._recent_bytes -= self._recent.popleft().size

    async def _feed(self) -> None:
        """Feed every unsynced watcher that has room, until none is left that does."""
        while ready := [watcher for watcher in self._unsynced if watcher.stream.has_room]:
            joined: Shared = {}
            waiting = [watcher for watcher in ready if not self._join(watcher, joined)]
            if not waiting:
                continue
            first = min(watcher.next_revision for watcher in waiting)
            page = await self._page(first, prevs=any(w.query.prev_kv for w in waiting))
            self.compact_revision = max(self.compact_revision, page.compact_revision)
            shared: Shared = {}
            joined = {}
            for watcher in waiting:
                if watcher.live and self._give(watcher, page, shared):
                    self._join(watcher, joined)

    def _give(self, watcher: Watcher, page: Page, shared: Shared) -> bool:
        """Give a watcher its part of a page; say whether it had one and is still there."""
        if watcher.next_revision < page.compact_revision:
            watcher.stream.lose(watcher, page.compact_revision)
            return False
        watcher.judged = True
        if watcher.next_revision > page.last:
            return False
        batches = self._wanted(watcher, page.events, shared)
        if not _sendable(watcher, batches):
            return False  # it asked for prev_kv after the page was ordered without
        for batch in batches:
            watcher.send(batch, page.revision if batch is batches[-1] else batch.last)
        watcher.next_revision = page.last + 1
        return True

    def _join(self, watcher: Watcher, shared: Shared) -> bool:
        """Sync a watcher with what `recent` holds, if that is enough; no await in here."""
        if watcher.next_revision < self.compact_revision:
            watcher.stream.lose(watcher, self.compact_revision)
            return True
        unsure = self._shared and not watcher.judged
        if unsure or watcher.next_revision <= self._recent_after:
            return False
        batches = self._wanted(watcher, self._recent_from(watcher.next_revision), shared)
        if not _sendable(watcher, batches):
            return False
        for batch in batches:
            watcher.send(batch, self.revision if batch is batches[-1] else batch.last)
        watcher.next_revision = max(watcher.next_revision, self.revision + 1)
        self._unsynced.discard(watcher)
        self._index.add(watcher.query.key, watcher.query.end, watcher)
        return True

    def _wanted(self, watcher: Watcher, events: Iterable[Event], shared: Shared) -> list[Batch]:
        """Return what a watcher wants of some events, from `shared` if another wanted the same."""
        query = watcher.query
        wanted = (query.key, query.end, query.filters, watcher.next_revision)
        if wanted not in shared:
            key, end = query.key, query.end
            matched = [
                event
                for event in events
                if in_range(event.row.key, key, end) and watcher.wants(event)
            ]
            shared[wanted] = list(in_batches(matched))
        return shared[wanted]

    def _recent_from(self, revision: int) -> Iterator[Event]:
        """Yield the last events from a revision on."""
        newer = takewhile(lambda event: event.revision >= revision, reversed(self._recent))
        for event in reversed(list(newer)):
            yield self._as_compacted(event)

    def _as_compacted(self, event: Event) -> Event:
        """Return an event without its prev if compaction has taken that."""
        gone = event.prev is not None and event.revision <= self.compact_revision
        return Event(event.row) if gone else event

    async def _page(self, first: int, *, prevs: bool) -> Page:
        return await self._lane.call(lambda session: read_page(session, first, prevs=prevs))


def _sendable(watcher: Watcher, batches: Sequence[Batch]) -> bool:
    """Say whether the events carry what the watcher asked for."""
    return not watcher.query.prev_kv or all(batch.prevs_known for batch in batches)
