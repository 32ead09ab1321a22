"""NodeResourcesFit: the node has room for what the pod requests.

Emptier nodes are better (LeastAllocated).
"""

from control_plane.scheduler.framework.cluster_event import ClusterEvent
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import MAX_NODE_SCORE
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.pod_request import CPU, MEMORY, PODS
from control_plane.scheduler.framework.status import Status, unresolvable, unschedulable

NAME = "NodeResourcesFit"
TOO_MANY_PODS = "Too many pods"
SCORED = ((CPU, 1), (MEMORY, 1))
"""Resources that LeastAllocated weighs, and their weights."""


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse a node short of anything, naming all it is short of."""
    reasons = []
    if len(node.pods) + 1 > node.allocatable.get(PODS, 0):
        reasons.append(TOO_MANY_PODS)
    never_fits = False
    for resource, wanted in pod.request.items():
        allocatable = node.allocatable.get(resource, 0)
        if wanted and wanted > allocatable - node.requested.get(resource, 0):
            reasons.append(f"Insufficient {resource}")
            never_fits = never_fits or wanted > allocatable
    if not reasons:
        return None
    return (unresolvable if never_fits else unschedulable)(NAME, *reasons)


def score(_state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
    """Return the weighted mean share, 0..100, that is free once the pod is there."""
    total = weights = 0
    for resource, weight in SCORED:
        allocatable = node.allocatable.get(resource, 0)
        if not allocatable:
            continue
        requested = node.scoring_requested.get(resource, 0) + pod.scoring_request.get(resource, 0)
        free = max(allocatable - requested, 0)
        total += weight * (free * MAX_NODE_SCORE // allocatable)
        weights += weight
    return total // weights if weights else 0


def could_ever_fit(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake for a node, new or grown, that would take the pod if it were empty."""
    before, after = event.old_node, event.new_node
    if after is None or accepts(CycleState(), pod, after):
        return False
    return before is None or _grew(pod, before, after)


def _grew(pod: PodInfo, before: NodeInfo, after: NodeInfo) -> bool:
    wanted = (*pod.request, PODS)
    return any(after.allocatable.get(n, 0) > before.allocatable.get(n, 0) for n in wanted)


def releases_wanted(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake when a placed pod now asks for less of something this pod wants."""
    before, after = event.old_pod, event.new_pod
    if before is None or after is None:
        return False
    return any(after.request.get(n, 0) < before.request.get(n, 0) for n in pod.request)
