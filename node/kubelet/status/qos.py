"""A pod's quality-of-service class. Pure.

Called by status/ and containers/resources.py. Only cpu and memory above zero count; pod-level
resources replace those of the containers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.quantity import parse
from node.kubelet.pod_spec import containers, init_containers

if TYPE_CHECKING:
    from control_plane.api.objects import Object

COMPUTE = ("cpu", "memory")


def qos_class(pod: Object) -> str:
    """Return Guaranteed, Burstable or BestEffort."""
    if shown := (pod.get("status") or {}).get("qosClass"):
        return str(shown)
    sources = [pod["spec"]] if pod["spec"].get("resources") else []
    sources = sources or containers(pod) + init_containers(pod)
    parts = [source.get("resources") or {} for source in sources]
    requests = [_positive(part.get("requests")) for part in parts]
    limits = [_positive(part.get("limits")) for part in parts]
    if not any(requests) and not any(limits):
        return "BestEffort"
    equal = all(
        set(limit) == set(COMPUTE) and all(request.get(k, limit[k]) == limit[k] for k in COMPUTE)
        for request, limit in zip(requests, limits, strict=True)
    )
    return "Guaranteed" if equal else "Burstable"


def _positive(resources: dict[str, Any] | None) -> dict[str, Any]:
    parsed = {k: parse(str(v)) for k, v in (resources or {}).items() if k in COMPUTE}
    return {key: value for key, value in parsed.items() if value > 0}
