"""Feeds the cache and the queue from the informers of pods and nodes.

A pod with a node belongs to the cache. One without belongs to the queue if it asks for this
scheduler. Finished pods do not appear: the informer's field selector turns the end of a pod into a
deletion. All handlers are synchronous and run on the loop in the order of the watch.
"""

import logging

from control_plane.api.objects import Object, key_of, name_of, uid_of
from control_plane.scheduler.cache import Cache
from control_plane.scheduler.framework.cluster_event import (
    ClusterEvent,
    EventKind,
    node_events,
    placed_pod_events,
)
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.pod_queue import PodQueue

log = logging.getLogger(__name__)

POD_FIELD_SELECTOR = "status.phase!=Succeeded,status.phase!=Failed"


class WatchHandlers:
    """The two handlers, for pods and for nodes."""

    def __init__(self, cache: Cache, queue: PodQueue, scheduler_name: str) -> None:
        self._cache = cache
        self._queue = queue
        self._scheduler_name = scheduler_name

    def on_node(self, action: str, old: Object | None, new: Object | None) -> None:
        """Take a node event of the informer."""
        if action == "delete":
            self._cache.remove_node(name_of(old or new or {}))
            events = node_events(old or new, None)
        elif new is not None:
            self._cache.set_node(new)
            events = node_events(old, new)
        for event in events:
            self._queue.report(event)

    def on_pod(self, action: str, old: Object | None, new: Object | None) -> None:
        """Take a pod event of the informer.

        A pod replaced under its name counts as deleted and added.
        """
        gone = old or new
        if action == "delete" and gone is not None:
            self._pod_gone(gone)
            return
        if new is None:
            return
        if old is not None and uid_of(old) != uid_of(new):
            self._pod_gone(old)
            old = None
        self._pod_seen(old, new)

    def _pod_seen(self, old: Object | None, new: Object) -> None:
        try:
            pod = PodInfo.of(new)
        except ValueError as error:
            log.warning("pod ignored pod=%s error=%s", key_of(new), error)
            return
        if pod.node_name:
            self._placed(old, pod)
        elif pod.scheduler_name == self._scheduler_name and not self._is_settled(pod):
            self._queue.update(pod)

    def _is_settled(self, pod: PodInfo) -> bool:
        """Tell whether the binding is written already and only its event has not come yet."""
        return self._cache.is_assumed(pod.uid) and self._queue.place_of(pod.uid) is None

    def _placed(self, old: Object | None, pod: PodInfo) -> None:
        """Count a pod on its node. One that has just got its node leaves the queue."""
        self._queue.delete(pod.uid)
        self._cache.set_pod(pod)
        before = None if old is None else PodInfo.of(old)
        if before is None or not before.node_name:
            self._queue.report(ClusterEvent(EventKind.POD_ADD, None, pod.pod))
            return
        for event in placed_pod_events(before, pod):
            self._queue.report(event)

    def _pod_gone(self, pod: Object) -> None:
        uid = uid_of(pod)
        self._queue.delete(uid)
        if self._cache.remove_pod(uid):
            self._queue.report(ClusterEvent(EventKind.POD_DELETE, pod, None))
