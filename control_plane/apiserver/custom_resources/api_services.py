"""Keeps an APIService for each group version of custom resources, while it has a served version.

One that is deleted or changed comes back; one that somebody else has made is left alone. Source:
the crdregistration and autoregister controllers of the aggregator, v1.35.
"""

import asyncio
import logging
from contextlib import ExitStack

from control_plane.api.errors import ApiError
from control_plane.api.objects import name_of
from control_plane.api.resources import APISERVICES, CUSTOMRESOURCEDEFINITIONS
from control_plane.apiserver.api_service_objects import ALWAYS, custom_api_services, outdated
from control_plane.apiserver.api_service_store import ApiServiceStore, is_changed
from control_plane.apiserver.custom_resources.follower import DefinitionFollower
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.apiserver.storage.watcher import Watcher
from control_plane.apiserver.waiting import say_waiting

LOADING_SECONDS = 5.0
RESYNC_SECONDS = 60.0
RETRY_SECONDS = 0.5
SETTLE_SECONDS = 0.05  # changes come in groups

logger = logging.getLogger(__name__)


class CustomApiServices:
    """Makes and removes APIServices as definitions come and go."""

    def __init__(self, follower: DefinitionFollower, registry: Registry, call: Call) -> None:
        """Write through `registry` as `call` says."""
        self._follower = follower
        self._collections = registry.collections
        self._services = ApiServiceStore(registry, call)
        self._taken = {(row.group, row.version) for row in registry.collections.resources.rows}

    async def run(self) -> None:
        """Follow for ever; what fails is tried again soon."""
        while True:
            try:
                await self._follow()
            except (StoreError, ApiError) as error:
                say_waiting(logger, "api services of custom resources wait", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        both = [self._collections.of(row) for row in (CUSTOMRESOURCEDEFINITIONS, APISERVICES)]
        for collection in both:
            if not await collection.is_loaded(within=LOADING_SECONDS):
                return
        with ExitStack() as stack:
            watchers = []
            for collection in both:
                watcher = collection.cache.watch_state(EVERYTHING, with_objects=False)
                stack.callback(collection.cache.unwatch, watcher)
                watchers.append(watcher)
            while not any(watcher.has_ended for watcher in watchers):
                await self._reconcile()
                await _first_of(watchers)
                await asyncio.sleep(SETTLE_SECONDS)

    async def _reconcile(self) -> None:
        wanted = custom_api_services(self._follower.definitions.values(), self._taken)
        stored = {name_of(one): one for one in self._services.stored()}
        for one in wanted:
            current = stored.get(name_of(one))
            if current is None or is_changed(current, one):
                await self._services.keep(one)
        for stale in outdated(stored.values(), wanted, ALWAYS):
            await self._services.remove(name_of(stale))


async def _first_of(watchers: list[Watcher]) -> None:
    """Wait until one of the watchers has something, or for a resync."""
    takes = [asyncio.ensure_future(watcher.take(RESYNC_SECONDS)) for watcher in watchers]
    try:
        await asyncio.wait(takes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for take in takes:
            take.cancel()
        await asyncio.gather(*takes, return_exceptions=True)
