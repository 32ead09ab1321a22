"""The writes themselves: compare-and-swap of an object with what is allocated for it.

None is the answer to a write that came too late: somebody else has written in between.
"""

from collections.abc import Iterable

from control_plane.api.errors import AlreadyExists
from control_plane.api.objects import Object, name_of
from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CUSTOMRESOURCEDEFINITIONS,
    INGRESSCLASSES,
    LIMITRANGES,
    MUTATINGWEBHOOKCONFIGURATIONS,
    NAMESPACES,
    OFF_BY_DEFAULT,
    PRIORITYCLASSES,
    RESOURCEQUOTAS,
    ROLEBINDINGS,
    ROLES,
    RUNTIMECLASSES,
    STORAGECLASSES,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
from control_plane.apiserver.admission import Review
from control_plane.apiserver.allocation.allocators import Allocators
from control_plane.apiserver.etcd.model import Part
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.object_store import ObjectStore, Stored

SETTLING_SECONDS = 5.0
DECIDING = frozenset({
    CLUSTERROLEBINDINGS, CLUSTERROLES, CUSTOMRESOURCEDEFINITIONS, INGRESSCLASSES, LIMITRANGES,
    MUTATINGWEBHOOKCONFIGURATIONS, NAMESPACES, PRIORITYCLASSES, RESOURCEQUOTAS, ROLEBINDINGS,
    ROLES, RUNTIMECLASSES, STORAGECLASSES, VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS, VALIDATINGWEBHOOKCONFIGURATIONS, *OFF_BY_DEFAULT,
})  # fmt: skip
"""What admission and authorization read from caches: an answer is given when these have it."""


class Writer:
    """Writes objects; what decides about requests has taken a write in when it returns."""

    def __init__(self, collections: Collections, allocators: Allocators) -> None:
        self._collections = collections
        self._allocators = allocators

    async def add(self, review: Review, others: list[Part]) -> Object | None:
        """Store a new object, if its name is free and nobody took what was allocated."""
        store = self._collections.of(review.resource).store
        obj, name = review.obj, name_of(review.obj)
        namespace = review.namespace if review.resource.namespaced else ""
        if review.call.dry_run:
            if await store.get(namespace, name) is not None:
                raise AlreadyExists.of(review.resource, name)
            return obj
        value = await store.encode(obj)
        swap = await store.put(store.key(namespace, name), value, 0, others)
        if swap.current is not None:
            raise AlreadyExists.of(review.resource, name)
        if not swap.succeeded:
            return None
        await self._settle(store, swap.revision)
        return await store.written(obj, value, swap.revision)

    async def put(
        self, store: ObjectStore, stored: Stored, obj: Object, others: Iterable[Part] = ()
    ) -> Object | None:
        """Write the object's new state; None when somebody else was faster."""
        value = await store.encode(obj)
        swap = await store.put(store.key_of(stored.obj), value, stored.revision, others)
        if not swap.succeeded:
            return None
        await self._settle(store, swap.revision)
        return await store.written(obj, value, swap.revision)

    async def remove(self, store: ObjectStore, stored: Stored, obj: Object) -> Object | None:
        """Remove the object with what was allocated for it; None when somebody else was faster."""
        async with self._allocators.for_removal(store.resource, stored.obj) as others:
            swap = await store.remove(store.key_of(stored.obj), stored.revision, others)
        if not swap.succeeded:
            return None
        await self._settle(store, swap.revision)
        obj["metadata"]["resourceVersion"] = str(swap.revision)
        return obj

    async def _settle(self, store: ObjectStore, revision: int) -> None:
        """Wait until what decides about requests does so about those after this one's answer."""
        if store.resource in DECIDING:
            # the event of this very write is on its way: the store need not be asked
            clock = self._collections.of(store.resource).cache.clock
            await clock.reach(revision, SETTLING_SECONDS)
