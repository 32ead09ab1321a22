"""Service CIDRs: ready while they stay, and kept until no address depends on them alone.

A finalizer holds a ServiceCIDR that is being deleted. Its Ready condition says so while addresses
of services lie in it and in no other; when none does, ten seconds after the deletion, the finalizer
goes. The allocators of the API servers have then stopped to use it.
Source: kubernetes pkg/controller/servicecidrs.
"""

import datetime
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from control_plane.api.objects import (
    Object,
    dig,
    finalizers_of,
    find_condition,
    is_terminating,
    labels_of,
    name_of,
    resource_version_of,
)
from control_plane.api.resources import IPADDRESSES, SERVICECIDRS
from control_plane.api.timestamps import seconds_since
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, For, Watches

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
GRACE_SECONDS = 10.0
MANAGED_BY, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
READY = {"status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready"}
TERMINATING = {
    "status": "False",
    "reason": "Terminating",
    "message": (
        "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a "
        "new ServiceCIDR"
    ),
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def service_cidrs(_config: ControllersConfig) -> Controller:
    """Return the controller."""
    return Controller(
        "service-cidr-controller",
        "service-cidr-controller",
        reconcile,
        sources=(
            For(SERVICECIDRS),
            Watches(SERVICECIDRS, terminating_beside),
            Watches(IPADDRESSES, terminating_around),
        ),
        workers=1,
    )


def terminating_beside(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the ServiceCIDRs that may go, or may not, because another came or went."""
    if change.event == "update":
        return
    yield from _terminating(cluster)


def terminating_around(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the ServiceCIDRs that may go, or may not, because an address came or went."""
    if change.event == "update" or labels_of(change.latest).get(MANAGED_BY) != ALLOCATOR:
        return
    yield from _terminating(cluster)


def _terminating(cluster: Cluster) -> Iterator[str]:
    return (name_of(one) for one in cluster.list(SERVICECIDRS) if is_terminating(one))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: finalizers and the Ready condition to write (None: as they are)."""

    finalizers: list[str] | None = None
    ready: Object | None = None
    again_after: float | None = None


def plan(
    one: Object, everyone: list[Object], addresses: Iterable[str], now: datetime.datetime
) -> Plan:
    """Return what a ServiceCIDR needs. `everyone` are all of them, `addresses` those of services.

    Pure.
    """
    finalizers = finalizers_of(one)
    if not is_terminating(one):
        wanted = None if FINALIZER in finalizers else [*finalizers, FINALIZER]
        return Plan(wanted, _changed(one, READY))
    if FINALIZER not in finalizers:
        return Plan()
    if not may_go(one, everyone, addresses):
        return Plan(ready=_changed(one, TERMINATING))
    left = GRACE_SECONDS - seconds_since(one["metadata"]["deletionTimestamp"], now)
    if left > 0:
        return Plan(again_after=left)
    return Plan([name for name in finalizers if name != FINALIZER])


def may_go(one: Object, everyone: list[Object], addresses: Iterable[str]) -> bool:
    """Whether every address within a ServiceCIDR lies in another one too."""
    own = networks_of(one)
    others = [
        network
        for other in everyone
        if name_of(other) != name_of(one)
        for network in networks_of(other)
    ]
    if all(any(_contains(other, network) for other in others) for network in own):
        return True
    for text in addresses:
        address = ipaddress.ip_address(text)
        if _is_in(address, own) and not _is_in(address, others):
            return False
    return True


def networks_of(service_cidr: Object) -> list[Network]:
    """Return the ranges that a ServiceCIDR names."""
    ranges = dig(service_cidr, "spec", "cidrs", default=None) or []
    return [ipaddress.ip_network(text, strict=False) for text in ranges]


def _contains(outer: Network, inner: Network) -> bool:
    if outer.version != inner.version or outer.prefixlen > inner.prefixlen:
        return False
    return inner.network_address in outer


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _changed(one: Object, wanted: Object) -> Object | None:
    """Return the wanted condition if the object has another."""
    current = find_condition(one, "Ready") or {}
    if all(current.get(field, "") == value for field, value in wanted.items()):
        return None
    return wanted


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Bring ServiceCIDR `key` where it should be."""
    one = cluster.get(SERVICECIDRS, key)
    if one is None:
        return DONE
    addresses = (
        name_of(address)
        for address in cluster.list(IPADDRESSES)
        if labels_of(address).get(MANAGED_BY) == ALLOCATOR
    )
    step = plan(one, cluster.list(SERVICECIDRS), addresses, cluster.now())
    if step.finalizers is not None:
        metadata = {"finalizers": step.finalizers, "resourceVersion": resource_version_of(one)}
        await cluster.client.patch(SERVICECIDRS, key, {"metadata": metadata})
    if step.ready is not None:
        condition = {"type": "Ready", **step.ready, "lastTransitionTime": cluster.stamp()}
        status = {"status": {"conditions": [condition]}}
        await cluster.client.patch(
            SERVICECIDRS, key, status, subresource="status", kind="strategic"
        )
    return Result(step.again_after)
