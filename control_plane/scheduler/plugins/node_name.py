"""NodeName: a pod that names its node fits that node alone."""

from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.status import Status, unresolvable

NAME = "NodeName"
MISMATCH = unresolvable(NAME, "node(s) didn't match the requested node name")


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse every node but spec.nodeName, when that is set."""
    return MISMATCH if pod.node_name and pod.node_name != node.name else None
