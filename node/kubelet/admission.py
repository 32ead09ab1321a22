"""Whether the node takes a pod at all: what it cannot do is refused by name, before anything is
started. Pure.

Called once for each new pod by its worker. A rejected pod is Failed with the reason and message
given here; nothing a pod asks for is silently left out. CHECKS is the table; the first check that
objects decides.

Source: kubelet lifecycle handlers (predicate.go, admission), sysctl allowlist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_plane.api import quantity
from node.kubelet.pod_spec import all_containers, containers, init_containers, is_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from control_plane.api.objects import Object

Rejection = tuple[str, str]

SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)


@dataclass(frozen=True, slots=True)
class Admission:
    """What a decision depends on: the pod, the node's other pods that count, and what the node
    has.
    """

    pod: Object
    others: Sequence[Object]
    allocatable: Mapping[str, str]


def rejection(request: Admission) -> Rejection | None:
    """Return (reason, message) when the node cannot take the pod."""
    return next((found for check in CHECKS if (found := check(request))), None)


def counts(pod: Object) -> bool:
    """Return whether a pod uses resources: it has not ended."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def pod_request(pod: Object, resource: str) -> int:
    """Return what a pod requests: millicores of cpu, bytes or units of anything else.

    The larger of what runs together and of each init container with the sidecars before it, plus
    overhead; pod-level requests replace the sum.
    """
    level = ((pod["spec"].get("resources") or {}).get("requests") or {}).get(resource)
    if level is not None:
        return _amount(level, resource) + _overhead(pod, resource)
    together, sidecars, largest_init = 0, 0, 0
    for container in init_containers(pod):
        own = _container_request(container, resource)
        if is_sidecar(container):
            sidecars += own
        else:
            largest_init = max(largest_init, own + sidecars)
    together = sidecars + sum(_container_request(c, resource) for c in containers(pod))
    return max(together, largest_init) + _overhead(pod, resource)


def used_by(pods: Iterable[Object], resource: str) -> int:
    """Return what these pods request together."""
    return sum(pod_request(pod, resource) for pod in pods)


def capacity_of(allocatable: Mapping[str, str], resource: str) -> int:
    """Return what the node has for pods, in the unit of `pod_request`."""
    return _amount(allocatable.get(resource, "0"), resource)


def _container_request(container: Object, resource: str) -> int:
    requests = (container.get("resources") or {}).get("requests") or {}
    return _amount(requests.get(resource, "0"), resource)


def _overhead(pod: Object, resource: str) -> int:
    return _amount((pod["spec"].get("overhead") or {}).get(resource, "0"), resource)


def _amount(text: object, resource: str) -> int:
    return quantity.milli(str(text)) if resource == "cpu" else quantity.value(str(text))


def _operating_system(request: Admission) -> Rejection | None:
    name = (request.pod["spec"].get("os") or {}).get("name", "linux")
    if name == "linux":
        return None
    return "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"


def _features(request: Admission) -> Rejection | None:
    spec = request.pod["spec"]
    context = spec.get("securityContext") or {}
    if context.get("supplementalGroupsPolicy") == "Strict":
        text = "SupplementalGroupsPolicy=Strict is not supported in this node"
        return "SupplementalGroupsPolicyNotSupported", text
    runtime_class = spec.get("runtimeClassName")
    unsupported = [
        *(["spec.hostUsers=false"] * (spec.get("hostUsers") is False)),
        *([f"spec.runtimeClassName={runtime_class}"] * bool(runtime_class)),
        *_recursive_mounts(request.pod),
    ]
    if unsupported:
        return "PodFeatureUnsupported", f"{', '.join(unsupported)} is not supported by this node"
    return None


def _recursive_mounts(pod: Object) -> Iterable[str]:
    for container in all_containers(pod):
        for mount in container.get("volumeMounts") or ():
            if mount.get("recursiveReadOnly") == "Enabled":
                yield f"recursiveReadOnly of volume {mount['name']}"


def _sysctls(request: Admission) -> Rejection | None:
    spec = request.pod["spec"]
    for entry in (spec.get("securityContext") or {}).get("sysctls") or ():
        name = entry["name"].replace("/", ".")
        if name not in SAFE_SYSCTLS:
            return "SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted'
        if name.startswith("net.") and spec.get("hostNetwork"):
            return "SysctlForbidden", f'"{name}" not allowed with host net enabled'
        if name.startswith("kernel.") and spec.get("hostIPC"):
            return "SysctlForbidden", f'"{name}" not allowed with host ipc enabled'
    return None


def _resources(request: Admission) -> Rejection | None:
    active = [pod for pod in request.others if counts(pod)]
    capacity = int(request.allocatable.get("pods", "110"))
    if len(active) + 1 > capacity:
        return _shortage("pods", 1, len(active), capacity)
    for resource in ("cpu", "memory", "ephemeral-storage"):
        wanted = pod_request(request.pod, resource)
        if not wanted:
            continue
        used = used_by(active, resource)
        capacity = capacity_of(request.allocatable, resource)
        if wanted + used > capacity:
            return _shortage(resource, wanted, used, capacity)
    return None


def _shortage(resource: str, wanted: int, used: int, capacity: int) -> Rejection:
    numbers = f"requested: {wanted}, used: {used}, capacity: {capacity}"
    return f"OutOf{resource}", f"Node didn't have enough resource: {resource}, {numbers}"


CHECKS: Sequence[Callable[[Admission], Rejection | None]] = (
    _operating_system,
    _features,
    _sysctls,
    _resources,
)
