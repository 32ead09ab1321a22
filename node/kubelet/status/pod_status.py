"""A pod's whole status from its spec and an Observation, and the patch that publishes a change.
Pure.

Called by pod_worker.py; status_writer.py sends what `status_patch` returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.kubelet.pod_actions import needs_sandbox
from node.kubelet.pod_spec import (
    containers,
    ephemeral_containers,
    generation_of,
    init_containers,
    uses_host_network,
)
from node.kubelet.resize import resize_conditions
from node.kubelet.status.conditions import OWNED, pod_conditions
from node.kubelet.status.container_status import Observation, container_status
from node.kubelet.status.phase import pod_phase
from node.kubelet.status.qos import qos_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

# What the kubelet does not compute and therefore never touches.
_FOREIGN = ("nominatedNodeName", "resourceClaimStatuses", "resize")


def pod_status(pod: Object, seen: Observation, *, host_ips: Sequence[str], now: str) -> Object:
    """Return the status to publish; unchanged times come from the status the pod carries."""
    before = pod.get("status") or {}
    regular = [container_status(pod, c, seen) for c in containers(pod)]
    inits = [container_status(pod, c, seen) for c in init_containers(pod)]
    ephemeral = [container_status(pod, c, seen) for c in ephemeral_containers(pod)]
    statuses = {status["name"]: status for status in (*regular, *inits)}
    phase = _phase(pod, statuses, seen)
    status: Object = {
        "phase": phase,
        "conditions": pod_conditions(
            pod,
            statuses,
            phase,
            has_sandbox=not needs_sandbox(pod, seen.record),
            resizing=resize_conditions(seen.resizing, seen.record, pod) if seen.resizing else {},
            now=now,
        ),
        "startTime": before.get("startTime") or now,
        "qosClass": qos_class(pod),
        "containerStatuses": sorted(regular, key=lambda s: str(s["name"])),
        **_addresses(pod, seen, host_ips),
        **_reason(before, seen),
    }
    if inits:
        status["initContainerStatuses"] = inits
    if ephemeral:
        status["ephemeralContainerStatuses"] = sorted(ephemeral, key=lambda s: str(s["name"]))
    if generation := generation_of(pod):
        status["observedGeneration"] = max(generation, int(before.get("observedGeneration") or 0))
    return status


def status_patch(before: Object, after: Object) -> Object:
    """Return the strategic merge patch of status from `before` to `after`; {} when nothing changed.

    Only the conditions the kubelet owns are sent. Lists without a merge key are sent whole.
    """
    patch: Object = {}
    for key in after.keys() | before.keys():
        if key in _FOREIGN or key == "conditions" or before.get(key) == after.get(key):
            continue
        patch[key] = _merged(key, before, after)
    conditions = _changed_conditions(before, after)
    if conditions:
        patch["conditions"] = conditions
    return patch


def _merged(key: str, before: Object, after: Object) -> Any:
    if key == "podIPs":  # merged by ip, so an address that went away must be deleted by name
        gone = [{"$patch": "delete", "ip": e["ip"]} for e in before.get(key) or ()]
        have = list(after.get(key) or ())
        kept = {entry["ip"] for entry in have}
        return have + [entry for entry in gone if entry["ip"] not in kept]
    return after.get(key)


def _changed_conditions(before: Object, after: Object) -> list[Object]:
    old = {c["type"]: c for c in before.get("conditions") or ()}
    new = after.get("conditions") or ()
    gone = old.keys() & set(OWNED) - {condition["type"] for condition in new}
    return [
        _complete(condition, old.get(condition["type"]))
        for condition in new
        if condition["type"] in OWNED and _differs(condition, old.get(condition["type"]))
    ] + [{"$patch": "delete", "type": kind} for kind in sorted(gone)]


def _differs(condition: Object, old: Object | None) -> bool:
    if old is None:
        return True
    keys = ("status", "reason", "message", "observedGeneration")
    return any((condition.get(k) or None) != (old.get(k) or None) for k in keys)


def _complete(condition: Object, old: Object | None) -> Object:
    gone = {k: None for k in ("reason", "message") if old and k in old and k not in condition}
    return condition | gone


def _phase(pod: Object, statuses: dict[str, Object], seen: Observation) -> str:
    if seen.failure is not None and seen.stopped:
        return "Failed"
    phase = pod_phase(pod, statuses, stopped=seen.stopped)
    shown = (pod.get("status") or {}).get("phase")
    running = any(c.phase == "running" for c in seen.record.containers)
    if phase in ("Succeeded", "Failed") and running and shown not in ("Succeeded", "Failed"):
        return str(shown or "Pending")  # not final while anything may still run
    return phase


def _addresses(pod: Object, seen: Observation, host_ips: Sequence[str]) -> Object:
    addresses: Object = {}
    if host_ips:
        addresses |= {"hostIP": host_ips[0], "hostIPs": [{"ip": ip} for ip in host_ips]}
    sandbox = seen.record.ready_sandbox()
    ips = list(host_ips) if uses_host_network(pod) else [sandbox.ip] if sandbox else []
    shown = (pod.get("status") or {}).get("podIPs") or ()  # kept while there is no new one
    ips = [ip for ip in ips if ip] or [entry["ip"] for entry in shown]
    if ips:
        addresses |= {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    return addresses


def _reason(before: Object, seen: Observation) -> Object:
    if seen.failure is not None and seen.stopped:
        return {"reason": seen.failure[0], "message": seen.failure[1]}
    return {key: before[key] for key in ("reason", "message") if before.get(key)}
