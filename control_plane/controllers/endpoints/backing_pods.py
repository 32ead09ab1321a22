"""The pods behind a service, as addresses and ports. Shared by Endpoints and EndpointSlices. Pure.

Source: kubernetes pkg/controller/endpoint/endpoints_controller.go, endpointslice/util.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

from control_plane.api.label_selector import from_map
from control_plane.api.objects import (
    Object,
    dig,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import PODS, SERVICES
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.pod_state import is_ready, is_terminal
from control_plane.controllers.sources import Change

HEADLESS = "service.kubernetes.io/headless"
ZONE_LABEL = "topology.kubernetes.io/zone"


def selects_pods(service: Object) -> bool:
    """Whether its endpoints are ours to keep: it has a selector and is not an external name."""
    return bool(dig(service, "spec", "selector") and dig(service, "spec", "type") != "ExternalName")


def is_headless(service: Object) -> bool:
    """Whether the service has no cluster IP by wish."""
    return bool(dig(service, "spec", "clusterIP") == "None")


def publishes_not_ready(service: Object) -> bool:
    """Whether every pod counts as ready."""
    return bool(dig(service, "spec", "publishNotReadyAddresses", default=False))


def pods_of(cluster: Cluster, service: Object) -> list[Object]:
    """Return the cached pods that the service selects, by name."""
    selector = from_map(dig(service, "spec", "selector"))
    pods = cluster.list(PODS, namespace_of(service))
    return sorted((pod for pod in pods if selector.matches(labels_of(pod))), key=name_of)


def services_concerned(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the services whose endpoints a pod's change can change."""
    if change.old and change.new and _projection(change.old) == _projection(change.new):
        return
    labels = [labels_of(pod) for pod in (change.old, change.new) if pod is not None]
    for service in cluster.list(SERVICES, namespace_of(change.latest)):
        wanted = dig(service, "spec", "selector") or {}
        if wanted and any(wanted.items() <= found.items() for found in labels):
            yield key_of(service)


def _projection(pod: Object) -> tuple[Any, ...]:
    """Return the parts of a pod that endpoints are made of."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    return (
        labels_of(pod),
        spec.get("nodeName"),
        spec.get("hostname"),
        spec.get("subdomain"),
        status.get("podIPs"),
        status.get("podIP"),
        is_terminal(pod),
        is_ready(pod),
        dig(pod, "metadata", "deletionTimestamp") is None,
    )


def is_ipv6(address: str) -> bool:
    """Whether an address is of IPv6; one that cannot be read counts as IPv4."""
    try:
        return ipaddress.ip_address(address).version == 6
    except ValueError:
        return False


def pod_addresses(pod: Object) -> list[str]:
    """Return all addresses of a pod, the primary one first."""
    listed = [entry["ip"] for entry in dig(pod, "status", "podIPs", default=[]) if entry.get("ip")]
    primary = dig(pod, "status", "podIP", default="")
    return listed or ([primary] if primary else [])


def address_of_family(pod: Object, family: str) -> str:
    """Return the pod's address of "IPv4" or "IPv6"; "" when it has none."""
    six = family == "IPv6"
    return next((address for address in pod_addresses(pod) if is_ipv6(address) == six), "")


def families_of(service: Object) -> list[str]:
    """Return the service's address families: as it says, by its cluster IP, else both."""
    if families := dig(service, "spec", "ipFamilies"):
        return list(families)
    cluster_ip = dig(service, "spec", "clusterIP", default="")
    if cluster_ip and cluster_ip != "None":
        return ["IPv6" if is_ipv6(cluster_ip) else "IPv4"]
    return ["IPv4", "IPv6"]


def target_reference(pod: Object) -> Object:
    """Return the reference by which an address names its pod."""
    return {
        "kind": "Pod",
        "namespace": namespace_of(pod),
        "name": name_of(pod),
        "uid": uid_of(pod),
    }


def hostname_of(pod: Object, service: Object) -> str:
    """Return the pod's own DNS name below the service; "" when it has none."""
    hostname = dig(pod, "spec", "hostname", default="")
    return str(hostname) if dig(pod, "spec", "subdomain") == name_of(service) else ""


def resolved_ports(service: Object, pod: Object) -> list[Object]:
    """Return the pod's side of the service's ports; one whose name the pod lacks is left out."""
    found = []
    for port in dig(service, "spec", "ports", default=[]):
        protocol = port.get("protocol") or "TCP"
        number = _target_port(port, protocol, pod)
        if number is None:
            continue
        entry = {"name": port.get("name") or "", "port": number, "protocol": protocol}
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        found.append(entry)
    return found


def _target_port(port: Object, protocol: str, pod: Object) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    for container in _serving_containers(pod):
        for offered in container.get("ports") or []:
            same_protocol = (offered.get("protocol") or "TCP") == protocol
            if offered.get("name") == target and same_protocol:
                return int(offered["containerPort"])
    return None


def _serving_containers(pod: Object) -> list[Object]:
    """Return the containers, then the sidecars."""
    inits = dig(pod, "spec", "initContainers", default=[])
    sidecars = [container for container in inits if container.get("restartPolicy") == "Always"]
    return [*dig(pod, "spec", "containers", default=[]), *sidecars]
