"""Where ReplicaSet and ReplicationController differ."""

from collections.abc import Callable
from dataclasses import dataclass

from control_plane.api.label_selector import Selector, from_map, from_object
from control_plane.api.objects import Object, dig
from control_plane.api.resources import REPLICASETS, REPLICATIONCONTROLLERS, Resource


@dataclass(frozen=True, slots=True)
class ReplicationKind:
    """One of the kinds that keep a number of pods."""

    resource: Resource
    component: str
    selector_of: Callable[[Object], Selector | None]
    counts_terminating: bool


def label_selector_of(owner: Object) -> Selector | None:
    """Return the selector of an object with a LabelSelector; None for an empty one."""
    selector = dig(owner, "spec", "selector")
    return from_object(selector) if selector else None


def map_selector_of(owner: Object) -> Selector | None:
    """Return the selector of an object whose selector is a map of labels; None for an empty one."""
    labels = dig(owner, "spec", "selector")
    return from_map(labels) if labels else None


REPLICASET = ReplicationKind(REPLICASETS, "replicaset-controller", label_selector_of, True)
REPLICATIONCONTROLLER = ReplicationKind(
    REPLICATIONCONTROLLERS, "replication-controller", map_selector_of, False
)
