"""NodeResourcesBalancedAllocation: prefer nodes whose cpu and memory fill up evenly."""

from collections.abc import Sequence
from math import floor
from statistics import pstdev

from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import MAX_NODE_SCORE
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.pod_request import CPU, MEMORY
from control_plane.scheduler.framework.snapshot import Snapshot

NAME = "NodeResourcesBalancedAllocation"
RESOURCES = (CPU, MEMORY)


def pre_score(
    _state: CycleState, pod: PodInfo, _snapshot: Snapshot, _nodes: Sequence[NodeInfo]
) -> bool:
    """Leave out pods that request none of the balanced resources."""
    return any(pod.request.get(resource) for resource in RESOURCES)


def score(_state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
    """Return 100 for equal shares in use, less the further they lie apart."""
    shares = []
    for resource in RESOURCES:
        allocatable = node.allocatable.get(resource, 0)
        if allocatable:
            requested = node.requested.get(resource, 0) + pod.request.get(resource, 0)
            shares.append(min(requested / allocatable, 1.0))
    return floor((1 - _spread(shares)) * MAX_NODE_SCORE)


def _spread(shares: Sequence[float]) -> float:
    """Return the population standard deviation; for two shares that is half their distance."""
    if len(shares) == 2:
        return abs(shares[0] - shares[1]) / 2
    return pstdev(shares) if shares else 0.0
