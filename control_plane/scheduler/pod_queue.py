"""The scheduling queue: which pending pod is tried next, and which must wait for what.

Five places: active (a heap by priority, then waiting time), back-off and error back-off (heaps by
expiry), unschedulable (waiting for an event that helps, or held back by a gate) and in flight
(being tried or bound).

Synchronous and driven by an injected clock; only `pop` waits. The watch handlers add, update,
delete and report events; the scheduling loop pops, and gives every popped pod back by `done` or
`failed`.

Bound: one entry for each pending pod of the cluster, keyed by uid, so the informer's store bounds
it. The log of events missed by pods in flight is bounded by itself (in_flight_events.py).
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from control_plane.scheduler.framework.cluster_event import (
    WILDCARD,
    ClusterEvent,
    waiting_pod_events,
)
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.in_flight_events import InFlightEvents
from control_plane.scheduler.pod_heap import PodHeap
from control_plane.scheduler.queued_pod import BackoffLimits, Place, QueuedPod

UNSCHEDULABLE_TIMEOUT_SECONDS = 300.0


class PodQueue:
    """Pending pods of one scheduler. Not thread-safe: all calls come from one event loop."""

    def __init__(
        self,
        framework: Framework,
        *,
        limits: BackoffLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._framework = framework
        self._limits = limits or BackoffLimits()
        self._clock = clock
        self._pods: dict[str, QueuedPod] = {}
        self._waiting: dict[str, QueuedPod] = {}
        heaps = (Place.BACKOFF, Place.ERROR_BACKOFF)
        self._heaps = {Place.ACTIVE: PodHeap(self._order)}
        self._heaps |= {place: PodHeap(self._expiry) for place in heaps}
        self._missed = InFlightEvents()
        self._in_flight = 0
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        return len(self._pods)

    def place_of(self, uid: str) -> Place | None:
        """Return where the pod is, None when it is not queued."""
        pod = self._pods.get(uid)
        return pod.place if pod else None

    async def pop(self) -> QueuedPod:
        """Wait for the next pod to try.

        When none is active, one that is only backing off is taken early.
        """
        while True:
            pod = self.try_pop()
            if pod:
                return pod
            self._ready.clear()
            await self._ready.wait()

    def try_pop(self) -> QueuedPod | None:
        """Take the next pod if there is one, and mark it in flight."""
        pod = self._heaps[Place.ACTIVE].pop() or self._heaps[Place.BACKOFF].pop()
        if pod:
            pod.place = Place.IN_FLIGHT
            pod.in_flight_since = self._missed.position
            self._in_flight += 1
        return pod

    def add(self, info: PodInfo) -> None:
        """Queue a pod that has just appeared, or is new to this scheduler."""
        if info.uid in self._pods:
            self.update(info)
            return
        pod = QueuedPod(info, self._clock())
        self._pods[info.uid] = pod
        self._enter(pod, Place.ACTIVE)

    def update(self, info: PodInfo) -> None:
        """Replace the pod by a newer version, and wake it when its own change may help."""
        pod = self._pods.get(info.uid)
        if pod is None:
            self.add(info)
            return
        events = waiting_pod_events(pod.info, info)
        pod.info = info
        if pod.place is Place.IN_FLIGHT:
            for event in events:
                self._missed.append(event)
        elif pod.place is Place.UNSCHEDULABLE:
            if any(self._is_woken(pod, event) for event in events):
                self._wake(pod)
        else:
            self._heaps[pod.place].push(pod)

    def delete(self, uid: str) -> None:
        """Forget a pod that is gone or has a node.

        An attempt in flight goes on, its result is ignored.
        """
        pod = self._pods.pop(uid, None)
        if pod is not None:
            self._leave(pod)

    def report(self, event: ClusterEvent) -> None:
        """Wake the waiting pods that the event may help."""
        if self._in_flight:
            self._missed.append(event)
        for pod in list(self._waiting.values()):
            if self._is_woken(pod, event):
                self._wake(pod)

    def done(self, pod: QueuedPod) -> None:
        """Close an attempt that succeeded, or whose pod needs no further one."""
        if self._pods.get(pod.info.uid) is pod:
            self.delete(pod.info.uid)

    def failed(self, pod: QueuedPod, rejectors: Iterable[str] = ()) -> bool:
        """Close an attempt that failed; tell whether the pod is still there to be tried again.

        `rejectors` are the plugins that refused; none means an error.
        """
        if self._pods.get(pod.info.uid) is not pod:
            return False
        pod.failed(self._clock(), rejectors)
        missed = self._missed.since(pod.in_flight_since)
        self._leave(pod)
        if not pod.rejectors:
            self._enter(pod, Place.ERROR_BACKOFF)
        elif missed is None or any(self._is_woken(pod, event) for event in missed):
            self._wake(pod)
        else:
            self._enter(pod, Place.UNSCHEDULABLE)
        return True

    def flush_backoff(self) -> None:
        """Make pods active whose back-off is over. To be called every second."""
        now = self._clock()
        for place in (Place.BACKOFF, Place.ERROR_BACKOFF):
            heap = self._heaps[place]
            while (pod := heap.peek()) and pod.backoff_until(self._limits) <= now:
                self._leave(pod)
                self._enter(pod, Place.ACTIVE)

    def flush_unschedulable(self) -> None:
        """Wake pods that have waited for an event for more than five minutes."""
        oldest = self._clock() - UNSCHEDULABLE_TIMEOUT_SECONDS
        for pod in list(self._waiting.values()):
            if pod.queued_at < oldest and self._is_woken(pod, WILDCARD):
                self._wake(pod)

    def _order(self, pod: QueuedPod) -> tuple[object, ...]:
        return self._framework.queue_key(pod.info, pod.queued_at)

    def _expiry(self, pod: QueuedPod) -> tuple[object, ...]:
        return (pod.backoff_until(self._limits), *self._order(pod))

    def _is_woken(self, pod: QueuedPod, event: ClusterEvent) -> bool:
        if not event.concerns(pod.info):
            return False
        rejectors = (pod.gated_by,) if pod.gated_by else pod.rejectors
        return self._framework.is_woken(pod.info, rejectors, event)

    def _wake(self, pod: QueuedPod) -> None:
        self._leave(pod)
        is_waiting = pod.backoff_until(self._limits) > self._clock()
        self._enter(pod, Place.BACKOFF if is_waiting else Place.ACTIVE)

    def _leave(self, pod: QueuedPod) -> None:
        """Take the pod out of its place; it stays known."""
        if pod.place in self._heaps:
            self._heaps[pod.place].remove(pod.info.uid)
        elif pod.place is Place.UNSCHEDULABLE:
            self._waiting.pop(pod.info.uid, None)
        elif pod.place is Place.IN_FLIGHT:
            self._in_flight -= 1
            if not self._in_flight:
                self._missed.clear()

    def _enter(self, pod: QueuedPod, place: Place) -> None:
        """Put the pod into a place; a gate keeps it among the unschedulable ones."""
        if place in (Place.ACTIVE, Place.BACKOFF):
            gate = self._framework.pre_enqueue(pod.info)
            pod.gated_by = gate.plugin if gate else ""
            place = Place.UNSCHEDULABLE if gate else place
        pod.place = place
        if place is Place.UNSCHEDULABLE:
            self._waiting[pod.info.uid] = pod
        else:
            self._heaps[place].push(pod)
        if place in (Place.ACTIVE, Place.BACKOFF):
            self._ready.set()
