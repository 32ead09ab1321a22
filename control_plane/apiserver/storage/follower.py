"""Keeps what is made of a resource's objects as current as their watch cache.

A cache calls a `Follower` in the moment it takes a change in. An object that is none of ours (it
was put into the store by others) counts as absent and is logged.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry

logger = logging.getLogger(__name__)

Made = TypeVar("Made")
Place = tuple[str, str]
"""A namespace ("" for what is cluster-wide) and a name."""


class Followed(Generic[Made]):
    """What `make` returns for each object of one resource, by namespace and name."""

    def __init__(
        self, collections: Collections, resource: Resource, make: Callable[[Object], Made]
    ) -> None:
        """Follow from the first load of the resource's cache on."""
        self._make = make
        self._by_namespace: dict[str, dict[str, Made]] = {}
        collections.observe(resource, Follower(self._put))

    def get(self, namespace: str, name: str) -> Made | None:
        """What was made of one object; None for one that the cache does not have."""
        found = self._by_namespace.get(namespace)
        return found.get(name) if found is not None else None

    def of(self, namespace: str) -> Iterable[Made]:
        """What was made of the objects of a namespace, in no particular order."""
        found = self._by_namespace.get(namespace)
        return found.values() if found is not None else ()

    def _put(self, place: Place, obj: Object | None) -> None:
        namespace, name = place
        if obj is not None:
            self._by_namespace.setdefault(namespace, {})[name] = self._make(obj)
            return
        found = self._by_namespace.get(namespace, {})
        found.pop(name, None)
        if not found:
            self._by_namespace.pop(namespace, None)


class Follower:
    """Tells `put` of the objects of one cache; None for what is gone."""

    def __init__(self, put: Callable[[Place, Object | None], None]) -> None:
        """Nothing is known before the cache has been loaded."""
        self._put = put
        self._known: set[Place] = set()

    def loaded(self, entries: Iterable[Entry]) -> None:
        """Take the whole state in: what is not among the entries is gone."""
        present = {(entry.namespace, entry.name): entry for entry in entries}
        for place in self._known - present.keys():
            self._take(place, None)
        for place, entry in present.items():
            self._take(place, entry)

    def changed(self, event: CacheEvent) -> None:
        """Take one change in."""
        entry = event.entry or event.previous
        if entry is not None:
            self._take((entry.namespace, entry.name), event.entry)

    def _take(self, place: Place, entry: Entry | None) -> None:
        try:
            self._put(place, orjson.loads(entry.item) if entry is not None else None)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            logger.error("unusable object name=%s/%s: %r", *place, error)
            self._put(place, None)
            entry = None
        if entry is None:
            self._known.discard(place)
        else:
            self._known.add(place)
