"""One resource's store and cache together, and reads that are as new as the caller asks.

A read without a resourceVersion must see everything acknowledged before it. It may come from the
cache once the cache has reached the store's revision; stores that report progress of a watch
correctly (see `progress_gate`) are asked for it, others are read themselves.
"""

import asyncio

from control_plane.api.resources import Resource
from control_plane.apiserver.storage.cache_view import Cache
from control_plane.apiserver.storage.entry import entry_key
from control_plane.apiserver.storage.key_revisions import KeyRevisions
from control_plane.apiserver.storage.object_store import ObjectStore
from control_plane.apiserver.storage.progress_gate import ProgressGate

FRESHNESS_SECONDS = 3.0
ASK_AGAIN_SECONDS = 0.1


class Collection:
    """A resource's `store` and `cache`."""

    def __init__(
        self,
        store: ObjectStore,
        cache: Cache,
        gate: ProgressGate,
        revisions: KeyRevisions,
    ) -> None:
        """Tie the two together."""
        self.store = store
        self.cache = cache
        self._gate = gate
        self._revisions = revisions

    @property
    def resource(self) -> Resource:
        """The resource."""
        return self.cache.resource

    async def read(self, namespace: str, name: str) -> bytes | None:
        """The newest JSON of one object, as clients get it, or None.

        It is the cache's if that has it in the state of the store.
        """
        revision = await self._revisions.of(self.store.key(namespace, name))
        if revision == 0:
            return None
        entry = self.cache.get(entry_key(self.resource, namespace, name))
        if entry is not None and entry.revision == revision:
            return self.cache.codec.whole(entry.item)
        return await self.store.read(namespace, name)

    async def is_loaded(self, within: float = FRESHNESS_SECONDS) -> bool:
        """Wait for the cache's first load; False when it has not come within `within` seconds."""
        return await self.cache.clock.reach(1, within)

    async def refresh(self) -> bool:
        """Bring the cache up to the store's revision of this moment.

        False when that cannot be had within FRESHNESS_SECONDS or from this store at all.
        """
        if not self.cache.clock.is_set:
            return False
        revision = await self.store.revision()
        if self.cache.clock.revision >= revision:
            return True
        if not await self._gate.is_open():
            return False
        return await self.reach(revision)

    async def reach(self, revision: int) -> bool:
        """Wait until the cache is at `revision`; False after FRESHNESS_SECONDS.

        The store is asked again and again: a question is lost when the watch is being renewed. One
        that cannot be asked leaves little to wait for.
        """
        clock = self.cache.clock
        if clock.revision >= revision:
            return True
        patience = FRESHNESS_SECONDS if await self._gate.is_open() else ASK_AGAIN_SECONDS
        deadline = asyncio.get_running_loop().time() + patience
        while asyncio.get_running_loop().time() < deadline:
            self.cache.request_progress()
            if await clock.reach(revision, ASK_AGAIN_SECONDS):
                return True
        return False
