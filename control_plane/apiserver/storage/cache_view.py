"""Another version of what a cache holds: one cache serves every version of a stored type.

Events are core/v1 and events.k8s.io/v1, autoscalers autoscaling/v1 and v2. The cache keeps the
version that is stored; a `CacheView` answers in another, converting what is asked for and nothing
else. Watchers get the cache's own entries and events: `Codec.served` converts them as they go out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from control_plane.api.resources import Resource
from control_plane.apiserver.metrics.histogram import EVENT_BYTES, Histogram
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.entry import Entry, EntryMaker
from control_plane.apiserver.storage.revision_clock import RevisionClock
from control_plane.apiserver.storage.selectable_fields import STORED_NAMES
from control_plane.apiserver.storage.selection import EVERYTHING, Selection, Selector
from control_plane.apiserver.storage.watch_cache import WatchCache
from control_plane.apiserver.storage.watcher import Watcher


class Cache(Protocol):
    """What is read from a resource's cache, be it its own or a view; see WatchCache."""

    resource: Resource
    codec: Codec
    clock: RevisionClock
    sent: Histogram

    def get(self, key: str) -> Entry | None:
        """The object at "namespace/name" or "name"."""
        ...

    def select(self, selection: Selection = EVERYTHING) -> list[Entry]:
        """The selected objects in key order."""
        ...

    def __len__(self) -> int: ...

    @property
    def encoded_bytes(self) -> int:
        """The size of all objects."""
        ...

    @property
    def watches(self) -> int:
        """How many watch."""
        ...

    @property
    def received(self) -> int:
        """How many events the store has sent."""
        ...

    @property
    def cut_watches(self) -> int:
        """How many clients did not read what they watched."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether everything there could be opened."""
        ...

    def watch_state(self, selection: Selection, *, with_objects: bool) -> Watcher:
        """Start a watch at the present state."""
        ...

    def watch_after(self, selection: Selection, revision: int) -> Watcher:
        """Start a watch at a revision."""
        ...

    def kept(self, selection: Selection) -> tuple[Resource, Selection]:
        """The version that is kept, and the selection as one of it."""
        ...

    def unwatch(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        ...

    def request_progress(self) -> None:
        """Ask the store how far it has come."""
        ...

    def end_watches(self) -> None:
        """End every watch."""
        ...


class CacheView:
    """The objects of `kept` as those of `resource`, another version of the same type."""

    def __init__(self, resource: Resource, kept: WatchCache) -> None:
        """Look into `kept`, which somebody else runs."""
        self.resource = resource
        self.codec = Codec(resource)
        self.clock = kept.clock
        self.sent = Histogram(EVENT_BYTES)
        self._kept = kept
        self._maker = EntryMaker(resource, self.codec)
        self._names = STORED_NAMES.get((resource.group, resource.plural), {})

    def get(self, key: str) -> Entry | None:
        """The object at "namespace/name" or "name", as of the cache's revision."""
        entry = self._kept.get(key)
        return entry and self._maker.served(entry)

    def select(self, selection: Selection = EVERYTHING) -> list[Entry]:
        """The selected objects in key order, as of the cache's revision."""
        return [self._maker.served(entry) for entry in self._kept.select(self._stored(selection))]

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def encoded_bytes(self) -> int:
        """The size of all objects, as they are kept."""
        return self._kept.encoded_bytes

    @property
    def watches(self) -> int:
        """How many watch, in whatever version."""
        return self._kept.watches

    @property
    def received(self) -> int:
        """How many events the store has sent."""
        return self._kept.received

    @property
    def cut_watches(self) -> int:
        """How many clients did not read what they watched, in whatever version."""
        return self._kept.cut_watches

    @property
    def is_complete(self) -> bool:
        """Whether everything there could be opened."""
        return self._kept.is_complete

    def watch_state(self, selection: Selection, *, with_objects: bool) -> Watcher:
        """Start a watch at the present state, whose objects come first if `with_objects`."""
        return self._kept.watch_state(self._stored(selection), with_objects=with_objects)

    def watch_after(self, selection: Selection, revision: int) -> Watcher:
        """Start a watch that gets exactly the events after `revision`; raises TooOldError."""
        return self._kept.watch_after(self._stored(selection), revision)

    def kept(self, selection: Selection) -> tuple[Resource, Selection]:
        """The version that is kept, and the selection as one of it."""
        return self._kept.resource, self._stored(selection)

    def unwatch(self, watcher: Watcher) -> None:
        """Forget a watcher; harmless when it has ended already."""
        self._kept.unwatch(watcher)

    def request_progress(self) -> None:
        """Ask the store how far the watch has come."""
        self._kept.request_progress()

    def end_watches(self) -> None:
        """End every watch, in whatever version."""
        self._kept.end_watches()

    def _stored(self, selection: Selection) -> Selection:
        """The selection as one of entries in the stored version."""
        if selection.fields is None or not self._names:
            return selection
        return replace(selection, fields=_StoredFields(selection.fields, self._names))


@dataclass(frozen=True, slots=True)
class _StoredFields:
    """A selector of fields, some of which the stored version calls by other `names`."""

    selector: Selector
    names: Mapping[str, str]

    def matches(self, values: Mapping[str, str], /) -> bool:
        """Whether the fields of an entry in the stored version are selected."""
        own = {name: values[stored] for name, stored in self.names.items()}
        return self.selector.matches({**values, **own})
