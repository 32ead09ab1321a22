"""The namespace controller: what happens after `kubectl delete namespace`.

Everything is read live: a namespace must not go while its content is only missing from a cache.
Source: kubernetes pkg/controller/namespace/namespace_controller.go and deletion/.
"""

from collections.abc import Iterable

from control_plane.api.errors import Conflict, NotFound
from control_plane.api.objects import (
    Object,
    deep_copy,
    dig,
    is_terminating,
    namespace_of,
    uid_of,
)
from control_plane.api.resources import NAMESPACES, PODS
from control_plane.client.client import ApiClient
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.namespace.conditions import Progress, updated
from control_plane.controllers.namespace.content import delete_content
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, For, Watches

FINALIZER = "kubernetes"
TERMINATING = "Terminating"
# Time for writes that were admitted before the deletion to reach the store. Upstream waits 5 s for
# several API servers to hear of it.
DELAY_SECONDS = 1.0


def namespace(config: ControllersConfig) -> Controller:
    """Return the controller that empties namespaces."""
    return Controller(
        "namespace-controller",
        "namespace-controller",
        reconcile,
        sources=(For(NAMESPACES, DELAY_SECONDS), Watches(PODS, namespace_waiting_for)),
        workers=config.concurrent_namespace_syncs,
        backoff_seconds=(0.005, 60.0),
    )


def namespace_waiting_for(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the namespace that may go on, now that a pod in it is gone."""
    if change.event != "delete":
        return
    name = namespace_of(change.latest)
    found = cluster.get(NAMESPACES, name)
    if found is not None and is_terminating(found):
        yield name


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Take a terminating namespace a step closer to its end."""
    try:
        found = await cluster.client.get(NAMESPACES, key)
        if not is_terminating(found):
            return DONE
        found = await _write_phase(cluster.client, found)
        if not dig(found, "spec", "finalizers", default=[]):
            return DONE
        return await _empty(cluster, found)
    except NotFound:
        return DONE


async def _empty(cluster: Cluster, found: Object) -> Result:
    progress = await delete_content(cluster.client, found, cluster.now())
    found = await _write_conditions(cluster, found, progress)
    if progress.estimate:
        return Result(requeue_after=progress.estimate / 2 + 1)
    if progress.failures:
        raise ReconcileError("; ".join(progress.failures))
    await _finalize(cluster.client, found)
    return DONE


async def _write_phase(client: ApiClient, found: Object) -> Object:
    if dig(found, "status", "phase") == TERMINATING:
        return found
    status = (found.get("status") or {}) | {"phase": TERMINATING}
    return await _write_status(client, found, status)


async def _write_conditions(cluster: Cluster, found: Object, progress: Progress) -> Object:
    old = dig(found, "status", "conditions", default=[])
    new = updated(old, progress, cluster.stamp())
    if new == old:
        return found
    return await _write_status(cluster.client, found, {"phase": TERMINATING, "conditions": new})


async def _write_status(client: ApiClient, found: Object, status: Object) -> Object:
    """Write the status over whatever else happens to the namespace, while it is the same one."""
    while True:
        changed = deep_copy(found)
        changed["status"] = status
        try:
            return await client.update(NAMESPACES, changed, subresource="status")
        except Conflict:
            found = await _same(client, found)


async def _finalize(client: ApiClient, found: Object) -> None:
    """Take our finalizer away; the last one to do so lets the namespace go."""
    while True:
        changed = deep_copy(found)
        kept = [one for one in dig(found, "spec", "finalizers", default=[]) if one != FINALIZER]
        changed.setdefault("spec", {})["finalizers"] = kept
        try:
            await client.update(NAMESPACES, changed, subresource="finalize")
        except Conflict:
            found = await _same(client, found)
        else:
            return


async def _same(client: ApiClient, found: Object) -> Object:
    """Read the namespace again; raises ReconcileError when another has taken its name."""
    fresh = await client.get(NAMESPACES, found["metadata"]["name"])
    if uid_of(fresh) != uid_of(found):
        raise ReconcileError(f"namespace {found['metadata']['name']} was deleted and made anew")
    return fresh
