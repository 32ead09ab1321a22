"""What wakes a controller: its wiring as data.

* `For(resource)`: the controller's own kind; every change queues the object's key.
* `Owns(resource, selector_of)`: children; a change queues the parent, found by the controller
  reference, or for a child without one every parent in the namespace whose selector matches it.
  Children also tick off the expectations of their parent.
* `Watches(resource, keys)`: anything else; `keys` says which keys a change concerns.

runtime.py calls `attach` for each row. Source: controller-runtime's builder, and for the rules of
Owns kubernetes pkg/controller/replicaset/replica_set.go.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from control_plane.api.label_selector import Selector
from control_plane.api.objects import (
    Object,
    controller_of,
    is_terminating,
    key_of,
    labels_of,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import Resource
from control_plane.controllers.cluster import CONTROLLER_INDEX, Cluster, controller_index


@dataclass(frozen=True, slots=True)
class Change:
    """One step of an object: event is "add", "update" or "delete"; old or new is None."""

    event: str
    old: Object | None
    new: Object | None

    @property
    def latest(self) -> Object:
        """The object after the change, or for a delete as it last was."""
        obj = self.new if self.new is not None else self.old
        assert obj is not None
        return obj


@dataclass(frozen=True, slots=True)
class For:
    """Queue each changed object of the controller's own kind, `delay_seconds` after the change."""

    resource: Resource
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Owns:
    """Queue the parent of each changed child.

    `selector_of(parent)` returns the selector of the children it would adopt, None for none; leave
    it out for parents that adopt nothing.
    """

    resource: Resource
    selector_of: Callable[[Object], Selector | None] = lambda _parent: None


@dataclass(frozen=True, slots=True)
class Watches:
    """Queue the keys that `keys(cluster, change)` returns for each change."""

    resource: Resource
    keys: Callable[[Cluster, Change], Iterable[str]]
    delay_seconds: float = 0.0


Source = For | Owns | Watches


def attach(source: Source, parent: Resource | None, cluster: Cluster) -> None:
    """Add the informer handler that `source` describes; `parent` is the resource of the For row."""
    informer = cluster.informer(source.resource)
    if isinstance(source, Owns):
        assert parent is not None, "Owns needs a For row"
        informer.add_index(CONTROLLER_INDEX, controller_index)
        informer.add_handler(_Children(parent, source, cluster).handle)
        return
    keys = source.keys if isinstance(source, Watches) else _own_key
    delay = source.delay_seconds

    def handle(event: str, old: Object | None, new: Object | None) -> None:
        for key in keys(cluster, Change(event, old, new)):
            cluster.queue.add_after(key, delay)

    informer.add_handler(handle)


def _own_key(cluster: Cluster, change: Change) -> tuple[str]:
    if change.event == "delete":
        cluster.expectations.forget(uid_of(change.latest))
    return (key_of(change.latest),)


class _Children:
    """The handler of one Owns row."""

    def __init__(self, parent: Resource, source: Owns, cluster: Cluster) -> None:
        self._parent = parent
        self._selector_of = source.selector_of
        self._cluster = cluster

    def handle(self, event: str, old: Object | None, new: Object | None) -> None:
        """Tick off expectations, then queue the parents, former ones included."""
        self._observe(event, Change(event, old, new).latest)
        if event == "update":
            assert old is not None
            assert new is not None
            self._queue_former_parent(old, new)
            if controller_of(new) or _may_match_differently(old, new):
                self._queue_parents(new)
        elif event == "add" or controller_of(old or {}):
            self._queue_parents(Change(event, old, new).latest)

    def _observe(self, event: str, child: Object) -> None:
        reference = controller_of(child)
        if reference is None:
            return
        if event == "delete" or is_terminating(child):
            self._cluster.expectations.deletion_observed(reference["uid"], key_of(child))
        elif event == "add":
            self._cluster.expectations.creation_observed(reference["uid"])

    def _queue_former_parent(self, old: Object, new: Object) -> None:
        former = controller_of(old)
        if former and former != controller_of(new):
            self._queue_owner(namespace_of(old), former)

    def _queue_parents(self, child: Object) -> None:
        if reference := controller_of(child):
            self._queue_owner(namespace_of(child), reference)
        elif not is_terminating(child):
            self._queue_matching(child)

    def _queue_owner(self, namespace: str, reference: Object) -> None:
        if reference["kind"] != self._parent.kind:
            return
        key = f"{namespace}/{reference['name']}"
        owner = self._cluster.get(self._parent, key)
        if owner is not None and uid_of(owner) == reference["uid"]:
            self._cluster.queue.add(key)

    def _queue_matching(self, child: Object) -> None:
        labels = labels_of(child)
        for parent in self._cluster.list(self._parent, namespace_of(child)):
            selector = self._selector_of(parent)
            if selector is not None and selector.matches(labels):
                self._cluster.queue.add(key_of(parent))


def _may_match_differently(old: Object, new: Object) -> bool:
    return labels_of(old) != labels_of(new) or controller_of(old) != controller_of(new)
