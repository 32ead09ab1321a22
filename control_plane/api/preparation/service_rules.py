"""Which services need what the API server allocates: cluster IPs, node ports, a health check port.

The rules are pure; the numbers themselves are allocated by the API server, which also asks these
functions. Source: v1.35 service storage and strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

HEADLESS: Final = "None"
_WITH_CLUSTER_IP: Final = ("ClusterIP", "NodePort", "LoadBalancer")


def needs_cluster_ip(spec: Object) -> bool:
    """Tell whether a value belongs in clusterIP, be it an address or "None": not for
    ExternalName.
    """
    return spec.get("type") in _WITH_CLUSTER_IP


def is_headless(spec: Object) -> bool:
    """Tell whether the service asks for no address of its own."""
    return spec.get("clusterIP") == HEADLESS


def needs_node_port(spec: Object) -> bool:
    """Tell whether every port of the service gets a port on the nodes."""
    if spec.get("type") == "NodePort":
        return True
    return (
        spec.get("type") == "LoadBalancer"
        and spec.get("allocateLoadBalancerNodePorts") is not False
    )


def needs_health_check_node_port(spec: Object) -> bool:
    """Tell whether load balancers must be able to ask nodes for the service's local health."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def node_ports(spec: Object) -> set[int]:
    """Return the node ports the service names."""
    return {port["nodePort"] for port in spec.get("ports") or [] if port.get("nodePort")}


def family_of(address: str) -> str:
    """Return "IPv6" or "IPv4" for an address."""
    return "IPv6" if ":" in address else "IPv4"
