"""The Pod table: readiness, the one-word status, restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, dig, find_condition, is_terminating
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import NONE, age, since

if TYPE_CHECKING:
    from datetime import datetime

_FINISHED: Final = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


@dataclass(slots=True)
class _Summary:
    """What the walk over a pod's container statuses has found so far."""

    status: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""
    sidecar_restarts: int = 0
    sidecar_last_restart: str = ""
    is_initializing: bool = False
    is_running: bool = False
    failure: str = ""


def cells(pod: Object, now: datetime) -> list[Any]:
    """Return the cells of one pod."""
    summary = _summarize(pod)
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart:
        restarts += f" ({since(summary.last_restart, now)} ago)"
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    total = len(spec.get("containers") or []) + len(_sidecars(pod))
    return [
        dig(pod, "metadata", "name", default=""),
        f"{summary.ready}/{total}",
        summary.status,
        restarts,
        age(pod, now),
        dig(status, "podIPs", 0, "ip", default="") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]


def conditions(pod: Object) -> list[Object]:
    """Return the row condition of a finished pod, which kubectl can filter on."""
    phase = dig(pod, "status", "phase", default="")
    if phase not in _FINISHED:
        return []
    message = _FINISHED[phase]
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def _sidecars(pod: Object) -> set[str]:
    """Return the names of the init containers that keep running beside the containers."""
    init = dig(pod, "spec", "initContainers", default=[])
    return {c.get("name", "") for c in init if c.get("restartPolicy") == "Always"}


def _summarize(pod: Object) -> _Summary:
    status = pod.get("status") or {}
    summary = _Summary(status.get("reason") or status.get("phase") or "")
    if _condition_reason(pod, "PodScheduled") == "SchedulingGated":
        summary.status = "SchedulingGated"
    _walk_init_containers(pod, summary)
    if not summary.is_initializing or _is_true(pod, "Initialized"):
        _walk_containers(pod, summary)
    _finish(pod, summary)
    return summary


def _walk_init_containers(pod: Object, summary: _Summary) -> None:
    """Count restarts until the first init container that is neither done nor a started sidecar."""
    sidecars = _sidecars(pod)
    total = len(dig(pod, "spec", "initContainers", default=[]))
    for index, status in enumerate(dig(pod, "status", "initContainerStatuses", default=[])):
        is_sidecar = status.get("name") in sidecars
        _count_restarts(status, summary, is_sidecar)
        terminated = dig(status, "state", "terminated")
        if terminated and not terminated.get("exitCode"):
            continue
        if is_sidecar and status.get("started"):
            summary.ready += bool(status.get("ready"))
            continue
        summary.is_initializing = True
        summary.status = f"Init:{_init_trouble(status) or f'{index}/{total}'}"
        return


def _init_trouble(status: Object) -> str:
    """Return why an init container has not finished, "" when it is simply not done yet."""
    terminated = dig(status, "state", "terminated")
    if terminated:
        return _end(terminated)
    waiting: str = dig(status, "state", "waiting", "reason", default="")
    return "" if waiting == "PodInitializing" else waiting


def _end(terminated: Object) -> str:
    """Return how a container ended: the reason, else its signal, else its exit code."""
    if reason := terminated.get("reason"):
        return str(reason)
    if signal := terminated.get("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _count_restarts(status: Object, summary: _Summary, is_sidecar: bool) -> None:
    count = status.get("restartCount") or 0
    ended = dig(status, "lastState", "terminated", "finishedAt", default="")
    summary.restarts += count
    summary.last_restart = max(summary.last_restart, ended)
    if is_sidecar:
        summary.sidecar_restarts += count
        summary.sidecar_last_restart = max(summary.sidecar_last_restart, ended)


def _walk_containers(pod: Object, summary: _Summary) -> None:
    """Walk from the last container to the first, so that the first one's trouble shows."""
    summary.restarts = summary.sidecar_restarts
    summary.last_restart = summary.sidecar_last_restart
    for status in reversed(dig(pod, "status", "containerStatuses", default=[])):
        _count_restarts(status, summary, is_sidecar=False)
        terminated = dig(status, "state", "terminated")
        if waiting := dig(status, "state", "waiting", "reason", default=""):
            summary.status = waiting
        elif terminated is not None:
            summary.status = _end(terminated)
            if terminated.get("exitCode"):
                summary.failure = summary.status
        elif status.get("ready") and dig(status, "state", "running") is not None:
            summary.is_running = True
            summary.ready += 1


def _finish(pod: Object, summary: _Summary) -> None:
    """Correct the status of pods that are partly done or on their way out."""
    if summary.status == "Completed":
        if summary.is_running and _is_true(pod, "Ready"):
            summary.status = "Running"
        elif summary.failure:
            summary.status = summary.failure
        elif summary.is_running:
            summary.status = "NotReady"
    if not is_terminating(pod):
        return
    if dig(pod, "status", "reason") == "NodeLost":
        summary.status = "Unknown"
    elif dig(pod, "status", "phase") not in _FINISHED:
        summary.status = "Terminating"


def _is_true(pod: Object, condition_type: str) -> bool:
    return (find_condition(pod, condition_type) or {}).get("status") == "True"


def _condition_reason(pod: Object, condition_type: str) -> str:
    return (find_condition(pod, condition_type) or {}).get("reason") or ""


def _readiness_gates(pod: Object) -> str:
    gates = dig(pod, "spec", "readinessGates", default=[])
    if not gates:
        return NONE
    return f"{sum(_is_true(pod, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}"


PODS = View(
    (
        NAME,
        Column("Ready", text="How many of the pod's containers are ready."),
        Column("Status", text="Where the pod is in its life, or what keeps it from going on."),
        Column(
            "Restarts", text="How often containers were restarted, and when the last one ended."
        ),
        AGE,
        Column("IP", priority=WIDE, doc="core.v1.PodStatus.podIP"),
        Column("Node", priority=WIDE, doc="core.v1.PodSpec.nodeName"),
        Column("Nominated Node", priority=WIDE, doc="core.v1.PodStatus.nominatedNodeName"),
        Column("Readiness Gates", priority=WIDE, doc="core.v1.PodSpec.readinessGates"),
    ),
    cells,
    conditions,
)
