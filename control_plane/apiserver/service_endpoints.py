"""Where a service of the cluster is reached from this process: one of its endpoints.

The API server is a process on a machine whose kernel may not route cluster IPs, so it goes to the
endpoints themselves: those of the EndpointSlices, or of an Endpoints object where somebody keeps
that by hand. Called for webhooks and for aggregated APIs. Source: the service resolver of
kube-aggregator v1.35.
"""

import random
import socket
from collections.abc import Iterator
from typing import Any

import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from control_plane.api import label_selector
from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object, dig
from control_plane.api.resources import ENDPOINTS, ENDPOINTSLICES, SERVICES
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import Selection

SERVICE_LABEL = "kubernetes.io/service-name"
SUFFIX = ".svc"


class UnresolvedError(OSError):
    """There is nobody to connect to; the text is what clients are told."""


class ServiceEndpoints:
    """Finds endpoints by what the watch caches know."""

    def __init__(self, collections: Collections) -> None:
        """Look services and their endpoints up there."""
        self._collections = collections

    def address(self, namespace: str, name: str, port: int) -> tuple[str, int]:
        """Host and port of one ready endpoint, any of them; raises UnresolvedError."""
        service = self._collections.cached(SERVICES, namespace, name)
        if service is None:
            raise UnresolvedError(f"service {quote(name)} not found")
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return spec.get("externalName") or "", port
        port_name = port_name_of(service, port)
        if port_name is None:
            raise UnresolvedError(f"no service port {port} found for service {quote(name)}")
        found = list(self.addresses(namespace, name, port_name))
        if not found:
            raise UnresolvedError(f"no endpoints available for service {quote(name)}")
        return random.choice(found)

    def addresses(self, namespace: str, name: str, port_name: str) -> Iterator[tuple[str, int]]:
        """Every ready endpoint's host and port of that name."""
        slices = self.slices(namespace, name)
        for one in slices:
            yield from _of_slice(one, port_name)
        if not slices:
            endpoints = self._collections.cached(ENDPOINTS, namespace, name) or {}
            yield from _of_endpoints(endpoints, port_name)

    def slices(self, namespace: str, name: str) -> list[Object]:
        """The service's EndpointSlices."""
        labels = label_selector.from_map({SERVICE_LABEL: name})
        cache = self._collections.of(ENDPOINTSLICES).cache
        entries = cache.select(Selection(namespace=namespace, labels=labels))
        return [orjson.loads(entry.item) for entry in entries]

    def has_endpoints(self, namespace: str, name: str) -> bool:
        """Whether anybody keeps endpoints of the service, ready or not."""
        return bool(self.slices(namespace, name)) or (
            self._collections.cached(ENDPOINTS, namespace, name) is not None
        )


def port_name_of(service: Object, port: int) -> str | None:
    """The name ("" for one without) of a service's port; None when it has no such port."""
    ports = dig(service, "spec", "ports", default=[])
    return next((one.get("name") or "" for one in ports if one.get("port") == port), None)


def _of_slice(one: Object, port_name: str) -> Iterator[tuple[str, int]]:
    numbers = [
        port["port"]
        for port in one.get("ports") or ()
        if (port.get("name") or "") == port_name and port.get("port")
    ]
    for endpoint in one.get("endpoints") or ():
        if dig(endpoint, "conditions", "ready", default=True) is not False:
            for address in endpoint.get("addresses") or ():
                yield from ((address, number) for number in numbers)


def _of_endpoints(endpoints: Object, port_name: str) -> Iterator[tuple[str, int]]:
    for subset in endpoints.get("subsets") or ():
        for port in subset.get("ports") or ():
            if (port.get("name") or "") == port_name:
                for address in subset.get("addresses") or ():
                    yield address.get("ip") or "", port["port"]


class ServiceResolver(AbstractResolver):
    """Resolves NAME.NAMESPACE.svc to an endpoint, and other names as the system does.

    A connection is asked for by the service's name, which is the one in its certificate, and goes
    to an endpoint's own address and port.
    """

    def __init__(self, endpoints: ServiceEndpoints) -> None:
        """Ask these."""
        self._endpoints = endpoints
        self._system: ThreadedResolver | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Answer a connector; raises OSError."""
        parts = host.split(".")
        if not host.endswith(SUFFIX) or len(parts) != 3:
            return await self._lookup(host, port, family)
        address, number = self._endpoints.address(parts[1], parts[0], port)
        found = await self._lookup(address, number, family)
        return [{**one, "hostname": host} for one in found]

    async def _lookup(self, host: str, port: int, family: Any) -> list[ResolveResult]:
        if self._system is None:
            self._system = ThreadedResolver()
        return await self._system.resolve(host, port, family)

    async def close(self) -> None:
        """Nothing is kept open."""
