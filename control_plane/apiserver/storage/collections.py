"""Every stored resource's store and cache, and the reads that admission and subresources need."""

import asyncio
import time
from collections.abc import Iterator

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import EVENTS, STORAGE_ROOT, Resource, ResourceSet
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.storage.collection import Collection
from control_plane.apiserver.storage.leases import ObjectLeases
from control_plane.apiserver.storage.object_store import ObjectStore
from control_plane.apiserver.storage.outage import StoreOutage
from control_plane.apiserver.storage.progress_gate import ProgressGate
from control_plane.apiserver.storage.watch_cache import WatchCache


class Collections:
    """The collections of `resources` under the key prefix `root`, such as "/registry"."""

    def __init__(
        self, resources: ResourceSet, etcd: EtcdClient, root: str, event_ttl_seconds: int
    ) -> None:
        """Prepare them; nothing is read before `run`."""
        self.resources = resources
        gate, outage = ProgressGate(etcd), StoreOutage()
        leases = ObjectLeases(etcd, event_ttl_seconds, time.monotonic)
        self._collections: dict[Resource, Collection] = {}
        for resource in resources.rows:
            if not resource.is_stored:
                continue
            prefix = f"{root}/{resource.storage_prefix.removeprefix(STORAGE_ROOT)}".encode()
            expiring = leases if resource.storage_prefix == EVENTS.storage_prefix else None
            store = ObjectStore(resource, etcd, prefix, expiring)
            cache = WatchCache(resource, etcd, prefix, outage)
            self._collections[resource] = Collection(store, cache, gate)

    def of(self, resource: Resource) -> Collection:
        """The collection of a stored resource."""
        return self._collections[resource]

    def __iter__(self) -> Iterator[Collection]:
        return iter(self._collections.values())

    async def run(self) -> None:
        """Keep every cache current until cancelled."""
        async with asyncio.TaskGroup() as group:
            for collection in self:
                name = f"cache {collection.resource.group_resource}"
                group.create_task(collection.cache.run(), name=name)

    def end_watches(self) -> None:
        """End every client's watch."""
        for collection in self:
            collection.cache.end_watches()

    def cached(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """A copy of an object as the cache has it, which may be a little old; None if absent."""
        collection = self.of(resource)
        entry = collection.cache.get(f"{namespace}/{name}" if resource.namespaced else name)
        if entry is None:
            return None
        obj: Object = orjson.loads(collection.cache.codec.whole(entry.item))
        return obj

    async def live(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """An object as the store has it now; None if absent."""
        stored = await self.of(resource).store.get(namespace, name)
        return stored.obj if stored is not None else None

    async def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The cached object, or what the store says when the cache has none."""
        cached = self.cached(resource, namespace, name)
        return cached if cached is not None else await self.live(resource, namespace, name)
