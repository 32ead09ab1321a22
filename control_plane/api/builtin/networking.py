"""The rows of how pods are reached: discovery.k8s.io, networking.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True)
INGRESSCLASSES = Resource("networking.k8s.io", "v1", "IngressClass", "ingressclasses", False)
INGRESSES = Resource(
    "networking.k8s.io", "v1", "Ingress", "ingresses", True, ("ing",), subresources=(STATUS,),
    storage="ingress",
)  # fmt: skip
IPADDRESSES = Resource("networking.k8s.io", "v1", "IPAddress", "ipaddresses", False, ("ip",))
NETWORKPOLICIES = Resource(
    "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True, ("netpol",)
)
SERVICECIDRS = Resource(
    "networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", False, subresources=(STATUS,)
)

ROWS = (
    ENDPOINTSLICES,
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
)
