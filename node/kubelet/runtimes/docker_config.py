"""What the engine is asked for: SandboxConfig and ContainerConfig as the engine's create
documents. Pure.

Names and labels are those cri-dockerd uses, so that other tools recognise the containers; one
label more, OWNER_LABEL, keeps several kubelets on one engine (tests, two data directories) from
adopting each other's containers.

Called by runtimes/docker.py; read back by runtimes/docker_records.py. Source: cri-dockerd core/*,
Engine API 1.41.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from node.kubelet.runtimes.base import (
        CgroupLimits,
        ContainerConfig,
        Mount,
        PodIdentity,
        PortBinding,
        Privileges,
        SandboxConfig,
    )

OWNER_LABEL = "dev.tapir.kubelet.root-dir"
TYPE_LABEL = "io.kubernetes.docker.type"
NAME_LABEL = "io.kubernetes.container.name"
POD_NAME_LABEL = "io.kubernetes.pod.name"
POD_NAMESPACE_LABEL = "io.kubernetes.pod.namespace"
POD_UID_LABEL = "io.kubernetes.pod.uid"
SANDBOX_LABEL = "io.kubernetes.sandbox.id"
ATTEMPT_LABEL = "annotation.io.kubernetes.container.restartCount"
IMAGE_LABEL = "dev.tapir.image"
IMAGE_ID_LABEL = "dev.tapir.image-id"
ANNOTATION_PREFIX = "annotation."
SANDBOX_TYPE, CONTAINER_TYPE = "podsandbox", "container"

SANDBOX_OOM_SCORE = -998
_LOG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}


def engine_name(pod: PodIdentity, container: str, attempt: int) -> str:
    """Return the engine's name for a container; the sandbox is called POD."""
    return f"k8s_{container}_{pod.name}_{pod.namespace}_{pod.uid}_{attempt}"


def identity_labels(pod: PodIdentity, name: str, kind: str, owner: str) -> dict[str, str]:
    """Return the labels by which a container is found again."""
    return {
        POD_NAME_LABEL: pod.name,
        POD_NAMESPACE_LABEL: pod.namespace,
        POD_UID_LABEL: pod.uid,
        NAME_LABEL: name,
        TYPE_LABEL: kind,
        OWNER_LABEL: owner,
    }


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What all containers of one kubelet have in common."""

    owner: str
    network: str
    sandbox_image: str
    oom_score_floor: int = -1000


def sandbox_document(config: SandboxConfig, settings: EngineSettings) -> dict[str, Any]:
    """Return the create document of a pod's sandbox."""
    labels = dict(config.labels)
    labels |= identity_labels(config.pod, "POD", SANDBOX_TYPE, settings.owner)
    labels[ATTEMPT_LABEL] = str(config.attempt)
    host: dict[str, Any] = {
        "NetworkMode": "host" if config.host_network else settings.network,
        "IpcMode": "host" if config.host_ipc else "shareable",
        "CpuShares": 2,
        "OomScoreAdj": max(SANDBOX_OOM_SCORE, settings.oom_score_floor),
        "Privileged": config.privileged,
        "Sysctls": dict(config.sysctls),
        "LogConfig": _LOG,
        "RestartPolicy": {"Name": "no"},
    }
    if config.host_pid:
        host["PidMode"] = "host"
    document: dict[str, Any] = {
        "Image": settings.sandbox_image,
        "Labels": labels,
        "StopSignal": "SIGKILL",
        "HostConfig": host,
    }
    if not config.host_network:
        document["Hostname"] = config.hostname
        document["ExposedPorts"] = {_port_key(port): {} for port in config.ports}
        host["PortBindings"] = _port_bindings(config.ports)
    return document


def container_document(config: ContainerConfig, settings: EngineSettings) -> dict[str, Any]:
    """Return the create document of a container."""
    labels = identity_labels(config.pod, config.name, CONTAINER_TYPE, settings.owner)
    labels |= {ANNOTATION_PREFIX + key: value for key, value in config.annotations.items()}
    labels[SANDBOX_LABEL] = config.sandbox_id
    labels[ATTEMPT_LABEL] = str(config.attempt)
    document: dict[str, Any] = {
        "Image": config.image,
        "Labels": labels,
        "Env": [f"{key}={value}" for key, value in config.env.items()],
        "OpenStdin": config.stdin,
        "StdinOnce": config.stdin_once,
        "Tty": config.tty,
        "Healthcheck": {"Test": ["NONE"]},
        "User": config.privileges.user,
        "WorkingDir": config.working_dir,
        "HostConfig": _host_config(config, settings.oom_score_floor),
    }
    if config.command is not None:
        document["Entrypoint"] = list(config.command)
        document["Cmd"] = list(config.args or ())
    elif config.args is not None:
        document["Cmd"] = list(config.args)
    return document


def _host_config(config: ContainerConfig, oom_score_floor: int) -> dict[str, Any]:
    limits, shared = config.limits, f"container:{config.sandbox_id}"
    host: dict[str, Any] = {
        "NetworkMode": shared,
        "IpcMode": "host" if config.host_ipc else shared,
        "PidMode": _pid_mode(config),
        "UTSMode": "host" if config.host_network else "",
        "Mounts": [_mount(mount) for mount in config.mounts],
        "OomScoreAdj": max(limits.oom_score_adj, oom_score_floor),
        "LogConfig": _LOG,
        "RestartPolicy": {"Name": "no"},
    }
    return host | limits_document(limits) | _privileges(config.privileges)


def limits_document(limits: CgroupLimits) -> dict[str, Any]:
    """Return the engine's words for the limits of a container, new or running."""
    document: dict[str, Any] = {"CpuShares": limits.cpu_shares}
    if limits.cpu_quota:
        document |= {"CpuQuota": limits.cpu_quota, "CpuPeriod": limits.cpu_period}
    if limits.memory_bytes:
        document |= {"Memory": limits.memory_bytes, "MemorySwap": limits.memory_bytes}
    return document


def _privileges(privileges: Privileges) -> dict[str, Any]:
    host: dict[str, Any] = {
        "GroupAdd": list(privileges.groups),
        "Privileged": privileges.privileged,
        "ReadonlyRootfs": privileges.read_only_root,
        "CapAdd": list(privileges.capabilities_add),
        "CapDrop": list(privileges.capabilities_drop),
        "SecurityOpt": list(privileges.options),
    }
    if privileges.unmasked_proc:
        host |= {"MaskedPaths": [], "ReadonlyPaths": []}
    return host


def _pid_mode(config: ContainerConfig) -> str:
    if config.pid == "sandbox":
        return f"container:{config.sandbox_id}"
    return config.pid if config.pid in ("", "host") else f"container:{config.pid}"


def _mount(mount: Mount) -> dict[str, Any]:
    # Private is what the engine takes itself, but for what holds its own files (a node's / that
    # kubectl debug mounts): those it refuses to mount so, and takes rslave unless it is asked.
    private = mount.propagation == "rprivate"
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {} if private else {"Propagation": mount.propagation},
    }


def _port_key(port: PortBinding) -> str:
    return f"{port.container_port}/{port.protocol}"


def _port_bindings(ports: Any) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        binding = {"HostIp": port.host_ip, "HostPort": str(port.host_port)}
        bindings.setdefault(_port_key(port), []).append(binding)
    return bindings
