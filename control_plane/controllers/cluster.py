"""What a reconcile function sees of the world: caches to read, a client to write with, a clock.

One `Cluster` per controller, made by runtime.py. Reads are from the informers' caches, hence
synchronous and possibly a little old; objects read there must not be changed. Writes go through
`client`. `queue` is the controller's own workqueue.
"""

from dataclasses import dataclass, field
from datetime import datetime

from control_plane.api.objects import Object, controller_of, namespace_of, uid_of
from control_plane.api.resources import Resource
from control_plane.api.timestamps import format_time
from control_plane.client.client import ApiClient
from control_plane.client.clock import LOOP_CLOCK, Clock
from control_plane.client.events import EventRecorder
from control_plane.client.informer import Informer
from control_plane.client.informer_set import InformerSet
from control_plane.client.workqueue import WorkQueue
from control_plane.controllers.expectations import Expectations

CONTROLLER_INDEX = "controller"

Objects = list[Object]  # the class below has a method named list


class ReconcileError(Exception):
    """A reconciliation did not get all it wanted done; it will be tried again later."""


@dataclass(slots=True)
class Cluster:
    """One controller's view of the cluster."""

    client: ApiClient
    informers: InformerSet
    events: EventRecorder
    queue: WorkQueue
    clock: Clock = LOOP_CLOCK
    expectations: Expectations = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no expectations."""
        self.expectations = Expectations(self.clock)

    def informer(self, resource: Resource) -> Informer:
        """Return the shared informer of all objects of `resource`."""
        return self.informers.informer(resource)

    def get(self, resource: Resource, key: str) -> Object | None:
        """Return one object from the cache, or None."""
        return self.informer(resource).get(key)

    def list(self, resource: Resource, namespace: str | None = None) -> Objects:
        """Return the cached objects of one namespace, or of all."""
        return self.informer(resource).list(namespace)

    def controlled_by(self, resource: Resource, uid: str) -> Objects:
        """Return the cached objects whose controller reference names `uid`."""
        return self.informer(resource).by_index(CONTROLLER_INDEX, uid)

    def claimable(self, resource: Resource, owner: Object) -> Objects:
        """Return what `owner` controls, and the objects of its namespace that nobody controls."""
        orphans = self.informer(resource).by_index(CONTROLLER_INDEX, orphan_key(owner))
        return self.controlled_by(resource, uid_of(owner)) + orphans

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return self.clock.now()

    def stamp(self) -> str:
        """Return the time of day as objects carry it, to the second."""
        return format_time(self.clock.now())


def controller_index(obj: Object) -> tuple[str]:
    """File an object under its controller's uid, or with the orphans of its namespace."""
    reference = controller_of(obj)
    return (reference["uid"],) if reference else (orphan_key(obj),)


def orphan_key(obj: Object) -> str:
    """Return where the index files the uncontrolled objects of the namespace of `obj`."""
    return f"orphans/{namespace_of(obj)}"
