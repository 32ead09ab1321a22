"""Every stored resource's store and cache, and the reads that admission and subresources need."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import orjson

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object
from control_plane.api.resources import EVENTS, STORAGE_ROOT, Resource, ResourceSet
from control_plane.apiserver.encryption.encryption import Encryption
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.storage.cache_view import CacheView
from control_plane.apiserver.storage.collection import Collection
from control_plane.apiserver.storage.entry import entry_key
from control_plane.apiserver.storage.key_revisions import KeyRevisions
from control_plane.apiserver.storage.leases import ObjectLeases
from control_plane.apiserver.storage.object_store import ObjectStore
from control_plane.apiserver.storage.outage import StoreOutage
from control_plane.apiserver.storage.progress_gate import ProgressGate
from control_plane.apiserver.storage.watch_cache import Observer, WatchCache

if TYPE_CHECKING:
    from control_plane.apiserver.storage.converter import Converter


class Collections:
    """The collections of `resources` under the key prefix `root`, such as "/registry"."""

    def __init__(
        self,
        resources: ResourceSet,
        etcd: EtcdClient,
        root: str,
        event_ttl_seconds: int,
        encryption: Encryption | None = None,
    ) -> None:
        """Prepare them; nothing is read before `run`."""
        self.resources = resources
        self._built_in = resources
        self.etcd, self.root, self._encryption = etcd, root, encryption
        self._gate, self._outage = gate, outage = ProgressGate(etcd), StoreOutage()
        self._revisions = KeyRevisions(etcd)
        leases = ObjectLeases(etcd, event_ttl_seconds, time.monotonic)
        stored = [resource for resource in resources.rows if resource.is_stored]
        prefixes = {resource: _prefix(root, resource) for resource in stored}
        sealings = {one: encryption.sealing(one) if encryption else None for one in stored}
        self.caches = {  # one for each prefix, in the version that is stored
            prefixes[resource]: WatchCache(
                resource, etcd, prefixes[resource], outage, gate, sealings[resource]
            )
            for resource in stored
            if resources.keeps(resource)
        }
        self._collections: dict[Resource, Collection] = {}
        self._group: asyncio.TaskGroup | None = None
        self._custom: dict[Resource, asyncio.Task[None]] = {}
        self.converters: Callable[[Resource], Converter | None] = lambda _resource: None
        for resource in stored:
            prefix = prefixes[resource]
            expiring = leases if resource.storage_prefix == EVENTS.storage_prefix else None
            store = ObjectStore(resource, etcd, prefix, expiring, sealings[resource])
            kept = self.caches[prefix]
            cache = kept if kept.resource == resource else CacheView(resource, kept)
            self._collections[resource] = Collection(store, cache, gate, self._revisions)

    def of(self, resource: Resource) -> Collection:
        """The collection of a stored resource; raises NotFound when it is served no more.

        That of a custom resource begins to be kept when it is first asked for.
        """
        try:
            return self._collections[resource]
        except KeyError:
            return self._open(resource)

    def _open(self, resource: Resource) -> Collection:
        served = self.resources.named(resource.group, resource.version, resource.plural)
        if served is not resource or resource.custom is None or self._group is None:
            raise NotFound("the server could not find the requested resource")
        prefix = _prefix(self.root, resource)
        converter = self.converters(resource)
        sealing = self._encryption.sealing(resource) if self._encryption else None
        store = ObjectStore(resource, self.etcd, prefix, None, sealing, converter)
        cache = WatchCache(
            resource, self.etcd, prefix, self._outage, self._gate, sealing, converter
        )
        self._collections[resource] = Collection(store, cache, self._gate, self._revisions)
        name = f"cache {resource.group_resource}"
        self._custom[resource] = self._group.create_task(cache.run(), name=name)
        return self._collections[resource]

    def serve(self, custom: Iterable[Resource]) -> None:
        """Serve these custom resources beside the built-in ones, and no others any more.

        The watches of those that go, or change, end.
        """
        self.resources = self._built_in.extended(*custom)
        rows = set(self.resources.rows)
        for resource in [row for row in self._custom if row not in rows]:
            self._custom.pop(resource).cancel()
            del self._collections[resource]

    def __iter__(self) -> Iterator[Collection]:
        return iter([*self._collections.values()])

    async def run(self) -> None:
        """Keep every cache current until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._revisions.run(), name="revisions of keys")
            for cache in self.caches.values():
                group.create_task(cache.run(), name=f"cache {cache.resource.group_resource}")

    def observe(self, resource: Resource, observer: Observer) -> None:
        """Tell `observer` of all objects of a resource that is stored in its own version."""
        next(cache for cache in self.caches.values() if cache.resource == resource).observe(
            observer
        )

    def end_watches(self) -> None:
        """End every client's watch."""
        for cache in self.caches.values():
            cache.end_watches()
        for resource in self._custom:
            self._collections[resource].cache.end_watches()

    def cached(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """A copy of an object as the cache has it, which may be a little old; None if absent."""
        collection = self.of(resource)
        entry = collection.cache.get(entry_key(resource, namespace, name))
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


def _prefix(root: str, resource: Resource) -> bytes:
    return f"{root}/{resource.storage_prefix.removeprefix(STORAGE_ROOT)}".encode()
