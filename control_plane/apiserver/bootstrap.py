"""Keeps the objects that a cluster has from the start, and this server among the living ones.

A loop of rounds: what is missing is made, the endpoints of `kubernetes` follow the API servers that
are alive. The first complete round opens `done`. Each server announces itself in the store with a
key that expires, so that a server that died leaves the endpoints by itself; one that is stopped
takes its key away. Source: the bootstrap controllers of kube-apiserver v1.35.
"""

import asyncio
import dataclasses
import datetime
import logging
import socket
import uuid
from typing import Any

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.objects import Object, dig
from control_plane.api.resources import (
    CONFIGMAPS,
    ENDPOINTS,
    ENDPOINTSLICES,
    LEASES,
    NAMESPACES,
    PRIORITYCLASSES,
    SERVICECIDRS,
    SERVICES,
    Resource,
)
from control_plane.api.timestamps import micro_now
from control_plane.apiserver import bootstrap_objects as objects
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.identity_leases import remove_expired
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.server_presence import ServerPresence
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.trusted_callers import CONFIG_MAP, TrustedCallers, combined_data
from control_plane.apiserver.waiting import say_waiting

ROUND_SECONDS = 10.0
RETRY_SECONDS = 0.5
LEAVING_SECONDS = 2.0
ROUNDS_BETWEEN_SWEEPS = 360  # of identity leases: an hour

# upstream's names for what the first round does
HOOKS = (
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-legacy-token-tracking-controller",
    "scheduling/bootstrap-system-priority-classes",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
)

logger = logging.getLogger(__name__)


class Bootstrap:
    """Makes and keeps the first objects. `done` is set after the first complete round."""

    def __init__(
        self,
        config: ApiServerConfig,
        port: int,
        collections: Collections,
        registry: Registry,
        presence: ServerPresence,
    ) -> None:
        """`port` is the one that is listened on; `presence` knows the living servers."""
        self.done = asyncio.Event()
        self._port = port
        self._ranges = [str(network) for network in config.service_networks]
        self._service_ips = [str(config.service_networks[0][1])]
        self._config = config
        self._collections = collections
        self._registry = registry
        self._presence = presence
        self._rounds = 0
        self._hostname = socket.gethostname()
        self._holder = f"{objects.server_identity(self._hostname)}_{uuid.uuid4()}"
        self.call = Call(
            User("system:apiserver", ("system:masters",)), field_manager="kube-apiserver"
        )

    async def run(self) -> None:
        """Round after round for ever; a round that fails is tried again soon."""
        try:
            while True:
                try:
                    await self._round()
                except (StoreError, ApiError) as error:
                    say_waiting(logger, "bootstrap waits", error)
                    await asyncio.sleep(RETRY_SECONDS)
                except Exception:  # an object of another's making ends no server
                    logger.exception("bootstrap round failed")
                    await asyncio.sleep(ROUND_SECONDS)
                else:
                    self.done.set()
                    await asyncio.sleep(ROUND_SECONDS)
        finally:
            await self._leave()

    async def _round(self) -> None:
        for collection in self._collections:
            if not await collection.is_loaded(within=ROUND_SECONDS):
                raise StoreError("the datastore has not been read yet")
        for name in objects.SYSTEM_NAMESPACES:
            await self._keep(NAMESPACES, "", {"metadata": {"name": name}})
        await self._keep_service_cidr()
        service = objects.kubernetes_service(self._service_ips, self._port)
        await self._keep(SERVICES, "default", service)
        await self._keep_endpoints(await self._presence.announce())
        await self._keep_small_objects()
        if self._rounds % ROUNDS_BETWEEN_SWEEPS == 0:
            await remove_expired(self._collections, self._registry, self.call)
        self._rounds += 1

    async def _keep_small_objects(self) -> None:
        await self._keep_trusted_callers()
        tracking = objects.token_tracking_config_map(self._registry.now()[:10])
        await self._make(CONFIGMAPS, "kube-system", tracking)
        lease = objects.identity_lease(self._hostname, self._holder, micro_now())
        await self._keep(LEASES, "kube-system", lease)
        if not self._rounds:
            for priority_class in objects.PRIORITY_CLASSES:
                await self._make(PRIORITYCLASSES, "", priority_class)

    async def _keep_trusted_callers(self) -> None:
        """Have the ConfigMap say whom this server believes, too."""
        found = self._collections.cached(CONFIGMAPS, "kube-system", CONFIG_MAP) or {}
        now = datetime.datetime.now(datetime.UTC)
        try:
            own = await asyncio.to_thread(TrustedCallers.of, self._config)
            data = combined_data(found.get("data") or {}, own, now)
        except (OSError, ValueError) as error:  # a file is being replaced
            logger.info("the authorities of clients are read later: %s", error)
            return
        wanted = {"metadata": {"name": CONFIG_MAP}, "data": data}
        await self._keep(CONFIGMAPS, "kube-system", wanted)

    async def _keep_service_cidr(self) -> None:
        """Have the default ServiceCIDR there before the first service; it is never narrowed."""
        name, wanted = objects.SERVICE_CIDR_NAME, objects.default_service_cidr(self._ranges)
        current = self._collections.cached(SERVICECIDRS, "", name)
        if current is None:
            await self._make(SERVICECIDRS, "", wanted)
            current = await self._collections.live(SERVICECIDRS, "", name)
        if current is None:
            raise StoreError("the default ServiceCIDR was deleted at once")
        if objects.gains_a_family(current, self._ranges):
            current = await self._correct(SERVICECIDRS, "", wanted)
        if objects.is_unjudged(current, self._ranges):
            current = await self._judge_service_cidr()
        revision = int(current["metadata"]["resourceVersion"])
        await self._collections.of(SERVICECIDRS).reach(revision)

    async def _judge_service_cidr(self) -> Object:
        async def ready(stored: Object) -> Object:
            if not objects.is_unjudged(stored, self._ranges):
                return stored
            return objects.with_ready_condition(stored, self._registry.now())

        edit = Edit(SERVICECIDRS, "", objects.SERVICE_CIDR_NAME, ready, subresource="status")
        manager = "kubernetes-service-cidr-controller"
        call = dataclasses.replace(self.call, field_manager=manager)
        changed, _ = await self._registry.update(edit, call)
        return changed

    async def _keep_endpoints(self, living: list[str]) -> None:
        addresses = objects.reachable(living)
        if not addresses:
            return  # a server on loopback alone: nobody else could use such endpoints
        endpoints = objects.kubernetes_endpoints(addresses, self._port)
        await self._keep(ENDPOINTS, "default", endpoints)
        await self._keep(ENDPOINTSLICES, "default", objects.kubernetes_slice(addresses, self._port))

    async def _leave(self) -> None:
        """Take this server out of the living ones: it stops. Best effort, and soon."""
        if not self.done.is_set():
            return
        try:
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._keep_endpoints(await self._presence.leave())
        except (StoreError, ApiError, TimeoutError) as error:
            logger.info("the server's key expires by itself: %s", error)

    async def _make(self, resource: Resource, namespace: str, wanted: Object) -> bool:
        """Create the object unless it exists, whatever it looks like; say whether it did not."""
        name = wanted["metadata"]["name"]
        if self._collections.cached(resource, namespace, name) is not None:
            return False
        try:
            obj = {**wanted, "metadata": dict(wanted["metadata"])}
            await self._registry.create(resource, namespace, obj, self.call)
        except AlreadyExists:
            return False
        return True

    async def _keep(self, resource: Resource, namespace: str, wanted: Object) -> None:
        """Create the object, or correct the fields of it that `wanted` has."""
        name = wanted["metadata"]["name"]
        current = self._collections.cached(resource, namespace, name)
        if current is not None and _has(current, wanted):
            return
        if current is None and await self._make(resource, namespace, wanted):
            return
        try:
            await self._correct(resource, namespace, wanted)
        except NotFound:
            logger.debug("gone meanwhile resource=%s name=%s", resource.plural, name)

    async def _correct(self, resource: Resource, namespace: str, wanted: Object) -> Object:
        async def correct(stored: Object) -> Object:
            return _merged(stored, wanted)

        edit = Edit(resource, namespace, wanted["metadata"]["name"], correct)
        changed, _ = await self._registry.update(edit, self.call)
        return changed


def _has(current: Any, wanted: Any) -> bool:
    """Whether every field of `wanted` is in `current` with that value."""
    if isinstance(wanted, dict):
        return isinstance(current, dict) and all(
            _has(current.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(current, list)
            and len(current) == len(wanted)
            and all(map(_has, current, wanted))
        )
    return bool(current == wanted)


def _merged(current: Object, wanted: Object) -> Object:
    merged = dict(current)
    for key, value in wanted.items():
        inner = dig(current, key, default=None)
        is_map = isinstance(value, dict) and isinstance(inner, dict)
        merged[key] = _merged(inner, value) if is_map else value
    return merged
