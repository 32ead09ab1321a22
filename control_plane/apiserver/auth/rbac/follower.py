"""Keeps Bindings as the watch caches of roles and bindings are.

A cache calls it in the moment it takes a change in. An object that is none of ours (it was put into
the store by others) counts as absent and is logged.
"""

import logging
from collections.abc import Callable, Iterable

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from control_plane.apiserver.auth.rbac.bindings import Bindings, Place, binding_of
from control_plane.apiserver.auth.rbac.permissions import role_of
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry

logger = logging.getLogger(__name__)


def follow(collections: Collections) -> Bindings:
    """Bindings that are kept current from now on."""
    bindings = Bindings()

    def set_role(place: Place, obj: Object | None) -> None:
        bindings.set_role(place, role_of(obj) if obj is not None else None)

    def set_binding(place: Place, obj: Object | None) -> None:
        found = binding_of(obj, place[0]) if obj is not None else None
        bindings.set_binding(place, found)

    for resource in (CLUSTERROLES, ROLES):
        collections.observe(resource, Follower(set_role))
    for resource in (CLUSTERROLEBINDINGS, ROLEBINDINGS):
        collections.observe(resource, Follower(set_binding))
    return bindings


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
            logger.error("unusable object for authorization name=%s/%s: %r", *place, error)
            self._put(place, None)
            entry = None
        if entry is None:
            self._known.discard(place)
        else:
            self._known.add(place)
