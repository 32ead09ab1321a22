"""The two controllers that let go of claims and volumes which are deleted and in nobody's use.

Admission gives each a finalizer. A claim loses it when no pod that has a node uses it, which is
asked of the caches and then of the API server; a volume when it is bound to no claim. What has
none, because admission was off, gets it here. Source: kubernetes pkg/controller/volume
(pvcprotection, pvprotection).
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator

from control_plane.api.objects import (
    Object,
    controller_of,
    dig,
    finalizers_of,
    is_terminating,
    key_of,
    name_of,
    namespace_of,
    uid_of,
)
from control_plane.api.protection import FINALIZERS
from control_plane.api.resources import (
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    Resource,
)
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Index, Result
from control_plane.controllers.sources import Change, For, Watches

USERS = "claim"  # pods by the claims that they name

Needed = Callable[[Object, Cluster], Awaitable[bool]]


def claim_protection(config: ControllersConfig) -> Controller:
    """Return the controller of claims."""
    del config
    return Controller(
        "persistentvolumeclaim-protection-controller",
        "pvc-protection-controller",
        reconcile_claim,
        sources=(For(PERSISTENTVOLUMECLAIMS), Watches(PODS, let_go_by)),
        indexes=(Index(PODS, USERS, claims_of),),
        workers=1,
    )


def volume_protection(config: ControllersConfig) -> Controller:
    """Return the controller of volumes."""
    del config
    return Controller(
        "persistentvolume-protection-controller",
        "pv-protection-controller",
        reconcile_volume,
        sources=(For(PERSISTENTVOLUMES),),
        workers=1,
    )


def claims_of(pod: Object) -> Iterable[str]:
    """Return the keys of the claims that a pod names, those of its ephemeral volumes included."""
    return {
        f"{namespace_of(pod)}/{name}"
        for volume in dig(pod, "spec", "volumes", default=None) or []
        for name in _claim_names(pod, volume)
    }


def _claim_names(pod: Object, volume: Object) -> Iterator[str]:
    if volume.get("ephemeral") is not None:
        yield f"{name_of(pod)}-{volume.get('name')}"
    name = dig(volume, "persistentVolumeClaim", "claimName")
    if name:
        yield name


def let_go_by(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the claims that wait to go and that a pod which changed may have let go."""
    for key in claims_of(change.latest):
        claim = cluster.get(PERSISTENTVOLUMECLAIMS, key)
        if claim is not None and is_terminating(claim):
            yield key


def uses(pod: Object, claim: Object) -> bool:
    """Whether a pod keeps a claim: one on a node, which counts to its very end.

    An ephemeral volume's claim is the pod's own, and not kept by a pod that is shut down.
    """
    if not dig(pod, "spec", "nodeName"):
        return False
    name = name_of(claim)
    volumes = dig(pod, "spec", "volumes", default=None) or []
    if any(dig(volume, "persistentVolumeClaim", "claimName") == name for volume in volumes):
        return True
    owner = controller_of(claim) or {}
    return (
        owner.get("uid") == uid_of(pod)
        and not _is_shut_down(pod)
        and any(f"{name_of(pod)}-{v.get('name')}" == name for v in volumes if v.get("ephemeral"))
    )


def _is_shut_down(pod: Object) -> bool:
    return is_terminating(pod) and dig(pod, "metadata", "deletionGracePeriodSeconds") == 0


async def reconcile_claim(key: str, cluster: Cluster) -> Result:
    """Protect the claim `key`, or let it go."""
    return await _reconcile(PERSISTENTVOLUMECLAIMS, _is_used, key, cluster)


async def reconcile_volume(key: str, cluster: Cluster) -> Result:
    """Protect the volume `key`, or let it go."""
    return await _reconcile(PERSISTENTVOLUMES, _is_bound, key, cluster)


async def _reconcile(resource: Resource, is_needed: Needed, key: str, cluster: Cluster) -> Result:
    obj = cluster.get(resource, key)
    if obj is None:
        return DONE
    finalizer = FINALIZERS[resource]
    if not is_terminating(obj):
        await _protect(resource, obj, finalizer, cluster)
    elif finalizer in finalizers_of(obj) and not await is_needed(obj, cluster):
        await _let_go(resource, obj, finalizer, cluster)
    return DONE


async def _is_used(claim: Object, cluster: Cluster) -> bool:
    known = cluster.informer(PODS).by_index(USERS, key_of(claim))
    if any(uses(pod, claim) for pod in known):
        return True
    listed = await cluster.client.list(PODS, namespace_of(claim))
    return any(uses(pod, claim) for pod in listed["items"])


async def _is_bound(volume: Object, _cluster: Cluster) -> bool:
    return bool(dig(volume, "status", "phase") == "Bound")


async def _protect(resource: Resource, obj: Object, finalizer: str, cluster: Cluster) -> None:
    finalizers = finalizers_of(obj)
    if finalizer not in finalizers:
        await _write(resource, obj, [*finalizers, finalizer], cluster)


async def _let_go(resource: Resource, obj: Object, finalizer: str, cluster: Cluster) -> None:
    left = [name for name in finalizers_of(obj) if name != finalizer]
    await _write(resource, obj, left, cluster)


async def _write(resource: Resource, obj: Object, finalizers: list[str], cluster: Cluster) -> None:
    changed = {**obj, "metadata": {**obj["metadata"], "finalizers": finalizers}}
    await cluster.client.update(resource, changed)
