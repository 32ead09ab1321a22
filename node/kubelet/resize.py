"""In-place resize: which of the resources that a pod wants its node has granted. Pure.

The API lets cpu and memory of a running pod's containers be changed; the node decides. What it has
granted is what the pod's status shows (`resources` of each container), so that nothing has to be
kept here. Called by pod_sync.py before anything else is decided of a pod, with which it goes on as
if the granted resources were the spec's; pod_actions.py then brings the containers there.

Source: kubelet pkg/kubelet/allocation (v1.35).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from control_plane.api import quantity
from node.kubelet.admission import capacity_of, counts, pod_request, used_by
from node.kubelet.containers.resources import cgroup_limits
from node.kubelet.pod_spec import (
    containers,
    find_container,
    find_status,
    generation_of,
    init_containers,
    is_sidecar,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from control_plane.api.objects import Object
    from node.kubelet.runtimes.base import CgroupLimits, ContainerRecord, PodRecord

RESIZABLE = ("cpu", "memory")
INFEASIBLE, DEFERRED = "Infeasible", "Deferred"
RESTART = "RestartContainer"


@dataclass(frozen=True, slots=True)
class Resizing:
    """`pod` has the granted resources in place of the wanted ones, which are `asked` for if these
    differ. `pending` is why they are not granted, (reason, message); `error` what the runtime said.
    """

    pod: Object
    asked: bool = False
    pending: tuple[str, str] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A running container whose cgroup is not as granted, and which resources differ."""

    container: ContainerRecord
    wanted: CgroupLimits
    resources: Sequence[str]


def grant(pod: Object, others: Sequence[Object], allocatable: Mapping[str, str]) -> Resizing:
    """Grant what the pod asks for if the node has room beside what the others were granted."""
    before = with_granted_resources(pod)
    if before is pod:
        return Resizing(pod)
    pending = _shortage(pod, before, others, allocatable)
    return Resizing(pod if pending is None else before, asked=True, pending=pending)


def with_granted_resources(pod: Object) -> Object:
    """Return the pod with the resources that its status shows; itself where these are wanted."""
    changed = {
        container["name"]: resources
        for container in _resizable(pod)
        if (resources := _granted(pod, container)) is not None
    }
    if not changed:
        return pod
    spec = dict(pod["spec"])
    for kind in ("containers", "initContainers"):
        if spec.get(kind):
            spec[kind] = [
                {**c, "resources": changed[c["name"]]} if c["name"] in changed else c
                for c in spec[kind]
            ]
    return {**pod, "spec": spec}


def differing(pod: Object, record: PodRecord) -> Iterator[Difference]:
    """Yield the running containers whose cgroups are not as granted."""
    for container in _resizable(pod):
        newest = record.newest(container["name"])
        if newest is None or newest.phase != "running" or newest.limits is None:
            continue
        wanted, have = cgroup_limits(pod, container, 0), newest.limits
        cpu = (wanted.cpu_shares, wanted.cpu_quota) != (have.cpu_shares, have.cpu_quota)
        found = [*["cpu"] * cpu, *["memory"] * (wanted.memory_bytes != have.memory_bytes)]
        if found:
            yield Difference(newest, replace(wanted, oom_score_adj=have.oom_score_adj), found)


def needs_restart(pod: Object, difference: Difference) -> bool:
    """Return whether the container's policy asks for a restart when such a resource changes."""
    container = find_container(pod, difference.container.name) or {}
    policies = {p["resourceName"]: p["restartPolicy"] for p in container.get("resizePolicy") or ()}
    return any(policies.get(name) == RESTART for name in difference.resources)


def summary(pod: Object, error: str = "") -> str:
    """Return what the events of a resize show: the containers' resources, as JSON."""
    shown: Object = {
        "containers": [
            {"name": c["name"], "resources": c.get("resources") or {}} for c in _resizable(pod)
        ],
        "generation": generation_of(pod),
    }
    return orjson.dumps(shown | ({"error": error} if error else {})).decode()


def resize_conditions(
    resizing: Resizing, record: PodRecord, pod: Object
) -> dict[str, tuple[bool, str, str]]:
    """Return the conditions of a resize by type: (True, reason, message) each, while it lasts."""
    found = {}
    if resizing.pending is not None:
        found["PodResizePending"] = (True, *resizing.pending)
    if resizing.error:
        found["PodResizeInProgress"] = (True, "Error", resizing.error)
    elif any(differing(pod, record)):
        found["PodResizeInProgress"] = (True, "", "")
    return found


def shown_resources(pod: Object, container: Object, record: PodRecord) -> Object:
    """Return `resources` and `allocatedResources` of a container's status.

    The granted ones, unless the container runs with others: then those shown before.
    """
    resources = container.get("resources") or {}
    applied = resources
    if any(one.container.name == container["name"] for one in differing(pod, record)):
        applied = find_status(pod, container["name"]).get("resources") or resources
    amounts = {key: applied[key] for key in ("limits", "requests") if applied.get(key)}
    requests = resources.get("requests")
    return {"resources": amounts} | ({"allocatedResources": requests} if requests else {})


def _resizable(pod: Object) -> list[Object]:
    return [*containers(pod), *(c for c in init_containers(pod) if is_sidecar(c))]


def _granted(pod: Object, container: Object) -> Object | None:
    """Return the resources that a container's status shows; None where they are those wanted."""
    shown = find_status(pod, container["name"]).get("resources")
    wanted = container.get("resources") or {}
    if shown is None or _amounts(shown) == _amounts(wanted):
        return None
    granted = dict(wanted)
    for kind in ("requests", "limits"):
        kept = {k: v for k, v in (wanted.get(kind) or {}).items() if k not in RESIZABLE}
        granted[kind] = kept | {k: v for k, v in (shown.get(kind) or {}).items() if k in RESIZABLE}
    return granted


def _amounts(resources: Object) -> dict[tuple[str, str], int]:
    return {
        (kind, name): quantity.milli(str(amount))
        for kind in ("requests", "limits")
        for name, amount in (resources.get(kind) or {}).items()
        if name in RESIZABLE
    }


def _shortage(
    pod: Object, before: Object, others: Sequence[Object], allocatable: Mapping[str, str]
) -> tuple[str, str] | None:
    active = [with_granted_resources(other) for other in others if counts(other)]
    deferred = None
    for name in RESIZABLE:
        wanted, capacity = pod_request(pod, name), capacity_of(allocatable, name)
        if wanted <= pod_request(before, name):
            continue
        if wanted > capacity:
            numbers = f"requested: {wanted}, capacity: {capacity}"
            return INFEASIBLE, f"Node didn't have enough capacity: {name}, {numbers}"
        used = used_by(active, name)
        if wanted + used > capacity:
            numbers = f"requested: {wanted}, used: {used}, capacity: {capacity}"
            deferred = DEFERRED, f"Node didn't have enough resource: {name}, {numbers}"
    return deferred
