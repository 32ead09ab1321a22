"""The scheduling loop: pop a pod, decide, book it, and write the binding beside the next decisions.

Decisions are made one at a time and without awaiting, so each sees all bookings of the earlier
ones. What follows a decision (binding, or reporting a failure) talks to the API server in tasks of
this object's group.

Bound: `MAX_REPORTS` such tasks. Overflow: the loop waits for one to end before it decides again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from control_plane.api.errors import ApiError
from control_plane.api.objects import is_terminating, name_of, namespace_of
from control_plane.api.resources import PODS
from control_plane.api.timestamps import now as timestamp
from control_plane.client.client import ApiClient
from control_plane.client.events import EventRecorder
from control_plane.scheduler.cache import Cache
from control_plane.scheduler.framework.cluster_event import ClusterEvent, EventKind
from control_plane.scheduler.framework.diagnosis import Diagnosis, event_note
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.framework.placement import Placement, Search, place
from control_plane.scheduler.framework.pod_info import PodInfo
from control_plane.scheduler.pod_failure import Failure, status_patch
from control_plane.scheduler.pod_queue import PodQueue
from control_plane.scheduler.queued_pod import QueuedPod

log = logging.getLogger(__name__)

MAX_REPORTS = 64
PERMIT_TIMEOUT_SECONDS = 15 * 60.0
FLUSH_BACKOFF_SECONDS = 1.0
FLUSH_UNSCHEDULABLE_SECONDS = 30.0
STATUS_PATCH_TRIES = 4
STATUS_PATCH_PAUSE_SECONDS = 0.5

FollowUp = Callable[[], Awaitable[None]]
"""What is left to do for a pod once it has been decided about."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the loop works with: the API, events, and what the watch handlers feed."""

    client: ApiClient
    recorder: EventRecorder
    cache: Cache
    queue: PodQueue


class Scheduler:
    """Schedules the pods of one queue. Run it once."""

    def __init__(self, cluster: Cluster, framework: Framework, percentage: int = 0) -> None:
        self._client = cluster.client
        self._recorder = cluster.recorder
        self._cache = cluster.cache
        self._queue = cluster.queue
        self._framework = framework
        self._percentage = percentage
        self._start = 0
        self._slots = asyncio.Semaphore(MAX_REPORTS)

    async def run(self) -> None:
        """Schedule until cancelled.

        Bindings under way are cancelled too and found out about at the next start.
        """
        async with asyncio.TaskGroup() as tasks:
            queue = self._queue
            tasks.create_task(_every(FLUSH_BACKOFF_SECONDS, queue.flush_backoff))
            tasks.create_task(_every(FLUSH_UNSCHEDULABLE_SECONDS, queue.flush_unschedulable))
            while True:
                await self._slots.acquire()
                queued = await queue.pop()
                follow_up = self._attempt(queued)
                task = tasks.create_task(self._supervise(queued, follow_up))
                task.add_done_callback(lambda _task: self._slots.release())
                await asyncio.sleep(0)

    def _attempt(self, queued: QueuedPod) -> FollowUp:
        """Decide about one pod and return what is left to do for it."""
        pod = queued.info
        if is_terminating(pod.pod):
            return partial(self._skip_terminating, queued)
        try:
            outcome = self._decide(pod)
            if isinstance(outcome, Placement):
                return self._book(queued, outcome)
            failure = Failure.from_diagnosis(outcome)
        except Exception as error:
            log.exception("scheduling attempt broke pod=%s", pod.key)
            failure = Failure.from_error(error)
        return partial(self._fail, queued, failure)

    def _decide(self, pod: PodInfo) -> Placement | Diagnosis:
        snapshot = self._cache.snapshot()
        search = Search(self._start, self._percentage)
        outcome = place(self._framework, pod, snapshot, search)
        if isinstance(outcome, Placement):
            self._start = (self._start + outcome.evaluated) % len(snapshot.nodes)
        return outcome

    def _book(self, queued: QueuedPod, placement: Placement) -> FollowUp:
        """Count the pod on its node and let plugins reserve; return the binding that follows."""
        pod, node_name = queued.info, placement.node_name
        self._cache.assume(pod, node_name)
        refusal = self._framework.reserve(placement.state, pod, node_name)
        if refusal:
            self._cache.forget(pod.uid)
            return partial(self._fail, queued, Failure.from_error(refusal.message))
        return partial(self._bind, queued, placement)

    async def _bind(self, queued: QueuedPod, placement: Placement) -> None:
        """Wait for permission, write the binding and say so.

        Take everything back when that fails.
        """
        pod, node_name = queued.info, placement.node_name
        try:
            async with asyncio.timeout(PERMIT_TIMEOUT_SECONDS):
                refusal = await self._framework.permit(placement.state, pod, node_name)
            if refusal is None:
                await self._framework.bind(self._client, pod, node_name)
        except (ApiError, OSError) as error:
            await self._undo(queued, placement, Failure.from_error(f"binding rejected: {error}"))
            return
        if refusal:
            failure = Failure(
                "Unschedulable", refusal.message, rejectors=frozenset((refusal.plugin,))
            )
            await self._undo(queued, placement, failure)
            return
        self._queue.done(queued)
        log.info("pod bound pod=%s node=%s", pod.key, node_name)
        message = f"Successfully assigned {pod.key} to {node_name}"
        self._recorder.record(pod.pod, "Normal", "Scheduled", message, action="Binding")

    async def _undo(self, queued: QueuedPod, placement: Placement, failure: Failure) -> None:
        """Free what was booked, wake pods that may use it, and report the failure."""
        pod = queued.info
        self._framework.unreserve(placement.state, pod, placement.node_name)
        if self._cache.forget(pod.uid):
            self._queue.report(ClusterEvent(EventKind.POD_DELETE, pod.pod, None))
        await self._fail(queued, failure)

    async def _fail(self, queued: QueuedPod, failure: Failure) -> None:
        """Put the pod back into the queue and tell the API why; nothing of that if it is gone."""
        pod = queued.info
        if not self._queue.failed(queued, failure.rejectors):
            log.info("pod gone meanwhile pod=%s message=%s", pod.key, failure.message)
            return
        log.info("pod not scheduled pod=%s message=%s", pod.key, failure.message)
        note = event_note(failure.message)
        self._warn(pod, note)
        patch = status_patch(pod.pod, failure, timestamp())
        if patch:
            await self._patch_status(pod, patch)

    async def _patch_status(self, pod: PodInfo, patch: dict[str, Any]) -> None:
        """Patch pods/status, again on server trouble.

        Any other refusal (the pod is gone) is left alone.
        """
        for _attempt in range(STATUS_PATCH_TRIES):
            try:
                await self._client.patch(
                    PODS,
                    name_of(pod.pod),
                    patch,
                    namespace_of(pod.pod),
                    subresource="status",
                    kind="strategic",
                )
            except ApiError as error:
                if error.code not in (500, 503):
                    log.info("pod status not patched pod=%s error=%s", pod.key, error)
                    return
            except OSError as error:
                log.warning("pod status not patched pod=%s error=%s", pod.key, error)
            else:
                return
            await asyncio.sleep(STATUS_PATCH_PAUSE_SECONDS)

    def _warn(self, pod: PodInfo, note: str) -> None:
        self._recorder.record(pod.pod, "Warning", "FailedScheduling", note, action="Scheduling")

    async def _skip_terminating(self, queued: QueuedPod) -> None:
        pod = queued.info
        self._queue.done(queued)
        message = f"skip schedule deleting pod: {pod.key}"
        self._warn(pod, message)

    async def _supervise(self, queued: QueuedPod, work: FollowUp) -> None:
        """Keep the trouble of one pod from stopping the others."""
        try:
            await work()
        except Exception as error:
            log.exception("scheduling broke after the decision pod=%s", queued.info.key)
            self._cache.forget(queued.info.uid)
            with suppress(Exception):
                await self._fail(queued, Failure.from_error(error))


async def _every(seconds: float, flush: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        flush()
