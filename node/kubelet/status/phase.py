"""A pod's phase from its containers' statuses. Pure.

Called by status/pod_status.py. Source: kubelet getPhase; the order of the rules matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from control_plane.api.objects import Object
from node.kubelet.pod_spec import containers, init_containers, is_sidecar
from node.kubelet.restart import restarts

Statuses = Mapping[str, Object]  # by container name


@dataclass(slots=True)
class _Counts:
    running: int = 0
    waiting: int = 0
    unknown: int = 0
    stopped: int = 0
    stopped_final: int = 0
    succeeded: int = 0
    pending_init: int = 0
    pending_sidecar: int = 0
    failed_init_final: int = 0
    begun: bool = False


def pod_phase(pod: Object, statuses: Statuses, *, stopped: bool = False) -> str:
    """Return Pending, Running, Succeeded or Failed; `stopped` when all containers are known to
    have ended.

    A phase that the API shows as final stays what it is.
    """
    shown = (pod.get("status") or {}).get("phase")
    if shown in ("Succeeded", "Failed"):
        return str(shown)
    counts = _count(pod, statuses)
    if counts.failed_init_final:
        return "Failed"
    if _is_pending(counts):
        return "Pending"
    return _phase_of_begun(counts, stopped)


def _is_pending(counts: _Counts) -> bool:
    waits_for_sidecar = counts.pending_sidecar > 0 and not counts.begun
    return bool(counts.pending_init or waits_for_sidecar or counts.waiting)


def _phase_of_begun(counts: _Counts, stopped: bool) -> str:
    if counts.unknown or not (counts.running or counts.stopped):
        return "Pending"
    if counts.running:
        return "Running"
    final = stopped or counts.stopped == counts.stopped_final
    if not final:
        return "Running"
    return "Succeeded" if counts.stopped == counts.succeeded else "Failed"


def _count(pod: Object, statuses: Statuses) -> _Counts:
    counts = _Counts()
    for container in containers(pod):
        _count_regular(pod, container, statuses.get(container["name"]), counts)
    for container in init_containers(pod):
        status = statuses.get(container["name"])
        if is_sidecar(container):
            _count_sidecar(status, counts)
        else:
            _count_init(pod, container, status, counts)
    return counts


def _count_regular(pod: Object, container: Object, status: Object | None, counts: _Counts) -> None:
    if status is None:
        counts.unknown += 1
        return
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if "running" in state:
        counts.running += 1
        counts.begun = True
    elif "terminated" in state:
        code = int(state["terminated"].get("exitCode", 0))
        counts.stopped += 1
        counts.begun = True
        counts.succeeded += code == 0
        counts.stopped_final += not restarts(pod, container, code)
    elif "terminated" in last:
        counts.stopped += 1
        counts.begun = True
    else:
        counts.waiting += 1


def _count_sidecar(status: Object | None, counts: _Counts) -> None:
    if status is None:
        counts.unknown += 1
        return
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if "running" in state:
        counts.running += 1
        counts.pending_sidecar += not status.get("started")
    elif "terminated" not in state and "terminated" not in last:
        counts.pending_sidecar += 1
        counts.waiting += 1


def _count_init(pod: Object, container: Object, status: Object | None, counts: _Counts) -> None:
    state = (status or {}).get("state") or {}
    last = (status or {}).get("lastState") or {}
    ended = state.get("terminated") or ("waiting" in state and last.get("terminated")) or None
    if not ended:
        counts.pending_init += 1
        return
    code = int(ended.get("exitCode", 0))
    if code and not restarts(pod, container, code):
        counts.failed_init_final += 1
    elif code:
        counts.pending_init += 1
