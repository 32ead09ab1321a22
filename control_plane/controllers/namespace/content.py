"""Deleting what a namespace holds, and counting what does not go at once.

Source: kubernetes pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from control_plane.api.errors import ApiError, MethodNotAllowed, NotFound
from control_plane.api.objects import Object, dig, finalizers_of, name_of
from control_plane.api.resources import PODS, Resource
from control_plane.api.timestamps import parse
from control_plane.client.client import ApiClient
from control_plane.controllers.discovery import (
    custom_resources,
    deletable_namespaced,
    in_one_version,
)
from control_plane.controllers.namespace.conditions import Progress
from control_plane.controllers.pod_state import is_terminal

FINALIZER_ESTIMATE_SECONDS = 15.0
BACKGROUND = {"propagationPolicy": "Background"}


async def delete_content(client: ApiClient, namespace: Object, now: datetime) -> Progress:
    """Delete everything in `namespace`; while pods remain, only pods."""
    progress = Progress()
    grace = await _grace_left(client, namespace, now)
    await _delete_resource(client, PODS, name_of(namespace), progress, grace)
    if progress.total_remaining or progress.failures:
        return progress
    try:
        custom = in_one_version(await custom_resources(client))
    except ApiError as error:
        progress.failures.append(error.message)
        custom = []
    deletable = [row for row in custom if row.namespaced and "delete" in row.verbs]
    for resource in (*deletable_namespaced(), *deletable):
        if resource != PODS:
            await _delete_resource(client, resource, name_of(namespace), progress, 0.0)
    return progress


async def _grace_left(client: ApiClient, namespace: Object, now: datetime) -> float:
    pods = (await client.list(PODS, name_of(namespace)))["items"]
    deleted_at = parse(namespace["metadata"]["deletionTimestamp"])
    return grace_left(pods, (now - deleted_at).total_seconds())


def grace_left(pods: Iterable[Object], seconds_since_deletion: float) -> float:
    """Return the longest grace period of the running pods; 0 once that time has passed."""
    longest = max((_grace(pod) for pod in pods if not is_terminal(pod)), default=0.0)
    return longest if seconds_since_deletion < longest else 0.0


def _grace(pod: Object) -> float:
    return float(dig(pod, "spec", "terminationGracePeriodSeconds", default=0))


async def _delete_resource(
    client: ApiClient, resource: Resource, namespace: str, progress: Progress, grace: float
) -> None:
    """Delete all objects of one resource and note in `progress` what is left."""
    try:
        await _delete_all(client, resource, namespace)
        left = (await client.list(resource, namespace))["items"]
    except ApiError as error:
        progress.failures.append(error.message)
        return
    count_remaining(progress, resource, namespace, left, grace)


def count_remaining(
    progress: Progress, resource: Resource, namespace: str, left: Sequence[Object], grace: float
) -> None:
    """Note the objects left: why they may be, and when to look again. Pure but for `progress`."""
    if not left:
        return
    progress.remaining[f"{resource.plural}.{resource.group}"] = len(left)
    held = [finalizer for obj in left for finalizer in finalizers_of(obj)]
    for finalizer in held:
        progress.finalizers[finalizer] = progress.finalizers.get(finalizer, 0) + 1
    if grace:
        progress.estimate = max(progress.estimate, grace)
    elif held:
        progress.estimate = max(progress.estimate, FINALIZER_ESTIMATE_SECONDS)
    else:
        gvr = f"{resource.group}/{resource.version}, Resource={resource.plural}"
        progress.failures.append(
            f"unexpected items still remain in namespace: {namespace} for gvr: {gvr}"
        )


async def _delete_all(client: ApiClient, resource: Resource, namespace: str) -> None:
    """Delete a collection at once, or object by object where that is not offered."""
    if "deletecollection" in resource.verbs:
        try:
            await client.delete_collection(resource, namespace, options=BACKGROUND)
        except MethodNotAllowed:
            pass
        else:
            return
    for obj in (await client.list(resource, namespace))["items"]:
        try:
            await client.delete(resource, name_of(obj), namespace, options=BACKGROUND)
        except NotFound:
            continue
