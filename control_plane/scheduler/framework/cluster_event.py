"""What happened in the cluster, in the words that decide whether a waiting pod is worth another
try.

`node_events` and `pod_events` are pure: they name every aspect in which two versions of an object
differ. The queue matches these kinds against the registrations of the plugins that rejected a pod.
"""

import enum
from dataclasses import dataclass
from functools import cached_property

from control_plane.api.objects import Object, annotations_of, dig, labels_of, uid_of
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo


class EventKind(enum.Enum):
    """Kinds of change. OWN_POD_* concern a pod that waits, POD_* one that has a node."""

    NODE_ADD = enum.auto()
    NODE_DELETE = enum.auto()
    NODE_ALLOCATABLE = enum.auto()
    NODE_LABELS = enum.auto()
    NODE_TAINTS = enum.auto()
    NODE_CONDITIONS = enum.auto()
    NODE_ANNOTATIONS = enum.auto()
    POD_ADD = enum.auto()
    POD_DELETE = enum.auto()
    POD_LABELS = enum.auto()
    POD_SCALED_DOWN = enum.auto()
    OWN_POD_GATES = enum.auto()
    OWN_POD_TOLERATIONS = enum.auto()
    OWN_POD_LABELS = enum.auto()
    OWN_POD_SCALED_DOWN = enum.auto()
    WILDCARD = enum.auto()
    """Wakes every pod: the time-out of the unschedulable set, or a forced activation."""


OWN_POD_KINDS = frozenset(kind for kind in EventKind if kind.name.startswith("OWN_POD_"))


@dataclass(frozen=True)
class ClusterEvent:
    """One change. `old` is None for an addition, `new` for a deletion; both are None for WILDCARD.

    The views below are worked out once per event, however many waiting pods look at it.
    """

    kind: EventKind
    old: Object | None = None
    new: Object | None = None

    def concerns(self, pod: PodInfo) -> bool:
        """Tell whether a waiting pod should look at it: its own change, or one elsewhere."""
        about = self.new or self.old
        is_itself = about is not None and uid_of(about) == pod.uid
        return is_itself == (self.kind in OWN_POD_KINDS)

    @cached_property
    def old_node(self) -> NodeInfo | None:
        """The node before the change, without pods."""
        return None if self.old is None else NodeInfo.of(self.old)

    @cached_property
    def new_node(self) -> NodeInfo | None:
        """The node after the change, without pods."""
        return None if self.new is None else NodeInfo.of(self.new)

    @cached_property
    def old_pod(self) -> PodInfo | None:
        """The pod before the change."""
        return None if self.old is None else PodInfo.of(self.old)

    @cached_property
    def new_pod(self) -> PodInfo | None:
        """The pod after the change."""
        return None if self.new is None else PodInfo.of(self.new)


WILDCARD = ClusterEvent(EventKind.WILDCARD)


def node_events(old: Object | None, new: Object | None) -> list[ClusterEvent]:
    """Name what changed between two versions of a node; heartbeats alone name nothing."""
    if old is None:
        return [ClusterEvent(EventKind.NODE_ADD, None, new)]
    if new is None:
        return [ClusterEvent(EventKind.NODE_DELETE, old, None)]
    changes = (
        (EventKind.NODE_ALLOCATABLE, _allocatable(old) != _allocatable(new)),
        (EventKind.NODE_LABELS, labels_of(old) != labels_of(new)),
        (EventKind.NODE_TAINTS, _taints(old) != _taints(new)),
        (EventKind.NODE_CONDITIONS, _condition_statuses(old) != _condition_statuses(new)),
        (EventKind.NODE_ANNOTATIONS, annotations_of(old) != annotations_of(new)),
    )
    return [ClusterEvent(kind, old, new) for kind, is_changed in changes if is_changed]


def _allocatable(node: Object) -> object:
    return dig(node, "status", "allocatable", default={})


def _taints(node: Object) -> object:
    """Taints, and whether the node was cordoned, which counts as one."""
    spec = node.get("spec") or {}
    return spec.get("taints") or [], bool(spec.get("unschedulable"))


def _condition_statuses(node: Object) -> dict[str, str]:
    conditions = dig(node, "status", "conditions", default=[]) or []
    return {condition["type"]: condition.get("status", "") for condition in conditions}


def placed_pod_events(old: PodInfo, new: PodInfo) -> list[ClusterEvent]:
    """Name what changed in a pod that has a node."""
    changes = (
        (EventKind.POD_LABELS, labels_of(old.pod) != labels_of(new.pod)),
        (EventKind.POD_SCALED_DOWN, is_scaled_down(old, new)),
    )
    return [ClusterEvent(kind, old.pod, new.pod) for kind, is_changed in changes if is_changed]


def waiting_pod_events(old: PodInfo, new: PodInfo) -> list[ClusterEvent]:
    """Name what changed in a pod that waits for a node."""
    changes = (
        (EventKind.OWN_POD_GATES, _gates(old.pod) != _gates(new.pod)),
        (EventKind.OWN_POD_TOLERATIONS, _tolerations(old) != _tolerations(new)),
        (EventKind.OWN_POD_LABELS, labels_of(old.pod) != labels_of(new.pod)),
        (EventKind.OWN_POD_SCALED_DOWN, is_scaled_down(old, new)),
    )
    return [ClusterEvent(kind, old.pod, new.pod) for kind, is_changed in changes if is_changed]


def _gates(pod: Object) -> object:
    return dig(pod, "spec", "schedulingGates", default=[]) or []


def _tolerations(pod: PodInfo) -> object:
    return pod.spec.get("tolerations") or []


def is_scaled_down(old: PodInfo, new: PodInfo) -> bool:
    """Tell whether any resource is requested less than before."""
    return any(new.request.get(name, 0) < amount for name, amount in old.request.items())
