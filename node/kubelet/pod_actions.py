"""What one sync of a pod has to do: (spec, what runs, probe verdicts) → actions. Pure.

Called by pod_worker.py on every sync; the worker acts and asks again. Because every decision is
made anew from what the runtime shows, a kubelet that was restarted goes on where the last one
stopped.

Source: kubelet kuberuntime computePodActions, computeInitContainerActions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import (
    container_hash,
    containers,
    ephemeral_containers,
    init_containers,
    is_sidecar,
    restart_policy,
    uses_host_network,
)
from node.kubelet.resize import differing, needs_restart
from node.kubelet.restart import may_ever_restart, restarts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from control_plane.api.objects import Object
    from node.kubelet.runtimes.base import CgroupLimits, ContainerRecord, PodRecord

ALIVE = ("running", "unknown")
HASH_ANNOTATION = "io.kubernetes.container.hash"


@dataclass(frozen=True, slots=True)
class Kill:
    """Stop one running container; `cause` is liveness, startup, changed, resized, unknown or
    superseded.
    """

    container: ContainerRecord
    message: str
    cause: str


@dataclass(frozen=True, slots=True)
class Update:
    """Give a running container other limits."""

    container: ContainerRecord
    limits: CgroupLimits


@dataclass(frozen=True, slots=True)
class PodActions:
    """kill_pod stops everything first; then kills, the sandbox, updates, and starts by container
    name in order.
    """

    kill_pod: bool = False
    create_sandbox: bool = False
    sandbox_attempt: int = 0
    kills: tuple[Kill, ...] = ()
    updates: tuple[Update, ...] = ()
    starts: tuple[str, ...] = ()

    def idle(self) -> bool:
        """Return whether there is nothing to do."""
        acts = self.kills or self.updates or self.starts
        return not (self.kill_pod or self.create_sandbox or acts)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What probes say, by container id: `failed` maps to liveness or startup; `started` have
    passed startup.
    """

    failed: Mapping[str, str]
    started: Collection[str]


NO_VERDICTS = Verdicts({}, ())


def plan_pod(pod: Object, record: PodRecord, verdicts: Verdicts = NO_VERDICTS) -> PodActions:
    """Return the actions that bring a pod which should run nearer to its spec."""
    if needs_sandbox(pod, record):
        return _plan_new_sandbox(pod, record)
    kills, starts, initialized = _plan_init(pod, record, verdicts)
    starts = [c["name"] for c in ephemeral_containers(pod) if not record.newest(c["name"])] + starts
    if initialized is None:
        return PodActions(kill_pod=True)
    if not initialized:
        return PodActions(kills=tuple(kills), updates=_updates(pod, record), starts=tuple(starts))
    keep = 0
    for container in containers(pod):
        decision = _decide(pod, container, record, verdicts)
        if isinstance(decision, Kill):
            kills.append(decision)
        elif decision == "start":
            starts.append(container["name"])
        elif decision == "keep":
            keep += 1
    kill_pod = not keep and not starts and not any(_lives_on(pod, kill) for kill in kills)
    if kill_pod:
        return PodActions(kill_pod=True)
    return PodActions(
        kills=(*_strays(record), *kills), updates=_updates(pod, record), starts=tuple(starts)
    )


def _updates(pod: Object, record: PodRecord) -> tuple[Update, ...]:
    """Return the resizes of running containers that need no restart."""
    return tuple(
        Update(one.container, one.wanted)
        for one in differing(pod, record)
        if not needs_restart(pod, one)
    )


def _strays(record: PodRecord) -> list[Kill]:
    """Return what runs beside a newer container of its name: started late by a kubelet that was
    killed before it knew.
    """
    return [
        Kill(c, f"Container {c.name} runs beside a newer one, will be stopped", "superseded")
        for c in record.containers
        if c.phase in ALIVE and record.newest(c.name) is not c
    ]


def needs_sandbox(pod: Object, record: PodRecord) -> bool:
    """Return whether there is no sandbox that containers can be put into."""
    sandbox = record.ready_sandbox()
    if sandbox is None or sandbox.host_network != uses_host_network(pod):
        return True
    return not sandbox.host_network and not sandbox.ip


def _plan_new_sandbox(pod: Object, record: PodRecord) -> PodActions:
    attempt = record.sandboxes[0].attempt + 1 if record.sandboxes else 0
    # A sandbox that was removed leaves its containers running, cut off from everything.
    kill_pod = bool(record.sandboxes) or any(c.phase in ALIVE for c in record.containers)
    plan = PodActions(kill_pod=kill_pod, create_sandbox=True, sandbox_attempt=attempt)
    if restart_policy(pod) == "Never" and _has_begun(pod, record):
        return PodActions(kill_pod=True)
    wanted = [c["name"] for c in containers(pod) if not _is_done(pod, c, record)]
    if not wanted:
        return PodActions(kill_pod=True)
    first = init_containers(pod)[:1]
    return replace(plan, starts=tuple([first[0]["name"]] if first else wanted))


def _has_begun(pod: Object, record: PodRecord) -> bool:
    newest = [record.newest(c["name"]) for c in containers(pod)]
    return any(c is not None and c.phase != "created" for c in newest)


def _is_done(pod: Object, container: Object, record: PodRecord) -> bool:
    newest = record.newest(container["name"])
    if newest is None or newest.phase != "exited":
        return False
    return newest.exit_code == 0 and not restarts(pod, container, 0)


def _plan_init(
    pod: Object, record: PodRecord, verdicts: Verdicts
) -> tuple[list[Kill], list[str], bool | None]:
    """Return kills, starts and whether regular containers may run; None when the pod has failed."""
    kills: list[Kill] = []
    starts: list[str] = []
    begun = any(record.newest(c["name"]) for c in containers(pod))
    for container in init_containers(pod):
        newest = record.newest(container["name"])
        if begun and not is_sidecar(container):
            continue
        decision = _decide(pod, container, record, verdicts)
        if isinstance(decision, Kill):
            kills.append(decision)
        elif decision == "start":
            starts.append(container["name"])
        if not begun and not _init_is_over(container, newest, verdicts):
            return kills, starts, None if decision == "done" else False
    return kills, starts, True


def _init_is_over(container: Object, newest: ContainerRecord | None, verdicts: Verdicts) -> bool:
    if newest is None:
        return False
    if is_sidecar(container):
        return newest.phase == "running" and newest.id in verdicts.started
    return newest.phase == "exited" and newest.exit_code == 0


def _decide(pod: Object, container: Object, record: PodRecord, verdicts: Verdicts) -> Kill | str:
    """Return a Kill, or start, keep (runs) or done (ended and stays so)."""
    newest = record.newest(container["name"])
    if newest is None or newest.phase == "created":
        return "start"
    if newest.phase == "exited":
        if newest.exit_code == 0 and _is_plain_init(pod, container):
            return "over"
        return "start" if restarts(pod, container, newest.exit_code) else "done"
    if kill := _kill(pod, container, newest, verdicts):
        return kill
    if any(one.container is newest and needs_restart(pod, one) for one in differing(pod, record)):
        text = f"Container {container['name']} resize requires restart"
        return Kill(newest, text, "resized")
    return "keep"


def _kill(
    pod: Object, container: Object, newest: ContainerRecord, verdicts: Verdicts
) -> Kill | None:
    kind = "Init container" if container in init_containers(pod) else "Container"
    name = container["name"]
    recorded = newest.annotations.get(HASH_ANNOTATION)
    if recorded and recorded != container_hash(container):
        return Kill(newest, f"{kind} {name} definition changed, will be restarted", "changed")
    if newest.phase == "unknown":
        text = f'{kind} is in "unknown" state, try killing it before restart'
        return Kill(newest, text, "unknown")
    cause = verdicts.failed.get(newest.id)
    if cause is None:
        return None
    suffix = ", will be restarted" if may_ever_restart(pod, container) else ""
    return Kill(newest, f"{kind} {name} failed {cause} probe{suffix}", cause)


def _is_plain_init(pod: Object, container: Object) -> bool:
    return not is_sidecar(container) and container in init_containers(pod)


def _lives_on(pod: Object, kill: Kill) -> bool:
    """Return whether a killed container is one of the regular ones and comes back."""
    for container in containers(pod):
        if container["name"] == kill.container.name:
            return kill.cause in ("changed", "resized", "unknown") or may_ever_restart(
                pod, container
            )
    return False
