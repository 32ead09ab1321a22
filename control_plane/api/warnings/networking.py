"""Warnings of services, endpoints, ingresses and network policies.

Called through the WARNINGS table. Source: v1.35 registry strategies of core, discovery and
networking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import annotations_of, dig
from control_plane.api.warnings.addresses import warn_of_address, warn_of_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_HINTS: Final = "service.kubernetes.io/topology-aware-hints"
_MODE: Final = "service.kubernetes.io/topology-mode"
_CLASS: Final = "kubernetes.io/ingress.class"


def warn_of_service(service: Object) -> Iterator[str]:
    """Warn of a Service."""
    spec = service.get("spec") or {}
    if _HINTS in annotations_of(service):
        yield f"annotation {_HINTS} is deprecated, please use {_MODE} instead"
    if spec.get("clusterIP") == "None":
        yield from _warn_of_headless(spec)
    else:
        for index, address in enumerate(spec.get("clusterIPs") or ()):
            yield from warn_of_address(address, f"spec.clusterIPs[{index}]")
    external = spec.get("externalIPs") or []
    for index, address in enumerate(external):
        yield from warn_of_address(address, f"spec.externalIPs[{index}]")
    if spec.get("loadBalancerIP"):
        yield from warn_of_address(spec["loadBalancerIP"], "spec.loadBalancerIP")
    for index, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from warn_of_range(text, f"spec.loadBalancerSourceRanges[{index}]")
    is_external = spec.get("type") == "ExternalName"
    if is_external and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not is_external and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _warn_of_headless(spec: Object) -> Iterator[str]:
    if spec.get("loadBalancerIP"):
        yield "spec.loadBalancerIP is ignored for headless services"
    if spec.get("externalIPs"):
        yield "spec.externalIPs is ignored for headless services"
    if spec.get("sessionAffinity") not in (None, "", "None"):
        yield "spec.SessionAffinity is ignored for headless services"


def warn_of_endpoints(endpoints: Object) -> Iterator[str]:
    """Warn of the addresses of Endpoints."""
    for index, subset in enumerate(endpoints.get("subsets") or ()):
        for field in ("addresses", "notReadyAddresses"):
            for position, address in enumerate(subset.get(field) or ()):
                path = f"subsets[{index}].{field}[{position}].ip"
                yield from warn_of_address(address.get("ip") or "", path)


def warn_of_endpoint_slice(endpoint_slice: Object) -> Iterator[str]:
    """Warn of the addresses of an EndpointSlice."""
    if endpoint_slice.get("addressType") == "FQDN":
        return
    for index, endpoint in enumerate(endpoint_slice.get("endpoints") or ()):
        for position, address in enumerate(endpoint.get("addresses") or ()):
            yield from warn_of_address(address, f"endpoints[{index}].addresses[{position}]")


def warn_of_new_endpoint_slice(endpoint_slice: Object) -> Iterator[str]:
    """Warn of a new EndpointSlice."""
    if endpoint_slice.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"
    yield from warn_of_endpoint_slice(endpoint_slice)


def warn_of_new_ingress(ingress: Object) -> Iterator[str]:
    """Warn of a new Ingress whose class is an annotation."""
    has_class = dig(ingress, "spec", "ingressClassName") is not None
    if _CLASS in annotations_of(ingress) and not has_class:
        yield f"annotation \"{_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def warn_of_network_policy(policy: Object) -> Iterator[str]:
    """Warn of the ranges of a NetworkPolicy."""
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(dig(policy, "spec", field, default=())):
            for position, peer in enumerate(rule.get(peers) or ()):
                block = peer.get("ipBlock") or {}
                path = f"spec.{field}[{index}].{peers}[{position}].ipBlock"
                yield from warn_of_range(block.get("cidr") or "", f"{path}.cidr")
                for place, text in enumerate(block.get("except") or ()):
                    yield from warn_of_range(text, f"{path}.except[{place}]")
