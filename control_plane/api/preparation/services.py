"""Preparation of services: address fields in step, allocated values kept, fields of another type
dropped.

Called by strategies.py. Rules of need: service_rules.py. Source: v1.35 service storage and
strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.preparation import service_rules as rules
from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def create_service(service: Object, _now: str) -> None:
    """Start without load balancer status, with clusterIP and clusterIPs in step."""
    service["status"] = {"loadBalancer": {}}
    spec = service.setdefault("spec", {})
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def update_service(new: Object, old: Object, _now: str) -> None:
    """Keep status and allocated values; drop what belonged to the old type and was not touched."""
    keep(new, old, "status")
    spec, stored = new.setdefault("spec", {}), old.get("spec") or {}
    _sync_cluster_ips(spec, stored)
    _keep_allocated(spec, stored)
    _drop_fields_of_old_type(spec, stored)
    if spec.get("type") != "LoadBalancer":
        new["status"] = {**(new.get("status") or {}), "loadBalancer": {}}


def _sync_cluster_ips(spec: Object, stored: Object) -> None:
    ip, old_ip = spec.get("clusterIP") or "", stored.get("clusterIP") or ""
    ips, old_ips = spec.get("clusterIPs") or [], stored.get("clusterIPs") or []
    if ip == old_ip:
        if not ips and old_ips:
            spec["clusterIPs"] = list(old_ips)
    elif ips == old_ips:
        # only the single field was changed: the list follows it
        spec["clusterIPs"] = [ip] if ip else []


def _keep_allocated(spec: Object, stored: Object) -> None:
    """Take from the stored service what the server allocated and the client left out."""
    if rules.needs_cluster_ip(stored) and rules.needs_cluster_ip(spec):
        if not spec.get("clusterIP"):
            keep(spec, stored, "clusterIP")
        if not spec.get("clusterIPs") and spec.get("clusterIP") == stored.get("clusterIP"):
            keep(spec, stored, "clusterIPs")
    if rules.needs_node_port(stored) and rules.needs_node_port(spec):
        _keep_node_ports(spec, stored)
    both_checked = rules.needs_health_check_node_port(
        stored
    ) and rules.needs_health_check_node_port(spec)
    if both_checked and not spec.get("healthCheckNodePort"):
        keep(spec, stored, "healthCheckNodePort")


def _keep_node_ports(spec: Object, stored: Object) -> None:
    used = rules.node_ports(stored) & rules.node_ports(spec)
    by_name = {port.get("name", ""): port.get("nodePort") for port in stored.get("ports") or []}
    for port in spec.get("ports") or []:
        known = by_name.get(port.get("name", ""))
        if not port.get("nodePort") and known and known not in used:
            port["nodePort"] = known


def _drop_fields_of_old_type(spec: Object, stored: Object) -> None:
    """Remove what the new type does not use, where the old one did and the client did not change
    it.
    """
    if rules.needs_cluster_ip(stored) and not rules.needs_cluster_ip(spec):
        if _same(spec, stored, "clusterIP") and _same(spec, stored, "clusterIPs"):
            spec.pop("clusterIP", None)
            spec.pop("clusterIPs", None)
        _drop_if_same(spec, stored, "ipFamilies", "ipFamilyPolicy")
    if rules.needs_node_port(stored) and not rules.needs_node_port(spec):
        _drop_node_ports(spec, stored)
    if rules.needs_health_check_node_port(stored) and not rules.needs_health_check_node_port(spec):
        _drop_if_same(spec, stored, "healthCheckNodePort")
    if stored.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        _drop_if_same(spec, stored, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if _has_traffic_policy(stored) and not _has_traffic_policy(spec):
        _drop_if_same(spec, stored, "externalTrafficPolicy")


def _drop_node_ports(spec: Object, stored: Object) -> None:
    if rules.node_ports(spec) <= rules.node_ports(stored):
        for port in spec.get("ports") or []:
            port.pop("nodePort", None)


def _has_traffic_policy(spec: Object) -> bool:
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def _same(spec: Object, stored: Object, field: str) -> bool:
    return (spec.get(field) or None) == (stored.get(field) or None)


def _drop_if_same(spec: Object, stored: Object, *fields: str) -> None:
    for field in fields:
        if spec.get(field) == stored.get(field):
            spec.pop(field, None)
