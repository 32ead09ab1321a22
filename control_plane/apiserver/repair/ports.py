"""Are the node ports that are taken those that services have? Pure.

A port that nobody has is given up when it was found so three times: servers that claim first and
write afterwards need that time. Source: the port repair controller of kube-apiserver v1.35.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from control_plane.api.objects import Object
from control_plane.apiserver.allocation.port_set import PortSet
from control_plane.apiserver.repair.finding import Finding

ROUNDS_BEFORE_GIVING_UP = 3


class PortVerdict(NamedTuple):
    """The set as it should be, how often each leaked port may still be kept, and what to tell."""

    ports: PortSet
    leaks: dict[int, int]
    findings: list[Finding]


def judge(services: Iterable[Object], stored: PortSet, leaks: Mapping[int, int]) -> PortVerdict:
    """Compare the stored set with the services' ports. `leaks` is that of the round before."""
    rebuilt = PortSet(stored.first, stored.last)
    findings: list[Finding] = []
    for service in services:
        for port in ports_of(service):
            findings += _claim(service, port, rebuilt, stored)
    left: dict[int, int] = {}
    for port in sorted(stored.taken() - rebuilt.taken()):
        rounds = leaks.get(port, ROUNDS_BEFORE_GIVING_UP - 1)
        if rounds > 0:
            left[port] = rounds - 1
            rebuilt.take(port)
    return PortVerdict(rebuilt, left, findings)


def _claim(service: Object, port: int, rebuilt: PortSet, stored: PortSet) -> list[Finding]:
    """Take the port for the service in the rebuilt set; return what is wrong about it."""
    if port not in rebuilt:
        message = (
            f"Port {port} is not within the port range {rebuilt.text}; please recreate service"
        )
        return [Finding(service, "PortOutOfRange", message)]
    if rebuilt.has(port):
        message = f"Port {port} was assigned to multiple services; please recreate service"
        return [Finding(service, "PortAlreadyAllocated", message)]
    rebuilt.take(port)
    if stored.has(port):
        return []
    return [Finding(service, "PortNotAllocated", f"Port {port} is not allocated; repairing")]


def ports_of(service: Object) -> list[int]:
    """The node ports of a service; one that several protocols share counts once."""
    spec = service.get("spec") or {}
    found: list[int] = []
    seen: dict[int, set[str]] = {}
    for port in spec.get("ports") or []:
        number, protocol = port.get("nodePort") or 0, port.get("protocol") or "TCP"
        protocols = seen.setdefault(number, set())
        if number and (not protocols or protocol in protocols):
            found.append(number)
        protocols.add(protocol)
    health = spec.get("healthCheckNodePort") or 0
    if health and (health not in seen or "TCP" in seen[health]):
        found.append(health)
    return found
