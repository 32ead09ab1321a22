"""Whether a node still reports, and what its conditions are when it does not. Pure.

Silence is measured by our own clock, from when we saw the last sign of life: a changed heartbeat in
the Ready condition or a renewed lease. Clocks of machines are never compared.
Source: kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go (tryUpdateNodeHealth).
"""

from dataclasses import dataclass
from datetime import datetime

from control_plane.api.objects import Object, deep_copy, dig, find_condition
from control_plane.api.timestamps import format_time

REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
NEVER = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
STOPPED = ("NodeStatusUnknown", "Kubelet stopped posting node status.")


@dataclass(frozen=True, slots=True)
class Sign:
    """The last sign of life: what the node said then, and when we saw it (monotonic seconds)."""

    heartbeat: str
    renewed: str
    at: float


def latest_sign(node: Object, lease: Object | None, before: Sign | None, now: float) -> Sign:
    """Return `before` if the node and its lease say nothing new, else a sign of now."""
    ready = find_condition(node, "Ready") or {}
    heartbeat = str(ready.get("lastHeartbeatTime") or "")
    renewed = str(dig(lease or {}, "spec", "renewTime", default=""))
    if before is not None and (before.heartbeat, before.renewed) == (heartbeat, renewed):
        return before
    return Sign(heartbeat, renewed, now)


def readiness(node: Object) -> str:
    """Return the status of the Ready condition: "True", "False" or "Unknown", as when missing."""
    ready = find_condition(node, "Ready")
    return str(ready["status"]) if ready else "Unknown"


def silenced(node: Object, now: datetime) -> Object | None:
    """Return the node with the conditions of a silent one; None when it has them."""
    changed = deep_copy(node)
    conditions = changed.setdefault("status", {}).setdefault("conditions", [])
    stamp = format_time(now)
    for kind in REPORTED:
        known = find_condition(changed, kind)
        if known is None:
            conditions.append(_never_posted(node, kind, stamp))
        elif known["status"] != "Unknown":
            known |= {"status": "Unknown", "lastTransitionTime": stamp}
            known |= {"reason": STOPPED[0], "message": STOPPED[1]}
    return changed if changed != node else None


def _never_posted(node: Object, kind: str, stamp: str) -> Object:
    return {
        "type": kind,
        "status": "Unknown",
        "reason": NEVER[0],
        "message": NEVER[1],
        "lastHeartbeatTime": dig(node, "metadata", "creationTimestamp", default=stamp),
        "lastTransitionTime": stamp,
    }


def pod_not_ready(pod: Object, now: datetime) -> Object | None:
    """Return the pod with Ready=False, for its node went silent; None when it is not ready."""
    if not (ready := find_condition(pod, "Ready")) or ready["status"] != "True":
        return None
    changed = deep_copy(pod)
    condition = find_condition(changed, "Ready")
    assert condition is not None
    condition |= {"status": "False", "lastTransitionTime": format_time(now)}
    return changed
