"""Cluster IPs: one IPAddress object per address, named by it, that says whose it is.

A claim is the creation of that object, a release its deletion; both are returned as changes that
are made in one transaction with the service. The ranges are those of the ServiceCIDR objects that
are ready. Source: the IP allocator of Kubernetes v1.35 (MultiCIDRServiceAllocator).
"""

import datetime
import ipaddress
import random
import uuid
from collections.abc import Callable, Container

import orjson

from control_plane.api.apply import endpoint_of, track
from control_plane.api.objects import Object, dig, finalizers_of
from control_plane.api.resources import IPADDRESSES, SERVICECIDRS
from control_plane.api.timestamps import format_time
from control_plane.apiserver.allocation.address_range import AddressRange, Below, address_ranges
from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.etcd.model import KeyChange
from control_plane.apiserver.storage.collections import Collections

MANAGER = "kube-apiserver"
MANAGED_BY, FAMILY = "ipaddress.kubernetes.io/managed-by", "ipaddress.kubernetes.io/ip-family"
ALLOCATOR = "ipallocator.k8s.io"

Owner = tuple[str, str]


class ClusterIPs:
    """Chooses addresses; what is taken is read from the cache and settled by the transaction."""

    def __init__(
        self,
        collections: Collections,
        families: tuple[str, ...],
        clock: Callable[[], datetime.datetime],
        below: Below = random.randrange,
    ) -> None:
        """`families` of the cluster, the first one the default; `below` makes random numbers."""
        self.families = families
        self._addresses = collections.of(IPADDRESSES)
        self._cidrs = collections.of(SERVICECIDRS)
        self._clock = clock
        self._below = below

    async def claim(self, address: str, owner: Owner) -> KeyChange:
        """The change that makes `address` the owner's; raises AllocationError."""
        ip = ipaddress.ip_address(address)
        if not any(ip in one for one in self._ranges()):
            raise AllocationError("the provided network does not match the current range")
        if await self._addresses.store.get("", str(ip)) is not None:
            raise AllocationError("provided IP is already allocated")
        return self._creation(str(ip), owner)

    async def claim_any(self, family: str, owner: Owner) -> tuple[str, KeyChange]:
        """A free address and the change that makes it the owner's; raises RangeFullError."""
        address = self._free(family)
        if not address and await self._addresses.refresh():
            address = self._free(family)
        if not address:
            raise RangeFullError
        return address, self._creation(address, owner)

    async def release(self, address: str, owner: Owner) -> list[KeyChange]:
        """The change that frees the address: none if it is not the owner's, or has finalizers."""
        stored = await self._addresses.store.get("", address)
        if stored is None or owner_of(stored.obj) != owner or finalizers_of(stored.obj):
            return []
        return [KeyChange(self._key(address), None, stored.revision)]

    def _ranges(self) -> list[AddressRange]:
        entries = self._cidrs.cache.select()
        return address_ranges((orjson.loads(entry.item) for entry in entries), only_ready=True)

    def _free(self, family: str) -> str:
        taken = _Taken(self._addresses.cache.get)
        for one in self._ranges():
            if one.family == family:
                for address in one.free(taken, self._below):
                    return address
        return ""

    def _creation(self, address: str, owner: Owner) -> KeyChange:
        obj = new_address(address, owner, format_time(self._clock()))
        store = self._addresses.store
        return store.write(self._key(address), store.codec.encode(obj), 0)

    def _key(self, address: str) -> bytes:
        return self._addresses.store.key("", address)


class _Taken(Container[str]):
    """The addresses that have an object, as the cache knows."""

    def __init__(self, get: Callable[[str], object]) -> None:
        self._get = get

    def __contains__(self, address: object) -> bool:
        return self._get(str(address)) is not None


def new_address(address: str, owner: Owner, now: str) -> Object:
    """The IPAddress object by which a service has its address."""
    obj: Object = {
        "metadata": {
            "name": address,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": now,
            "labels": {FAMILY: "IPv6" if ":" in address else "IPv4", MANAGED_BY: ALLOCATOR},
        },
        "spec": {
            "parentRef": {"resource": "services", "namespace": owner[0], "name": owner[1]},
        },
    }
    track(endpoint_of(IPADDRESSES, ""), {}, obj, MANAGER, now)
    return obj


def owner_of(address: Object) -> Owner | None:
    """The (namespace, name) of the service that an IPAddress belongs to; None if to no service."""
    parent = dig(address, "spec", "parentRef", default=None) or {}
    if parent.get("group") or parent.get("resource") != "services":
        return None
    return parent.get("namespace") or "", parent.get("name") or ""
