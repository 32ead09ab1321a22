"""The objects a cluster has from the start: namespaces, and the service `kubernetes`.

A loop keeps them: what is missing is made, the endpoints follow the API servers that are alive. The
first complete round opens `done`. Each server announces itself in the store with a key that
expires, so that a server that died leaves the endpoints by itself.
Source: the bootstrap controllers of kube-apiserver v1.35.
"""

import asyncio
import ipaddress
import logging
from typing import Any

from control_plane.api.errors import AlreadyExists, ApiError
from control_plane.api.objects import Object, dig
from control_plane.api.resources import (
    ENDPOINTS,
    ENDPOINTSLICES,
    NAMESPACES,
    SERVICES,
    Resource,
)
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.registry import Edit, Registry
from control_plane.apiserver.server_presence import ServerPresence
from control_plane.apiserver.storage.collections import Collections

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
SERVICE_NAME = "kubernetes"
ROUND_SECONDS = 10.0
RETRY_SECONDS = 0.5

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
        self._service_ip = str(config.service_network[1])
        self._collections = collections
        self._registry = registry
        self._presence = presence
        self._call = Call(
            User("system:apiserver", ("system:masters",)), field_manager="kube-apiserver"
        )

    async def run(self) -> None:
        """Round after round for ever; a round that fails is tried again soon."""
        while True:
            try:
                await self._round()
            except (StoreError, ApiError) as error:
                # A missing store is its caches' to report, once; what is left is worth a warning.
                level = logging.INFO if isinstance(error, StoreError) else logging.WARNING
                logger.log(level, "bootstrap waits: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.done.set()
                await asyncio.sleep(ROUND_SECONDS)

    async def _round(self) -> None:
        for collection in self._collections:
            if not await collection.is_loaded(within=ROUND_SECONDS):
                raise StoreError("the datastore has not been read yet")
        for name in SYSTEM_NAMESPACES:
            await self._keep(NAMESPACES, "", {"metadata": {"name": name}})
        await self._keep(SERVICES, "default", kubernetes_service(self._service_ip, self._port))
        addresses = reachable(await self._presence.announce())
        if not addresses:
            return  # a server on loopback alone: nobody else could use such endpoints
        await self._keep(ENDPOINTS, "default", kubernetes_endpoints(addresses, self._port))
        await self._keep(ENDPOINTSLICES, "default", kubernetes_slice(addresses, self._port))

    async def _keep(self, resource: Resource, namespace: str, wanted: Object) -> None:
        """Create the object, or correct the fields of it that `wanted` has."""
        name = wanted["metadata"]["name"]
        current = self._collections.cached(resource, namespace, name)
        if current is not None and _has(current, wanted):
            return
        if current is None:
            try:
                await self._registry.create(resource, namespace, _new(wanted), self._call)
            except AlreadyExists:
                logger.debug("exists already resource=%s name=%s", resource.plural, name)
            else:
                return

        async def correct(stored: Object) -> Object:
            return _merged(stored, wanted)

        await self._registry.update(Edit(resource, namespace, name, correct), self._call)


def reachable(addresses: list[str]) -> list[str]:
    """The addresses that mean the same machine everywhere."""
    return [text for text in addresses if not ipaddress.ip_address(text).is_loopback]


def kubernetes_service(address: str, port: int) -> Object:
    """The service at which pods reach the API."""
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "type": "ClusterIP",
            "sessionAffinity": "None",
        },
    }


def kubernetes_endpoints(addresses: list[str], port: int) -> Object:
    """Its endpoints: every API server that is alive."""
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": address} for address in addresses],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            }
        ],
    }


def kubernetes_slice(addresses: list[str], port: int) -> Object:
    """The same as an EndpointSlice."""
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"kubernetes.io/service-name": SERVICE_NAME},
        },
        "addressType": "IPv6" if ":" in addresses[0] else "IPv4",
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True}} for address in addresses
        ],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }


def _new(wanted: Object) -> Object:
    return {**wanted, "metadata": dict(wanted["metadata"])}


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
