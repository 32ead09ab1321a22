"""Reading a pod's spec: the questions that many parts of the kubelet ask. Pure.

Objects are the JSON they arrived as; the API server has already filled in defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from node.kubelet.runtimes.base import PodIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193
HOSTNAME_LIMIT = 63


def identity_of(pod: Object) -> PodIdentity:
    """Return namespace, name and uid."""
    meta = pod["metadata"]
    return PodIdentity(meta.get("namespace", ""), meta["name"], meta["uid"])


def pod_id(pod: Object) -> str:
    """Return how messages name a pod: name_namespace(uid)."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta.get('namespace', '')}({meta['uid']})"


def containers(pod: Object) -> list[Object]:
    """Return the regular containers."""
    return list(pod["spec"].get("containers") or ())


def init_containers(pod: Object) -> list[Object]:
    """Return the init containers, sidecars among them, in order."""
    return list(pod["spec"].get("initContainers") or ())


def ephemeral_containers(pod: Object) -> list[Object]:
    """Return the ephemeral (debug) containers."""
    return list(pod["spec"].get("ephemeralContainers") or ())


def all_containers(pod: Object) -> Iterator[Object]:
    """Yield every container of the pod: init, regular, ephemeral."""
    yield from init_containers(pod)
    yield from containers(pod)
    yield from ephemeral_containers(pod)


def find_container(pod: Object, name: str) -> Object | None:
    """Return the container called `name`, whatever its kind."""
    return next((c for c in all_containers(pod) if c["name"] == name), None)


def find_status(pod: Object, name: str) -> Object:
    """Return the status that the pod shows of its container `name`, {} while there is none."""
    status = pod.get("status") or {}
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(kind) or ():
            if entry.get("name") == name:
                return dict(entry)
    return {}


def is_sidecar(container: Object) -> bool:
    """Return whether an init container goes on running beside the regular ones."""
    return container.get("restartPolicy") == "Always"


def restart_policy(pod: Object) -> str:
    """Return Always, OnFailure or Never."""
    return str(pod["spec"].get("restartPolicy") or "Always")


def uses_host_network(pod: Object) -> bool:
    """Return whether the pod shares the node's network."""
    return bool(pod["spec"].get("hostNetwork"))


def is_terminal(pod: Object) -> bool:
    """Return whether the phase the API shows is final."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def hostname_of(pod: Object) -> str:
    """Return the pod's host name, at most 63 characters."""
    spec = pod["spec"]
    name = spec.get("hostnameOverride") or spec.get("hostname") or pod["metadata"]["name"]
    return str(name)[:HOSTNAME_LIMIT].rstrip("-.")


def domain_of(pod: Object, cluster_domain: str) -> str:
    """Return <subdomain>.<namespace>.svc.<cluster domain>, "" without a subdomain."""
    spec = pod["spec"]
    if not spec.get("subdomain") or spec.get("hostnameOverride"):
        return ""
    return f"{spec['subdomain']}.{pod['metadata'].get('namespace', '')}.svc.{cluster_domain}"


def container_hash(container: Object) -> str:
    """Return the hash whose change means that a running container must be replaced: name, image."""
    value = _FNV_OFFSET
    for byte in f"{container['name']}\0{container.get('image', '')}".encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return f"{value:x}"


def termination_grace(pod: Object) -> int:
    """Return how many seconds a deleted pod has; never less than 1."""
    deletion = pod["metadata"].get("deletionGracePeriodSeconds")
    grace = pod["spec"].get("terminationGracePeriodSeconds", 30) if deletion is None else deletion
    return max(int(grace), 1)


def without_pre_stop(pod: Object) -> Object:
    """Return the pod with its preStop hooks left out: they have run."""
    spec = dict(pod["spec"])
    for kind in _KINDS:
        if members := spec.get(kind):
            spec[kind] = [{k: v for k, v in c.items() if k != "lifecycle"} for c in members]
    return {**pod, "spec": spec}


def generation_of(pod: Object) -> int:
    """Return metadata.generation, 0 when there is none."""
    return int(pod["metadata"].get("generation") or 0)


def field_path(pod: Object, name: str) -> str:
    """Return how events name the container `name` of a pod, "" when the pod has none such."""
    for kind, members in _KINDS.items():
        if any(c["name"] == name for c in members(pod)):
            return f"spec.{kind}{{{name}}}"
    return ""


_KINDS: dict[str, Any] = {
    "containers": containers,
    "initContainers": init_containers,
    "ephemeralContainers": ephemeral_containers,
}
