"""What the engine tells: its list and inspect documents as PodRecords. Pure.

Called by runtimes/docker.py. The mapping of states and reasons is cri-dockerd's: a container that
has a finish time is exited (OOMKilled, Completed or Error), one that never started is created, or
ContainerCannotRun when it has an exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.kubelet.runtimes.base import (
    CgroupLimits,
    ContainerPhase,
    ContainerRecord,
    ImageRecord,
    PodIdentity,
    PodRecord,
    SandboxRecord,
)
from node.kubelet.runtimes.docker_config import (
    ANNOTATION_PREFIX,
    ATTEMPT_LABEL,
    IMAGE_ID_LABEL,
    IMAGE_LABEL,
    NAME_LABEL,
    POD_NAME_LABEL,
    POD_NAMESPACE_LABEL,
    POD_UID_LABEL,
    SANDBOX_TYPE,
    TYPE_LABEL,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNSET_TIME = "0001-01-01T00:00:00Z"
_RUNNING = ("running", "paused", "restarting")


def identity(labels: Mapping[str, str]) -> PodIdentity:
    """Return the pod a container's labels name."""
    return PodIdentity(
        labels.get(POD_NAMESPACE_LABEL, ""),
        labels.get(POD_NAME_LABEL, ""),
        labels.get(POD_UID_LABEL, ""),
    )


def pods_from_list(items: Iterable[Mapping[str, Any]]) -> dict[str, PodRecord]:
    """Return one PodRecord a uid from the engine's container list."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        grouped.setdefault(item["Labels"].get(POD_UID_LABEL, ""), []).append(item)
    return {uid: _pod_from_list(members) for uid, members in grouped.items()}


def pod_from_inspections(pod: PodIdentity, documents: Iterable[Mapping[str, Any]]) -> PodRecord:
    """Return one pod in full from the inspect documents of its containers."""
    sandboxes, containers = [], []
    for document in documents:
        if document["Config"]["Labels"].get(TYPE_LABEL) == SANDBOX_TYPE:
            sandboxes.append(_sandbox(document))
        else:
            containers.append(_container(document))
    return _sorted(pod, sandboxes, containers)


def image_record(document: Mapping[str, Any]) -> ImageRecord:
    """Return an image from its inspect or list document."""
    config = document.get("Config") or {}
    return ImageRecord(
        id=str(document["Id"]),
        tags=[tag for tag in document.get("RepoTags") or () if tag != "<none>:<none>"],
        digests=[d for d in document.get("RepoDigests") or () if not d.startswith("<none>")],
        size_bytes=int(document.get("Size") or 0),
        user=str(config.get("User") or ""),
    )


def _pod_from_list(items: list[Mapping[str, Any]]) -> PodRecord:
    sandboxes, containers = [], []
    for item in items:
        labels, running = item["Labels"], item["State"] in _RUNNING
        attempt = _attempt(labels)
        if labels.get(TYPE_LABEL) == SANDBOX_TYPE:
            sandboxes.append(SandboxRecord(item["Id"], attempt, running))
        else:
            phase = _list_phase(str(item["State"]))
            containers.append(
                ContainerRecord(item["Id"], labels.get(NAME_LABEL, ""), attempt, phase)
            )
    return _sorted(identity(items[0]["Labels"]), sandboxes, containers)


def _list_phase(state: str) -> ContainerPhase:
    if state in _RUNNING:
        return "running"
    return "created" if state == "created" else "exited"


def _sorted(
    pod: PodIdentity, sandboxes: list[SandboxRecord], containers: list[ContainerRecord]
) -> PodRecord:
    sandboxes.sort(key=lambda s: (s.attempt, s.created_at), reverse=True)
    containers.sort(key=lambda c: (c.attempt, c.created_at), reverse=True)
    return PodRecord(pod, sandboxes, containers)


def address_of(document: Mapping[str, Any]) -> str:
    """Return a container's address from its inspection, "" on the host's network."""
    networks = (document.get("NetworkSettings") or {}).get("Networks") or {}
    return next((n["IPAddress"] for n in networks.values() if n.get("IPAddress")), "")


def _sandbox(document: Mapping[str, Any]) -> SandboxRecord:
    host_network = document["HostConfig"]["NetworkMode"] == "host"
    networks = document["NetworkSettings"].get("Networks") or {}
    addresses = [n.get("IPAddress") for n in networks.values() if n.get("IPAddress")]
    return SandboxRecord(
        id=document["Id"],
        attempt=_attempt(document["Config"]["Labels"]),
        running=bool(document["State"]["Running"]),
        ip="" if host_network or not addresses else str(addresses[0]),
        host_network=host_network,
        created_at=document["Created"],
    )


def _container(document: Mapping[str, Any]) -> ContainerRecord:
    labels, state = document["Config"]["Labels"], document["State"]
    phase, reason = _phase_and_reason(state)
    started, finished = _time(state["StartedAt"]), _time(state["FinishedAt"])
    if reason == "ContainerCannotRun":
        started = finished = document["Created"]
    return ContainerRecord(
        id=document["Id"],
        name=labels.get(NAME_LABEL, ""),
        attempt=_attempt(labels),
        phase=phase,
        image=labels.get(IMAGE_LABEL) or document["Config"]["Image"],
        image_id=labels.get(IMAGE_ID_LABEL) or document["Image"],
        created_at=document["Created"],
        started_at=started,
        finished_at=finished if phase == "exited" else "",
        exit_code=int(state["ExitCode"]),
        reason=reason,
        message=str(state.get("Error") or ""),
        tty=bool(document["Config"].get("Tty")),
        annotations=_annotations(labels),
        mounts={m["Destination"]: m["Source"] for m in document.get("Mounts") or ()},
        limits=_limits(document["HostConfig"]),
    )


def _limits(host: Mapping[str, Any]) -> CgroupLimits:
    return CgroupLimits(
        cpu_shares=int(host.get("CpuShares") or 0),
        cpu_quota=int(host.get("CpuQuota") or 0),
        cpu_period=int(host.get("CpuPeriod") or 0),
        memory_bytes=int(host.get("Memory") or 0),
        oom_score_adj=int(host.get("OomScoreAdj") or 0),
    )


def _phase_and_reason(state: Mapping[str, Any]) -> tuple[ContainerPhase, str]:
    if state["Running"]:
        return "running", ""
    if _time(state["FinishedAt"]) and _time(state["StartedAt"]):
        return "exited", _exit_reason(state)
    if state["ExitCode"]:
        return "exited", "ContainerCannotRun"
    return "created", ""


def _exit_reason(state: Mapping[str, Any]) -> str:
    if state.get("OOMKilled"):
        return "OOMKilled"
    return "Error" if state["ExitCode"] else "Completed"


def _annotations(labels: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(ANNOTATION_PREFIX): value
        for key, value in labels.items()
        if key.startswith(ANNOTATION_PREFIX)
    }


def _attempt(labels: Mapping[str, str]) -> int:
    text = labels.get(ATTEMPT_LABEL, "0")
    return int(text) if text.isdigit() else 0


def _time(text: str) -> str:
    return "" if text == _UNSET_TIME else text
