"""What a pod refers to by name in its namespace: secrets, config maps, claims. Pure.

Used by what decides about nodes, which may see what their pods refer to and nothing else. Source:
the visitors of pods' references, Kubernetes v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.objects import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
# sources of volumes that name a secret: the source, and the path to the name in it
_SECRET_SOURCES = (
    ("secret", ("secretName",)),
    ("azureFile", ("secretName",)),
    ("csi", ("nodePublishSecretRef", "name")),
    ("cephfs", ("secretRef", "name")),
    ("cinder", ("secretRef", "name")),
    ("flexVolume", ("secretRef", "name")),
    ("iscsi", ("secretRef", "name")),
    ("rbd", ("secretRef", "name")),
    ("scaleIO", ("secretRef", "name")),
    ("storageos", ("secretRef", "name")),
)


def secret_names(pod: Object) -> Iterator[str]:
    """Yield the secrets of a pod, some maybe twice."""
    spec = pod.get("spec") or {}
    for reference in spec.get("imagePullSecrets") or ():
        yield from _name(reference.get("name"))
    yield from _environment(spec, "secretRef", "secretKeyRef")
    for volume in volumes(pod):
        for source, path in _SECRET_SOURCES:
            yield from _name(dig(volume, source, *path, default=""))
        yield from _projected(volume, "secret")


def config_map_names(pod: Object) -> Iterator[str]:
    """Yield the config maps of a pod, some maybe twice."""
    yield from _environment(pod.get("spec") or {}, "configMapRef", "configMapKeyRef")
    for volume in volumes(pod):
        yield from _name(dig(volume, "configMap", "name", default=""))
        yield from _projected(volume, "configMap")


def claim_names(pod: Object) -> Iterator[str]:
    """Yield the persistent volume claims of a pod, those made for it too."""
    pod_name = dig(pod, "metadata", "name", default="")
    for volume in volumes(pod):
        yield from _name(dig(volume, "persistentVolumeClaim", "claimName", default=""))
        if volume.get("ephemeral"):
            yield f"{pod_name}-{volume.get('name', '')}"


def resource_claim_names(pod: Object) -> Iterator[str]:
    """Yield the resource claims of a pod, those made for it too."""
    for claim in dig(pod, "spec", "resourceClaims", default=None) or ():
        yield from _name(claim.get("resourceClaimName"))
    status = pod.get("status") or {}
    for claim in status.get("resourceClaimStatuses") or ():
        yield from _name(claim.get("resourceClaimName"))
    yield from _name(dig(status, "extendedResourceClaimStatus", "resourceClaimName", default=""))


def volumes(pod: Object) -> list[Object]:
    """The pod's volumes."""
    found = dig(pod, "spec", "volumes", default=None)
    return found or []


def _environment(spec: Object, whole: str, key: str) -> Iterator[str]:
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            for source in container.get("envFrom") or ():
                yield from _name(dig(source, whole, "name", default=""))
            for variable in container.get("env") or ():
                yield from _name(dig(variable, "valueFrom", key, "name", default=""))


def _projected(volume: Object, kind: str) -> Iterator[str]:
    for source in dig(volume, "projected", "sources", default=None) or ():
        yield from _name(dig(source, kind, "name", default=""))


def _name(name: str | None) -> Iterator[str]:
    if name:
        yield name
