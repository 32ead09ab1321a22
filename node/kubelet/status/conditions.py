"""The conditions the kubelet owns, from a pod's spec and its containers' statuses. Pure.

Called by status/pod_status.py. lastTransitionTime changes only when the status does. Source:
kubelet pkg/kubelet/status generate.go; the order in which they are written is upstream's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.pod_spec import containers, generation_of, init_containers, is_sidecar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object

OWNED = (
    "PodResizePending",
    "PodResizeInProgress",
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)


def pod_conditions(
    pod: Object,
    statuses: Mapping[str, Object],
    phase: str,
    *,
    has_sandbox: bool,
    resizing: Mapping[str, tuple[bool, str, str]],
    now: str,
) -> list[Object]:
    """Return all conditions: those of others as they are, then the kubelet's.

    `resizing` are those of a resize in place, which are there only while it lasts.
    """
    before = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or ()}
    containers_ready = _containers_ready(pod, statuses, phase)
    computed = {
        **resizing,
        "PodReadyToStartContainers": (has_sandbox, "", ""),
        "Initialized": _initialized(pod, statuses, phase),
        "Ready": _ready(pod, containers_ready),
        "ContainersReady": containers_ready,
        "PodScheduled": (True, "", ""),
    }
    foreign = [dict(c) for kind, c in before.items() if kind not in OWNED]
    generation = generation_of(pod)
    return foreign + [
        _condition(kind, value, before.get(kind), generation, now)
        for kind, value in computed.items()
    ]


def _condition(
    kind: str, value: tuple[bool, str, str], before: Object | None, generation: int, now: str
) -> Object:
    is_true, reason, message = value
    status = "True" if is_true else "False"
    changed = before is None or before.get("status") != status
    since = now if changed or before is None else before.get("lastTransitionTime") or now
    condition: Object = {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
    }
    if generation:
        condition["observedGeneration"] = generation
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _initialized(pod: Object, statuses: Mapping[str, Object], phase: str) -> tuple[bool, str, str]:
    inits = init_containers(pod)
    unknown = [c["name"] for c in inits if c["name"] not in statuses]
    incomplete = [c["name"] for c in inits if not _init_done(c, statuses.get(c["name"]))]
    if phase == "Succeeded" and not unknown:
        return True, "PodCompleted", ""
    begun = any(_has_begun(statuses.get(c["name"])) for c in containers(pod))
    incomplete = [name for name in incomplete if name not in unknown]
    if begun or not (unknown or incomplete):
        return True, "", ""
    return False, "ContainersNotInitialized", _listing(unknown, "incomplete", incomplete)


def _init_done(container: Object, status: Object | None) -> bool:
    if status is None:
        return False
    return bool(status.get("started") if is_sidecar(container) else status.get("ready"))


def _has_begun(status: Object | None) -> bool:
    state = (status or {}).get("state") or {}
    last = (status or {}).get("lastState") or {}
    return "running" in state or "terminated" in state or "terminated" in last


def _containers_ready(
    pod: Object, statuses: Mapping[str, Object], phase: str
) -> tuple[bool, str, str]:
    if phase in ("Succeeded", "Failed"):
        reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
        return False, reason, ""
    watched = containers(pod) + [c for c in init_containers(pod) if is_sidecar(c)]
    unknown = [c["name"] for c in watched if c["name"] not in statuses]
    unready = [
        c["name"] for c in watched if c["name"] in statuses and not statuses[c["name"]].get("ready")
    ]
    if not (unknown or unready):
        return True, "", ""
    return False, "ContainersNotReady", _listing(unknown, "unready", unready)


def _listing(unknown: Iterable[str], kind: str, names: Iterable[str]) -> str:
    parts = (("unknown", list(unknown)), (kind, list(names)))
    return ", ".join(
        f"containers with {word} status: [{' '.join(listed)}]" for word, listed in parts if listed
    )


def _ready(pod: Object, containers_ready: tuple[bool, str, str]) -> tuple[bool, str, str]:
    if not containers_ready[0]:
        return containers_ready
    have = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or ()}
    problems = [
        _gate_problem(gate["conditionType"], have.get(gate["conditionType"]))
        for gate in pod["spec"].get("readinessGates") or ()
        if have.get(gate["conditionType"]) != "True"
    ]
    if not problems:
        return True, "", ""
    return False, "ReadinessGatesNotReady", ", ".join(problems)


def _gate_problem(gate: str, status: str | None) -> str:
    if status is None:
        return f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    return f'the status of pod readiness gate "{gate}" is not "True", but {status}'
