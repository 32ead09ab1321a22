"""All objects of one resource in memory, kept current by one watch on the store.

Lists are joined from the bytes here and watches are fed from here, so that any number of clients
costs the store one watch. The cache is loaded by pages pinned to one revision, then follows; after
a lost connection it goes on where it was. When the store no longer has the revision it needs, or
has gone back in time (restored from a backup), every watch is ended and the cache loads anew.

Reads of the state are synchronous: between two awaits, entries, revision and window agree.
Source: the semantics of kube-apiserver's cacher (apiserver/pkg/storage/cacher).
"""

import asyncio
import logging
from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from control_plane.api.resources import Resource
from control_plane.apiserver.encryption.encryption import Sealing
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import CompactedError, StoreError
from control_plane.apiserver.etcd.model import KeyEvent, WatchBatch, prefix_end
from control_plane.apiserver.metrics.histogram import EVENT_BYTES, Histogram
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.converter import (
    Converter,
    converted_batch,
    converted_page,
)
from control_plane.apiserver.storage.entry import Entry, EntryMaker, entry_key
from control_plane.apiserver.storage.event_window import EventWindow
from control_plane.apiserver.storage.outage import StoreOutage
from control_plane.apiserver.storage.progress_gate import ProgressGate
from control_plane.apiserver.storage.revision_clock import RevisionClock
from control_plane.apiserver.storage.selection import EVERYTHING, Selection
from control_plane.apiserver.storage.stored_object import UndecryptableError, UnreadableError
from control_plane.apiserver.storage.watcher import Watcher

if TYPE_CHECKING:
    from control_plane.apiserver.etcd.watch import KeyWatch

LOAD_PAGE = 2_000
DISPATCH_SLICE = 64  # events between two turns of the loop, so that watchers can drain
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 2.0

logger = logging.getLogger(__name__)


class TooOldError(Exception):
    """A watch wants events that the window no longer has; `oldest` is where it begins."""

    def __init__(self, oldest: int) -> None:
        """Remember where the window begins."""
        super().__init__(oldest)
        self.oldest = oldest


class Observer(Protocol):
    """Somebody in this process who keeps something of their own as the cache is."""

    def loaded(self, entries: Iterable[Entry], /) -> None:
        """Take the whole state in, at the first load and when the cache had to begin anew."""

    def changed(self, event: CacheEvent, /) -> None:
        """Take one change in."""


class WatchCache:
    """The cache of one resource; `run` keeps it current until cancelled.

    `encoded_bytes` is the size of all objects as list items; `received` counts the store's events,
    `sent` those of all watches, and `cut_watches` the clients that did not read.
    """

    def __init__(  # noqa: PLR0913 - each is one fact about what lies under the prefix
        self,
        resource: Resource,
        etcd: EtcdClient,
        prefix: bytes,
        outage: StoreOutage | None = None,
        gate: ProgressGate | None = None,
        sealing: Sealing | None = None,
        converter: Converter | None = None,
    ) -> None:
        """Prepare an empty cache of the keys under `prefix`, which ends in a slash.

        `outage` and `gate` are shared by the caches of one store; values lie sealed with `sealing`.
        A `converter` knows versions that the codec does not make of one another.
        """
        self.resource = resource
        self.codec = Codec(resource)
        self.clock = RevisionClock()
        self._etcd = etcd
        self._outage = outage or StoreOutage()
        self._gate = gate or ProgressGate(etcd)
        self._prefix = prefix
        self._converter = converter
        self._maker = EntryMaker(resource, self.codec)
        self._entries: dict[str, Entry] = {}
        self._keys: list[str] = []
        self.encoded_bytes = 0
        self.received = 0
        self.cut_watches = 0
        self.sent = Histogram(EVENT_BYTES)
        self._window = EventWindow(0)
        self._watchers: set[Watcher] = set()
        self._observers: list[Observer] = []
        self._watch: KeyWatch | None = None
        self._locked: dict[bytes, KeyEvent] = {}
        self._sealing = sealing
        if sealing is not None:
            sealing.observe(self._try_again)

    async def run(self) -> None:
        """Load, then follow the store for ever; survives its absence."""
        retry = FIRST_RETRY_SECONDS
        try:
            while True:
                revision = self.clock.revision
                try:
                    await self._load_and_follow()
                except CompactedError:
                    logger.warning("cache resets resource=%s", self.resource.plural)
                    self._reset()
                except StoreError as error:
                    self._outage.waits(self.resource.group_resource, error)
                retry = (
                    FIRST_RETRY_SECONDS
                    if self.clock.revision != revision
                    else min(retry * 2, LAST_RETRY_SECONDS)
                )
                await asyncio.sleep(retry)
        finally:
            self.end_watches()

    def get(self, key: str) -> Entry | None:
        """The object at "namespace/name" or "name", as of the cache's revision."""
        return self._entries.get(key)

    def select(self, selection: Selection = EVERYTHING) -> list[Entry]:
        """The selected objects in key order, as of the cache's revision."""
        if selection.name and (selection.namespace or not self.resource.namespaced):
            entry = self._entries.get(entry_key(self.resource, selection.namespace, selection.name))
            return [entry] if entry is not None and selection.matches(entry) else []
        found = (self._entries[key] for key in self._keys_of(selection.namespace))
        if not selection.name and not selection.is_filtered:
            return list(found)
        return [entry for entry in found if selection.selects(entry)]

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def watches(self) -> int:
        """How many watch."""
        return len(self._watchers)

    @property
    def is_complete(self) -> bool:
        """Whether everything there could be opened: what could not is in no list from here."""
        return not self._locked

    def watch_state(self, selection: Selection, *, with_objects: bool) -> Watcher:
        """Start a watch at the present state, whose objects come first if `with_objects`."""
        initial = self.select(selection) if with_objects else []
        return self._register(Watcher(selection, initial, self.clock.revision))

    def watch_after(self, selection: Selection, revision: int) -> Watcher:
        """Start a watch that gets exactly the events after `revision`; raises TooOldError."""
        if revision < self._window.start:
            raise TooOldError(self._window.start)
        watcher = Watcher(selection, [], revision)
        watcher.replay(self._window.since(revision))
        return self._register(watcher)

    def kept(self, selection: Selection) -> tuple[Resource, Selection]:
        """The version that is kept and the selection: both as they are; a view has others."""
        return self.resource, selection

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of everything from the first load on, in the moment it happens."""
        self._observers.append(observer)

    def unwatch(self, watcher: Watcher) -> None:
        """Forget a watcher; harmless when it has ended already."""
        self._watchers.discard(watcher)

    def end_watches(self) -> None:
        """End every watch: the server stops, or the cache must start anew."""
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            watcher.end()

    def request_progress(self) -> None:
        """Ask the store how far the watch has come, so that the revision moves without events.

        A store whose answer may overtake events is not asked.
        """
        if self._watch is not None and self._gate.is_known_open:
            self._watch.request_progress()

    def _register(self, watcher: Watcher) -> Watcher:
        self._watchers.add(watcher)
        return watcher

    def _keys_of(self, namespace: str) -> list[str]:
        if not namespace:
            return self._keys
        first = bisect_left(self._keys, f"{namespace}/")
        last = bisect_left(self._keys, f"{namespace}0")  # "0" follows "/"
        return self._keys[first:last]

    def _reset(self) -> None:
        self.end_watches()
        self.clock.reset()
        self._entries, self._keys = {}, []
        self._locked.clear()
        self.encoded_bytes = 0

    async def _load_and_follow(self) -> None:
        if not self.clock.is_set:
            await self._load()
        elif await self._etcd.current_revision(self._prefix) < self.clock.revision:
            raise CompactedError("the store has gone back in time")
        watch = self._etcd.watch(self._prefix, prefix_end(self._prefix), self.clock.revision + 1)
        async with watch:
            self._outage.follows(self.resource.group_resource)
            self._watch = watch
            try:
                async for batch in watch.batches():
                    if self._converter is not None:
                        batch = await converted_batch(batch, self._converter, self._sealing)
                    await self._apply(batch)
            finally:
                self._watch = None

    async def _load(self) -> None:
        key, end, revision = self._prefix, prefix_end(self._prefix), 0
        entries: dict[str, Entry] = {}
        while True:
            page = await self._etcd.range(key, end, limit=LOAD_PAGE, revision=revision)
            revision = revision or page.revision
            if self._converter is not None:
                page = await converted_page(page, self._converter, self._sealing)
            for kv in page.kvs:
                entry = self._entry(kv.key, kv.value, kv.mod_revision)
                if entry is not None:
                    entries[entry.key] = entry
            if len(page.kvs) >= page.total:
                break
            key = page.kvs[-1].key + b"\0"
        self._entries, self._keys = entries, sorted(entries)
        self.encoded_bytes = sum(len(entry.item) for entry in entries.values())
        self._window = EventWindow(revision)
        for observer in self._observers:
            observer.loaded(entries.values())
        self.clock.advance(revision)

    async def _apply(self, batch: WatchBatch) -> None:
        """Take a batch in, letting others run between revisions but never within one."""
        since_pause, last = 0, 0
        for event in batch.events:
            if since_pause >= DISPATCH_SLICE and event.revision != last:
                self.clock.advance(last)
                await asyncio.sleep(0)
                since_pause = 0
            self._take(event)
            since_pause, last = since_pause + 1, event.revision
        self.clock.advance(batch.revision)

    def _take(self, event: KeyEvent) -> None:
        self.received += 1
        key = event.key[len(self._prefix) :].decode(errors="replace")
        previous = self._entries.get(key)
        entry = None
        self._locked.pop(event.key, None)
        if event.value is not None:
            entry = self._entry(event.key, event.value, event.revision)
        if previous is not None:
            self.encoded_bytes -= len(previous.item)
        if entry is not None:
            self._entries[key] = entry
            self.encoded_bytes += len(entry.item)
            if previous is None:
                insort(self._keys, key)
        elif previous is not None:
            del self._entries[key]
            del self._keys[bisect_left(self._keys, key)]
        else:
            return
        self._dispatch(CacheEvent(event.revision, entry, previous))

    def _dispatch(self, event: CacheEvent) -> None:
        self._window.append(event)
        for observer in self._observers:
            observer.changed(event)
        for watcher in list(self._watchers):
            watcher.offer(event)
            if watcher.has_ended:
                self._watchers.discard(watcher)
                self.cut_watches += watcher.was_cut

    def _entry(self, key: bytes, value: bytes, revision: int) -> Entry | None:
        """The entry of a stored value; None, and a line in the log, when it is not one of ours."""
        try:
            relative = key[len(self._prefix) :].decode()
            plain = value
            if self._sealing is not None and self._converter is None:
                plain = self._sealing.open(value, key).plain
            return self._maker.entry(relative, plain, revision)
        except (UnreadableError, UnicodeDecodeError) as error:
            logger.error("unreadable object key=%r: %s", key, error)
            if isinstance(error, UndecryptableError):
                self._locked[key] = KeyEvent(key, value, revision)
            return None

    def _try_again(self) -> None:
        """Take in what could not be opened with the keys of before."""
        for event in list(self._locked.values()):
            self._take(event)
