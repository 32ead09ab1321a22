"""TaintToleration: hard taints keep a pod off a node, soft ones make it less wanted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from control_plane.scheduler.framework.cluster_event import ClusterEvent
from control_plane.scheduler.framework.cycle_state import CycleState
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot
from control_plane.scheduler.framework.status import Status, unresolvable
from control_plane.scheduler.plugins.normalize import reversed_share

NAME = "TaintToleration"
UNTOLERATED = unresolvable(NAME, "node(s) had untolerated taint(s)")
HARD_EFFECTS = frozenset(("NoSchedule", "NoExecute"))
SOFT_EFFECT = "PreferNoSchedule"

Taint = Mapping[str, Any]
Toleration = Mapping[str, Any]


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Tell whether one toleration covers one taint; unknown operators cover nothing."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    operator = toleration.get("operator") or "Equal"
    key = toleration.get("key") or ""
    if key and key != taint.get("key"):
        return False
    if operator == "Exists":
        return True
    return bool(
        operator == "Equal"
        and key
        and (toleration.get("value") or "") == (taint.get("value") or "")
    )


def is_tolerated(taint: Taint, tolerations: Iterable[Toleration]) -> bool:
    """Tell whether any toleration covers the taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)


def accepts(_state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
    """Refuse a node with a NoSchedule or NoExecute taint the pod does not tolerate."""
    for taint in node.taints:
        if taint.get("effect") in HARD_EFFECTS and not is_tolerated(
            taint, pod.spec.get("tolerations") or ()
        ):
            return UNTOLERATED
    return None


def pre_score(
    state: CycleState, pod: PodInfo, _snapshot: Snapshot, nodes: Sequence[NodeInfo]
) -> bool:
    """Keep the tolerations that matter for PreferNoSchedule.

    Nothing to score without such a taint.
    """
    soft = [
        t for t in pod.spec.get("tolerations") or () if t.get("effect") in (None, "", SOFT_EFFECT)
    ]
    state.write(NAME, soft)
    return any(taint.get("effect") == SOFT_EFFECT for node in nodes for taint in node.taints)


def score(state: CycleState, _pod: PodInfo, node: NodeInfo) -> int:
    """Count the PreferNoSchedule taints that are not tolerated; fewer is better."""
    tolerations = state.read(NAME)
    return sum(
        taint.get("effect") == SOFT_EFFECT and not is_tolerated(taint, tolerations)
        for taint in node.taints
    )


normalize = reversed_share


def becomes_tolerated(pod: PodInfo, event: ClusterEvent) -> bool:
    """Wake for a node whose taints the pod tolerates now and did not before."""
    before, after = event.old_node, event.new_node
    if after is None or accepts(CycleState(), pod, after):
        return False
    return before is None or accepts(CycleState(), pod, before) is not None
