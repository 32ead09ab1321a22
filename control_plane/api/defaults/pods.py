"""Defaults of Pods that their templates do not have.

Called through the DEFAULTS table. Source: v1.35 core/v1 defaults for Pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api import quantity
from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.pod_spec import default_pod_spec, drop_old_annotations
from control_plane.api.defaults.resource_lists import rounded
from control_plane.api.objects import parts
from control_plane.api.pod_requests import aggregate_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_AGGREGATED: Final = ("cpu", "memory")
_HUGE_PAGES: Final = "hugepages-"


def default_pod(pod: Object) -> None:
    """Fill one Pod in place."""
    drop_old_annotations(pod)
    spec = part(pod, "spec")
    for container in _containers(spec):
        _request_what_is_limited(part(container, "resources"))
        if spec.get("hostNetwork"):
            for port in parts(container, "ports"):
                fill_empty(port, "hostPort", port.get("containerPort"))
    fill_absent(spec, "enableServiceLinks", True)
    for resources in parts(spec, "resources"):
        _default_pod_resources(spec, resources)
    default_pod_spec(spec)
    for status in parts(pod, "status"):
        _mirror_pod_ip(status)


def _containers(spec: Object) -> Iterator[Object]:
    yield from parts(spec, "containers")
    yield from parts(spec, "initContainers")


def _request_what_is_limited(resources: Object) -> None:
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _default_pod_resources(spec: Object, resources: Object) -> None:
    """Derive pod-level requests from the containers', or else from the pod-level limits."""
    limits = resources.get("limits") or {}
    if not limits and not resources.get("requests"):
        return
    requests = dict(resources.get("requests") or {})
    aggregate = _aggregate_requests(spec)
    for name, amount in _huge_page_limits(spec).items():
        if name not in requests and name not in limits:
            limits[name] = amount
    if limits:
        for name, limit in limits.items():
            if name not in requests:
                requests[name] = aggregate.get(name, limit)
        resources["limits"] = limits
    if requests:
        resources["requests"] = requests


def _aggregate_requests(spec: Object) -> dict[str, str]:
    totals = {name: aggregate_request(spec, name) for name in _AGGREGATED}
    return {name: rounded(f"{total}m") for name, total in totals.items() if total}


def _huge_page_limits(spec: Object) -> dict[str, str]:
    totals: dict[str, int] = {}
    for limits in parts(spec, "containers", "resources", "limits"):
        for name, amount in limits.items():
            if name.startswith(_HUGE_PAGES):
                totals[name] = totals.get(name, 0) + quantity.value(str(amount))
    return {name: rounded(total) for name, total in totals.items()}


def _mirror_pod_ip(status: Object) -> None:
    """Keep status.podIP equal to the first of status.podIPs; the single field wins when they
    differ.
    """
    addresses = status.get("podIPs") or []
    address = status.get("podIP")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        status["podIP"] = addresses[0].get("ip", "")
