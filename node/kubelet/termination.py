"""Stopping containers gracefully: preStop, the stop signal, SIGKILL after the grace.

Called by the pod worker: for one container (a failed probe, a changed image) and for all of a pod.
All containers are stopped at the same time, except that a sidecar waits for the regular containers
and for the sidecars after it.

Source: kubelet kuberuntime killContainer, terminationOrdering.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from node.kubelet.lifecycle_hooks import HookFailure, HookTarget, run_hook
from node.kubelet.pod_actions import ALIVE
from node.kubelet.pod_services import PodServices, pod_ips
from node.kubelet.pod_spec import find_container, init_containers, is_sidecar, pod_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from control_plane.api.objects import Object
    from node.kubelet.runtimes.base import ContainerRecord, PodRecord

log = logging.getLogger(__name__)

MINIMUM_GRACE_SECONDS = 2


async def stop_container(
    services: PodServices,
    pod: Object,
    record: ContainerRecord,
    grace_seconds: int,
    *,
    address: str = "",
    after: Sequence[asyncio.Event] = (),
) -> None:
    """Stop one running container; preStop runs first and uses up the grace.

    `after` are waited for between preStop and the signal, but never longer than the grace. Raises
    RuntimeFailure.
    """
    deadline = time.monotonic() + grace_seconds
    if grace_seconds > 0:
        await _run_pre_stop(services, pod, record, grace_seconds, address)
    await _wait_for(after, deadline)
    remaining = max(int(deadline - time.monotonic()), MINIMUM_GRACE_SECONDS)
    await services.runtime.stop(record.id, remaining)


async def stop_all(
    services: PodServices, pod: Object, record: PodRecord, grace_seconds: int
) -> None:
    """Stop all running containers of a pod, then its sandboxes; raises RuntimeFailure."""
    running = [c for c in record.containers if c.phase in ALIVE]
    ended = {container.name: asyncio.Event() for container in running}
    after = _waits(pod, ended)
    address = next(iter(pod_ips(services.node, pod, record)), "")

    async def stop(container: ContainerRecord) -> None:
        name = container.name
        services.events.normal(pod, "Killing", f"Stopping container {name}", container=name)
        try:
            await stop_container(
                services,
                pod,
                container,
                grace_seconds,
                address=address,
                after=after.get(name, ()),
            )
        finally:
            ended[name].set()

    results = await asyncio.gather(*map(stop, running), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    await stop_sandboxes(services, record)


async def stop_sandboxes(services: PodServices, record: PodRecord) -> None:
    """Stop the running sandboxes; what shares their namespaces must have ended."""
    for sandbox in record.sandboxes:
        if sandbox.running:
            await services.runtime.stop_sandbox(sandbox.id)


def _waits(pod: Object, ended: Mapping[str, asyncio.Event]) -> dict[str, Sequence[asyncio.Event]]:
    """Return what each sidecar waits for: everything but the sidecars started before it."""
    sidecars = [c["name"] for c in init_containers(pod) if is_sidecar(c)]
    waits: dict[str, Sequence[asyncio.Event]] = {}
    for index, name in enumerate(sidecars):
        earlier = set(sidecars[: index + 1])
        waits[name] = [event for other, event in ended.items() if other not in earlier]
    return waits


async def _wait_for(events: Sequence[asyncio.Event], deadline: float) -> None:
    try:
        async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
            for event in events:
                await event.wait()
    except TimeoutError:
        return


async def _run_pre_stop(
    services: PodServices, pod: Object, record: ContainerRecord, seconds: int, address: str
) -> None:
    container = find_container(pod, record.name)
    handler = ((container or {}).get("lifecycle") or {}).get("preStop")
    if container is None or not handler or record.phase != "running":
        return
    target = HookTarget(services.runtime, pod, container, record.id, address)
    try:
        async with asyncio.timeout(seconds):
            await run_hook(target, handler)
    except TimeoutError:
        log.warning("pre_stop_timeout pod=%s container=%s", pod_id(pod), record.name)
    except HookFailure as error:
        log.warning("pre_stop_failed pod=%s error=%s", pod_id(pod), error)
        text = "PreStopHook failed"
        services.events.warning(pod, "FailedPreStopHook", text, container=record.name)
