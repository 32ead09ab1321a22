"""One client's watch stream: its watchers, and the bounded outbox of what they have to say.

Everything here runs on the event loop and never waits, but for `WatchStream.take`. The hub pushes
notices; the edge takes and encodes them in that order, which is the only order a client sees.
Events for a watcher whose last notice still waits join that notice, unless something has been
said since that they must not overtake: so a client that is behind gets fewer and larger answers.
A stream whose outbox is full (`OUTBOX_NOTICES` beside one for each watcher, `OUTBOX_BYTES`) gets no
more events: its watchers fall behind and are fed from the history later. Control answers are
bounded by the client itself: the edge reads its next request only when there is room.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.model import FROM_KEY
from datastore.mvcc.watch_batch import BATCH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.mvcc.hub import WatchHub
    from datastore.mvcc.model import Event
    from datastore.mvcc.watch_batch import Batch

OUTBOX_NOTICES = 1_000
OUTBOX_BYTES = 4 << 20
EVERY_WATCHER = -1
NOPUT, NODELETE = 0, 1
EMPTY_RANGE = "mvcc: watcher range is empty"
DUPLICATE_ID = "mvcc: duplicate watch ID provided on the WatchStream"
COMPACTED = "etcdserver: mvcc: required revision has been compacted"


class WatchQuery(NamedTuple):
    """What a client asks to watch; watch_id 0 lets the stream choose."""

    key: bytes
    end: bytes = b""
    start_revision: int = 0
    watch_id: int = 0
    prev_kv: bool = False
    progress_notify: bool = False
    fragment: bool = False
    filters: frozenset[int] = frozenset()


class Notice:
    """One answer on the stream; fields as in a WatchResponse, with its events in batches."""

    __slots__ = (
        "batches",
        "canceled",
        "compact_revision",
        "created",
        "fragment",
        "prev_kv",
        "reason",
        "revision",
        "size",
        "watch_id",
    )

    def __init__(
        self,
        watch_id: int,
        revision: int,
        *,
        created: bool = False,
        canceled: bool = False,
        compact_revision: int = 0,
        reason: str = "",
    ) -> None:
        self.watch_id = watch_id
        self.revision = revision
        self.created = created
        self.canceled = canceled
        self.compact_revision = compact_revision
        self.reason = reason
        self.batches: list[Batch] = []
        self.size = 64
        self.prev_kv = self.fragment = False

    @property
    def events(self) -> Iterator[Event]:
        """The events of the answer, oldest first."""
        return chain.from_iterable(batch.events for batch in self.batches)


class Watcher:
    """A watch. It has been given every matching event below `next_revision`."""

    __slots__ = ("active", "id", "judged", "live", "next_revision", "open", "query", "stream")

    def __init__(self, stream: WatchStream, watch_id: int, query: WatchQuery, first: int) -> None:
        self.stream = stream
        self.id = watch_id
        self.query = query
        self.next_revision = first
        self.live = True  # False once cancelled or closed
        self.judged = False  # its start was held against the store's compact revision
        self.active = False  # had events since the last progress tick
        self.open: Notice | None = None  # waits in the outbox, and may take more events

    def wants(self, event: Event) -> bool:
        """Say whether an event in the watcher's range is for it."""
        if event.revision < self.next_revision:
            return False
        return (NODELETE if event.row.deleted else NOPUT) not in self.query.filters

    def wants_all(self, batch: Batch) -> bool:
        """Say whether every event of a batch in the watcher's range is for it."""
        return not self.query.filters and batch.first >= self.next_revision

    def send(self, batch: Batch, revision: int) -> None:
        """Put a batch into the outbox; the store was at `revision` when it was made."""
        self.active = True
        notice = self.open
        if notice is None or notice.size + batch.size > BATCH_BYTES:
            notice = self.open = Notice(self.id, revision)
            notice.prev_kv, notice.fragment = self.query.prev_kv, self.query.fragment
            self.stream.push(notice)
        notice.batches.append(batch)
        notice.revision = revision
        notice.size += batch.size
        self.stream.joined(batch)


class WatchStream:
    """The watchers of one RPC and their outbox."""

    def __init__(self, hub: WatchHub, progress_interval: float) -> None:
        self._hub = hub
        self._outbox: deque[Notice] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._speaks = False
        self._failure: BaseException | None = None
        self._drained = asyncio.Event()
        self._next_id = 0
        self._interval = progress_interval * (1 + random.random() / 10)
        self._timer: asyncio.TimerHandle | None = None
        self.watchers: dict[int, Watcher] = {}

    def create(self, query: WatchQuery, denied: str = "") -> None:
        """Answer a create request: a watcher and its `created` notice, or why there is none.

        denied is why the caller may not watch this, if he may not.
        """
        self._hub.catch_up()
        query = query._replace(key=query.key or FROM_KEY)
        reason = self._refusal(query, denied)
        if reason:
            revision = self._hub.revision
            self.push(Notice(-1, revision, created=True, canceled=True, reason=reason))
            return
        watch_id = query.watch_id or self._choose_id()
        watcher = Watcher(self, watch_id, query, query.start_revision or self._hub.revision + 1)
        self.watchers[watch_id] = watcher
        self.push(Notice(watch_id, self._hub.revision, created=True))
        self._hub.add(watcher)
        if query.progress_notify and self._timer is None:
            self._schedule()

    def cancel(self, watch_id: int) -> None:
        """Answer a cancel request; an unknown id has no answer."""
        self._hub.catch_up()
        watcher = self.watchers.pop(watch_id, None)
        if watcher is not None:
            self._end(watcher)
            self.push(Notice(watch_id, self._hub.revision, canceled=True))

    def progress(self) -> None:
        """Answer a progress request if every watcher has had everything, else say nothing.

        As in etcd, one that compaction has ended holds it back until the client cancels it.
        """
        self._hub.catch_up()
        watchers = self.watchers.values()
        if watchers and all(w.live and self._hub.caught_up(w) for w in watchers):
            for watcher in watchers:
                watcher.open = None
            self.push(Notice(EVERY_WATCHER, self._hub.revision))
        else:
            self._hub.wake()

    def lose(self, watcher: Watcher, compact_revision: int) -> None:
        """End a watcher that compaction has overtaken; its id stays taken until it is cancelled."""
        self._end(watcher)
        self.push(Notice(watcher.id, 0, canceled=True, compact_revision=compact_revision))

    def _end(self, watcher: Watcher) -> None:
        if watcher.live:
            watcher.live = False
            self._hub.remove(watcher)

    def close(self) -> None:
        """Forget every watcher; the stream is over."""
        if self._timer:
            self._timer.cancel()
        self._speak(False)
        for watcher in self.watchers.values():
            self._end(watcher)

    def _speak(self, speaks: bool) -> None:
        """Tell the hub whether this stream has something to say, when that changes."""
        if speaks is not self._speaks:
            self._speaks, pacer = speaks, self._hub.pacer
            (pacer.busy if speaks else pacer.idle)(self)

    def push(self, notice: Notice) -> None:
        """Add a notice to the outbox."""
        self._speak(True)
        self._outbox.append(notice)
        self._bytes += notice.size
        self._filled.set()

    def joined(self, batch: Batch) -> None:
        """Note that a notice of the outbox has taken a batch."""
        self._bytes += batch.size
        self._hub.sent_events += len(batch.events)

    @property
    def pending_events(self) -> int:
        """How many events wait in the outbox."""
        waiting = chain.from_iterable(notice.batches for notice in self._outbox)
        return sum(len(batch.events) for batch in waiting)

    @property
    def has_room(self) -> bool:
        """Whether more events may be pushed."""
        notices = OUTBOX_NOTICES + len(self.watchers)
        return self._bytes < OUTBOX_BYTES and len(self._outbox) < notices

    @property
    def waiting(self) -> int:
        """How many notices wait."""
        return len(self._outbox)

    async def room(self) -> None:
        """Wait until the outbox has room."""
        while not self.has_room:
            self._drained.clear()
            await self._drained.wait()

    def fail(self, error: BaseException) -> None:
        """End the stream with an error, after what is in the outbox."""
        self._failure = error
        self._filled.set()

    async def take(self) -> Notice:
        """Wait for the next notice and take it out; raise what the stream has failed with."""
        while not self._outbox:
            if self._failure is not None:
                raise self._failure
            self._filled.clear()
            self._speak(False)
            await self._filled.wait()
        full = not self.has_room
        notice = self._outbox.popleft()
        self._bytes -= notice.size
        watcher = self.watchers.get(notice.watch_id)
        if watcher is not None and watcher.open is notice:
            watcher.open = None
        if full and self.has_room:
            self._drained.set()
            self._hub.wake()
        return notice

    def _refusal(self, query: WatchQuery, denied: str) -> str:
        if query.start_revision < 0 or denied:
            return COMPACTED if query.start_revision < 0 else denied
        if query.end and query.end != FROM_KEY and query.key >= query.end:
            return EMPTY_RANGE
        if query.watch_id and query.watch_id in self.watchers:
            return DUPLICATE_ID
        return ""

    def _choose_id(self) -> int:
        while self._next_id in self.watchers:
            self._next_id += 1
        self._next_id += 1
        return self._next_id - 1

    def _schedule(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)

    def _tick(self) -> None:
        """Tell each idle, caught-up watcher that asked for it how far it has come."""
        self._hub.catch_up()
        for watcher in self.watchers.values():
            idle = watcher.live and watcher.query.progress_notify and not watcher.active
            if idle and self.has_room and self._hub.caught_up(watcher):
                watcher.open = None
                self.push(Notice(watcher.id, self._hub.revision))
            watcher.active = False
        self._schedule()
