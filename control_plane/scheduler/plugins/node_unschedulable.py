"""NodeUnschedulable: a cordoned node takes only pods that tolerate the cordon's taint."""

from control_plane.scheduler.framework.cluster_event import ClusterEvent
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.status import Status, unresolvable
from control_plane.scheduler.plugins.taint_toleration import is_tolerated

NAME = "NodeUnschedulable"
CORDONED = unresolvable(NAME, "node(s) were unschedulable")
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse a node with spec.unschedulable."""
    if not node.is_unschedulable or is_tolerated(TAINT, pod.spec.get("tolerations") or ()):
        return None
    return CORDONED


def is_open(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake for a node that is now open to the pod."""
    node = event.new_node
    return node is not None and not accepts(CycleState(), pod, node)
