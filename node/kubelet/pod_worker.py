"""One task for each pod: sync while it should run, then terminate it, then clean up behind it.

    syncing ──(deleted, deadline, phase final)──> terminating ──> terminated ──(deleted)──> cleaned
    up, gone

Called by kubelet.py, which makes a worker when a pod appears, tells it of every change (`update`,
`vanish`, `wake`) and drops it when `run` returns. A worker never shares a pod's containers with
anyone else, so nothing here needs a lock. The worker is the supervisor of its syncs: whatever goes
wrong in one is logged, and tried again after a while.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from control_plane.api.errors import ApiError, Conflict, NotFound
from control_plane.api.resources import PODS
from node.kubelet.admission import Admission, rejection
from node.kubelet.pod_actions import ALIVE
from node.kubelet.pod_spec import (
    identity_of,
    is_terminal,
    pod_id,
    termination_grace,
    without_pre_stop,
)
from node.kubelet.pod_sync import DEADLINE, PodSync, SyncFailure
from node.kubelet.runtimes.base import PodRecord, RuntimeFailure
from node.kubelet.status_writer import StatusWriter
from node.kubelet.termination import stop_all
from node.kubelet.volumes.base import VolumeFailure
from node.kubelet.volumes.pod_volumes import VolumeSetUpFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from control_plane.api.objects import Object
    from node.kubelet.pod_services import PodServices

log = logging.getLogger(__name__)

_RETRY_SECONDS = 10.0
_VOLUME_RETRY_SECONDS = 2.0
_API_RETRY_SECONDS = 1.0
_RUNTIME_FAILURES = (RuntimeFailure, SyncFailure)


class PodWorker:
    """Runs one pod, identified by its uid, from first sight until nothing of it is left."""

    def __init__(self, services: PodServices, pod: Object) -> None:
        self._services, self._pod = services, pod
        self._sync = PodSync(services, StatusWriter(services.client))
        self._wake, self._end = asyncio.Event(), asyncio.Event()
        self._vanished = False
        self._stopping = False
        self.admitted = bool((pod.get("status") or {}).get("startTime"))
        self._failure: tuple[str, str] | None = None
        self.update(pod)

    @property
    def pod(self) -> Object:
        """The pod as last seen, with the newest status known."""
        return self._sync.writer.newest(self._pod)

    def update(self, pod: Object) -> None:
        """Take a newer version of the pod."""
        before, self._pod = self._pod, pod
        if pod["metadata"].get("deletionTimestamp") or is_terminal(pod):
            self._end.set()
        if _differs(before, pod):
            self._wake.set()

    def vanish(self) -> None:
        """The API has the pod no more: end it at once."""
        self._vanished = True
        self._end.set()
        self._wake.set()

    def wake(self) -> None:
        """Something of the pod changed in the runtime or in its probes."""
        self._wake.set()

    async def run(self) -> None:
        """Live through all states; returns when nothing of the pod is left. Cancelling leaves its
        containers running.
        """
        self._wake.set()
        self._admit()
        while not self._end.is_set():
            await self._pause(await self._sync_once())
        record = await self._terminate()
        await self._report_end(record)
        await self._until_done(self._release)
        while not (self._vanished or self._pod["metadata"].get("deletionTimestamp")):
            self._wake.clear()
            await self._wake.wait()
        await self._until_done(self._clean_up)
        await self._until_done(self._delete)

    def _admit(self) -> None:
        """Reject a pod the node cannot take; one that was accepted before stays so."""
        pod, services = self._pod, self._services
        if self._end.is_set() or self.admitted:
            return
        uid = pod["metadata"]["uid"]
        others = [p for p in services.active_pods() if p["metadata"]["uid"] != uid]
        found = rejection(Admission(pod, others, services.node.allocatable))
        if found is None:
            self.admitted = True
            return
        reason, message = found
        services.events.warning(pod, reason, message)
        log.warning("pod_rejected pod=%s reason=%s", pod_id(pod), reason)
        self._failure = (reason, f"Pod was rejected: {message}")
        self._end.set()

    async def _sync_once(self) -> float:
        """Sync, giving up as soon as the pod must end; return after how many seconds to sync
        again.
        """
        self._wake.clear()
        sync = asyncio.create_task(
            self._guarded_sync(), name=f"sync-{self._pod['metadata']['name']}"
        )
        end = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait((sync, end), return_when=asyncio.FIRST_COMPLETED)
            return sync.result() if sync.done() else 0.0
        finally:
            for task in (sync, end):
                task.cancel()
            await asyncio.gather(sync, end, return_exceptions=True)

    async def _guarded_sync(self) -> float:
        left = self._sync.past_deadline(self._pod)
        if left is not None and left <= 0:
            self._fail(DEADLINE)
            return 0.0
        try:
            seconds = await self._sync.run(self._pod)
        except VolumeSetUpFailure as error:
            self._services.events.warning(self._pod, "FailedMount", str(error))
            log.info("volumes_failed pod=%s error=%s", pod_id(self._pod), error)
            return _VOLUME_RETRY_SECONDS
        except _RUNTIME_FAILURES as error:
            log.warning("sync_failed pod=%s error=%s", pod_id(self._pod), error)
            return _API_RETRY_SECONDS
        except Exception:
            log.exception("sync_crashed pod=%s", pod_id(self._pod))
            return _RETRY_SECONDS * random.uniform(1.0, 1.5)
        if self._sync.phase in ("Succeeded", "Failed"):
            self._end.set()
        return seconds if left is None else min(seconds, left)

    def _fail(self, failure: tuple[str, str]) -> None:
        self._failure = failure
        self._services.events.normal(self._pod, *failure)
        self._end.set()

    async def _pause(self, seconds: float) -> None:
        if self._end.is_set():
            return
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _terminate(self) -> PodRecord:
        """Stop everything within the grace, which may shrink meanwhile; return what is left."""
        uid = self._pod["metadata"]["uid"]
        log.info("pod_terminating pod=%s", pod_id(self._pod))
        self._services.prober.begin_termination(uid)
        while True:
            try:
                record = await self._sync.observe(self._pod)
                if not _runs(record):
                    self._services.prober.forget(uid)
                    return record
                await self._stop(record)
            except RuntimeFailure as error:
                text = f"error killing pod: {error}"
                self._services.events.warning(self._pod, "FailedKillPod", text)
                log.warning("kill_failed pod=%s error=%s", pod_id(self._pod), error)
                await asyncio.sleep(_API_RETRY_SECONDS)

    async def _stop(self, record: PodRecord) -> None:
        grace = self._grace()
        pod = without_pre_stop(self._pod) if self._stopping else self._pod
        self._stopping = True
        stop = asyncio.create_task(stop_all(self._services, pod, record, grace))
        try:
            while not stop.done():
                self._wake.clear()
                await self._publish_quietly()
                if self._grace() < grace:
                    return  # what is being stopped is stopped again, with less time
                wake = asyncio.create_task(self._wake.wait())
                await asyncio.wait((stop, wake), return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
            stop.result()
        finally:
            stop.cancel()
            await asyncio.gather(stop, return_exceptions=True)

    def _grace(self) -> int:
        if self._vanished:
            return 1
        return termination_grace(self._pod)

    async def _publish_quietly(self) -> None:
        try:
            record = await self._sync.observe(self._pod)
            await self._sync.publish(self._pod, record)
        except RuntimeFailure as error:
            log.info("observe_failed pod=%s error=%s", pod_id(self._pod), error)

    async def _report_end(self, record: PodRecord) -> None:
        """Publish the final status, until the API has it or has the pod no more."""

        async def publish() -> bool:
            return self._vanished or await self._sync.publish(
                self._pod, record, stopped=True, failure=self._failure
            )

        await self._until_done(publish)
        log.info("pod_terminated pod=%s phase=%s", pod_id(self._pod), self._sync.phase)

    async def _until_done(self, step: Callable[[], Awaitable[bool]]) -> None:
        while True:
            if await step():
                return
            await asyncio.sleep(_API_RETRY_SECONDS)

    async def _release(self) -> bool:
        """Give back what the pod's volumes take; its last words stay until it is deleted."""
        try:
            await self._services.volumes.release(self._pod["metadata"]["uid"])
        except VolumeFailure as error:
            log.warning("release_failed pod=%s error=%s", pod_id(self._pod), error)
            return False
        return True

    async def _clean_up(self) -> bool:
        """Remove containers, sandboxes, volumes and what is remembered of the pod."""
        services, uid = self._services, self._pod["metadata"]["uid"]
        try:
            record = await services.runtime.pod_record(identity_of(self._pod))
            for container in record.containers:
                await services.runtime.remove(container.id)
            for sandbox in record.sandboxes:
                await services.runtime.remove_sandbox(sandbox.id)
            await services.volumes.tear_down(uid)
        except (RuntimeFailure, VolumeFailure) as error:
            log.warning("clean_up_failed pod=%s error=%s", pod_id(self._pod), error)
            return False
        services.images.forget(uid)
        services.reader.forget(uid)
        services.backoff.forget(f"{uid}_")
        return True

    async def _delete(self) -> bool:
        """Delete the API object, now that nothing runs; a pod that is gone is done."""
        if self._vanished:
            return True
        meta = self._pod["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
        try:
            await self._services.client.delete(
                PODS, meta["name"], meta.get("namespace"), options=options
            )
        except (NotFound, Conflict):
            return True
        except (ApiError, OSError) as error:
            log.warning("delete_failed pod=%s error=%s", pod_id(self._pod), error)
            return False
        log.info("pod_deleted pod=%s", pod_id(self._pod))
        return True


def _runs(record: PodRecord) -> bool:
    running = any(c.phase in ALIVE for c in record.containers)
    return running or any(sandbox.running for sandbox in record.sandboxes)


def _differs(before: Object, after: Object) -> bool:
    """Return whether a change concerns the kubelet: everything but its own status writes."""
    if before.get("spec") != after.get("spec"):
        return True
    keys = ("labels", "annotations", "deletionTimestamp", "deletionGracePeriodSeconds")
    old, new = before["metadata"], after["metadata"]
    if any(old.get(key) != new.get(key) for key in keys):
        return True
    return bool(after["spec"].get("readinessGates")) and _conditions(before) != _conditions(after)


def _conditions(pod: Object) -> object:
    return (pod.get("status") or {}).get("conditions")
