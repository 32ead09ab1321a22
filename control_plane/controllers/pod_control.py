"""Making and deleting pods for an owner: names, labels, events, expectations, slow start.

Called by the controllers that own pods. Creations go out in batches of 1, 2, 4…, so that a quota
or a bad template costs one request and not hundreds; deletions go out at once. Source: kubernetes
pkg/controller/controller_utils.go and replicaset/replica_set.go.
"""

import asyncio
from collections.abc import Sequence

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, deep_copy, key_of, name_of, namespace_of, uid_of
from control_plane.api.resources import PODS, Resource
from control_plane.client.client import ApiUnavailable
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.ownership import owner_reference
from control_plane.controllers.runtime import is_namespace_terminating

_FAILURES = (ApiError, ApiUnavailable)


def pod_from_template(template: Object, owner: Object, resource: Resource) -> Object:
    """Return the pod to create for `owner`, its name still to be completed by the server."""
    meta = template.get("metadata") or {}
    copied = {
        field: deep_copy(meta[field])
        for field in ("labels", "annotations", "finalizers")
        if meta.get(field)
    }
    return {
        "apiVersion": PODS.api_version,
        "kind": PODS.kind,
        "metadata": copied
        | {
            "generateName": f"{name_of(owner)}-",
            "namespace": namespace_of(owner),
            "ownerReferences": [owner_reference(owner, resource)],
        },
        "spec": deep_copy(template.get("spec") or {}),
    }


async def create_pods(
    cluster: Cluster, owner: Object, resource: Resource, template: Object, count: int
) -> None:
    """Create `count` pods by slow start; the first batch with a failure is the last.

    Raises ReconcileError with the first failure. A terminating namespace is no failure: nothing can
    be created there, and nothing needs to be.
    """
    pod = pod_from_template(template, owner, resource)
    if not pod["metadata"].get("labels"):
        raise ReconcileError("unable to create pods, no labels")
    uid = uid_of(owner)
    cluster.expectations.expect_creations(uid, count)
    left, batch = count, 1
    while left > 0:
        size = min(batch, left)
        failures = await _create_batch(cluster, owner, pod, size)
        left -= size
        if failures:
            cluster.expectations.creation_observed(uid, left)
            raise ReconcileError(failures[0])
        batch *= 2


async def _create_batch(cluster: Cluster, owner: Object, pod: Object, size: int) -> list[str]:
    outcomes = await asyncio.gather(*(_create(cluster, owner, pod) for _ in range(size)))
    return [failure for failure in outcomes if failure]


async def _create(cluster: Cluster, owner: Object, pod: Object) -> str:
    """Create one pod; returns why that failed, "" if it did not."""
    try:
        created = await cluster.client.create(PODS, pod)
    except _FAILURES as error:
        cluster.expectations.creation_observed(uid_of(owner))
        if isinstance(error, ApiError) and is_namespace_terminating(error):
            return ""
        text = f"Error creating: {error}"
        cluster.events.record(owner, "Warning", "FailedCreate", text)
        return str(error)
    text = f"Created pod: {name_of(created)}"
    cluster.events.record(owner, "Normal", "SuccessfulCreate", text)
    return ""


async def delete_pods(cluster: Cluster, owner: Object, pods: Sequence[Object]) -> None:
    """Delete all of `pods` at once; raises ReconcileError with the first failure."""
    cluster.expectations.expect_deletions(uid_of(owner), map(key_of, pods))
    outcomes = await asyncio.gather(*(_delete(cluster, owner, pod) for pod in pods))
    if failures := [failure for failure in outcomes if failure]:
        raise ReconcileError(failures[0])


async def _delete(cluster: Cluster, owner: Object, pod: Object) -> str:
    """Delete one pod; returns why that failed, "" if it did not. One that is gone is no failure."""
    try:
        await cluster.client.delete(PODS, name_of(pod), namespace_of(pod))
    except NotFound:
        cluster.expectations.deletion_observed(uid_of(owner), key_of(pod))
        return ""
    except _FAILURES as error:
        cluster.expectations.deletion_observed(uid_of(owner), key_of(pod))
        text = f"Error deleting: {error}"
        cluster.events.record(owner, "Warning", "FailedDelete", text)
        return f"unable to delete pods: {error}"
    text = f"Deleted pod: {name_of(pod)}"
    cluster.events.record(owner, "Normal", "SuccessfulDelete", text)
    return ""
