"""Cluster IPs, one key per address: an IPAddress object that names its service.

Claiming is creating the key, so two API servers cannot hand out the same address. An address that
nobody asked for comes from the upper part of the range, leaving the lower part to those who do.
Source: the IP allocator of Kubernetes v1.35.
"""

import datetime
import ipaddress
import random
import uuid
from collections.abc import Callable

import orjson

from control_plane.api.objects import Object, dig
from control_plane.api.timestamps import format_time
from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.config import IPNetwork
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import prefix_end

RANDOM_ATTEMPTS = 16
Owner = tuple[str, str]


class ClusterIPs:
    """The addresses of `network`, kept under `prefix`, which ends in a slash."""

    def __init__(
        self,
        etcd: EtcdClient,
        prefix: bytes,
        network: IPNetwork,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        """`network` is the service range."""
        self._etcd = etcd
        self._prefix = prefix
        self._network = network
        self._clock = clock
        self._first = 1
        self._last = network.num_addresses - (2 if network.version == 4 else 1)
        usable = self._last - self._first + 1
        self._reserved = min(max(16, network.num_addresses // 16), 256, usable - 1)

    @property
    def family(self) -> str:
        """IPv4 or IPv6."""
        return f"IPv{self._network.version}"

    async def claim(self, address: str, owner: Owner) -> bool:
        """Claim one address for (namespace, name); False when the owner has it already.

        Raises AllocationError when it is out of range or another service's.
        """
        ip = ipaddress.ip_address(address)
        if ip not in self._network or not self._first <= self._offset(ip) <= self._last:
            raise AllocationError(
                f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid "
                f"range. The range of valid IPs is {self._network}"
            )
        key, value = self._key(str(ip)), self._value(str(ip), owner)
        swap = await self._etcd.put_if(key, value, 0)
        if swap.succeeded:
            return True
        if swap.current is not None and _owner(swap.current.value) == owner:
            return False
        raise AllocationError(f"failed to allocate IP {address}: provided IP is already allocated")

    async def claim_any(self, owner: Owner) -> str:
        """Claim a free address; raises RangeFullError."""
        upper = range(self._first + self._reserved, self._last + 1)
        for _ in range(RANDOM_ATTEMPTS):
            address = await self._try(random.choice(upper), owner)
            if address:
                return address
        taken = await self._taken()
        lower = range(self._first, self._first + self._reserved)
        for offset in (*upper, *lower):
            if offset not in taken:
                address = await self._try(offset, owner)
                if address:
                    return address
        raise RangeFullError("failed to allocate a serviceIP: range is full")

    async def release(self, address: str, owner: Owner) -> None:
        """Give an address back, if it is still the owner's."""
        key = self._key(address)
        kv, _ = await self._etcd.get(key)
        if kv is not None and _owner(kv.value) == owner:
            await self._etcd.delete_if(key, kv.mod_revision)

    async def _try(self, offset: int, owner: Owner) -> str:
        address = str(self._network[offset])
        swap = await self._etcd.put_if(self._key(address), self._value(address, owner), 0)
        return address if swap.succeeded else ""

    async def _taken(self) -> set[int]:
        page = await self._etcd.range(self._prefix, prefix_end(self._prefix))
        names = (kv.key[len(self._prefix) :].decode() for kv in page.kvs)
        addresses = map(ipaddress.ip_address, names)
        return {self._offset(address) for address in addresses if address in self._network}

    def _offset(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
        return int(address) - int(self._network.network_address)

    def _key(self, address: str) -> bytes:
        return self._prefix + address.encode()

    def _value(self, address: str, owner: Owner) -> bytes:
        return orjson.dumps(
            {
                "kind": "IPAddress",
                "apiVersion": "networking.k8s.io/v1",
                "metadata": {
                    "name": address,
                    "uid": str(uuid.uuid4()),
                    "creationTimestamp": format_time(self._clock()),
                    "labels": {
                        "ipaddress.kubernetes.io/ip-family": self.family,
                        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
                    },
                },
                "spec": {
                    "parentRef": {
                        "group": "",
                        "resource": "services",
                        "namespace": owner[0],
                        "name": owner[1],
                    }
                },
            }
        )


def _owner(value: bytes) -> Owner:
    obj: Object = orjson.loads(value)
    parent = dig(obj, "spec", "parentRef", default={})
    return parent.get("namespace", ""), parent.get("name", "")
