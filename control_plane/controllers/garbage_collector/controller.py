"""The garbage collector: the acting half.

The key is an object's uid. Informers feed the graph, which names the uids to look at; a look
reads the object and its owners live, decides and acts. Absent owners are remembered (500),
because many dependents share one. Source: kubernetes
pkg/controller/garbagecollector/garbagecollector.go.
"""

from collections import OrderedDict
from collections.abc import Iterable

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, finalizers_of, owner_references, uid_of
from control_plane.api.resources import Resource
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.discovery import collectable
from control_plane.controllers.garbage_collector.classify import (
    Delete,
    DropReferences,
    OwnerState,
    decide,
    delete_options,
    without_blocking,
    without_finalizer,
    without_owners,
)
from control_plane.controllers.garbage_collector.graph import (
    FOREGROUND,
    ORPHAN,
    Identity,
    Node,
    OwnerGraph,
)
from control_plane.controllers.garbage_collector.served_kinds import ServedKinds, UnknownKind
from control_plane.controllers.runtime import DONE, Controller, Loop, Result
from control_plane.controllers.sources import Change, Watches, attach

ABSENT_OWNERS = 500
UNKNOWN_KIND_SECONDS = 30.0  # until an owner of an unknown kind is looked for again
NEW_KIND_SECONDS = 2.0  # until a kind that is unknown is looked for again
DISCOVERY_SECONDS = 30.0  # between two looks for kinds that have come or gone
UNSEEN_OWNER_SECONDS = 1.0  # until an owner that exists has to have reached the informer


def garbage_collector(config: ControllersConfig) -> Controller:
    """Return the garbage collector."""
    collector = GarbageCollector()
    return Controller(
        "garbage-collector-controller",
        "garbage-collector-controller",
        collector.look,
        sources=tuple(Watches(row, collector.feeder(row)) for row in collectable()),
        workers=config.concurrent_gc_syncs,
        loops=(Loop(DISCOVERY_SECONDS, collector.discover),),
    )


class GarbageCollector:
    """The graph, and what is known of absent owners."""

    def __init__(self) -> None:
        """Start with an empty graph."""
        self.graph = OwnerGraph()
        self._absent: OrderedDict[str, None] = OrderedDict()
        self._kinds = ServedKinds()
        self._discovered = 0.0

    async def discover(self, cluster: Cluster) -> None:
        """Watch the custom resources that are served now, and no others."""
        self._discovered = cluster.clock.monotonic()
        came, went = await self._kinds.refresh(cluster.client)
        for resource in went:
            cluster.informers.forget(resource)
        for resource in came:
            attach(Watches(resource, self.feeder(resource)), None, cluster)

    def feeder(self, resource: Resource) -> "Feeder":
        """Return the function that takes in the changes of `resource`."""
        return Feeder(self, resource)

    async def look(self, uid: str, cluster: Cluster) -> Result:
        """Do what the present state of object `uid` asks for."""
        node = self.graph.node(uid)
        if node is None:
            return DONE
        try:
            return await self._look(node, cluster)
        except UnknownKind:
            return await self._look_again(node, cluster)

    async def _look_again(self, node: Node, cluster: Cluster) -> Result:
        """Look once more, now that kinds have been discovered anew; not too often."""
        if cluster.clock.monotonic() < self._discovered + NEW_KIND_SECONDS:
            return Result(NEW_KIND_SECONDS)
        await self.discover(cluster)
        try:
            return await self._look(node, cluster)
        except UnknownKind:
            return Result(UNKNOWN_KIND_SECONDS)

    async def _look(self, node: Node, cluster: Cluster) -> Result:
        if node.being_deleted and not (node.deletes_dependents or node.orphans_dependents):
            return DONE
        obj = await _read(self._kinds, cluster, node.identity)
        if obj is None or uid_of(obj) != node.identity.uid:
            self._forget(node.identity.uid, cluster)
            return DONE
        if node.virtual:
            return Result(UNSEEN_OWNER_SECONDS)
        if node.orphans_dependents:
            await self._orphan(node, obj, cluster)
        elif node.deletes_dependents:
            await self._delete_dependents(node, obj, cluster)
        else:
            await self._judge(node, obj, cluster)
        return DONE

    def _forget(self, uid: str, cluster: Cluster) -> None:
        """Take an object that does not exist out of the graph and have its dependents looked at."""
        self.remember_absent(uid)
        for dependent in self.graph.remove(uid):
            cluster.queue.add(dependent)

    async def _judge(self, node: Node, obj: Object, cluster: Cluster) -> None:
        owners = {
            reference["uid"]: await self._state(node, reference, cluster)
            for reference in owner_references(obj)
        }
        dependents = self.graph.dependents(node.identity.uid)
        verdict = decide(
            obj,
            owners,
            has_dependents=bool(dependents),
            dependent_deletes_dependents=any(d.deletes_dependents for d in dependents),
        )
        if isinstance(verdict, DropReferences):
            await _patch(self._kinds, cluster, node.identity, without_owners(obj, verdict.uids))
        elif isinstance(verdict, Delete):
            await _delete(self._kinds, cluster, node.identity, obj, verdict)

    async def _state(self, node: Node, reference: Object, cluster: Cluster) -> OwnerState:
        """Look at one owner of `node`."""
        uid = reference["uid"]
        if uid in self._absent:
            self._absent.move_to_end(uid)
            return OwnerState.ABSENT
        resource = self._kinds.of(reference["apiVersion"], reference["kind"])
        namespace = node.identity.namespace
        if resource.namespaced and not namespace:
            self._report_namespace(node, reference, cluster)
            raise UnknownKind  # a namespaced owner of a cluster-scoped object is never matched
        identity = _identity(reference, namespace if resource.namespaced else "")
        owner = await _read(self._kinds, cluster, identity)
        if owner is None or uid_of(owner) != uid:
            self._report_if_elsewhere(node, reference, cluster)
            self.remember_absent(uid)
            return OwnerState.ABSENT
        waits = "deletionTimestamp" in owner["metadata"] and FOREGROUND in finalizers_of(owner)
        return OwnerState.WAITING if waits else OwnerState.SOLID

    def _report_if_elsewhere(self, node: Node, reference: Object, cluster: Cluster) -> None:
        """Say so when the missing owner exists in another namespace, where it cannot own `node`."""
        owner = self.graph.node(reference["uid"])
        if owner is not None and not owner.virtual:
            self._report_namespace(node, reference, cluster)

    def _report_namespace(self, node: Node, reference: Object, cluster: Cluster) -> None:
        identity = node.identity
        text = (
            f"ownerRef [{reference['apiVersion']}/{reference['kind']}, "
            f"namespace: {identity.namespace}, name: {reference['name']}, "
            f'uid: {reference["uid"]}] does not exist in namespace "{identity.namespace}"'
        )
        cluster.events.record(_stub(identity), "Warning", "OwnerRefInvalidNamespace", text)

    def remember_absent(self, uid: str) -> None:
        """Note that no object has this uid (any more)."""
        self._absent[uid] = None
        if len(self._absent) > ABSENT_OWNERS:
            self._absent.popitem(last=False)

    async def _delete_dependents(self, node: Node, obj: Object, cluster: Cluster) -> None:
        """Have the dependents that block this object deleted, or if there are none let it go."""
        uid = node.identity.uid
        blocking = [one for one in self.graph.dependents(uid) if one.blocks(uid)]
        if not blocking:
            await _patch(self._kinds, cluster, node.identity, without_finalizer(obj, FOREGROUND))
        for dependent in blocking:
            if not dependent.deletes_dependents:
                cluster.queue.add(dependent.identity.uid)

    async def _orphan(self, node: Node, obj: Object, cluster: Cluster) -> None:
        """Take this object out of its dependents' references, then let it go."""
        uid = node.identity.uid
        failures = []
        for dependent in self.graph.dependents(uid):
            try:
                await _drop_owner(self._kinds, cluster, dependent.identity, uid)
            except ApiError as error:
                failures.append(error.message)
        if failures:
            raise ReconcileError(f"cannot orphan all dependents: {'; '.join(failures)}")
        await _patch(self._kinds, cluster, node.identity, without_finalizer(obj, ORPHAN))


class Feeder:
    """Takes in the changes of one resource; returns the uids that they give reason to look at."""

    def __init__(self, collector: GarbageCollector, resource: Resource) -> None:
        """Feed the graph of `collector`."""
        self._collector = collector
        self._resource = resource

    def __call__(self, cluster: Cluster, change: Change) -> Iterable[str]:
        """Update the graph."""
        del cluster
        obj = change.latest
        if change.event != "delete":
            return self._collector.graph.put(self._resource, obj)
        self._collector.remember_absent(uid_of(obj))
        return self._collector.graph.remove(uid_of(obj))


def _identity(reference: Object, namespace: str) -> Identity:
    return Identity(
        reference["apiVersion"], reference["kind"], namespace, reference["name"], reference["uid"]
    )


def _stub(identity: Identity) -> Object:
    """Return enough of an object for an event to refer to."""
    return {
        "apiVersion": identity.api_version,
        "kind": identity.kind,
        "metadata": {
            "namespace": identity.namespace,
            "name": identity.name,
            "uid": identity.uid,
        },
    }


async def _read(kinds: ServedKinds, cluster: Cluster, identity: Identity) -> Object | None:
    """Read an object live; None when there is none of that name."""
    resource = kinds.of(identity.api_version, identity.kind)
    namespace = identity.namespace if resource.namespaced else None
    if resource.namespaced and not namespace:
        return None
    try:
        return await cluster.client.get(resource, identity.name, namespace)
    except NotFound:
        return None


async def _patch(kinds: ServedKinds, cluster: Cluster, identity: Identity, patch: Object) -> None:
    """Send a merge patch; an object that is gone needs none."""
    resource = kinds.of(identity.api_version, identity.kind)
    try:
        await cluster.client.patch(resource, identity.name, patch, identity.namespace or None)
    except NotFound:
        return


async def _drop_owner(
    kinds: ServedKinds, cluster: Cluster, identity: Identity, owner_uid: str
) -> None:
    obj = await _read(kinds, cluster, identity)
    if obj is None or uid_of(obj) != identity.uid:
        return
    if any(reference["uid"] == owner_uid for reference in owner_references(obj)):
        await _patch(kinds, cluster, identity, without_owners(obj, frozenset({owner_uid})))


async def _delete(
    kinds: ServedKinds, cluster: Cluster, identity: Identity, obj: Object, verdict: Delete
) -> None:
    resource = kinds.of(identity.api_version, identity.kind)
    namespace = identity.namespace or None
    try:
        if verdict.unblock_owners:
            obj = await cluster.client.patch(
                resource, identity.name, without_blocking(obj), namespace
            )
        options = delete_options(obj, verdict.policy)
        await cluster.client.delete(resource, identity.name, namespace, options=options)
    except NotFound:
        return
