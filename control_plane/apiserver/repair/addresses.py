"""Are services and IPAddress objects one to one? Pure.

A service's address has an object that names the service, and an object of the allocator names a
service that has the address. An object whose service is missing is left alone for a minute: servers
that claim first and write afterwards need that time.
Source: the IP repair controller of kube-apiserver v1.35.
"""

import datetime
import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from control_plane.api.objects import Object, dig, labels_of, name_of, namespace_of
from control_plane.api.preparation import service_rules as rules
from control_plane.api.timestamps import seconds_since
from control_plane.apiserver.allocation.address_range import AddressRange
from control_plane.apiserver.allocation.cluster_ips import (
    ALLOCATOR,
    FAMILY,
    MANAGED_BY,
    Owner,
    owner_of,
)
from control_plane.apiserver.repair.finding import Finding, Remedy

GRACE_SECONDS = 60.0

Services = Mapping[Owner, Object]
Addresses = Mapping[str, Object]


def judge(
    services: Services,
    addresses: Addresses,
    ranges: Iterable[AddressRange],
    now: datetime.datetime,
) -> Iterator[Finding]:
    """Yield what is wrong between services, by (namespace, name), and IPAddresses, by name.

    `ranges` are those of all ServiceCIDRs, ready or not.
    """
    known = list(ranges)
    for service in services.values():
        for text in addresses_of(service):
            yield from _judge_service(service, text, services, addresses, known)
    for address in addresses.values():
        if labels_of(address).get(MANAGED_BY) == ALLOCATOR:
            yield from _judge_address(address, services, now)


def addresses_of(service: Object) -> list[str]:
    """The cluster IPs of a service: none for one that is headless or ExternalName."""
    spec = service.get("spec") or {}
    if not rules.needs_cluster_ip(spec) or rules.is_headless(spec):
        return []
    return [text for text in spec.get("clusterIPs") or [] if text and text != rules.HEADLESS]


def _judge_service(
    service: Object,
    text: str,
    services: Services,
    addresses: Addresses,
    ranges: list[AddressRange],
) -> Iterator[Finding]:
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        message = f"Cluster IP {text} is not a valid IP; please recreate Service"
        yield Finding(service, "ClusterIPNotValid", message)
        return
    family, owner = f"IPv{ip.version}", (namespace_of(service), name_of(service))
    if not any(ip in one for one in ranges):
        message = (
            f"Cluster IP [{family}]: {ip} is not within any configured Service CIDR; "
            "please recreate service"
        )
        yield Finding(service, "ClusterIPOutOfRange", message)
        return
    address = addresses.get(str(ip))
    if address is None:
        message = f"Cluster IP [{family}]: {ip} is not allocated; repairing"
        yield Finding(service, "ClusterIPNotAllocated", message, str(ip), Remedy.CREATE, owner)
        return
    named = owner_of(address)
    if named == owner:
        if not _has_labels(address, family):
            yield Finding(service, address=str(ip), remedy=Remedy.REPLACE, owner=owner)
        return
    other = services.get(named) if named is not None else None
    if other is None:
        message = (
            f"the ClusterIP [{family}]: {ip} for Service {owner[0]}/{owner[1]} has a wrong "
            "reference; repairing"
        )
        yield Finding(service, "ClusterIPNotAllocated", message, str(ip), Remedy.REPLACE, owner)
    elif str(ip) in addresses_of(other):
        message = (
            f"Cluster IP [{family}]:{ip} was assigned to multiple services; please recreate service"
        )
        yield Finding(service, "ClusterIPAlreadyAllocated", message)


def _has_labels(address: Object, family: str) -> bool:
    labels = labels_of(address)
    return (labels.get(FAMILY), labels.get(MANAGED_BY)) == (family, ALLOCATOR)


def _judge_address(
    address: Object, services: Services, now: datetime.datetime
) -> Iterator[Finding]:
    name, owner = name_of(address), owner_of(address)
    if owner is None:
        message = (
            f"IPAddress {name} appears to have been modified, not referencing a Service "
            f"{_parent(address)}: cleaning up"
        )
        yield Finding(address, "IPAddressNotAllocated", message, name, Remedy.REMOVE)
        return
    service = services.get(owner)
    if service is None:
        if _grace(address, now) >= 0:
            return
        message = (
            f"IPAddress: {name} for Service {owner[0]}/{owner[1]} appears to have leaked: "
            "cleaning up"
        )
        yield Finding(address, "IPAddressNotAllocated", message, name, Remedy.REMOVE)
    elif name not in addresses_of(service):
        message = (
            f"IPAddress: {name} for Service {owner[0]}/{owner[1]} has a wrong reference; "
            "cleaning up"
        )
        yield Finding(address, "IPAddressWrongReference", message, name, Remedy.REMOVE)


def grace_left(services: Services, addresses: Addresses, now: datetime.datetime) -> list[float]:
    """For how many seconds each IPAddress without its service is left alone."""
    orphans = (one for one in addresses.values() if owner_of(one) not in services)
    return [left for left in (_grace(one, now) for one in orphans) if left >= 0]


def _grace(address: Object, now: datetime.datetime) -> float:
    made = (address.get("metadata") or {}).get("creationTimestamp")
    return GRACE_SECONDS - seconds_since(made, now) if made else -1.0


def _parent(address: Object) -> str:
    """The parent as Go prints it."""
    parent = dig(address, "spec", "parentRef", default=None) or {}
    fields = ("group", "resource", "namespace", "name")
    values = "".join(f"{name.capitalize()}:{parent.get(name, '')}," for name in fields)
    return f"&ParentReference{{{values}}}"
