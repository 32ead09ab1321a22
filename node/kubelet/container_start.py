"""Starting one container: image, configuration, create, start, postStart.

Called by the pod worker for each start its plan asks for. Every way in which this can fail is a
StartFailure, whose reason and message the container's status then shows.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from node.kubelet.containers.container_config import StartInputs, container_config
from node.kubelet.images import StartFailure
from node.kubelet.lifecycle_hooks import HookFailure, HookTarget, run_hook
from node.kubelet.pod_services import PodServices, pod_ips
from node.kubelet.pod_spec import find_status, pod_id, termination_grace
from node.kubelet.runtimes.base import ContainerConfig, ContainerRecord, PodRecord, RuntimeFailure
from node.kubelet.status.container_status import WaitReason
from node.kubelet.termination import stop_container

if TYPE_CHECKING:
    from control_plane.api.objects import Object

log = logging.getLogger(__name__)


async def start_container(services: PodServices, inputs: StartInputs, container: Object) -> str:
    """Start a container and return its id; returns only after its postStart hook. Raises
    StartFailure.
    """
    pod, name = inputs.facts.pod, container["name"]
    try:
        image = await services.images.ensure(pod, container)
        attempt = next_attempt(pod, inputs.record, name)
        config = await container_config(inputs, container, image, attempt, services.reader)
        container_id = await _create_and_start(services, pod, config)
    except StartFailure as failure:
        if failure.wait.reason not in ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"):
            services.events.warning(pod, "Failed", f"Error: {failure.wait.message}", container=name)
        raise
    log.info("container_started pod=%s container=%s attempt=%d", pod_id(pod), config.name, attempt)
    await _post_start(services, inputs, container, container_id)
    await _prune(services, inputs.record, name)
    return container_id


def next_attempt(pod: Object, record: PodRecord, name: str) -> int:
    """Return the restart count of the next container of this name; what the runtime has lost is
    counted by the pod's status.
    """
    newest = record.newest(name)
    if newest is None:
        return int(find_status(pod, name).get("restartCount", 0))
    return newest.attempt + 1


async def _create_and_start(services: PodServices, pod: Object, config: ContainerConfig) -> str:
    try:
        container_id = await services.runtime.create_container(config)
    except RuntimeFailure as error:
        raise StartFailure(WaitReason("CreateContainerError", str(error))) from error
    services.events.normal(pod, "Created", "Container created", container=config.name)
    try:
        await services.runtime.start(container_id)
    except RuntimeFailure as error:
        raise StartFailure(WaitReason("RunContainerError", str(error))) from error
    services.events.normal(pod, "Started", "Container started", container=config.name)
    return container_id


async def _post_start(
    services: PodServices, inputs: StartInputs, container: Object, container_id: str
) -> None:
    handler = (container.get("lifecycle") or {}).get("postStart")
    if not handler or services.runtime.simulates:
        return
    pod = inputs.facts.pod
    address = next(iter(pod_ips(services.node, pod, inputs.record)), "")
    try:
        await run_hook(HookTarget(services.runtime, pod, container, container_id, address), handler)
    except HookFailure as error:
        name, failed = container["name"], "FailedPostStartHook"
        services.events.warning(pod, failed, "PostStartHook failed", container=name)
        services.events.normal(pod, "Killing", failed, container=name)
        record = ContainerRecord(container_id, name, 0, "running")
        await stop_container(services, pod, record, termination_grace(pod), address=address)
        raise StartFailure(WaitReason("PostStartHookError", str(error))) from error


async def _prune(services: PodServices, record: PodRecord, name: str) -> None:
    """Keep the newest dead container (its log is what --previous shows), remove those before."""
    dead = [c for c in record.containers if c.name == name and c.phase != "running"]
    for container in dead[1:]:
        try:
            await services.runtime.remove(container.id)
        except RuntimeFailure as error:
            log.info("prune_failed container=%s error=%s", container.id, error)
