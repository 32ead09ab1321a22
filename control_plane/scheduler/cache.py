"""What the scheduler believes about nodes and the pods on them.

Fed by the watch handlers and, ahead of them, by the loop: `assume` books a pod on its node before
the binding is written, so that the next cycle counts it. The pod's own event confirms the booking;
`forget` takes it back when the binding fails. Bookings never expire: an informer always reports the
bound pod or its deletion.
"""

from collections import Counter
from dataclasses import replace
from types import MappingProxyType

from control_plane.api.objects import Object, name_of
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.framework.snapshot import Snapshot, interleave_zones


class Cache:
    """Nodes by name, each with its pods. Not thread-safe: all calls come from one event loop."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._node_of: dict[str, str] = {}
        self._assumed: set[str] = set()
        self._image_nodes: Counter[str] = Counter()
        self._order: list[str] | None = None
        self._snapshot: Snapshot | None = None

    def snapshot(self) -> Snapshot:
        """Return the present state; the same object until something changes."""
        if self._snapshot is None:
            if self._order is None:
                present = [info for info in self._nodes.values() if info.node is not None]
                self._order = interleave_zones(present)
            nodes = tuple(self._nodes[name] for name in self._order)
            by_name = {info.name: info for info in nodes}
            self._snapshot = Snapshot(nodes, by_name, MappingProxyType(self._image_nodes))
        return self._snapshot

    def set_node(self, node: Object) -> None:
        """Add a node, or replace it by a newer version; its pods stay."""
        name = name_of(node)
        before = self._nodes.get(name) or NodeInfo(name)
        self._replace_node(before, before.with_node(node))

    def remove_node(self, name: str) -> None:
        """Drop a node.

        Pods that name it are remembered until they are gone, in case it comes back.
        """
        before = self._nodes.get(name)
        if before is not None:
            self._replace_node(before, before.with_node(None))

    def set_pod(self, pod: PodInfo) -> None:
        """Record a pod that has a node, as the API server reports it; confirms a booking."""
        self._assumed.discard(pod.uid)
        self._put(pod, pod.node_name)

    def remove_pod(self, uid: str) -> bool:
        """Drop a pod that is gone or has finished, or was only assumed.

        Tell whether it was there.
        """
        self._assumed.discard(uid)
        node_name = self._node_of.pop(uid, None)
        if node_name is None:
            return False
        self._store(self._nodes[node_name].without_pod(uid))
        return True

    def assume(self, pod: PodInfo, node_name: str) -> None:
        """Book the pod on a node before the API server knows."""
        spec = {**pod.spec, "nodeName": node_name}
        self._put(replace(pod, pod={**pod.pod, "spec": spec}), node_name)
        self._assumed.add(pod.uid)

    def forget(self, uid: str) -> bool:
        """Take back a booking that is not confirmed yet. Tell whether there was one."""
        return self.remove_pod(uid) if uid in self._assumed else False

    def is_assumed(self, uid: str) -> bool:
        """Tell whether the pod is booked and not confirmed."""
        return uid in self._assumed

    def _put(self, pod: PodInfo, node_name: str) -> None:
        was_on = self._node_of.get(pod.uid)
        if was_on is not None and was_on != node_name:
            self._store(self._nodes[was_on].without_pod(pod.uid))
        self._node_of[pod.uid] = node_name
        node = self._nodes.get(node_name) or NodeInfo(node_name)
        self._store(node.with_pod(pod))

    def _replace_node(self, before: NodeInfo, after: NodeInfo) -> None:
        if before.images.keys() != after.images.keys():
            self._image_nodes.subtract(before.images.keys())
            self._image_nodes.update(after.images.keys())
            self._image_nodes = +self._image_nodes
        if (before.node is None) != (after.node is None) or before.zone != after.zone:
            self._order = None
        self._store(after)

    def _store(self, info: NodeInfo) -> None:
        """Keep the node unless nothing is left of it."""
        self._snapshot = None
        if info.node is None and not info.pods:
            self._nodes.pop(info.name, None)
        else:
            self._nodes[info.name] = info
