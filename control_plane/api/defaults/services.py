"""Defaults of Services and their endpoints; cluster addresses and node ports are allocated
elsewhere.

Called through the DEFAULTS table. Source: v1.35 core/v1 and discovery/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

AFFINITY_SECONDS: Final = 10_800
_EXTERNAL_TYPES: Final = ("NodePort", "LoadBalancer")


def default_service(service: Object) -> None:
    """Fill one Service in place."""
    spec = part(service, "spec")
    _default_affinity(spec)
    fill_empty(spec, "type", "ClusterIP")
    for port in parts(spec, "ports"):
        fill_empty(port, "protocol", "TCP")
        fill_empty(port, "targetPort", port.get("port") or 0)
    if is_externally_accessible(spec):
        fill_empty(spec, "externalTrafficPolicy", "Cluster")
    if spec["type"] in (*_EXTERNAL_TYPES, "ClusterIP"):
        fill_absent(spec, "internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        fill_absent(spec, "allocateLoadBalancerNodePorts", True)
        for ingress in parts(service, "status", "loadBalancer", "ingress"):
            if ingress.get("ip"):
                fill_absent(ingress, "ipMode", "VIP")
    fill_absent(part(service, "status"), "loadBalancer", {})


def is_externally_accessible(spec: Object) -> bool:
    """Tell whether traffic from outside the cluster can reach a service by its own means."""
    kind = spec.get("type")
    return kind in _EXTERNAL_TYPES or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _default_affinity(spec: Object) -> None:
    fill_empty(spec, "sessionAffinity", "None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = part(part(spec, "sessionAffinityConfig"), "clientIP")
        fill_absent(client, "timeoutSeconds", AFFINITY_SECONDS)


def default_endpoints(endpoints: Object) -> None:
    """Fill one Endpoints object in place."""
    for port in parts(endpoints, "subsets", "ports"):
        fill_empty(port, "protocol", "TCP")


def default_endpoint_slice(endpoint_slice: Object) -> None:
    """Fill one EndpointSlice in place."""
    for port in parts(endpoint_slice, "ports"):
        fill_absent(port, "name", "")
        fill_absent(port, "protocol", "TCP")
