"""A ContainerConfig from a pod: fetch what it refers to, then put the pure parts together.

Called by container_start.py for every start. Everything that can be wrong with a container's
configuration is raised here as a StartFailure with reason CreateContainerConfigError.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from node.kubelet.containers.environment import environment, sources_of
from node.kubelet.containers.expansion import expand_all
from node.kubelet.containers.mounts import MountFailure, container_mounts
from node.kubelet.containers.references import PodFacts, ReferenceFailure
from node.kubelet.containers.resources import cgroup_limits
from node.kubelet.containers.security import SecurityFailure, privileges
from node.kubelet.containers.service_environment import service_environment
from node.kubelet.images import StartFailure
from node.kubelet.pod_actions import HASH_ANNOTATION
from node.kubelet.pod_spec import container_hash, identity_of, uses_host_network
from node.kubelet.runtimes.base import ContainerConfig, ImageRecord, Mount, PodRecord
from node.kubelet.status.container_status import WaitReason
from node.kubelet.volumes.base import ObjectReader, VolumeFailure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from control_plane.api.objects import Object
    from node.kubelet.volumes.pod_volumes import VolumePaths

MESSAGE_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath"
MESSAGE_POLICY_ANNOTATION = "io.kubernetes.container.terminationMessagePolicy"
PRE_STOP_ANNOTATION = "io.kubernetes.container.preStopHandler"
GRACE_ANNOTATION = "io.kubernetes.pod.terminationGracePeriod"
_WRONG = (ReferenceFailure, MountFailure, SecurityFailure, VolumeFailure, OSError)


@dataclass(frozen=True, slots=True)
class StartInputs:
    """Everything but the container that a start depends on."""

    facts: PodFacts
    record: PodRecord
    sandbox_id: str
    volumes: VolumePaths
    pod_directory: Path
    root_dir: Path
    services: Iterable[Object]
    node_memory_bytes: int


async def container_config(
    inputs: StartInputs, container: Object, image: ImageRecord, attempt: int, reader: ObjectReader
) -> ContainerConfig:
    """Return the configuration; raises StartFailure with what is wrong."""
    try:
        return await _assemble(inputs, container, image, attempt, reader)
    except _WRONG as error:
        raise StartFailure(WaitReason("CreateContainerConfigError", str(error))) from error


async def _assemble(
    inputs: StartInputs, container: Object, image: ImageRecord, attempt: int, reader: ObjectReader
) -> ContainerConfig:
    pod = inputs.facts.pod
    env = await _environment(inputs, container, reader)
    mounts = await asyncio.to_thread(container_mounts, pod, container, inputs.volumes, env)
    mounts += await asyncio.to_thread(_managed_mounts, inputs, container, mounts)
    spec = pod["spec"]
    return ContainerConfig(
        pod=identity_of(pod),
        name=container["name"],
        attempt=attempt,
        sandbox_id=inputs.sandbox_id,
        image=container["image"],
        command=expand_all(container.get("command"), env),
        args=expand_all(container.get("args"), env),
        env=env,
        working_dir=container.get("workingDir") or "",
        mounts=mounts,
        annotations=_annotations(pod, container),
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
        limits=cgroup_limits(pod, container, inputs.node_memory_bytes),
        privileges=privileges(pod, container, image, inputs.root_dir),
        host_network=uses_host_network(pod),
        host_ipc=bool(spec.get("hostIPC")),
        pid=_pid_namespace(inputs, container),
    )


async def _environment(
    inputs: StartInputs, container: Object, reader: ObjectReader
) -> dict[str, str]:
    namespace = inputs.facts.pod["metadata"].get("namespace", "")
    needed = dict.fromkeys(sources_of(container))
    sources = {key: await reader.get(key[0], namespace, key[1]) for key in needed}
    services = service_environment(inputs.facts.pod, inputs.services)
    return environment(inputs.facts, container, services, sources)


def _managed_mounts(inputs: StartInputs, container: Object, mounts: Iterable[Mount]) -> list[Mount]:
    """Return the files the kubelet puts into every container, unless it mounts its own there."""
    taken = {mount.target for mount in mounts}
    managed = {
        "/etc/hosts": inputs.pod_directory / "etc-hosts",
        "/etc/resolv.conf": inputs.pod_directory / "resolv.conf",
    }
    if message_path := _message_path(container):
        managed[message_path] = _message_file(inputs.pod_directory, container["name"])
    return [Mount(str(source), target) for target, source in managed.items() if target not in taken]


def _message_path(container: Object) -> str:
    path = str(container.get("terminationMessagePath", "/dev/termination-log"))
    return path if not path or path.startswith("/") else f"/{path}"


def _message_file(pod_directory: Path, name: str) -> Path:
    path = pod_directory / "containers" / name / secrets.token_hex(4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(0o666)
    return path


def _annotations(pod: Object, container: Object) -> dict[str, str]:
    annotations = {
        HASH_ANNOTATION: container_hash(container),
        MESSAGE_PATH_ANNOTATION: _message_path(container),
        MESSAGE_POLICY_ANNOTATION: container.get("terminationMessagePolicy") or "File",
        GRACE_ANNOTATION: str(pod["spec"].get("terminationGracePeriodSeconds", 30)),
    }
    if hook := (container.get("lifecycle") or {}).get("preStop"):
        annotations[PRE_STOP_ANNOTATION] = orjson.dumps(hook).decode()
    return annotations


def _pid_namespace(inputs: StartInputs, container: Object) -> str:
    spec = inputs.facts.pod["spec"]
    if target := container.get("targetContainerName"):
        record = inputs.record.newest(target)
        if record is None or record.phase != "running":
            raise ReferenceFailure(f"target container {target} is not running")
        return record.id
    if spec.get("hostPID"):
        return "host"
    return "sandbox" if spec.get("shareProcessNamespace") else ""
