"""One sync of one pod: look, decide, act, publish. The acting half of pod_actions.py.

Called by pod_worker.py, which says when. Cancelling a sync is safe at any point: containers carry
labels, so whatever was created is found by the next look.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from control_plane.api.timestamps import now as now_text
from node.kubelet.container_start import start_container
from node.kubelet.containers.container_config import StartInputs
from node.kubelet.images import StartFailure
from node.kubelet.pod_actions import Kill, PodActions, plan_pod
from node.kubelet.pod_services import PodServices, pod_ips
from node.kubelet.pod_spec import (
    container_hash,
    find_container,
    identity_of,
    init_containers,
    is_sidecar,
    pod_id,
    termination_grace,
)
from node.kubelet.resize_progress import ResizeProgress
from node.kubelet.restart import go_duration
from node.kubelet.runtimes.base import ContainerRecord, PodRecord, RuntimeFailure
from node.kubelet.sandbox import SandboxFailure, sandbox_config, write_shared_files
from node.kubelet.status.container_status import Observation, WaitReason
from node.kubelet.status.pod_status import pod_status
from node.kubelet.termination import stop_all, stop_container, stop_sandboxes
from node.kubelet.termination_message import termination_message

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.status_writer import StatusWriter
    from node.kubelet.volumes.pod_volumes import VolumePaths

log = logging.getLogger(__name__)

DEADLINE = (
    "DeadlineExceeded",
    "Pod was active on the node longer than the specified deadline",
)


class SyncFailure(Exception):
    """The sync could not be finished; an event says why, the worker tries again."""


@dataclass(slots=True)
class PodSync:
    """What is remembered of one pod between syncs; all of it can be lost without harm."""

    services: PodServices
    writer: StatusWriter
    reasons: dict[str, WaitReason] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    phase: str = ""
    resize: ResizeProgress = field(init=False)

    def __post_init__(self) -> None:
        self.resize = ResizeProgress(self.services)

    async def observe(self, pod: Object) -> PodRecord:
        """Return what runs, with the last words of what ended."""
        record = await self.services.runtime.pod_record(identity_of(pod))
        for container in record.containers:
            if container.phase == "exited" and container.id not in self.messages:
                message = await termination_message(self.services.runtime, container)
                self.messages[container.id] = message
        known = {container.id for container in record.containers}
        self.messages = {cid: text for cid, text in self.messages.items() if cid in known}
        return record

    async def publish(
        self,
        pod: Object,
        record: PodRecord,
        *,
        stopped: bool = False,
        failure: tuple[str, str] | None = None,
    ) -> bool:
        """Compute the status and send it if it changed; False when that must be tried again."""
        view = self.services.prober.view(pod)
        seen = Observation(
            record,
            self.reasons,
            self.messages,
            view.started,
            view.ready,
            stopped=stopped,
            failure=failure,
            resizing=self.resize.resizing,
            id_prefix=self.services.runtime.name,
        )
        current = self.resize.shown(self.writer.current(pod))
        status = pod_status(current, seen, host_ips=self.services.node.ips, now=now_text())
        self.phase = status["phase"]
        return await self.writer.publish(pod, status)

    async def run(self, pod: Object) -> float:
        """Bring the pod nearer to its spec; return after how many seconds to look again.

        Raises SyncFailure, VolumeSetUpFailure and RuntimeFailure.
        """
        services = self.services
        record = await self.observe(pod)
        pod = self.resize.decide(self.writer.current(pod))
        self._watch(pod, record)
        published = await self.publish(pod, record)
        if self.phase in ("Succeeded", "Failed"):
            return 0.0
        facts = services.facts(pod, record)
        volumes = await services.volumes.set_up(facts)
        plan = plan_pod(pod, record, services.prober.view(pod).verdicts)
        retry = services.config.sync_frequency_seconds
        if not plan.idle():
            retry = min(retry, await self._act(pod, record, plan, volumes))
            record = await self.observe(pod)
            self._watch(pod, record)
            published = await self.publish(pod, record)
        if not plan.kills:
            self.resize.end(pod, record)
        return retry if published else min(retry, 1.0)

    def past_deadline(self, pod: Object) -> float | None:
        """Return the seconds left of activeDeadlineSeconds (negative: over), None without one."""
        seconds = pod["spec"].get("activeDeadlineSeconds")
        started = (self.writer.current(pod).get("status") or {}).get("startTime")
        if seconds is None or not started:
            return None
        begin = datetime.fromisoformat(started.replace("Z", "+00:00"))
        return float(seconds) - (datetime.now(UTC) - begin).total_seconds()

    def _watch(self, pod: Object, record: PodRecord) -> None:
        address = next(iter(pod_ips(self.services.node, pod, record)), "")
        self.services.prober.watch(self.writer.current(pod), record, address)

    async def _act(
        self, pod: Object, record: PodRecord, plan: PodActions, volumes: VolumePaths
    ) -> float:
        """Carry the plan out; return after how many seconds to look again."""
        services = self.services
        if plan.kill_pod:
            if plan.create_sandbox:
                text = "Pod sandbox changed, it will be killed and re-created."
                services.events.normal(pod, "SandboxChanged", text)
            await stop_all(services, pod, record, termination_grace(pod))
            if not plan.create_sandbox:
                return 1.0  # the status computed next is final, or else the engine has to settle
        for kill in plan.kills:
            await self._kill(pod, record, kill)
        if plan.create_sandbox:
            await self._create_sandbox(pod, record, plan.sandbox_attempt)
            record = await services.runtime.pod_record(identity_of(pod))
        for update in plan.updates:
            await self.resize.update(pod, update)
        retry = await self._start_all(pod, record, plan.starts, volumes)
        return 0.0 if plan.kills else retry

    async def _kill(self, pod: Object, record: PodRecord, kill: Kill) -> None:
        services = self.services
        services.events.normal(pod, "Killing", kill.message, container=kill.container.name)
        container = find_container(pod, kill.container.name) or {}
        probe = container.get(f"{kill.cause}Probe") or {}
        grace = int(
            probe.get("terminationGracePeriodSeconds")
            or pod["spec"].get("terminationGracePeriodSeconds", 30)
        )
        address = next(iter(pod_ips(services.node, pod, record)), "")
        log.info("container_killed pod=%s reason=%s", pod_id(pod), kill.cause)
        await stop_container(services, pod, kill.container, grace, address=address)

    async def _create_sandbox(self, pod: Object, record: PodRecord, attempt: int) -> None:
        services = self.services
        try:
            await stop_sandboxes(services, record)
            config = sandbox_config(pod, attempt, services.config.cluster_domain)
            await services.runtime.create_sandbox(config)
            for sandbox in record.sandboxes:
                await services.runtime.remove_sandbox(sandbox.id)
        except (RuntimeFailure, SandboxFailure) as error:
            text = f"Failed to create pod sandbox: {error}"
            services.events.warning(pod, "FailedCreatePodSandBox", text)
            raise SyncFailure(text) from error

    async def _start_all(
        self, pod: Object, record: PodRecord, names: tuple[str, ...], volumes: VolumePaths
    ) -> float:
        services = self.services
        retry = services.config.sync_frequency_seconds
        sandbox = record.ready_sandbox()
        if not names or sandbox is None:
            return retry
        facts = services.facts(self.writer.current(pod), record)
        directory = services.pod_directory(pod)
        await write_shared_files(directory, facts, services.config)
        inputs = StartInputs(
            facts=facts,
            record=record,
            sandbox_id=sandbox.id,
            volumes=volumes,
            pod_directory=directory,
            root_dir=services.config.root_dir,
            services=services.services(),
            node_memory_bytes=services.node.memory_bytes,
        )
        for name in names:
            wait = await self._start(pod, inputs, name)
            retry = min(retry, wait)
            if wait and _blocks(pod, name):
                break
        return retry

    async def _start(self, pod: Object, inputs: StartInputs, name: str) -> float:
        """Start one container unless it is in back-off; return seconds until the next try."""
        services = self.services
        container = find_container(pod, name)
        if container is None:
            return services.config.sync_frequency_seconds
        newest = inputs.record.newest(name)
        remaining = self._crash_backoff(pod, container, newest)
        if remaining:
            return remaining
        try:
            await start_container(services, inputs, container)
        except StartFailure as failure:
            self.reasons[name] = failure.wait
            reason = failure.wait.reason
            log.info("start_failed pod=%s container=%s reason=%s", pod_id(pod), name, reason)
            return failure.retry_seconds or services.config.sync_frequency_seconds / 6
        self.reasons.pop(name, None)
        # The next init container or the regular ones may follow at once.
        return 0.0 if container in init_containers(pod) else services.config.sync_frequency_seconds

    def _crash_backoff(
        self, pod: Object, container: Object, newest: ContainerRecord | None
    ) -> float:
        """Return how long an ended container must still wait; 0 lets it start and doubles the
        wait.
        """
        if newest is None or newest.phase != "exited":
            return 0.0
        services, name = self.services, container["name"]
        now, ended = services.clock(), _unix(newest.finished_at)
        key = f"{pod['metadata']['uid']}_{name}_{container_hash(container)}"
        remaining = services.backoff.remaining(key, ended, now)
        if not remaining:
            services.backoff.advance(key, ended, now)
            return 0.0
        seconds = go_duration(services.backoff.current(key))
        self.reasons[name] = WaitReason(
            "CrashLoopBackOff",
            f"back-off {seconds} restarting failed container={name} pod={pod_id(pod)}",
        )
        text = f"Back-off restarting failed container {name} in pod {pod_id(pod)}"
        services.events.warning(pod, "BackOff", text, container=name)
        return remaining


def _blocks(pod: Object, name: str) -> bool:
    """Return whether the containers after this one have to wait for it."""
    container = find_container(pod, name)
    return container in init_containers(pod) and not is_sidecar(container or {})


def _unix(text: str) -> float:
    return datetime.fromisoformat(text[:19] + "+00:00").timestamp() if text else 0.0
