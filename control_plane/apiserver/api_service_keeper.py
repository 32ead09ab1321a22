"""Keeps APIService objects: those of the group versions served here, and all their conditions.

At the start every group version gets its object, or a right one again; what is deleted later stays
so until the next start. Conditions follow the objects and, at the latest after RESYNC_SECONDS, the
services behind them. Source: the controllers of kube-aggregator v1.35.
"""

import asyncio
import logging

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, name_of
from control_plane.api.preparation.api_services import local_condition
from control_plane.api.resources import APISERVICES, SERVICES
from control_plane.apiserver.aggregation.availability_counts import AvailabilityCounts
from control_plane.apiserver.aggregation.parts import AggregationParts
from control_plane.apiserver.api_service_objects import (
    ON_START,
    is_in_condition,
    local_api_services,
    outdated,
    with_condition,
)
from control_plane.apiserver.api_service_store import ApiServiceStore
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.apiserver.waiting import say_waiting

LOADING_SECONDS = 10.0
RESYNC_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 2.0  # while one is not available
RETRY_SECONDS = 0.5
# what is done when `done` is, by upstream's names
HOOKS = (
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
    "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
)

logger = logging.getLogger(__name__)


class ApiServiceKeeper:
    """Makes and judges APIServices. `done` is set when every group version has one."""

    def __init__(
        self,
        collections: Collections,
        registry: Registry,
        call: Call,
        aggregation: AggregationParts,
    ) -> None:
        """Act as `call` says; `aggregation` finds out whether remote ones are available."""
        self.done = asyncio.Event()
        self.counts = AvailabilityCounts()
        self._collections = collections
        self._registry = registry
        self._call = call
        self._services = ApiServiceStore(registry, call)
        self._aggregation = aggregation
        self._wanted = local_api_services(collections.resources.rows)

    async def run(self) -> None:
        """Register, then follow for ever; what fails is tried again soon."""
        while True:
            try:
                if not self.done.is_set():
                    await self._register()
                    self.done.set()
                await self._follow()
            except (StoreError, ApiError) as error:
                say_waiting(logger, "api services wait", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _register(self) -> None:
        for resource in (APISERVICES, SERVICES):
            if not await self._collections.of(resource).is_loaded(within=LOADING_SECONDS):
                raise StoreError("the datastore has not been read yet")
        for wanted in self._wanted:
            await self._services.keep(wanted)
        for stale in outdated(self._services.stored(), self._wanted, ON_START):
            await self._services.remove(name_of(stale))

    async def _follow(self) -> None:
        """Judge all, and again whenever one changes, until the cache begins anew."""
        cache = self._collections.of(APISERVICES).cache
        watcher = cache.watch_state(EVERYTHING, with_objects=False)
        try:
            while not watcher.has_ended:
                services = self._services.stored()
                self.counts.keep(map(name_of, services))
                await asyncio.gather(*(self._judge(service) for service in services))
                remotes = self._aggregation.remotes.by_path.values()
                is_settled = all(remote.is_available for remote in remotes)
                await watcher.take(RESYNC_SECONDS if is_settled else LOOK_AGAIN_SECONDS)
        finally:
            cache.unwatch(watcher)
        await asyncio.sleep(RETRY_SECONDS)

    async def _judge(self, service: Object) -> None:
        condition = await self._condition_of(service)
        self.counts.judged(name_of(service), condition)
        if is_in_condition(service, condition):
            return

        async def judged(stored: Object) -> Object:
            if stored.get("spec") != service.get("spec"):
                return stored  # its watch event is on its way
            return with_condition(stored, condition)

        edit = Edit(APISERVICES, "", name_of(service), judged, subresource="status")
        try:
            await self._registry.update(edit, self._call)
        except NotFound:
            logger.debug("gone meanwhile name=%s", name_of(service))

    async def _condition_of(self, service: Object) -> Object:
        remote = self._aggregation.remotes.read(service)
        if remote is None:
            return local_condition(self._registry.now())
        return await self._aggregation.checker.condition(remote, self._registry.now())
