"""The endpoints of a service, grouped by address family and ports. Pure.

Source: kubernetes staging/src/k8s.io/endpointslice/utils.go, reconciler.go.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from control_plane.api.objects import Object, dig, is_terminating, labels_of, name_of
from control_plane.controllers.endpoints.backing_pods import (
    ZONE_LABEL,
    address_of_family,
    hostname_of,
    publishes_not_ready,
    resolved_ports,
    target_reference,
)
from control_plane.controllers.pod_state import is_ready, is_terminal

Groups = dict[str, tuple[list[Object], list[Object]]]  # by port key: (ports, endpoints)
SAME_ZONE = ("PreferClose", "PreferSameZone", "PreferSameNode")


def port_key(ports: Iterable[Object]) -> str:
    """Return a text that is the same for the same ports in any order."""
    lines = sorted(orjson.dumps(port, option=orjson.OPT_SORT_KEYS).decode() for port in ports)
    return "\n".join(lines)


def grouped_endpoints(
    service: Object, pods: Iterable[Object], nodes: Mapping[str, Object], family: str
) -> tuple[Groups, list[str]]:
    """Return the endpoints of one family by the ports they serve, and why some were left out."""
    groups: Groups = {}
    skipped = []
    for pod in pods:
        address = address_of_family(pod, family)
        if is_terminal(pod) or not address:
            continue
        node_name = dig(pod, "spec", "nodeName", default="")
        node = nodes.get(node_name)
        if node_name and node is None and not publishes_not_ready(service):
            skipped.append(_skipped(service, pod, node_name))
            continue
        ports = resolved_ports(service, pod)
        _, endpoints = groups.setdefault(port_key(ports), (ports, []))
        endpoints.append(endpoint_of(service, pod, node, address))
    return groups, skipped


def _skipped(service: Object, pod: Object, node: str) -> str:
    namespace = service["metadata"]["namespace"]
    return (
        f"skipping Pod {name_of(pod)} for Service {namespace}/{name_of(service)}: "
        f"Node {node} Not Found"
    )


def endpoint_of(service: Object, pod: Object, node: Object | None, address: str) -> Object:
    """Return the endpoint of one pod."""
    serving, terminating = is_ready(pod), is_terminating(pod)
    endpoint: dict[str, Any] = {
        "addresses": [address],
        "conditions": {
            "ready": publishes_not_ready(service) or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": target_reference(pod),
    }
    optional = {
        "nodeName": dig(pod, "spec", "nodeName"),
        "zone": labels_of(node or {}).get(ZONE_LABEL),
        "hostname": hostname_of(pod, service),
    }
    endpoint |= {name: value for name, value in optional.items() if value}
    if hints := _hints(service, endpoint):
        endpoint["hints"] = hints
    return endpoint


def _hints(service: Object, endpoint: Object) -> Object:
    """Return whom a ready endpoint is meant for, by the service's trafficDistribution."""
    wish = dig(service, "spec", "trafficDistribution", default="")
    if wish not in SAME_ZONE or not endpoint["conditions"]["ready"]:
        return {}
    hints = {}
    if endpoint.get("zone"):
        hints["forZones"] = [{"name": endpoint["zone"]}]
    if wish == "PreferSameNode" and endpoint.get("nodeName"):
        hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    return hints
