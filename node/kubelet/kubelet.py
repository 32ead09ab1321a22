"""The sync loop: pods from the API and changes in the runtime, dispatched to one worker a pod.

Called by server.py. Pods are the API server's, those bound to this node; the runtime reports
changes by an event stream, and is listed every few seconds in case the stream missed one. What the
runtime has of pods the API does not know is removed (orphans): that is also how pods deleted while
the kubelet was away are cleaned up.

Bound: one worker task for each pod that the API or the runtime has.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from node.kubelet.pod_worker import PodWorker
from node.kubelet.runtimes.base import PodIdentity, PodRecord, RuntimeFailure
from node.kubelet.volumes.base import VolumeFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object
    from node.kubelet.pod_services import PodServices

log = logging.getLogger(__name__)

RELIST_SECONDS = 10.0
_STREAM_RETRY_SECONDS = 1.0


class Kubelet:
    """All pods of the node."""

    def __init__(self, services: PodServices) -> None:
        self._services = services
        self._workers: dict[str, PodWorker] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._seen: dict[str, object] = {}

    def pods(self) -> list[Object]:
        """Return the pods as the kubelet knows them."""
        return [worker.pod for worker in self._workers.values()]

    def admitted_pods(self) -> list[Object]:
        """Return the pods the node has taken: those whose requests count."""
        return [worker.pod for worker in self._workers.values() if worker.admitted]

    def find(self, namespace: str, name: str) -> Object | None:
        """Return a pod by name; of two with one name the one that is not being deleted."""
        found = [p for p in self.pods() if _is_named(p, namespace, name)]
        found.sort(key=lambda pod: bool(pod["metadata"].get("deletionTimestamp")))
        return found[0] if found else None

    def handle(self, event: str, old: Object | None, new: Object | None) -> None:
        """Take a change of a pod from the informer."""
        if new is None or (old is not None and _uid(old) != _uid(new)):
            if old is not None and (worker := self._workers.get(_uid(old))):
                worker.vanish()
            if new is None:
                return
        if worker := self._workers.get(_uid(new)):
            worker.update(new)
        else:
            self._add(new)

    def wake(self, uid: str) -> None:
        """Let a pod's worker look again."""
        if worker := self._workers.get(uid):
            worker.wake()

    async def run(self) -> None:
        """Run until cancelled; containers go on running."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for worker in self._workers.values():
                    tasks.create_task(self._run_worker(worker), name="pod-worker")
                tasks.create_task(self._relist(), name="relist")
                await self._follow_changes()
            finally:
                self._tasks = None

    def _add(self, pod: Object) -> None:
        worker = self._workers[_uid(pod)] = PodWorker(self._services, pod)
        if self._tasks is not None:
            self._tasks.create_task(self._run_worker(worker), name="pod-worker")

    async def _run_worker(self, worker: PodWorker) -> None:
        uid = _uid(worker.pod)
        while True:
            try:
                await worker.run()
            except Exception:
                log.exception("pod_worker_crashed uid=%s", uid)
                await asyncio.sleep(RELIST_SECONDS)
                continue
            del self._workers[uid]
            return

    async def _follow_changes(self) -> None:
        while True:
            try:
                async with aclosing(self._services.runtime.changes()) as changes:
                    async for uid in changes:
                        self.wake(uid)
            except RuntimeFailure as error:
                log.warning("runtime_events_lost error=%s", error)
            await asyncio.sleep(_STREAM_RETRY_SECONDS)

    async def _relist(self) -> None:
        while True:
            try:
                await self.housekeep()
            except (RuntimeFailure, OSError) as error:
                log.warning("housekeeping_failed error=%s", error)
            await asyncio.sleep(RELIST_SECONDS)

    async def housekeep(self) -> None:
        """Wake workers whose pod changed unnoticed, and take care of pods nobody wants."""
        listed = await self._services.runtime.list_pods()
        for uid in changed_pods(self._seen, listed):
            self.wake(uid)
        self._seen = {uid: _fingerprint(record) for uid, record in listed.items()}
        for uid, record in listed.items():
            if uid not in self._workers:
                log.info("orphan_pod uid=%s name=%s", uid, record.pod.name)
                self._add(orphan(record.pod))
                self._workers[uid].vanish()
        self._services.backoff.prune(self._services.clock())
        for uid in await self._services.volumes.pods_on_disk():
            if uid not in self._workers:
                await self._tear_down(uid)

    async def _tear_down(self, uid: str) -> None:
        """Remove what is on disk of a pod that is gone; one that resists does not keep others."""
        try:
            await self._services.volumes.tear_down(uid)
        except VolumeFailure as error:
            log.warning("tear_down_failed uid=%s error=%s", uid, error)


def changed_pods(before: Mapping[str, object], now: Mapping[str, PodRecord]) -> Iterable[str]:
    """Return the uids whose containers differ from what was listed before."""
    return [uid for uid, record in now.items() if before.get(uid) != _fingerprint(record)]


def orphan(pod: PodIdentity) -> Object:
    """Return what is left to know of a pod that only the runtime has: enough to end it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "spec": {"containers": [], "terminationGracePeriodSeconds": 1},
    }


def _fingerprint(record: PodRecord) -> object:
    return (
        tuple((s.id, s.running) for s in record.sandboxes),
        tuple((c.id, c.phase) for c in record.containers),
    )


def _uid(pod: Object) -> str:
    return str(pod["metadata"]["uid"])


def _is_named(pod: Object, namespace: str, name: str) -> bool:
    meta = pod["metadata"]
    return (meta.get("namespace"), meta["name"]) == (namespace, name)
