"""One entry of status.containerStatuses. Pure.

Called by status/pod_status.py. The newest container of a name is `state`, the one before it
`lastState`; the reason why the next start is delayed or failed (crash loop, image pull) takes the
place of `state`, which then moves to `lastState`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import ephemeral_containers, find_status, init_containers, is_sidecar
from node.kubelet.resize import shown_resources
from node.kubelet.restart import restarts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object
    from node.kubelet.resize import Resizing
    from node.kubelet.runtimes.base import ContainerRecord, PodRecord

MESSAGE_BYTES = 12288
_LOST = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
}


@dataclass(frozen=True, slots=True)
class WaitReason:
    """Why a container does not start: shown as state.waiting."""

    reason: str
    message: str = ""

    def state(self) -> Object:
        """Return the container state."""
        return {"waiting": _without_empty(reason=self.reason, message=self.message)}


@dataclass(frozen=True, slots=True)
class Observation:
    """All that a status is computed from, beside the pod.

    `messages` are termination messages and `started`, `ready` the probes' results, all by
    container id. `stopped` says that all containers are known to have ended. `failure` is a
    pod-level (reason, message), such as DeadlineExceeded. `resizing` is what was granted last.
    """

    record: PodRecord
    reasons: Mapping[str, WaitReason] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    started: frozenset[str] = frozenset()
    ready: frozenset[str] = frozenset()
    stopped: bool = False
    failure: tuple[str, str] | None = None
    resizing: Resizing | None = None
    id_prefix: str = "docker"


def container_status(pod: Object, container: Object, seen: Observation) -> Object:
    """Return the status of one container of any kind."""
    name = container["name"]
    history = [c for c in seen.record.containers if c.name == name]
    before = find_status(pod, name)
    if not history:
        return _absent_status(pod, container, before, seen) | _extras(pod, container, seen)
    newest = history[0]
    state, last = _states(pod, container, history, seen)
    status: Object = {
        "name": name,
        "state": state,
        "lastState": last if last else _kept_last_state(before, newest),
        "ready": _is_ready(pod, container, newest, seen),
        "restartCount": newest.attempt,
        "image": newest.image,
        "imageID": newest.image_id,
        "started": _has_started(newest, seen),
        "containerID": f"{seen.id_prefix}://{newest.id}",
    }
    return status | _extras(pod, container, seen)


def message_limit(pod: Object) -> int:
    """Return how many bytes of a termination message the pod's status has room for."""
    spec = pod["spec"]
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return MESSAGE_BYTES // max(sum(len(spec.get(kind) or ()) for kind in kinds), 1)


def seconds_time(text: str) -> str | None:
    """Return an RFC 3339 time cut to whole seconds, None for an unset one."""
    if not text:
        return None
    return text[:19] + "Z"


def _states(
    pod: Object, container: Object, history: list[ContainerRecord], seen: Observation
) -> tuple[Object, Object]:
    limit = message_limit(pod)
    states = [_state(record, seen, limit) for record in history[:2]]
    reason = seen.reasons.get(container["name"])
    newest = history[0]
    waits = newest.phase == "created" or (
        newest.phase == "exited" and restarts(pod, container, newest.exit_code)
    )
    if reason is not None and waits:
        return reason.state(), states[0] if newest.phase == "exited" else {}
    return states[0], states[1] if len(states) > 1 else {}


def _absent_status(pod: Object, container: Object, before: Object, seen: Observation) -> Object:
    """Return the status of a container the runtime has not (or no longer): how it ended stays
    known; one that ran until now is lost, and its successor is counted.
    """
    known = before.get("state") or {}
    if "terminated" in known:
        return before
    lost = {"terminated": _LOST | {"startedAt": None, "finishedAt": None}}
    ran = "running" in known
    if ran and seen.stopped:
        return before | {"state": lost, "ready": False, "started": False}
    waiting = "PodInitializing" if init_containers(pod) else "ContainerCreating"
    again = ran and not pod["metadata"].get("deletionTimestamp")
    return {
        "name": container["name"],
        "state": seen.reasons.get(container["name"], WaitReason(waiting)).state(),
        "lastState": lost if ran else dict(before.get("lastState") or {}),
        "ready": False,
        "restartCount": int(before.get("restartCount", 0)) + again,
        "image": container.get("image", ""),
        "imageID": "",
        "started": False,
    }


def _state(record: ContainerRecord, seen: Observation, limit: int) -> Object:
    if record.phase == "running":
        return {"running": {"startedAt": seconds_time(record.started_at)}}
    if record.phase != "exited":
        return {"waiting": {}}
    parts = [part for part in (record.message, seen.messages.get(record.id, "")) if part]
    message = ": ".join(parts).encode()[:limit].decode(errors="ignore")
    return {
        "terminated": {
            "exitCode": record.exit_code,
            **_without_empty(reason=record.reason, message=message),
            "startedAt": seconds_time(record.started_at),
            "finishedAt": seconds_time(record.finished_at),
            "containerID": f"{seen.id_prefix}://{record.id}",
        }
    }


def _is_ready(pod: Object, container: Object, newest: ContainerRecord, seen: Observation) -> bool:
    if container in init_containers(pod) and not is_sidecar(container):
        return newest.phase == "exited" and newest.exit_code == 0
    return newest.phase == "running" and newest.id in seen.ready


def _has_started(newest: ContainerRecord, seen: Observation) -> bool:
    return newest.phase == "running" and newest.id in seen.started


def _extras(pod: Object, container: Object, seen: Observation) -> Object:
    """Return what is known of any container.

    Resources are shown of all but ephemeral ones, even if there are none: by that the API server
    knows that the node can resize.
    """
    is_ephemeral = container in ephemeral_containers(pod)
    extras = {} if is_ephemeral else shown_resources(pod, container, seen.record)
    if mounts := container.get("volumeMounts"):
        extras["volumeMounts"] = [_mount_status(mount) for mount in mounts]
    return extras


def _mount_status(mount: Object) -> Object:
    status = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        status |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return status


def _kept_last_state(before: Object, newest: ContainerRecord) -> Object:
    """Return how the predecessor ended, from the status: the runtime has only the newest."""
    behind = newest.attempt - int(before.get("restartCount", 0))
    if behind == 1 and "terminated" in (before.get("state") or {}):
        return dict(before["state"])
    return dict(before.get("lastState") or {}) if behind == 0 and newest.attempt else {}


def _without_empty(**values: str) -> Object:
    return {key: value for key, value in values.items() if value}
