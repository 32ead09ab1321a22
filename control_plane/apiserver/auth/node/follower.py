"""Keeps a NodeGraph as the watch caches of pods, volumes, attachments and slices are."""

from collections.abc import Callable, Iterable

from control_plane.api.objects import Object
from control_plane.api.resources import (
    PERSISTENTVOLUMES,
    PODS,
    RESOURCESLICES,
    VOLUMEATTACHMENTS,
)
from control_plane.apiserver.auth.node.graph import NodeGraph, Place
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry
from control_plane.apiserver.storage.follower import Follower

_NODE_FIELD = "spec.nodeName"
_CLAIMS = b"esourceClaimStatus"  # what changes of a pod that has its node already


def follow_nodes(collections: Collections) -> NodeGraph:
    """A graph that is kept current from now on."""
    graph = NodeGraph()
    collections.observe(PODS, PodFollower(graph.set_pod))
    collections.observe(
        PERSISTENTVOLUMES, Follower(lambda place, obj: graph.set_volume(place[1], obj))
    )
    for resource in (RESOURCESLICES, VOLUMEATTACHMENTS):
        collections.observe(resource, Follower(_setter(graph, resource.plural)))
    return graph


def _setter(graph: NodeGraph, plural: str) -> Callable[[Place, Object | None], None]:
    return lambda place, obj: graph.set_on_node((plural, *place), obj)


class PodFollower(Follower):
    """Reads only the pods that are on nodes, and only when their relations may have changed."""

    def loaded(self, entries: Iterable[Entry]) -> None:
        """Take the pods in that have a node."""
        super().loaded(entry for entry in entries if entry.fields[_NODE_FIELD])

    def changed(self, event: CacheEvent) -> None:
        """Take a change in: most are of a status, which relates to nothing."""
        entry, previous = event.entry, event.previous
        if entry is not None:
            node = entry.fields[_NODE_FIELD]
            before = previous.fields[_NODE_FIELD] if previous is not None else ""
            if node == before and _CLAIMS not in entry.item:
                return
        super().changed(event)
