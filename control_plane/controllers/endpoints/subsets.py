"""The subsets of an Endpoints object. Pure.

For every port there is a set of addresses; ports with the same set form one subset. An address is
an IP of one pod; it is not ready as soon as one source says so.

    pods a (ready) and b (not), service ports http→8080 and dns→53 (only a has dns):
        ports [dns:53]     addresses [a]
        ports [http:8080]  addresses [a]  notReadyAddresses [b]

Source: kubernetes pkg/api/v1/endpoints/util.go (RepackSubsets), endpoints_controller.go.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.api.objects import Object, dig, is_terminating
from control_plane.controllers.endpoints.backing_pods import (
    address_of_family,
    families_of,
    hostname_of,
    is_headless,
    publishes_not_ready,
    resolved_ports,
    target_reference,
)
from control_plane.controllers.pod_state import is_ready, is_terminal

MAX_ADDRESSES = 1000
Port = tuple[tuple[str, Any], ...]  # a port's fields, sorted; () is "no ports"
AddressKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Backend:
    """One address, whether it is ready, and the ports it serves."""

    address: Object
    ready: bool
    ports: Sequence[Object]


def backends_of(service: Object, pods: Iterable[Object]) -> list[Backend]:
    """Return what the pods offer to the service."""
    family = families_of(service)[0]
    everybody = publishes_not_ready(service)
    found = []
    for pod in pods:
        ip = address_of_family(pod, family)
        if is_terminal(pod) or not ip or (is_terminating(pod) and not everybody):
            continue
        address = _address(service, pod, ip)
        found.append(Backend(address, everybody or is_ready(pod), resolved_ports(service, pod)))
    return found


def _address(service: Object, pod: Object, ip: str) -> Object:
    address = {"ip": ip, "targetRef": target_reference(pod)}
    if node := dig(pod, "spec", "nodeName"):
        address["nodeName"] = node
    if hostname := hostname_of(pod, service):
        address["hostname"] = hostname
    return address


def subsets_of(service: Object, pods: Iterable[Object]) -> list[Object]:
    """Return the subsets of the service's Endpoints, in a stable order."""
    portless = is_headless(service) and not dig(service, "spec", "ports")
    by_port: dict[Port, dict[AddressKey, Backend]] = {}
    for backend in backends_of(service, pods):
        ports = [()] if portless else [tuple(sorted(_named(p).items())) for p in backend.ports]
        for port in ports:
            _enter(by_port.setdefault(port, {}), backend)
    return [_subset(ports, list(members)) for ports, members in _grouped(by_port)]


def _named(port: Object) -> Object:
    """Return the port without an empty name, as Endpoints have it."""
    return {field: value for field, value in port.items() if value != ""}


def _enter(members: dict[AddressKey, Backend], backend: Backend) -> None:
    key = (backend.address["ip"], backend.address["targetRef"]["uid"])
    known = members.get(key)
    if known is None or not backend.ready:
        members[key] = backend


def _grouped(
    by_port: dict[Port, dict[AddressKey, Backend]],
) -> Iterable[tuple[list[Port], Iterable[Backend]]]:
    """Join the ports whose sets of addresses and readiness are the same."""
    groups: dict[tuple[tuple[AddressKey, bool], ...], list[Port]] = {}
    for port in sorted(by_port):
        identity = tuple(sorted((key, member.ready) for key, member in by_port[port].items()))
        groups.setdefault(identity, []).append(port)
    for ports in groups.values():
        members = by_port[ports[0]]
        yield ports, [members[key] for key in sorted(members)]


def _subset(ports: Sequence[Port], members: Sequence[Backend]) -> Object:
    subset: Object = {}
    if ready := [member.address for member in members if member.ready]:
        subset["addresses"] = ready
    if waiting := [member.address for member in members if not member.ready]:
        subset["notReadyAddresses"] = waiting
    if listed := [dict(port) for port in ports if port]:
        subset["ports"] = listed
    return subset


def truncated(subsets: Sequence[Object]) -> tuple[list[Object], bool]:
    """Return at most 1000 addresses, ready ones first, each subset by its share; True if cut."""
    ready = _count(subsets, "addresses")
    waiting = _count(subsets, "notReadyAddresses")
    if ready + waiting <= MAX_ADDRESSES:
        return list(subsets), False
    ready_room = min(ready, MAX_ADDRESSES)
    cut = _cut(subsets, "addresses", ready_room)
    cut = _cut(cut, "notReadyAddresses", MAX_ADDRESSES - ready_room)
    kept = [one for one in cut if one.get("addresses") or one.get("notReadyAddresses")]
    return kept, True


def _count(subsets: Iterable[Object], field: str) -> int:
    return sum(len(subset.get(field, [])) for subset in subsets)


def _cut(subsets: Sequence[Object], field: str, room: int) -> list[Object]:
    every = _count(subsets, field)
    left, cut = room, []
    for subset in subsets:
        have = subset.get(field, [])
        share = min(left, math.ceil(len(have) * room / every)) if every else 0
        left -= share
        kept = {name: value for name, value in subset.items() if name != field}
        cut.append(kept | ({field: have[:share]} if share else {}))
    return cut
