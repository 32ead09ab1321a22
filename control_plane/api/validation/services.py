"""Rules of services. Their cluster addresses are in service_addresses.py.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.service_rules import needs_health_check_node_port
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    one_of,
    required,
)
from control_plane.api.validation.labels import validate_labels
from control_plane.api.validation.service_addresses import (
    validate_addresses,
    validate_addresses_update,
)
from control_plane.api.validation.service_ports import (
    validate_distinct_ports,
    validate_service_ports,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_ONLY_LOAD_BALANCER: Final = "may only be used when `type` is 'LoadBalancer'"
_RANGES: Final = "service.beta.kubernetes.io/load-balancer-source-ranges"
_MODE: Final = "service.kubernetes.io/topology-mode"
_HINTS: Final = "service.kubernetes.io/topology-aware-hints"
_DISTRIBUTIONS: Final = ("PreferClose", "PreferSameZone", "PreferSameNode")
_MAX_AFFINITY_SECONDS: Final = 86_400
_POLICIES: Final = ("Cluster", "Local")


def validate_service(service: Object) -> Iterator[FieldError]:
    """Check a Service whose defaults are filled in."""
    spec = service.get("spec") or {}
    yield from _validate_topology(service)
    yield from _validate_type_rules(spec)
    yield from validate_service_ports(spec)
    yield from validate_labels(spec.get("selector"), "spec.selector")
    yield from _validate_affinity(spec)
    yield from validate_addresses(spec)
    for index, address in enumerate(spec.get("externalIPs") or []):
        where = f"spec.externalIPs[{index}]"
        messages = formats.ip_address(address) or formats.endpoint_ip(address)
        yield from invalid_each(where, address, messages)
    yield from one_of("spec.type", spec.get("type"), TYPES)
    yield from validate_distinct_ports(spec)
    yield from _validate_load_balancer(service, spec)
    yield from _validate_traffic(spec)
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS)


def _validate_topology(service: Object) -> Iterator[FieldError]:
    annotations = (service.get("metadata") or {}).get("annotations") or {}
    mode, hints = annotations.get(_MODE), annotations.get(_HINTS)
    if mode is not None and hints is not None and mode != hints:
        detail = f"must match annotations[{_HINTS}] when both are specified"
        yield invalid(f"metadata.annotations[{_MODE}]", mode, detail)


def _validate_type_rules(spec: Object) -> Iterator[FieldError]:
    kind = spec.get("type")
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if kind in ("LoadBalancer", "NodePort") and headless:
        detail = f"may not be set to 'None' for {kind} services"
        yield invalid("spec.clusterIPs[0]", "None", detail)
    if kind == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                yield forbidden(f"spec.{field}", "may not be set for ExternalName services")
        name = (spec.get("externalName") or "").removesuffix(".")
        if not name:
            yield required("spec.externalName")
        else:
            yield from invalid_each("spec.externalName", name, formats.dns1123_subdomain(name))


def _validate_affinity(spec: Object) -> Iterator[FieldError]:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    where = "spec.sessionAffinityConfig"
    yield from one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "None" and config is not None:
        yield forbidden(where, "must not be set when session affinity is None")
    elif affinity == "ClientIP":
        client = (config or {}).get("clientIP") or {}
        seconds = client.get("timeoutSeconds")
        if seconds is None:
            yield required(where, "when session affinity type is ClientIP")
        elif not 0 < seconds <= _MAX_AFFINITY_SECONDS:
            detail = f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}"
            yield invalid(f"{where}.clientIP.timeoutSeconds", seconds, detail)


def _validate_load_balancer(service: Object, spec: Object) -> Iterator[FieldError]:
    is_balanced = spec.get("type") == "LoadBalancer"
    annotations = (service.get("metadata") or {}).get("annotations") or {}
    ranges, where = spec.get("loadBalancerSourceRanges") or [], "spec.LoadBalancerSourceRanges"
    if ranges:
        if not is_balanced:
            yield forbidden(where, _ONLY_LOAD_BALANCER)
        for index, text in enumerate(ranges):
            yield from invalid_each(f"{where}[{index}]", text, formats.cidr(text.strip()))
    elif _RANGES in annotations:
        where = f"metadata.annotations[{_RANGES}]"
        if not is_balanced:
            yield forbidden(where, _ONLY_LOAD_BALANCER)
        for text in filter(None, annotations[_RANGES].strip().split(",")):
            yield from invalid_each(where, text, formats.cidr(text.strip()))
    if spec.get("allocateLoadBalancerNodePorts") is not None and not is_balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER)
    name = spec.get("loadBalancerClass")
    if name is not None:
        if not is_balanced:
            yield forbidden("spec.loadBalancerClass", _ONLY_LOAD_BALANCER)
        yield from invalid_each("spec.loadBalancerClass", name, formats.qualified_name(name))


def _validate_traffic(spec: Object) -> Iterator[FieldError]:
    kind, policy = spec.get("type"), spec.get("externalTrafficPolicy")
    accessible = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )
    if accessible:
        yield from one_of("spec.externalTrafficPolicy", policy, _POLICIES)
    elif policy:
        detail = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, detail)
    health_port = spec.get("healthCheckNodePort") or 0
    if health_port and not needs_health_check_node_port(spec):
        detail = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        yield invalid("spec.healthCheckNodePort", health_port, detail)
    optional = kind not in ("ClusterIP", "NodePort", "LoadBalancer")
    where = "spec.internalTrafficPolicy"
    yield from one_of(where, spec.get("internalTrafficPolicy"), _POLICIES, optional=optional)


def validate_service_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a Service."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_addresses_update(spec, stored)
    if spec.get("type") == "LoadBalancer" == stored.get("type"):
        name = spec.get("loadBalancerClass")
        if name != stored.get("loadBalancerClass"):
            yield invalid("spec.loadBalancerClass", name, "may not change once set")
    both_checked = needs_health_check_node_port(spec) and needs_health_check_node_port(stored)
    if both_checked and spec.get("healthCheckNodePort") != stored.get("healthCheckNodePort"):
        yield forbidden("spec.healthCheckNodePort", IMMUTABLE)
    yield from validate_service(new)


def validate_service_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the load balancer's addresses in a status."""
    ingress = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    where = "status.loadBalancer.ingress"
    if ingress and (new.get("spec") or {}).get("type") != "LoadBalancer":
        yield forbidden(where, "may only be used when `spec.type` is 'LoadBalancer'")
    for index, entry in enumerate(ingress):
        yield from _validate_ingress(entry, f"{where}[{index}]")


def _validate_ingress(entry: Object, path: str) -> Iterator[FieldError]:
    address, mode, host = entry.get("ip"), entry.get("ipMode"), entry.get("hostname")
    if address:
        yield from invalid_each(f"{path}.ip", address, formats.ip_address(address))
        if mode is None:
            yield required(f"{path}.ipMode", "must be specified when `ip` is set")
    elif mode is not None:
        yield forbidden(f"{path}.ipMode", "may not be specified when `ip` is not set")
    if mode is not None and mode not in ("Proxy", "VIP"):
        yield not_supported(f"{path}.ipMode", mode, ("Proxy", "VIP"))
    if host:
        yield from invalid_each(f"{path}.hostname", host, formats.dns1123_subdomain(host))
        if formats.parsed_ip(host) is not None:
            yield invalid(f"{path}.hostname", host, "must be a DNS name, not an IP address")
