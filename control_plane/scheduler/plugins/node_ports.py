"""NodePorts: two pods on one node cannot hold the same host port."""

from collections.abc import Iterable

from control_plane.scheduler.framework.cluster_event import ClusterEvent
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.plugin import PreFilterResult
from control_plane.scheduler.framework.pod_info import HostPort, PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status, unschedulable

NAME = "NodePorts"
TAKEN = unschedulable(NAME, "node(s) didn't have free ports for the requested pod ports")


def pre_filter(_state: CycleState, pod: PodInfo, _snapshot: Snapshot) -> PreFilterResult:
    """Skip pods without host ports."""
    return PreFilterResult(skip=not pod.host_ports)


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse a node where a wanted port is held."""
    return TAKEN if _conflict(pod.host_ports, node.ports) else None


def _conflict(wanted: Iterable[HostPort], held: Iterable[HostPort]) -> bool:
    return any(port.conflicts_with(other) for port in wanted for other in held)


def frees_port(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake when a pod that held a wanted port is gone."""
    gone = event.old_pod
    return gone is not None and _conflict(pod.host_ports, gone.host_ports)
