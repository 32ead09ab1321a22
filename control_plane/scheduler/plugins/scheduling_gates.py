"""SchedulingGates: a pod with gates is not tried until the last gate is removed.

The API server writes the SchedulingGated condition; the scheduler only waits, without event or
condition.
"""

from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.status import Status, unresolvable

NAME = "SchedulingGates"


def pre_enqueue(pod: PodInfo) -> Status | None:
    """Hold back a pod with gates."""
    gates = [gate["name"] for gate in pod.spec.get("schedulingGates") or ()]
    if not gates:
        return None
    return unresolvable(NAME, f"waiting for scheduling gates: [{' '.join(gates)}]")
